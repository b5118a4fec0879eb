//! What somebody may have meant.

/// The name that is most like what was written, if any is like it.
pub(super) fn closest<'n>(
    written: &str,
    names: impl IntoIterator<Item = &'n str>,
) -> Option<&'n str> {
    let written = plain(written);
    let names = names
        .into_iter()
        .map(|name| (distance(&written, &plain(name)), name));
    let closest = names.min_by_key(|(distance, _)| *distance);
    // Two letters that are exchanged are two changes.
    let most = (written.len() / 3)
        .max(2)
        .min(written.len().saturating_sub(1));
    closest
        .filter(|(distance, _)| *distance <= most)
        .map(|(_, name)| name)
}

/// Without what people mix up: `starts_with`, `StartsWith`.
fn plain(name: &str) -> Vec<char> {
    let letters = name.chars().filter(|char| *char != '_');
    letters.map(|char| char.to_ascii_lowercase()).collect()
}

/// How many letters must be changed, added or left out (Levenshtein).
fn distance(one: &[char], other: &[char]) -> usize {
    let mut row: Vec<_> = (0..=other.len()).collect();
    for (above, letter) in one.iter().enumerate() {
        let mut diagonal = above;
        let mut left = above + 1;
        for (column, other) in other.iter().enumerate() {
            let changed = diagonal + usize::from(letter != other);
            diagonal = row[column + 1];
            row[column] = left;
            left = changed.min(diagonal + 1).min(left + 1);
        }
        row[other.len()] = left;
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_like_a_name_is_taken_for_it() {
        let names = ["size", "startsWith", "endsWith", "contains", "getDayOfWeek"];
        for (written, meant) in [
            ("startWith", Some("startsWith")),
            ("starts_with", Some("startsWith")),
            ("STARTSWITH", Some("startsWith")),
            ("contain", Some("contains")),
            ("getWeekday", None),
            ("lower", None),
            ("sizes", Some("size")),
        ] {
            assert_eq!(closest(written, names), meant, "{written}");
        }
    }

    #[test]
    fn the_distance_is_that_of_levenshtein() {
        let distance = |one: &str, other: &str| super::distance(&plain(one), &plain(other));
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", ""), 3);
        assert_eq!(distance("flaw", "lawn"), 2);
    }
}
