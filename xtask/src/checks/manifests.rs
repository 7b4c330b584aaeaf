//! Every crate inherits the workspace's lints and versions: each dependency is declared once, in the root manifest.

use crate::finding::Finding;
use crate::manifest;
use crate::tree::{File, Tree};

/// Findings for manifests that go their own way.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let members = tree
        .files()
        .filter(|file| file.path.ends_with("/Cargo.toml"));
    members
        .flat_map(|file| [lints(file), versions(file)].concat())
        .collect()
}

fn lints(file: &File) -> Vec<Finding> {
    let mut after_header = file
        .text
        .lines()
        .skip_while(|line| line.trim() != "[lints]")
        .skip(1);
    if after_header
        .next()
        .is_some_and(|line| line.replace(' ', "") == "workspace=true")
    {
        return Vec::new();
    }
    vec![Finding::new(
        &file.path,
        1,
        "does not inherit the workspace's lints",
        "add [lints] with workspace = true",
    )]
}

fn versions(file: &File) -> Vec<Finding> {
    let own = manifest::dependencies(&file.text)
        .into_iter()
        .filter(|dependency| !dependency.from_workspace);
    let finding = |dependency: manifest::Dependency| {
        let what = format!("{} has a version of its own", dependency.name);
        Finding::new(
            &file.path,
            dependency.line,
            what,
            "declare it in the root's [workspace.dependencies] and write NAME.workspace = true",
        )
    };
    own.map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::assert_finds;

    #[test]
    fn a_manifest_inherits_lints_and_versions() {
        let good = "[package]\nname = \"a\"\n[lints]\nworkspace = true\n[dependencies]\nserde.workspace = true\n";
        assert_finds(
            check,
            &[
                ("crates/a/Cargo.toml", good),
                ("Cargo.toml", "[workspace.dependencies]\nserde = \"1\"\n"),
            ],
            &[],
        );
    }

    #[test]
    fn own_versions_and_missing_lints_are_found() {
        let bad = "[package]\nname = \"a\"\n[dependencies]\nserde = \"1\"\n";
        let expected = [
            "crates/a/Cargo.toml:1: does not inherit",
            "crates/a/Cargo.toml:4: serde has a version",
        ];
        assert_finds(check, &[("crates/a/Cargo.toml", bad)], &expected);
    }
}
