//! Every socket of the product opens through the `Connector` of `tradewind-venues`, so that a virtual network can take its place.
//!
//! Tests, benchmarks and examples are not bound: they play the other side.

use crate::finding::Finding;
use crate::tree::{File, Tree};

/// The one file that opens sockets.
const CONNECTOR: &str = "crates/tradewind-venues/src/wire/connector.rs";

/// Calls that open a socket or ask the network for a name. Split literals keep this file from finding itself.
const OPENERS: [&str; 5] = [
    concat!("TcpStream::conn", "ect"),
    concat!("TcpSock", "et::"),
    concat!("UdpSock", "et::"),
    concat!("UnixStream::conn", "ect"),
    concat!("lookup_", "host("),
];

/// Findings for sockets that are opened elsewhere.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    tree.files()
        .filter(|file| is_product(&file.path))
        .flat_map(opened)
        .collect()
}

fn is_product(path: &str) -> bool {
    let source = path
        .strip_prefix("crates/")
        .and_then(|path| path.split_once("/src/"));
    let is_test = path.ends_with("/tests.rs") || path.contains("/tests/");
    source.is_some() && path.ends_with(".rs") && !is_test && path != CONNECTOR
}

fn opened(file: &File) -> Vec<Finding> {
    let product = |(_, text): &(usize, &str)| !text.trim_start().starts_with("#[cfg(test)]");
    let opens = |text: &str| {
        let code = text.split("//").next().unwrap_or_default();
        OPENERS.iter().any(|opener| code.contains(opener))
    };
    file.lines()
        .take_while(product)
        .filter(|(_, text)| opens(text))
        .map(|(line, _)| {
            let cure = format!("open it through a Connector; the live one is in {CONNECTOR}");
            Finding::new(&file.path, line, "a socket is opened here", cure)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::assert_finds;

    #[test]
    fn a_socket_is_opened_by_the_connector_and_by_tests_only() {
        let code = format!(
            "//! X.\nlet s = {}(a);\n#[cfg(test)]\n{0}(b);\n",
            OPENERS[0]
        );
        assert_finds(
            check,
            &[
                ("crates/a/src/b.rs", &code),
                ("crates/a/tests/b.rs", &code),
                ("crates/a/src/b/tests.rs", &code),
                (CONNECTOR, &code),
            ],
            &["crates/a/src/b.rs:2: a socket is opened here"],
        );
    }
}
