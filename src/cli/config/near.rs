//! Which known name an unknown one was probably meant to be.

/// The known name that is nearest to `name`, if one is near.
pub(super) fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let name = name.to_lowercase().replace('-', "_");
    let found = known.map(|word| (distance(&name, word), word)).min();
    // Up to a third of a word may be mistyped.
    found.filter(|(n, word)| *n <= word.chars().count().div_ceil(3)).map(|(_, word)| word)
}

/// Letters that have to be put in, left out or exchanged to make one word of the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    // A name as long as a file would take as long as its square.
    for (n, a) in one.chars().take(100).enumerate() {
        let mut before = n;
        row[0] = n + 1;
        for (at, b) in other.iter().enumerate() {
            let exchanged = before + usize::from(a != *b);
            before = row[at + 1];
            row[at + 1] = exchanged.min(before + 1).min(row[at] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_name_is_near_and_another_word_is_not() {
        let known = ["delimiter", "encoding", "keep", "max_creates"];
        let found = |name| nearest(name, known.into_iter());
        assert_eq!(found("delimeter"), Some("delimiter"));
        assert_eq!(found("Max-Creates"), Some("max_creates"));
        assert_eq!(found("kep"), Some("keep"));
        assert_eq!(found("shoe_size"), None);
        assert_eq!(found(&"x".repeat(100_000)), None);
        assert_eq!((distance("kitten", "sitting"), distance("", "abc")), (3, 3));
    }
}
