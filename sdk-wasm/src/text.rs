//! What a person reads on a page, made fit to be sent.

use crate::mask::mask;

/// The most bytes of a title or of an element's text.
const MOST_BYTES: usize = 512;

/// Folds white space, cuts after 512 bytes at a character, and masks personal numbers.
#[must_use]
pub fn readable(raw: &str) -> String {
    let mut text = String::new();
    for char in raw.chars() {
        let space = char <= ' ' || char == '\u{a0}';
        if text.len() + char.len_utf8() > MOST_BYTES {
            break;
        }
        if !space {
            text.push(char);
        } else if !text.is_empty() && !text.ends_with(' ') {
            text.push(' ');
        }
    }
    if text.ends_with(' ') {
        text.pop();
    }
    if text.bytes().any(|byte| byte.is_ascii_digit()) {
        text = mask(&text);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn white_space_is_folded() {
        assert_eq!(readable("  Buy\u{a0}\n\t now "), "Buy now");
    }

    #[test]
    fn text_is_cut_at_a_character() {
        assert_eq!(readable(&"é".repeat(300)).len(), 512);
        assert_eq!(readable(&("a".to_owned() + &"é".repeat(300))).len(), 511);
    }

    proptest! {
        #[test]
        fn readable_text_stays_as_it_is_the_second_time(raw in any::<String>()) {
            let once = readable(&raw);
            prop_assert_eq!(readable(&once), once);
        }
    }
}
