//! The known word nearest to a mistyped one.

/// The word of `known` that `word` most likely was meant to be; `None` when none is near.
///
/// Near means at most a third of its letters inserted, left out, replaced or swapped with their neighbour.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = word.to_lowercase();
    let distance = |candidate: &str| edits(&typed, &candidate.to_lowercase());
    let (found, candidate) = known
        .into_iter()
        .map(|candidate| (distance(candidate), candidate))
        .min_by_key(|(distance, _)| *distance)?;
    let length = typed.chars().count().max(candidate.chars().count());
    (found <= length.div_ceil(3)).then_some(candidate)
}

/// ` Did you mean "collar"?`, or a list of what there is.
pub(super) fn did_you_mean<'a>(
    word: &str,
    known: impl IntoIterator<Item = &'a str> + Clone,
) -> String {
    match nearest(word, known.clone()) {
        Some(candidate) => format!("did you mean {candidate:?}?"),
        None => format!(
            "there are {}",
            known.into_iter().collect::<Vec<_>>().join(", ")
        ),
    }
}

/// Insertions, omissions, replacements and swaps of neighbours between two words (optimal string alignment).
fn edits(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=to.len()).collect();
    for (row, &left) in from.iter().enumerate() {
        let mut line = vec![row + 1];
        for (column, &right) in to.iter().enumerate() {
            let replaced = above[column] + usize::from(left != right);
            let mut best = replaced.min(above[column + 1] + 1).min(line[column] + 1);
            let swapped = row > 0 && column > 0 && left == to[column - 1] && from[row - 1] == right;
            if swapped {
                best = best.min(before[column - 1] + 1);
            }
            line.push(best);
        }
        before = std::mem::replace(&mut above, line);
    }
    above[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_found_and_far_ones_are_not_guessed() {
        let known = ["order_value_max", "collar", "market_slippage_max", "stop"];
        let check = |word: &str, wanted| assert_eq!(nearest(word, known), wanted, "{word}");
        check("colar", Some("collar"));
        check("ocllar", Some("collar"));
        check("Collar", Some("collar"));
        check("order_value", Some("order_value_max"));
        check("sotp", Some("stop"));
        check("zzzz", None);
        check("", None);
    }

    #[test]
    fn a_swap_of_neighbours_counts_once() {
        assert_eq!(edits("abcd", "abdc"), 1);
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(edits("", "abc"), 3);
    }
}
