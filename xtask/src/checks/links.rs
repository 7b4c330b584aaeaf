//! Links inside the documents lead somewhere: to a file, a folder, or a heading.
//!
//! Inline links only, which is all the documents use; addresses on the web are not followed.

use crate::finding::Finding;
use crate::tree::{File, Tree};

/// Findings for links whose target is not in the tree.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let documents = tree.files().filter(|file| file.has_extension(&["md"]));
    documents
        .flat_map(|file| {
            links(file)
                .into_iter()
                .filter_map(|(line, target)| check_link(tree, file, line, &target))
        })
        .collect()
}

fn check_link(tree: &Tree, file: &File, line: usize, target: &str) -> Option<Finding> {
    let is_elsewhere = target.contains("://") || target.starts_with("mailto:");
    if is_elsewhere {
        return None;
    }
    let (path, heading) = target.split_once('#').unwrap_or((target, ""));
    let path = if path.is_empty() {
        Some(file.path.clone())
    } else {
        resolved(&file.path, path)
    };
    let Some(path) = path.filter(|path| tree.holds(path)) else {
        return Some(Finding::new(
            &file.path,
            line,
            format!("{target} leads nowhere"),
            "name a file of the repository, from this one's folder",
        ));
    };
    let document = tree
        .file(&path)
        .filter(|file| file.has_extension(&["md"]))?;
    if heading.is_empty()
        || prose(document).any(|(_, text)| anchor(text).as_deref() == Some(heading))
    {
        return None;
    }
    Some(Finding::new(
        &file.path,
        line,
        format!("{path} has no heading #{heading}"),
        "name one of its headings, lower case with hyphens",
    ))
}

/// Every `[text](target)` of a document with its line.
fn links(file: &File) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (line, text) in prose(file) {
        // Code spans are the odd pieces between backticks.
        let spoken: Vec<&str> = text.split('`').step_by(2).collect();
        for piece in spoken.join("`").split("](").skip(1) {
            let target = piece.split(')').next().unwrap_or_default();
            found.push((
                line,
                target.split(' ').next().unwrap_or_default().to_owned(),
            ));
        }
    }
    found
}

/// The lines outside fenced code.
fn prose(file: &File) -> impl Iterator<Item = (usize, &str)> {
    let mut in_fence = false;
    file.lines().filter(move |(_, text)| {
        let is_fence = text.trim_start().starts_with("```");
        in_fence ^= is_fence;
        !in_fence && !is_fence
    })
}

/// `target` seen from the folder of `from`, or nothing when it climbs out of the repository.
fn resolved(from: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// The anchor that a heading gets where Markdown is shown: lower case, spaces to hyphens, punctuation dropped.
fn anchor(line: &str) -> Option<String> {
    let heading = line
        .strip_prefix('#')?
        .trim_start_matches('#')
        .strip_prefix(' ')?;
    let kept = heading
        .trim()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    Some(
        kept.map(|c| {
            if c == ' ' {
                '-'
            } else {
                c.to_ascii_lowercase()
            }
        })
        .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::assert_finds;

    #[test]
    fn files_folders_headings_and_the_web_are_fine() {
        let readme = "[map](ARCHITECTURE.md#life-of-an-order) [docs](docs/) [up](#top-here) [web](https://example.com/x)\n# Top, here!\n";
        let files = [
            ("README.md", readme),
            ("ARCHITECTURE.md", "## Life of an order\n"),
            ("docs/a.md", "[back](../README.md)\n"),
        ];
        assert_finds(check, &files, &[]);
    }

    #[test]
    fn a_missing_file_and_a_missing_heading_are_found() {
        let files = [
            (
                "docs/a.md",
                "\n[x](gone.md) and [y](b.md#nope)\n[z](../../shared/x)\n",
            ),
            ("docs/b.md", "# Here\n"),
        ];
        let expected = [
            "docs/a.md:2: gone.md leads nowhere",
            "docs/a.md:2: docs/b.md has no heading #nope",
            "docs/a.md:3: ../../shared/x leads",
        ];
        assert_finds(check, &files, &expected);
    }

    #[test]
    fn code_is_not_prose() {
        assert_finds(
            check,
            &[(
                "a.md",
                "```\n[x](gone.md)\n# Not a heading\n```\n`[y](gone.md)`\n",
            )],
            &[],
        );
    }
}
