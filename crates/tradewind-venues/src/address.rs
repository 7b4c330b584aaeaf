//! A venue's address, checked once on entry: a supported scheme, and plain text only on this machine.

use std::fmt;
use std::net::SocketAddr;

use url::{Host, Url};

/// What will be spoken at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `http` or `https`.
    Http,
    /// `ws` or `wss`.
    WebSocket,
    /// `tcp` or `tls`: frames of a house source.
    Tcp,
    /// `redis` or `rediss`.
    Redis,
}

impl Scheme {
    /// How it is written, plain and encrypted.
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Http => ("http", "https://"),
            Self::WebSocket => ("ws", "wss://"),
            Self::Tcp => ("tcp", "tls://"),
            Self::Redis => ("redis", "rediss://"),
        }
    }

    /// The port where none is named and the URL standard knows none.
    const fn port(self) -> Option<u16> {
        match self {
            Self::Redis => Some(6379),
            Self::Http | Self::WebSocket | Self::Tcp => None,
        }
    }
}

/// A checked address, without a trailing slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    text: String,
    host: String,
    port: u16,
    encrypted: bool,
    local: bool,
}

/// Why an address is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// Not a URL.
    #[error("{0:?} is no address: {1}")]
    Malformed(String, String),
    /// A scheme of another kind.
    #[error("{0:?} must start with {1}")]
    Scheme(String, &'static str),
    /// A user or a password, which would be printed.
    #[error(
        "an address with a user or a password before its host; name environment variables for them instead"
    )]
    Credentials,
    /// Plain text to another machine.
    #[error(
        "{0:?} is plain text and not on this machine: keys and orders would be readable on the way; use {1}"
    )]
    PlainText(String, &'static str),
}

impl Address {
    /// Checks an address such as `https://api.binance.com` or `ws://127.0.0.1:9443`.
    ///
    /// # Errors
    /// See [`AddressError`]; the message names the cure.
    pub fn parse(text: &str, scheme: Scheme) -> Result<Self, AddressError> {
        let behind = text.split_once("://").map_or(text, |(_, behind)| behind);
        if behind
            .split('/')
            .next()
            .is_some_and(|host| host.contains('@'))
        {
            return Err(AddressError::Credentials);
        }
        let malformed = |why: &str| AddressError::Malformed(text.to_owned(), why.to_owned());
        let url = Url::parse(text).map_err(|error| malformed(&error.to_string()))?;
        let (plain, secure) = scheme.names();
        let encrypted = match url.scheme() {
            name if name == plain => false,
            name if secure.strip_suffix("://") == Some(name) => true,
            _ => return Err(AddressError::Scheme(text.to_owned(), secure)),
        };
        let host = url.host().ok_or_else(|| malformed("no host"))?;
        let local = is_loopback(&host);
        if !encrypted && !local {
            return Err(AddressError::PlainText(text.to_owned(), secure));
        }
        Ok(Self {
            text: url.as_str().trim_end_matches('/').to_owned(),
            host: url.host_str().unwrap_or_default().to_owned(),
            port: url
                .port_or_known_default()
                .or(scheme.port())
                .ok_or_else(|| malformed("no port"))?,
            encrypted,
            local,
        })
    }

    /// The address with `path` behind it, for people and for other clients.
    #[must_use]
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.text)
    }

    /// The address of a plain TCP service on this machine.
    ///
    /// # Errors
    /// [`AddressError::PlainText`] for another machine's.
    pub fn tcp(place: SocketAddr) -> Result<Self, AddressError> {
        if !place.ip().is_loopback() {
            return Err(AddressError::PlainText(place.to_string(), "127.0.0.1"));
        }
        Ok(Self {
            text: format!("tcp://{place}"),
            host: place.ip().to_string(),
            port: place.port(),
            encrypted: false,
            local: true,
        })
    }

    /// What a request for `path` at this address names: path and query, never empty.
    #[must_use]
    pub fn target(&self, path: &str) -> String {
        match (self.path(), path) {
            ("", "") => "/".to_owned(),
            (base, path) => format!("{base}{path}"),
        }
    }

    /// Host and port as a `Host` field names them: without the scheme's own port.
    #[must_use]
    pub fn authority(&self) -> String {
        match (self.port, self.encrypted) {
            (443, true) | (80, false) => self.host.clone(),
            (port, _) => format!("{}:{port}", self.host),
        }
    }

    /// Whether the connection is encrypted.
    #[must_use]
    pub const fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// Whether it is an address of this machine: a loopback IP address, or `localhost`.
    #[must_use]
    pub const fn is_local(&self) -> bool {
        self.local
    }

    /// Host name or IP address, without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    /// Port, the scheme's own where none is named.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Path of the address itself, usually empty.
    #[must_use]
    pub fn path(&self) -> &str {
        let behind = self
            .text
            .split_once("://")
            .map_or(self.text.as_str(), |(_, rest)| rest);
        behind
            .find('/')
            .and_then(|at| behind.get(at..))
            .unwrap_or_default()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        // Only the URL standard's own schemes have their IPv4 addresses recognised.
        Host::Domain(name) => {
            let ip = name.parse::<std::net::Ipv4Addr>();
            *name == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
        }
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => ip.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_request_names_is_complete() {
        let check = |text: &str, path: &str, wanted: (&str, &str)| {
            let address = Address::parse(text, Scheme::Http).unwrap();
            let got = (address.authority(), address.target(path));
            assert_eq!((got.0.as_str(), got.1.as_str()), wanted, "{text}");
        };
        check("https://a.example", "", ("a.example", "/"));
        check(
            "https://a.example:8443/v3/",
            "/x?y=1",
            ("a.example:8443", "/v3/x?y=1"),
        );
        check("http://[::1]:9000", "/x", ("[::1]:9000", "/x"));
        check("http://127.0.0.1", "/x", ("127.0.0.1", "/x"));
        assert!(Address::tcp("127.0.0.1:9".parse().unwrap()).is_ok());
        assert!(Address::tcp("10.0.0.1:9".parse().unwrap()).is_err());
    }

    #[test]
    fn only_loopback_is_local() {
        let check = |text: &str, wanted: bool| {
            let address = Address::parse(text, Scheme::Http).unwrap();
            assert_eq!(address.is_local(), wanted, "{text}");
        };
        check("https://localhost:9443", true);
        check("http://127.0.0.9", true);
        check("https://[::1]:9443", true);
        check("https://localhost.example.org", false);
        check("https://127.0.0.1.example.org", false);
        check("https://10.0.0.1", false);
    }

    #[test]
    fn plain_text_stays_on_this_machine() {
        let check = |text: &str, scheme: Scheme, wanted: &str| {
            let got = match Address::parse(text, scheme) {
                Ok(address) => format!(
                    "{address} {} {} {:?}",
                    address.host(),
                    address.port(),
                    address.path()
                ),
                Err(error) => error.to_string(),
            };
            assert!(got.contains(wanted), "{text}: {got}");
        };
        check(
            "http://127.0.0.1:9000/",
            Scheme::Http,
            "http://127.0.0.1:9000 127.0.0.1 9000 \"\"",
        );
        check("http://localhost:9000", Scheme::Http, "localhost 9000");
        check("ws://[::1]:9000", Scheme::WebSocket, "::1 9000");
        check(
            "https://api.binance.com",
            Scheme::Http,
            "api.binance.com 443",
        );
        check(
            "wss://ws-api.binance.com:443/ws-api/v3",
            Scheme::WebSocket,
            "\"/ws-api/v3\"",
        );
        check("http://api.binance.com", Scheme::Http, "use https://");
        check("ws://10.0.0.1:80", Scheme::WebSocket, "use wss://");
        check(
            "http://127.0.0.1.example.com",
            Scheme::Http,
            "plain text and not on this machine",
        );
        check("ftp://127.0.0.1", Scheme::Http, "must start with https://");
        check(
            "https://127.0.0.1",
            Scheme::WebSocket,
            "must start with wss://",
        );
        check("nonsense", Scheme::Http, "is no address");
    }
}
