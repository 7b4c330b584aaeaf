//! The arrows between our crates are those of the map, and no other.

use std::collections::BTreeSet;

use crate::finding::Finding;
use crate::manifest::{Dependency, Section, dependencies};
use crate::map::{MAP, Row, STRANGERS, TESTKIT, manifest_path, row_of};
use crate::tree::{File, Tree};

/// Findings for arrows that the map does not have, and for crates that it does not know.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let manifests = tree
        .files()
        .filter(|file| file.path.starts_with("crates/") && file.path.ends_with("/Cargo.toml"));
    manifests.flat_map(check_manifest).collect()
}

/// Arrows of the map that nothing uses: rows that could be dropped.
pub(crate) fn notes(tree: &Tree) -> Vec<String> {
    let unused = |row: &Row| {
        let manifest = tree.file(&manifest_path(row.name))?;
        let used: Vec<_> = dependencies(&manifest.text)
            .into_iter()
            .map(|dependency| dependency.name)
            .collect();
        let idle: Vec<_> = row
            .may_use
            .iter()
            .filter(|name| !used.iter().any(|used| used == *name))
            .copied()
            .collect();
        (!idle.is_empty()).then(|| {
            format!(
                "{}: the map still lets it use {}",
                row.name,
                idle.join(", ")
            )
        })
    };
    MAP.iter().filter_map(unused).collect()
}

fn check_manifest(file: &File) -> Vec<Finding> {
    let name = file.path.split('/').nth(1).unwrap_or_default();
    let Some(row) = row_of(name) else {
        let what = format!("{name} is not on the map");
        return vec![Finding::new(
            &file.path,
            1,
            what,
            "give it a row in xtask/src/map.rs and a paragraph in ARCHITECTURE.md",
        )];
    };
    let ours = dependencies(&file.text)
        .into_iter()
        .filter(|dependency| row_of(&dependency.name).is_some());
    ours.filter_map(|dependency| check_arrow(file, row, &dependency))
        .collect()
}

fn check_arrow(file: &File, row: &Row, dependency: &Dependency) -> Option<Finding> {
    let target = dependency.name.as_str();
    let found =
        |what: String, cure: &str| Some(Finding::new(&file.path, dependency.line, what, cure));
    if are_strangers(row.name, target) {
        let what = format!(
            "{} and {target} must not meet, not even in a test",
            row.name
        );
        return found(
            what,
            "let them talk over TCP; a test of both belongs to crates/tradewind/tests",
        );
    }
    let in_tests = dependency.section == Section::Dev;
    if row.may_use.contains(&target)
        || (in_tests && (target == TESTKIT || reached_from(row).contains(target)))
    {
        return None;
    }
    if target == TESTKIT {
        return found(
            format!("{} links {TESTKIT} outside its tests", row.name),
            "move it to [dev-dependencies]",
        );
    }
    found(
        format!("the map has no arrow {} → {target}", row.name),
        "go through the bus or the binary, or change the map with its reason",
    )
}

fn are_strangers(a: &str, b: &str) -> bool {
    STRANGERS.contains(&(a, b)) || STRANGERS.contains(&(b, a))
}

/// Everything that `row`'s arrows lead to.
fn reached_from(row: &Row) -> BTreeSet<&'static str> {
    let direct = row.may_use.iter().copied();
    let further = row
        .may_use
        .iter()
        .filter_map(|name| row_of(name))
        .flat_map(reached_from);
    direct.chain(further).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::assert_finds;

    fn check_one(name: &str, manifest: &str, expected: &[&str]) {
        assert_finds(check, &[(&manifest_path(name), manifest)], expected);
    }

    #[test]
    fn an_arrow_of_the_map_is_fine_and_others_are_found() {
        check_one(
            "tradewind-risk",
            "[dependencies]\ntradewind-model.workspace = true\n",
            &[],
        );
        let expected = [
            "crates/tradewind-risk/Cargo.toml:2: the map has no arrow tradewind-risk → tradewind-engine",
        ];
        check_one(
            "tradewind-risk",
            "[dependencies]\ntradewind-engine.workspace = true\n",
            &expected,
        );
    }

    #[test]
    fn a_test_may_use_what_its_crate_reaches_and_the_testkit() {
        let manifest = "[dev-dependencies]\ntradewind-risk.workspace = true\ntradewind-testkit.workspace = true\n";
        check_one("tradewind-bus", manifest, &[]);
        check_one(
            "tradewind-bus",
            "[dev-dependencies]\ntradewind-engine.workspace = true\n",
            &["crates/tradewind-bus/Cargo.toml:2: the map"],
        );
    }

    #[test]
    fn the_testkit_stays_out_of_the_product() {
        let expected = ["crates/tradewind/Cargo.toml:2: tradewind links tradewind-testkit outside"];
        check_one(
            "tradewind",
            "[dependencies]\ntradewind-testkit.workspace = true\n",
            &expected,
        );
    }

    #[test]
    fn the_adapter_and_the_simulated_exchange_never_meet_even_in_tests() {
        let expected = [
            "crates/tradewind-venues/Cargo.toml:2: tradewind-venues and tradewind-simx-server must not meet",
        ];
        check_one(
            "tradewind-venues",
            "[dev-dependencies]\ntradewind-simx-server.workspace = true\n",
            &expected,
        );
        let expected = [
            "crates/tradewind-simx/Cargo.toml:2: tradewind-simx and tradewind-venues must not meet",
        ];
        check_one(
            "tradewind-simx",
            "[dev-dependencies]\ntradewind-venues.workspace = true\n",
            &expected,
        );
    }

    #[test]
    fn a_crate_must_be_on_the_map() {
        check_one(
            "tradewind-astrology",
            "[package]\n",
            &["crates/tradewind-astrology/Cargo.toml:1: tradewind-astrology is not on the map"],
        );
    }

    #[test]
    fn an_idle_arrow_is_a_note() {
        let tree = Tree::of(&[("crates/tradewind-simx/Cargo.toml", "[dependencies]\n")]);
        assert_eq!(
            notes(&tree),
            ["tradewind-simx: the map still lets it use tradewind-model"]
        );
    }
}
