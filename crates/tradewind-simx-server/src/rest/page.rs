//! Which part of a long list an answer holds.

/// The newest `limit` of `all`, or with `from` the oldest `limit` that it accepts; oldest first either way.
pub(super) fn page<'a, T: Copy + 'a>(
    all: impl DoubleEndedIterator<Item = &'a T>,
    limit: usize,
    from: Option<impl Fn(&T) -> bool>,
) -> Vec<T> {
    if let Some(from) = from {
        return all.filter(|one| from(one)).take(limit).copied().collect();
    }
    let mut newest: Vec<T> = all.rev().take(limit).copied().collect();
    newest.reverse();
    newest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_meant_unless_a_start_is_given() {
        let all = [1, 2, 3, 4, 5];
        assert_eq!(page(all.iter(), 2, None::<fn(&i32) -> bool>), [4, 5]);
        assert_eq!(page(all.iter(), 2, Some(|one: &i32| *one >= 2)), [2, 3]);
        assert_eq!(page(all.iter(), 9, Some(|one: &i32| *one > 9)).len(), 0);
    }
}
