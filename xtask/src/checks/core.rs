//! The core stays pure: it links a handful of crates, nothing impure lies beneath them, and its `clippy.toml` is in force.

use crate::finding::Finding;
use crate::lockfile::Lockfile;
use crate::manifest::{Dependency, Section, dependencies};
use crate::map::{CORE_MAY_LINK, MAP, NEVER_BENEATH_CORE, Ring, manifest_path, row_of};
use crate::tree::{File, Tree};

/// The file that holds the text which every core crate's copy must equal.
const MODEL_CLIPPY: &str = "crates/tradewind-model/clippy.toml";

/// Bans that the file must hold, whatever else it says.
const MUST_BAN: [&str; 7] = [
    "std::time::SystemTime::now",
    "std::time::Instant::now",
    "std::thread::spawn",
    "tokio::spawn",
    "std::env::var",
    "std::hash::RandomState::new",
    "std::collections::HashMap",
];

/// Findings for core crates that could do I/O, read a clock or roll a die.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let lockfile = Lockfile::parse(tree.file("Cargo.lock").map_or("", |file| &file.text));
    let model_bans = tree
        .file(MODEL_CLIPPY)
        .map_or("", |file| file.text.as_str());
    let core = MAP.iter().filter(|row| row.ring == Ring::Core);
    let present = core.filter_map(|row| Some((row.name, tree.file(&manifest_path(row.name))?)));
    present
        .flat_map(|(name, manifest)| {
            [links(manifest, &lockfile), bans(tree, name, model_bans)].concat()
        })
        .collect()
}

fn links(manifest: &File, lockfile: &Lockfile) -> Vec<Finding> {
    let linked = dependencies(&manifest.text)
        .into_iter()
        .filter(|dependency| dependency.section != Section::Dev);
    let foreign = linked.filter(|dependency| row_of(&dependency.name).is_none());
    foreign
        .filter_map(|dependency| check_link(manifest, &dependency, lockfile))
        .collect()
}

fn check_link(manifest: &File, dependency: &Dependency, lockfile: &Lockfile) -> Option<Finding> {
    let name = dependency.name.as_str();
    if !CORE_MAY_LINK.contains(&name) {
        let what = format!("a core crate links {name}");
        return Some(Finding::new(
            &manifest.path,
            dependency.line,
            what,
            "move the code to an edge, or give it a line in CORE_MAY_LINK with its reason",
        ));
    }
    let impure = lockfile
        .closure(name)
        .into_iter()
        .find(|beneath| NEVER_BENEATH_CORE.contains(&beneath.as_str()))?;
    let what = format!("{name} brings {impure} into the core");
    Some(Finding::new(
        &manifest.path,
        dependency.line,
        what,
        "switch off the feature that needs it",
    ))
}

fn bans(tree: &Tree, name: &str, model_bans: &str) -> Vec<Finding> {
    let path = format!("crates/{name}/clippy.toml");
    let Some(file) = tree.file(&path) else {
        return vec![Finding::new(
            &path,
            1,
            "a core crate without its bans",
            format!("copy {MODEL_CLIPPY}"),
        )];
    };
    let mut findings = Vec::new();
    if file.text != model_bans {
        findings.push(Finding::new(
            &path,
            1,
            "differs from the other core crates' bans",
            format!("copy {MODEL_CLIPPY}, or change all of them"),
        ));
    }
    for ban in MUST_BAN
        .iter()
        .filter(|ban| !file.text.contains(&format!("\"{ban}\"")))
    {
        findings.push(Finding::new(
            &path,
            1,
            format!("does not ban {ban}"),
            "put the ban back",
        ));
    }
    let entries = file
        .lines()
        .filter(|(_, line)| line.trim_start().starts_with("{ path"));
    for (line, _) in entries.filter(|(_, entry)| !entry.contains("reason = \"")) {
        findings.push(Finding::new(
            &path,
            line,
            "a ban without a reason",
            "say what to do instead",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::assert_finds;

    const LOCK: &str = "[[package]]\nname = \"serde\"\nversion = \"1.0.0\"\n[[package]]\nname = \"rand_xoshiro\"\nversion = \"0.8.0\"\n\
        dependencies = [\n \"getrandom\",\n]\n[[package]]\nname = \"getrandom\"\nversion = \"0.4.0\"\n";
    const MODEL: &str = "crates/tradewind-model/Cargo.toml";

    fn good_bans() -> String {
        MUST_BAN
            .iter()
            .map(|ban| format!("    {{ path = \"{ban}\", reason = \"why\" }},\n"))
            .collect()
    }

    fn check_model(manifest: &str, bans: &str, expected: &[&str]) {
        assert_finds(
            check,
            &[
                (MODEL, manifest),
                (MODEL_CLIPPY, bans),
                ("Cargo.lock", LOCK),
            ],
            expected,
        );
    }

    #[test]
    fn the_core_links_only_what_is_on_its_list() {
        check_model(
            "[dependencies]\nserde.workspace = true\n",
            &good_bans(),
            &[],
        );
        let expected = ["crates/tradewind-model/Cargo.toml:2: a core crate links tokio"];
        check_model(
            "[dependencies]\ntokio.workspace = true\n",
            &good_bans(),
            &expected,
        );
        check_model(
            "[dev-dependencies]\nproptest.workspace = true\n",
            &good_bans(),
            &[],
        );
    }

    #[test]
    fn what_a_permitted_crate_brings_along_counts() {
        let expected =
            ["crates/tradewind-model/Cargo.toml:2: rand_xoshiro brings getrandom into the core"];
        check_model(
            "[dependencies]\nrand_xoshiro.workspace = true\n",
            &good_bans(),
            &expected,
        );
    }

    #[test]
    fn a_ban_cannot_be_dropped_or_left_without_its_reason() {
        let without_clock =
            good_bans().replace("std::time::Instant::now", "std::time::Instant::elapsed");
        check_model(
            "",
            &without_clock,
            &["crates/tradewind-model/clippy.toml:1: does not ban std::time::Instant::now"],
        );
        let without_reason = good_bans() + "    { path = \"a::b\" },\n";
        check_model(
            "",
            &without_reason,
            &["crates/tradewind-model/clippy.toml:8: a ban without a reason"],
        );
    }

    #[test]
    fn every_core_crate_has_the_same_bans() {
        let files = [
            (MODEL, ""),
            (MODEL_CLIPPY, &*good_bans()),
            ("crates/tradewind-risk/Cargo.toml", ""),
            ("crates/tradewind-risk/clippy.toml", &*(good_bans() + "\n")),
            ("crates/tradewind-simx/Cargo.toml", ""),
        ];
        let expected = [
            "crates/tradewind-risk/clippy.toml:1: differs",
            "crates/tradewind-simx/clippy.toml:1: a core crate without",
        ];
        assert_finds(check, &files, &expected);
    }
}
