//! The dependencies that a `Cargo.toml` declares, read line by line.
//!
//! Not a TOML parser: it knows the three spellings that cargo's own tools write (`name.workspace = true`, `name = …` and
//! `[dependencies.name]`), which keeps this crate free of dependencies. A spelling it does not know cannot slip through: `cargo`
//! reads the same file, and [`crate::checks::manifests`] refuses all but the first.

/// When a dependency is linked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Normal,
    Dev,
    Build,
}

/// One declared dependency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) section: Section,
    /// Whether the version comes from `[workspace.dependencies]`.
    pub(crate) from_workspace: bool,
    pub(crate) line: usize,
}

/// Every dependency of a manifest, in the order of the file.
pub(crate) fn dependencies(manifest: &str) -> Vec<Dependency> {
    let mut found = Vec::new();
    let mut open = None;
    for (index, raw) in manifest.lines().enumerate() {
        let text = raw.split('#').next().unwrap_or_default().trim();
        let line = index + 1;
        if let Some(header) = text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            open = opened_by(header);
            if let Some((section, Some(name))) = open.take_if(|(_, name)| name.is_some()) {
                found.push(Dependency {
                    name: unquoted(name),
                    section,
                    from_workspace: false,
                    line,
                });
            }
        } else if let (Some((section, _)), Some((key, value))) = (open, text.split_once('=')) {
            let (name, dotted) = key.trim().split_once('.').unwrap_or((key.trim(), ""));
            let inline =
                value.trim().starts_with('{') && value.replace(' ', "").contains("workspace=true");
            let from_workspace = inline || (dotted == "workspace" && value.trim() == "true");
            found.push(Dependency {
                name: unquoted(name),
                section,
                from_workspace,
                line,
            });
        }
    }
    found
}

/// What a table header opens: a section, and the dependency's name if the table is that dependency's own.
fn opened_by(header: &str) -> Option<(Section, Option<&str>)> {
    let (path, name) = match header.split_once("dependencies.") {
        Some((path, name)) => (path, Some(name)),
        None => (header.strip_suffix("dependencies")?, None),
    };
    // Before the word stands a target, the kind, both or neither.
    let section = match path.rsplit('.').next() {
        Some("dev-") => Section::Dev,
        Some("build-") => Section::Build,
        Some("") if path != "workspace." => Section::Normal,
        _ => return None,
    };
    Some((section, name))
}

fn unquoted(name: &str) -> String {
    name.trim().trim_matches('"').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(manifest: &str, expected: &[(&str, Section, bool, usize)]) {
        let found = dependencies(manifest);
        let found: Vec<_> = found
            .iter()
            .map(|d| (d.name.as_str(), d.section, d.from_workspace, d.line))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_dotted_workspace_key_is_a_dependency() {
        check(
            "[dependencies]\nserde.workspace = true # why\n",
            &[("serde", Section::Normal, true, 2)],
        );
    }

    #[test]
    fn an_inline_table_may_inherit_or_not() {
        let manifest =
            "[dev-dependencies]\na = { workspace = true, features = [\"x\"] }\nb = \"1\"\n";
        check(
            manifest,
            &[("a", Section::Dev, true, 2), ("b", Section::Dev, false, 3)],
        );
    }

    #[test]
    fn a_table_of_its_own_and_a_target_are_dependencies_too() {
        let manifest = "[dependencies.reqwest]\nversion = \"1\"\n[target.'cfg(unix)'.build-dependencies]\ncc.workspace = true\n";
        check(
            manifest,
            &[
                ("reqwest", Section::Normal, false, 1),
                ("cc", Section::Build, true, 4),
            ],
        );
    }

    #[test]
    fn other_tables_are_not_dependencies() {
        check(
            "[package]\nname = \"x\"\n[workspace.dependencies]\na = \"1\"\n[features]\ndefault = []\n",
            &[],
        );
    }
}
