//! Which `Host` and `Origin` are ours.
//!
//! A page of another site that makes its own name point to 127.0.0.1 (DNS rebinding) still sends its own name as
//! `Host`, and its own origin with everything but plain GETs; neither is on the list.

use std::net::SocketAddr;

use axum::http::{HeaderMap, Uri, header};

/// The authorities the server answers to.
#[derive(Clone, Debug)]
pub(crate) struct Hosts(Vec<String>);

impl Hosts {
    /// The listener's address, `localhost` at its port, and whatever else the configuration names.
    pub(crate) fn new(listening: SocketAddr, others: &[String]) -> Self {
        let port = listening.port();
        let mut hosts = vec![
            listening.to_string(),
            format!("localhost:{port}"),
            format!("127.0.0.1:{port}"),
            format!("[::1]:{port}"),
        ];
        hosts.extend(others.iter().map(|host| host.to_ascii_lowercase()));
        Self(hosts)
    }

    /// Whether the request is addressed to us.
    pub(crate) fn knows_host(&self, headers: &HeaderMap, uri: &Uri) -> bool {
        let mut given = headers.get_all(header::HOST).iter();
        let (first, second) = (given.next(), given.next());
        let named = first.and_then(|host| host.to_str().ok());
        let absolute = uri.authority().map(|authority| authority.as_str());
        second.is_none()
            && named.or(absolute).is_some_and(|host| self.has(host))
            && absolute.is_none_or(|host| self.has(host))
    }

    /// Whether the request comes from one of our own pages, or from no page at all.
    pub(crate) fn knows_origin(&self, headers: &HeaderMap) -> bool {
        headers.get_all(header::ORIGIN).iter().all(|origin| {
            let authority = origin
                .to_str()
                .ok()
                .and_then(|origin| origin.strip_prefix("http://"));
            authority.is_some_and(|host| self.has(host))
        })
    }

    fn has(&self, host: &str) -> bool {
        self.0.iter().any(|known| known.eq_ignore_ascii_case(host))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(host: &[&str], origin: Option<&str>, wanted: (bool, bool)) {
        let hosts = Hosts::new(([127, 0, 0, 1], 8787).into(), &["desk.lan:80".into()]);
        let mut headers = HeaderMap::new();
        for value in host {
            headers.append(header::HOST, value.parse().unwrap());
        }
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        let got = (
            hosts.knows_host(&headers, &Uri::from_static("/")),
            hosts.knows_origin(&headers),
        );
        assert_eq!(got, wanted, "{host:?} {origin:?}");
    }

    #[test]
    fn only_our_own_names_are_ours() {
        check(&["127.0.0.1:8787"], None, (true, true));
        check(
            &["LOCALHOST:8787"],
            Some("http://localhost:8787"),
            (true, true),
        );
        check(&["[::1]:8787"], Some("http://[::1]:8787"), (true, true));
        check(&["Desk.LAN:80"], None, (true, true));
        check(&["127.0.0.1"], Some("http://127.0.0.1"), (false, false));
        check(
            &["evil.example:8787"],
            Some("http://evil.example:8787"),
            (false, false),
        );
        check(
            &["localhost:8787"],
            Some("https://localhost:8787"),
            (true, false),
        );
        check(&["localhost:8787"], Some("null"), (true, false));
        check(&["localhost:8787", "evil.example"], None, (false, true));
        check(&[], None, (false, true));
    }
}
