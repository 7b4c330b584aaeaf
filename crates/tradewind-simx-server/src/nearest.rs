//! The known word nearest to a mistyped one.

/// `did you mean "symbol"?`, or what there is when nothing is near.
pub(crate) fn did_you_mean(word: &str, known: &[&str]) -> String {
    let near = known
        .iter()
        .map(|candidate| (edits(word, candidate), candidate))
        .min_by_key(|(distance, _)| *distance);
    match near {
        Some((distance, candidate)) if distance <= word.len().max(candidate.len()).div_ceil(3) => {
            format!("did you mean {candidate:?}?")
        }
        _ => format!("there are {}", known.join(", ")),
    }
}

/// Insertions, omissions and replacements that turn one word into the other.
fn edits(from: &str, to: &str) -> usize {
    let mut above: Vec<usize> = (0..=to.len()).collect();
    for (row, left) in from.bytes().enumerate() {
        let mut line = vec![row + 1];
        for (column, right) in to.bytes().enumerate() {
            let replaced = above[column] + usize::from(left != right);
            line.push(replaced.min(above[column + 1] + 1).min(line[column] + 1));
        }
        above = line;
    }
    above[to.len()]
}

#[cfg(test)]
mod tests {
    use super::did_you_mean;

    #[test]
    fn the_nearest_word_is_named_and_far_ones_are_not_guessed() {
        let known = ["symbol", "account", "times"];
        assert_eq!(did_you_mean("symbl", &known), "did you mean \"symbol\"?");
        assert_eq!(did_you_mean("tims", &known), "did you mean \"times\"?");
        assert_eq!(
            did_you_mean("zzzzzz", &known),
            "there are symbol, account, times"
        );
    }
}
