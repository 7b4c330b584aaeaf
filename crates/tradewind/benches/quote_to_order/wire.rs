//! A byte stream of the benchmarks, plain or TLS, whose two directions may be used by different threads.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConnection, Connection, ServerConfig, ServerConnection};
use tradewind_venues::client_config;

const CERTIFICATE: &str = "localhost.pem";
const KEY: &str = "localhost.key.pem";

/// What is spoken below HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Security {
    Plain,
    Tls,
}

impl Security {
    /// Completes the name of a scheme: `http` or `https`, `ws` or `wss`.
    #[allow(
        dead_code,
        reason = "one benchmark writes addresses, the other does not"
    )]
    pub(crate) const fn suffix(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Tls => "s",
        }
    }
}

/// The certificate of `localhost` that the benchmarks' venues show.
pub(crate) fn certificate() -> PathBuf {
    folder().join(CERTIFICATE)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tradewind-venues/tests/venue/data")
}

/// A connection.
pub(crate) struct Wire {
    socket: TcpStream,
    /// Held while bytes are written, so that messages of two threads do not mix.
    tls: Mutex<Option<Connection>>,
    security: Security,
}

impl Wire {
    /// The server's side of a connection.
    pub(crate) fn accept(socket: TcpStream, security: Security) -> Self {
        Self::new(socket, security, || {
            ServerConnection::new(server_config()).unwrap().into()
        })
    }

    /// Connects as a client.
    pub(crate) fn connect(address: SocketAddr, security: Security) -> Self {
        let client = || {
            let roots = std::fs::read(certificate()).unwrap();
            let name = ServerName::try_from("localhost").unwrap();
            let config = client_config(Some(&roots)).unwrap();
            ClientConnection::new(config, name).unwrap().into()
        };
        Self::new(TcpStream::connect(address).unwrap(), security, client)
    }

    fn new(socket: TcpStream, security: Security, tls: impl FnOnce() -> Connection) -> Self {
        socket.set_nodelay(true).unwrap();
        let tls = match security {
            Security::Plain => None,
            Security::Tls => Some(tls()),
        };
        Self {
            socket,
            tls: Mutex::new(tls),
            security,
        }
    }

    /// Ends both directions.
    #[allow(
        dead_code,
        reason = "one benchmark cuts connections, the other does not"
    )]
    pub(crate) fn shut_down(&self) {
        // It may be closed already.
        drop(self.socket.shutdown(std::net::Shutdown::Both));
    }

    fn read_tls(&self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            self.flush_tls()?;
            match self.with_tls(|tls| tls.reader().read(buffer)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => return done,
            }
            let mut raw = [0; 16 * 1024];
            let length = (&self.socket).read(&mut raw)?;
            if length == 0 {
                return Ok(0);
            }
            let mut rest = &raw[..length];
            while !rest.is_empty() {
                self.with_tls(|tls| {
                    tls.read_tls(&mut rest)?;
                    tls.process_new_packets().map_err(io::Error::other)
                })?;
            }
        }
    }

    fn flush_tls(&self) -> io::Result<()> {
        self.with_tls(|tls| {
            while tls.wants_write() {
                tls.write_tls(&mut &self.socket)?;
            }
            Ok(())
        })
    }

    fn with_tls<T>(&self, work: impl FnOnce(&mut Connection) -> io::Result<T>) -> io::Result<T> {
        work(self.tls.lock().unwrap().as_mut().unwrap())
    }
}

impl Read for &Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.security {
            Security::Plain => (&self.socket).read(buffer),
            Security::Tls => self.read_tls(buffer),
        }
    }
}

impl Write for &Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut tls = self.tls.lock().unwrap();
        let Some(tls) = tls.as_mut() else {
            return (&self.socket).write_all(bytes).map(|()| bytes.len());
        };
        tls.writer().write_all(bytes)?;
        while tls.wants_write() {
            tls.write_tls(&mut &self.socket)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn server_config() -> Arc<ServerConfig> {
    let certificate = CertificateDer::from_pem_file(certificate()).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder().join(KEY)).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key);
    Arc::new(config.unwrap())
}
