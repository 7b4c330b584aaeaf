//! The known word nearest to a mistyped one.

/// The word of `known` that `word` most likely was meant to be; `None` when none is near.
///
/// Near means at most a third of its letters inserted, left out, replaced or swapped with their neighbour.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = word.to_lowercase();
    let distance = |candidate: &str| strsim::osa_distance(&typed, &candidate.to_lowercase());
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
}
