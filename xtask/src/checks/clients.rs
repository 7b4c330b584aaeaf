//! Law 8: the code that talks to the simulated exchange is the code that talks to the real one. So only `tradewind-venues` links
//! HTTP and WebSocket clients; the exceptions are named in the map, and the report prints them.
//!
//! Tests are not bound: a test of a server is a client of it, as a browser is.

use crate::finding::Finding;
use crate::lockfile::Lockfile;
use crate::manifest::{Section, dependencies};
use crate::map::{CLIENTS, MAP, MAY_CONNECT, PURE_CLIENTS, manifest_path, row_of};
use crate::tree::{File, Tree};

/// Findings for crates that could open a connection and may not.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let lockfile = Lockfile::parse(tree.file("Cargo.lock").map_or("", |file| &file.text));
    let manifests = MAP
        .iter()
        .filter_map(|row| Some((row.name, tree.file(&manifest_path(row.name))?)));
    manifests
        .flat_map(|(name, manifest)| check_manifest(name, manifest, &lockfile))
        .collect()
}

/// Who links which client, so that the law can be read off a run.
pub(crate) fn notes(tree: &Tree) -> Vec<String> {
    let linked = |(name, _, reason): &(&str, &[&str], &str)| {
        let manifest = tree.file(&manifest_path(name))?;
        let clients: Vec<_> = linked_by(manifest)
            .into_iter()
            .filter(|(client, _)| CLIENTS.contains(&client.as_str()))
            .collect();
        let names: Vec<_> = clients.into_iter().map(|(client, _)| client).collect();
        (!names.is_empty()).then(|| format!("{name} links {} ({reason})", names.join(", ")))
    };
    MAY_CONNECT.iter().filter_map(linked).collect()
}

fn check_manifest(name: &str, manifest: &File, lockfile: &Lockfile) -> Vec<Finding> {
    let allowed = MAY_CONNECT
        .iter()
        .find(|(crate_name, ..)| *crate_name == name)
        .map_or(&[][..], |(_, clients, _)| clients);
    let mut findings = Vec::new();
    for (dependency, line) in linked_by(manifest) {
        if allowed.contains(&dependency.as_str()) || row_of(&dependency).is_some() {
            continue;
        }
        let client = if CLIENTS.contains(&dependency.as_str()) {
            Some(dependency.clone())
        } else {
            hidden_client(&dependency, lockfile)
        };
        if let Some(client) = client {
            let what = format!("{name} links the client {client} through {dependency}");
            findings.push(Finding::new(
                &manifest.path,
                line,
                what,
                "connections are made in tradewind-venues; hand their results in",
            ));
        }
    }
    findings
}

/// A client that `dependency` brings along.
fn hidden_client(dependency: &str, lockfile: &Lockfile) -> Option<String> {
    lockfile
        .closure(dependency)
        .into_iter()
        .find(|name| PURE_CLIENTS.contains(&name.as_str()))
}

/// The names and lines of everything that is linked into the product.
fn linked_by(manifest: &File) -> Vec<(String, usize)> {
    let all = dependencies(&manifest.text).into_iter();
    all.filter(|dependency| dependency.section != Section::Dev)
        .map(|dependency| (dependency.name, dependency.line))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::assert_finds;

    const LOCK: &str = "[[package]]\nname = \"otel\"\nversion = \"1.0.0\"\ndependencies = [\n \"reqwest\",\n]\n\
        [[package]]\nname = \"reqwest\"\nversion = \"0.13.5\"\n";

    fn check_one(name: &str, manifest: &str, expected: &[&str]) {
        assert_finds(
            check,
            &[(&manifest_path(name), manifest), ("Cargo.lock", LOCK)],
            expected,
        );
    }

    #[test]
    fn only_the_named_crates_link_a_client() {
        check_one(
            "tradewind-venues",
            "[dependencies]\ntungstenite.workspace = true\n",
            &[],
        );
        check_one(
            "tradewind-venues",
            "[dependencies]\nreqwest.workspace = true\n",
            &["crates/tradewind-venues/Cargo.toml:2: tradewind-venues links"],
        );
        check_one(
            "tradewind-api",
            "[dependencies]\nreqwest.workspace = true\n",
            &["crates/tradewind-api/Cargo.toml:2: tradewind-api links"],
        );
        let expected = [
            "crates/tradewind-telegram/Cargo.toml:2: tradewind-telegram links the client tokio-tungstenite",
        ];
        check_one(
            "tradewind-telegram",
            "[dependencies]\ntokio-tungstenite.workspace = true\n",
            &expected,
        );
    }

    #[test]
    fn a_client_brought_along_is_found_too() {
        let expected = [
            "crates/tradewind-bus/Cargo.toml:2: tradewind-bus links the client reqwest through otel",
        ];
        check_one(
            "tradewind-bus",
            "[dependencies]\notel.workspace = true\n",
            &expected,
        );
    }

    #[test]
    fn tests_may_be_clients() {
        check_one(
            "tradewind-api",
            "[dev-dependencies]\nreqwest.workspace = true\n",
            &[],
        );
    }

    #[test]
    fn the_report_names_who_connects() {
        let tree = Tree::of(&[(
            "crates/tradewind-telegram/Cargo.toml",
            "[dependencies]\nreqwest.workspace = true\n",
        )]);
        assert_eq!(
            notes(&tree),
            ["tradewind-telegram links reqwest (the Bot API, and nothing else)"]
        );
    }
}
