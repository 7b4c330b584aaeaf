//! The API server of the desk: its address, its token, its login link.

use std::fs;
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use tradewind_api::{Secrets, Server, ServerOptions};

use crate::app::descriptors;
use crate::app::desk::LiveDesk;
use crate::app::supervisor::Supervisor;
use crate::app::venue::random_hex;
use crate::config::DeskConfig;

/// The API's address. It is bound before anything else starts, so that a second desk fails at once.
#[derive(Debug)]
pub(crate) struct ApiServer {
    listener: TcpListener,
    address: SocketAddr,
    /// How many it may hold at once.
    connections: usize,
}

impl ApiServer {
    /// Binds the address.
    ///
    /// # Errors
    /// The port is in use, or the process may open too few files.
    pub(crate) fn bind(config: &DeskConfig) -> anyhow::Result<Self> {
        let wanted = config.api.listen;
        let listener = TcpListener::bind(wanted).with_context(|| {
            format!("cannot listen on {wanted}: another desk may run there; stop it, or set TRADEWIND__API__LISTEN")
        })?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok(Self {
            listener,
            address,
            connections: descriptors::for_api(ServerOptions::CONNECTIONS_MAX)?,
        })
    }

    /// Serves the desk and prints where, with a link that logs in once.
    ///
    /// # Errors
    /// The token cannot be written.
    pub(crate) fn serve(
        self,
        supervisor: &mut Supervisor,
        desk: &Arc<LiveDesk>,
        data_dir: &Path,
    ) -> anyhow::Result<SocketAddr> {
        let code = random_hex()?;
        let (listener, address) = (self.listener, self.address);
        let (token, desk) = (token(data_dir)?, Arc::clone(desk));
        let mut login_code = Some(code.clone());
        let connections = self.connections;
        supervisor.keep("api", move |stop| {
            let secrets = Secrets {
                token: token.clone(),
                login_code: login_code.take(),
            };
            let socket = listener.try_clone();
            let desk = Arc::clone(&desk);
            async move {
                let socket = tokio::net::TcpListener::from_std(socket?)?;
                let mut options = ServerOptions::new(secrets);
                options.connections_max = connections;
                options.streams_max = options.streams_max.min(connections);
                let server = Server::new(socket, desk, options, stop)?;
                server.run().await.context("the API")
            }
        });
        let link = format!("http://{address}/login?code={code}");
        writeln!(
            std::io::stdout(),
            "\n  The desk is at {link}\n  (the link logs in once; later: tradewind token)\n"
        )?;
        Ok(address)
    }
}

/// The user that this process acts for, where the system shows it.
fn own_user() -> Option<u32> {
    use std::os::unix::fs::MetadataExt as _;
    let shown = fs::metadata("/proc/self").ok()?;
    Some(shown.uid())
}

/// X10: a secret that others can read, or that somebody else could change, is none.
pub(crate) fn check_private(path: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let (found, shown) = (fs::metadata(path)?, path.display());
    let mode = found.permissions().mode() & 0o777;
    anyhow::ensure!(
        mode & 0o077 == 0,
        "{shown} can be read by others (mode {mode:o}): delete it, and the next start creates a new one, or chmod 600 it"
    );
    let owner = found.uid();
    anyhow::ensure!(
        own_user().is_none_or(|user| user == owner),
        "{shown} belongs to another user ({owner}): delete it, and the next start creates a new one, or chown it"
    );
    Ok(())
}

/// The operator's token: random, created at the first start, in a file that only its owner can read.
fn token(data_dir: &Path) -> anyhow::Result<String> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let path = data_dir.join("token");
    if let Ok(text) = fs::read_to_string(&path) {
        check_private(&path)?;
        if !text.trim().is_empty() {
            return Ok(text.trim().to_owned());
        }
    }
    let token = random_hex()?;
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&path)?;
    writeln!(file, "{token}")?;
    file.sync_all()?;
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, chown};
    use tempfile::TempDir;

    /// X10: a start takes no token that others can read or that is not its user's.
    #[test]
    fn a_token_that_is_not_the_users_own_is_refused() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("token");
        let made = token(folder.path()).unwrap();
        assert_eq!(token(folder.path()).unwrap(), made);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let refused = token(folder.path()).unwrap_err().to_string();
        assert!(refused.contains("read by others (mode 644)"), "{refused}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        // Only root may give a file away.
        if own_user() == Some(0) {
            chown(&path, Some(12_345), None).unwrap();
            let refused = token(folder.path()).unwrap_err().to_string();
            assert!(refused.contains("another user (12345)"), "{refused}");
        }
    }
}
