//! Looking through text, byte by byte.
//!
//! The standard library's `find`, `split` and `parse` take any pattern, and bring several hundred
//! bytes of code for each kind of pattern. These take one byte, which suffices for URLs and lists.

/// A number of so many digits always fits 64 bits.
const MOST_DIGITS: usize = 19;

/// What lies before the first such byte, and what lies behind it, if there is one. The byte must be
/// ASCII.
#[must_use]
pub fn split(text: &str, at: u8) -> Option<(&str, &str)> {
    let index = text.bytes().position(|byte| byte == at)?;
    let (before, rest) = text.split_at_checked(index)?;
    Some((before, rest.get(1..)?))
}

/// The same; without such a byte, all of the text and nothing.
#[must_use]
pub fn cut(text: &str, at: u8) -> (&str, &str) {
    split(text, at).unwrap_or((text, ""))
}

/// The number at the start, if it has 1 to 19 digits, and what follows it.
#[must_use]
pub fn number(text: &str) -> Option<(u64, &str)> {
    let mut value: u64 = 0;
    let mut length = 0;
    for byte in text.bytes().take_while(u8::is_ascii_digit) {
        value = value.wrapping_mul(10).wrapping_add(u64::from(byte - b'0'));
        length += 1;
    }
    matches!(length, 1..=MOST_DIGITS).then_some((value, text.get(length..)?))
}

/// The parts, one after the other.
#[must_use]
pub fn join(parts: &[&str]) -> String {
    let mut text = String::new();
    for part in parts {
        text.push_str(part);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_is_split_at_the_first_byte() {
        assert_eq!(split("a=b=c", b'='), Some(("a", "b=c")));
        assert_eq!(cut("abc", b'='), ("abc", ""));
    }

    proptest! {
        #[test]
        fn every_number_of_19_digits_is_read(value in 0..10_u64.pow(19), unit in "[a-z]{0,3}") {
            let text = format!("{value}{unit}");
            prop_assert_eq!(number(&text), Some((value, unit.as_str())));
        }

        #[test]
        fn any_text_is_looked_through_without_a_panic(text in any::<String>()) {
            let _ = (split(&text, b':'), number(&text));
        }
    }
}
