//! What a service manager is sent: sd_notify(3), one datagram a message, if `NOTIFY_SOCKET` is set.

use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// The service manager, if there is one.
#[derive(Debug, Default)]
pub(crate) struct ServiceManager(Option<(UnixDatagram, SocketAddr)>);

impl ServiceManager {
    /// The one whose socket has this name; a name that begins with `@` is abstract.
    pub(crate) fn at(name: Option<&str>) -> Self {
        let connected = name.filter(|name| !name.is_empty()).map(|name| {
            let address = match name.strip_prefix('@') {
                Some(name) => SocketAddr::from_abstract_name(name),
                None => SocketAddr::from_pathname(name),
            };
            let socket = UnixDatagram::unbound()?;
            socket.set_nonblocking(true)?;
            std::io::Result::Ok((socket, address?))
        });
        let connected = connected.transpose().inspect_err(|error| {
            tracing::warn!(%error, "NOTIFY_SOCKET cannot be used; the service manager is not notified.");
        });
        Self(connected.ok().flatten())
    }

    /// Sends a message such as `READY=1`. One that cannot be sent is dropped: the manager has its own time limit.
    pub(crate) fn send(&self, message: &str) {
        if let Self(Some((socket, address))) = self
            && let Err(error) = socket.send_to_addr(message.as_bytes(), address)
        {
            tracing::debug!(%error, message, "The service manager was not notified.");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_arrives_at_a_path_and_at_an_abstract_name() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("notify");
        let name = format!("tradewind-test-{}", std::process::id());
        let abstract_name = SocketAddr::from_abstract_name(&name).unwrap();
        let sockets = [
            (
                UnixDatagram::bind(&path).unwrap(),
                path.to_str().unwrap().to_owned(),
            ),
            (
                UnixDatagram::bind_addr(&abstract_name).unwrap(),
                format!("@{name}"),
            ),
        ];
        for (socket, name) in sockets {
            ServiceManager::at(Some(&name)).send("READY=1");
            let mut bytes = [0; 16];
            let length = socket.recv(&mut bytes).unwrap();
            assert_eq!(&bytes[..length], b"READY=1");
        }
        ServiceManager::at(None).send("READY=1");
    }
}
