//! The known word nearest to a mistyped one.

/// `did you mean "symbol"?`, or what there is when nothing is near.
pub(crate) fn did_you_mean(word: &str, known: &[&str]) -> String {
    let near = known
        .iter()
        .map(|candidate| (strsim::levenshtein(word, candidate), candidate))
        .min_by_key(|(distance, _)| *distance);
    match near {
        Some((distance, candidate)) if distance <= word.len().max(candidate.len()).div_ceil(3) => {
            format!("did you mean {candidate:?}?")
        }
        _ => format!("there are {}", known.join(", ")),
    }
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
