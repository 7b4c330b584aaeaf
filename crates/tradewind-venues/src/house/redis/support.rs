//! Which kinds of Redis are supported: a server of its own. A cluster and a Sentinel are refused by name.

use super::resp::Reply;
use crate::protocol::ProtocolError;

pub(super) fn cluster() -> ProtocolError {
    let why = "a Redis cluster is not supported: name a server that is no part of one";
    ProtocolError(why.to_owned())
}

/// Holds the answer to a login against what is supported.
pub(super) fn check(hello: &Reply<'_>) -> Result<(), ProtocolError> {
    let mut pairs = hello.items().chunks_exact(2);
    let mode = pairs.find(|pair| pair[0].text() == Some("mode"));
    match mode.and_then(|pair| pair[1].text()) {
        Some("standalone") => Ok(()),
        Some("cluster") => Err(cluster()),
        Some("sentinel") => {
            let why = "this is a Redis Sentinel: name the server that it watches";
            Err(ProtocolError(why.to_owned()))
        }
        _ => Err(ProtocolError("no answer of Redis 6 or later".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_server_of_its_own_is_supported() {
        let hello = |mode: &'static [u8]| {
            let all = [b"server", &b"redis"[..], b"mode", mode];
            check(&Reply::List(all.map(Reply::Text).to_vec()))
        };
        assert_eq!(hello(b"standalone"), Ok(()));
        let said = |mode| hello(mode).unwrap_err().0;
        assert!(said(b"cluster").contains("a Redis cluster is not supported"));
        assert!(said(b"sentinel").contains("name the server that it watches"));
        assert!(said(b"").contains("Redis 6 or later"));
        assert!(check(&Reply::Nothing).is_err());
    }
}
