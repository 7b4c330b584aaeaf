//! `Cargo.lock` as a graph: which versions of a crate there are, and what lies beneath a crate.
//!
//! The lock file covers every feature and target, so what lies beneath a crate here is at least what its build links.

use std::collections::{BTreeMap, BTreeSet};

/// The packages of a lock file.
#[derive(Debug, Default)]
pub(crate) struct Lockfile {
    /// Name → its versions, each with the line of the file that holds it.
    versions: BTreeMap<String, Vec<(String, usize)>>,
    /// (name, version) → what it depends on, as the file spells it: `name`, or `name version` where there are several.
    beneath: BTreeMap<(String, String), Vec<String>>,
}

impl Lockfile {
    /// Reads the format that cargo has written since 2019 (versions 3 and 4): one `[[package]]` table each, one key a line.
    pub(crate) fn parse(text: &str) -> Self {
        let mut lockfile = Self::default();
        let mut package = (String::new(), String::new());
        for (index, line) in text.lines().enumerate() {
            if let Some(name) = quoted_after(line, "name = ") {
                name.clone_into(&mut package.0);
            } else if let Some(version) = quoted_after(line, "version = ") {
                version.clone_into(&mut package.1);
                lockfile
                    .versions
                    .entry(package.0.clone())
                    .or_default()
                    .push((version.to_owned(), index + 1));
            } else if let Some(dependency) = quoted_after(line, " ") {
                lockfile
                    .beneath
                    .entry(package.clone())
                    .or_default()
                    .push(dependency.to_owned());
            }
        }
        lockfile
    }

    /// The versions of `name` with their lines; empty when the graph does not hold it.
    pub(crate) fn versions(&self, name: &str) -> &[(String, usize)] {
        self.versions.get(name).map_or(&[], Vec::as_slice)
    }

    /// The names of every version of `name` and of everything beneath them.
    pub(crate) fn closure(&self, name: &str) -> BTreeSet<String> {
        let mut reached = BTreeSet::new();
        let mut waiting = self.packages(name);
        while let Some(package) = waiting.pop() {
            if reached.insert(package.clone()) {
                let dependencies = self.beneath.get(&package).into_iter().flatten();
                waiting.extend(dependencies.flat_map(|dependency| self.packages(dependency)));
            }
        }
        reached.into_iter().map(|(name, _)| name).collect()
    }

    /// The packages that `name` or `name version` stands for.
    fn packages(&self, spelling: &str) -> Vec<(String, String)> {
        let mut words = spelling.split(' ');
        let (name, wanted) = (words.next().unwrap_or_default(), words.next());
        let fits = |version: &str| wanted.is_none_or(|wanted| wanted == version);
        let versions = self
            .versions(name)
            .iter()
            .filter(|(version, _)| fits(version));
        versions
            .map(|(version, _)| (name.to_owned(), version.clone()))
            .collect()
    }
}

/// The quoted text of a line that consists of `prefix` (after which spaces do not matter), a quoted text and perhaps a comma.
fn quoted_after<'a>(line: &'a str, prefix: &str) -> Option<&'a str> {
    let rest = line.strip_prefix(prefix)?.trim_start();
    rest.trim_end_matches(',')
        .strip_prefix('"')?
        .strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"
version = 4

[[package]]
name = "axum"
version = "0.8.9"
source = "registry"
dependencies = [
 "hyper 1.0.0",
 "tower",
]

[[package]]
name = "hyper"
version = "1.0.0"
dependencies = [
 "tokio",
]

[[package]]
name = "hyper"
version = "0.14.0"
dependencies = [
 "h2",
]

[[package]]
name = "h2"
version = "0.3.0"

[[package]]
name = "tokio"
version = "1.0.0"

[[package]]
name = "tower"
version = "0.5.0"
"#;

    #[test]
    fn a_closure_follows_the_version_that_is_linked() {
        let names: Vec<_> = Lockfile::parse(LOCK).closure("axum").into_iter().collect();
        assert_eq!(names, ["axum", "hyper", "tokio", "tower"]);
    }

    #[test]
    fn two_versions_are_two_entries_with_their_lines() {
        let lockfile = Lockfile::parse(LOCK);
        let versions: Vec<_> = lockfile
            .versions("hyper")
            .iter()
            .map(|(version, line)| (version.as_str(), *line))
            .collect();
        assert_eq!(versions, [("1.0.0", 15), ("0.14.0", 22)]);
        assert!(lockfile.versions("reqwest").is_empty());
    }
}
