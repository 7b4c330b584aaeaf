//! The lock files hold nothing that is banned, nothing twice that once is enough, and no address of one machine's mirror.
//!
//! `deny.toml` says the first two to cargo-deny; this holds them where cargo-deny is not installed.

use crate::finding::Finding;
use crate::lockfile::Lockfile;
use crate::map::{BANNED, SINGLE};
use crate::tree::Tree;

const CARGO: &str = "Cargo.lock";

/// Findings for both lock files.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    [cargo(tree), npm(tree)].concat()
}

fn cargo(tree: &Tree) -> Vec<Finding> {
    let lockfile = Lockfile::parse(tree.file(CARGO).map_or("", |file| &file.text));
    let mut findings = Vec::new();
    for (name, reason) in BANNED {
        let found = lockfile.versions(name).iter();
        findings.extend(
            found.map(|(_, line)| Finding::new(CARGO, *line, format!("{name} is banned"), reason)),
        );
    }
    for name in SINGLE {
        let found = lockfile.versions(name).iter().skip(1);
        findings.extend(found.map(|(version, line)| {
            Finding::new(
                CARGO,
                *line,
                format!("{name} {version} is a second version"),
                "bring its users to one version together",
            )
        }));
    }
    findings
}

fn npm(tree: &Tree) -> Vec<Finding> {
    let locks = tree
        .files()
        .filter(|file| file.path.ends_with("package-lock.json"));
    let addressed = locks.filter_map(|file| {
        Some((
            file,
            file.lines()
                .find(|(_, line)| line.contains("\"resolved\": \"http"))?,
        ))
    });
    let finding = |path: &str, line| {
        Finding::new(
            path,
            line,
            "names the host that packages came from",
            "npm install --package-lock-only --omit-lockfile-registry-resolved",
        )
    };
    addressed
        .map(|(file, (line, _))| finding(&file.path, line))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::assert_finds;

    #[test]
    fn banned_and_doubled_crates_are_found() {
        let lock = "[[package]]\nname = \"openssl-sys\"\nversion = \"0.9.0\"\n[[package]]\nname = \"rustls\"\nversion = \"0.22.0\"\n\
            [[package]]\nname = \"rustls\"\nversion = \"0.23.0\"\n[[package]]\nname = \"syn\"\nversion = \"1.0.0\"\n";
        let expected = [
            "Cargo.lock:3: openssl-sys is banned",
            "Cargo.lock:9: rustls 0.23.0 is a second version",
        ];
        assert_finds(check, &[(CARGO, lock)], &expected);
    }

    #[test]
    fn an_npm_lock_with_addresses_is_found_once() {
        let lock = "{\n\"resolved\": \"https://mirror.example/a.tgz\",\n\"resolved\": \"https://mirror.example/b.tgz\"\n}\n";
        assert_finds(
            check,
            &[("dashboard/package-lock.json", lock)],
            &["dashboard/package-lock.json:2: names the host"],
        );
        assert_finds(
            check,
            &[(
                "dashboard/package-lock.json",
                "{\"integrity\": \"sha512-x\"}\n",
            )],
            &[],
        );
    }
}
