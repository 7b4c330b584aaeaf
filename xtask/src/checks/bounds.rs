//! The page of bounds says what the code says: each constant that it names is there, with the value that it names.

use crate::finding::Finding;
use crate::tree::{File, Tree};

/// The page.
const PAGE: &str = "docs/bounds.md";

/// Findings for rows of the page whose constant is missing or has another value.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let page = tree.file(PAGE).into_iter();
    let rows = page.flat_map(|page| page.lines().filter_map(|(line, text)| row(line, text)));
    rows.filter_map(|(line, path, constant)| check_row(tree, line, &path, constant))
        .collect()
}

/// A row with a constant: its line, the file and `NAME = value`.
fn row(line: usize, text: &str) -> Option<(usize, String, &str)> {
    let cells: Vec<&str> = text.strip_prefix("| ")?.split(" | ").collect();
    let code = |cell: &&str| Some(cell.trim().strip_prefix('`')?.strip_suffix('`')?.len());
    let (path, constant) = (cells.get(1)?, cells.get(2)?);
    code(path).and(code(constant))?;
    let (name, rest) = path.trim_matches('`').split_once('/')?;
    let package = match name {
        "bin" => "tradewind".to_owned(),
        other => format!("tradewind-{other}"),
    };
    let path = format!("crates/{package}/src/{rest}");
    Some((line, path, constant.trim_matches('`')))
}

fn check_row(tree: &Tree, line: usize, path: &str, constant: &str) -> Option<Finding> {
    let (name, value) = constant.split_once(" = ")?;
    let is_value = |file: &File| {
        let declared = format!("const {name}: ");
        let ends = format!(" = {value};");
        file.lines()
            .any(|(_, text)| text.contains(&declared) && text.ends_with(&ends))
    };
    if tree.file(path).is_some_and(is_value) {
        return None;
    }
    Some(Finding::new(
        PAGE,
        line,
        format!("{path} has no {name} of {value}"),
        "write what the code says, or change the code",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::assert_finds;

    #[test]
    fn a_bound_that_is_not_what_the_code_says_is_found() {
        let code = (
            "crates/tradewind-bus/src/queue.rs",
            "pub const CAPACITY: usize = 1_000;\n",
        );
        let heads = "| what | where | bound | full |\n|---|---|---|---|\n";
        let row =
            |bound: &str| format!("{heads}| events | `bus/queue.rs` | `{bound}` | dropped |\n");
        let right = row("CAPACITY = 1_000");
        assert_finds(check, &[code, (PAGE, &right)], &[]);
        let (other, gone) = (row("CAPACITY = 2_000"), row("CAPACITIES = 1_000"));
        let found = "docs/bounds.md:3: crates/tradewind-bus/src/queue.rs has no CAPACIT";
        assert_finds(check, &[code, (PAGE, &other)], &[found]);
        assert_finds(check, &[code, (PAGE, &gone)], &[found]);
    }
}
