//! Finds the known name nearest to a misspelt one.

/// The name closest to `wanted`, if it is close enough to be a slip: at most a third of its letters differ, and at
/// least two may. The first of equally close ones wins.
#[must_use]
pub fn nearest<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (wanted.chars().count() / 3).max(2);
    names
        .into_iter()
        .map(|name| (distance(wanted, name), name))
        .filter(|(distance, name)| *distance <= allowed && *distance < name.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Letters to add, drop or replace to turn `a` into `b` (Levenshtein's distance, one row of the table at a time).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_name_and_nonsense_finds_none() {
        let check = |wanted, expected| {
            assert_eq!(nearest(wanted, ["period", "entry", "exit"]), expected);
        };
        check("peroid", Some("period"));
        check("Entry", Some("entry"));
        check("exits", Some("exit"));
        check("volume", None);
        check("", None);
    }

    #[test]
    fn distances_count_single_letters() {
        for (a, b, wanted) in [
            ("", "abc", 3),
            ("kitten", "sitting", 3),
            ("same", "same", 0),
        ] {
            assert_eq!(distance(a, b), wanted, "{a} to {b}");
            assert_eq!(distance(b, a), wanted, "{b} to {a}");
        }
    }
}
