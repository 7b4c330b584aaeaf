//! Which kinds of Redis are supported: a server of its own. A cluster is refused by name.

use super::resp::Reply;
use crate::address::{Address, Scheme};
use crate::protocol::ProtocolError;

pub(super) fn cluster() -> ProtocolError {
    let why = "a Redis cluster is not supported: name a server that is no part of one";
    ProtocolError(why.to_owned())
}

/// Holds the answer to a login against what is supported. A server that a Sentinel named has to be a master.
pub(super) fn check(hello: &Reply<'_>, is_of_sentinel: bool) -> Result<(), ProtocolError> {
    let said = |name| {
        let mut pairs = hello.items().chunks_exact(2);
        let pair = pairs.find(|pair| pair[0].text() == Some(name));
        pair.and_then(|pair| pair[1].text())
    };
    if is_of_sentinel && said("role") != Some("master") {
        let why = "the server that the Sentinel named is no master any more";
        return Err(ProtocolError(why.to_owned()));
    }
    match said("mode") {
        Some("standalone") => Ok(()),
        Some("cluster") => Err(cluster()),
        Some("sentinel") => {
            let why = "this is a Redis Sentinel: name its master with the key sentinel";
            Err(ProtocolError(why.to_owned()))
        }
        _ => Err(ProtocolError("no answer of Redis 6 or later".to_owned())),
    }
}

/// The address of a master in the answer of a Sentinel.
pub(super) fn master(answer: &Reply<'_>, is_encrypted: bool) -> Result<Address, ProtocolError> {
    let [host, port] = answer.items() else {
        let why = "the Sentinel knows no master of this name";
        return Err(ProtocolError(why.to_owned()));
    };
    let (host, port) = (
        host.text().unwrap_or_default(),
        port.text().unwrap_or_default(),
    );
    let scheme = if is_encrypted { "rediss" } else { "redis" };
    let text = match host.contains(':') {
        true => format!("{scheme}://[{host}]:{port}"),
        false => format!("{scheme}://{host}:{port}"),
    };
    Address::parse(&text, Scheme::Redis).map_err(ProtocolError::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_server_of_its_own_is_supported() {
        let hello = |mode: &'static [u8]| {
            let all = [b"server", &b"redis"[..], b"mode", mode];
            check(&Reply::List(all.map(Reply::Text).to_vec()), false)
        };
        assert_eq!(hello(b"standalone"), Ok(()));
        let said = |mode| hello(mode).unwrap_err().0;
        assert!(said(b"cluster").contains("a Redis cluster is not supported"));
        assert!(said(b"sentinel").contains("with the key sentinel"));
        assert!(said(b"").contains("Redis 6 or later"));
        assert!(check(&Reply::Nothing, false).is_err());
        let role = |role: &'static [u8]| {
            let all = [&b"mode"[..], b"standalone", b"role", role];
            check(&Reply::List(all.map(Reply::Text).to_vec()), true)
        };
        assert_eq!(role(b"master"), Ok(()));
        assert!(role(b"replica").unwrap_err().0.contains("no master"));
    }
}
