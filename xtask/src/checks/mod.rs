//! The rules, one file each. Every one is pure and has a test in which it fails: a check that cannot fail is a defect.

pub(crate) mod arrows;
pub(crate) mod bounds;
pub(crate) mod clients;
pub(crate) mod core;
pub(crate) mod dialect;
pub(crate) mod headers;
pub(crate) mod links;
pub(crate) mod lock;
pub(crate) mod manifests;
pub(crate) mod sizes;
pub(crate) mod sleeps;
pub(crate) mod sockets;
pub(crate) mod words;

/// What the checks' own tests share.
#[cfg(test)]
pub(crate) mod testing {
    use crate::finding::Finding;
    use crate::tree::Tree;

    /// Runs `check` over made-up files and compares what it prints up to the cure, the part a reader looks for first.
    pub(crate) fn assert_finds(
        check: fn(&Tree) -> Vec<Finding>,
        files: &[(&str, &str)],
        expected: &[&str],
    ) {
        let found: Vec<String> = check(&Tree::of(files))
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(found.len(), expected.len(), "found {found:#?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(
                found.starts_with(expected),
                "found {found:?}, expected {expected:?}"
            );
        }
    }
}
