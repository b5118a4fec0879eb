//! Hides numbers that name a person or pay for things: cards, and Korean and US identity numbers.

/// The most digits that one number is looked for in; more are cut into several looks.
const MOST_GROUPS: usize = 24;

/// Puts `*` in place of every digit of such a number.
///
/// Card numbers are 13 to 19 digits that pass Luhn's check; a Korean number is `YYMMDD-SNNNNNN`
/// (with or without the hyphen), a US one `AAA-GG-SSSS`. Spaces and hyphens may group digits.
#[must_use]
pub fn mask(text: &str) -> String {
    let mut masked = text.as_bytes().to_vec();
    let groups = groups(text.as_bytes());
    for run in runs(&groups) {
        for first in 0..run.len() {
            for last in first..run.len() {
                let Some(part) = run.get(first..=last) else {
                    continue;
                };
                if is_personal(text.as_bytes(), part) {
                    hide(&mut masked, part);
                }
            }
        }
    }
    // Only ASCII digits were replaced, by another ASCII character.
    String::from_utf8(masked).unwrap_or_default()
}

/// Digits without anything in between: where they start and end.
type Group = (usize, usize);

fn groups(text: &[u8]) -> Vec<Group> {
    let mut groups = Vec::new();
    let mut start = None;
    for (at, byte) in text.iter().enumerate() {
        match (byte.is_ascii_digit(), start) {
            (true, None) => start = Some(at),
            (false, Some(first)) => {
                groups.push((first, at));
                start = None;
            }
            (true, Some(_)) | (false, None) => {}
        }
    }
    if let Some(first) = start {
        groups.push((first, text.len()));
    }
    groups
}

/// Groups with one character in between, which is all that can be one number.
fn runs(groups: &[Group]) -> impl Iterator<Item = &[Group]> {
    groups
        .chunk_by(|left, right| left.1 + 1 == right.0)
        .flat_map(|run| run.chunks(MOST_GROUPS))
}

fn is_personal(text: &[u8], groups: &[Group]) -> bool {
    let mut digits = [0u8; 19];
    let mut count = 0;
    let mut grouped = true;
    for (index, &(start, end)) in groups.iter().enumerate() {
        if index > 0 {
            grouped &= start
                .checked_sub(1)
                .and_then(|at| text.get(at))
                .is_some_and(|byte| matches!(byte, b' ' | b'-' | b'.'));
        }
        for byte in text.get(start..end).unwrap_or_default() {
            let Some(digit) = digits.get_mut(count) else {
                return false;
            };
            *digit = byte - b'0';
            count += 1;
        }
    }
    let digits = digits.get(..count).unwrap_or_default();
    grouped && (is_card(digits) || is_korean(digits, groups) || is_american(digits, groups))
}

fn is_card(digits: &[u8]) -> bool {
    digits.len() >= 13 && passes_luhn(digits) && digits.iter().any(|digit| *digit != 0)
}

fn passes_luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(index, digit)| match (index % 2, u32::from(*digit)) {
            (0, digit) => digit,
            (_, digit) if digit > 4 => digit * 2 - 9,
            (_, digit) => digit * 2,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Six digits of a birth date, then seven, the first of which tells century, sex and nationality.
fn is_korean(digits: &[u8], groups: &[Group]) -> bool {
    let [_, _, m0, m1, d0, d1, sex, ..] = digits else {
        return false;
    };
    let (month, day) = (m0 * 10 + m1, d0 * 10 + d1);
    digits.len() == 13
        && has_lengths(groups, &[&[6, 7], &[13]])
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && *sex < 9
}

/// Area 000, 666 and from 900, group 00 and serial 0000 were never given out.
fn is_american(digits: &[u8], groups: &[Group]) -> bool {
    let [a0, a1, a2, g0, g1, s0, s1, s2, s3] = digits else {
        return false;
    };
    has_lengths(groups, &[&[3, 2, 4]])
        && !matches!((a0, a1, a2), (0, 0, 0) | (6, 6, 6) | (9, _, _))
        && (*g0, *g1) != (0, 0)
        && (*s0, *s1, *s2, *s3) != (0, 0, 0, 0)
}

fn has_lengths(groups: &[Group], shapes: &[&[usize]]) -> bool {
    let lengths = || groups.iter().map(|(start, end)| end - start);
    shapes
        .iter()
        .any(|shape| lengths().eq(shape.iter().copied()))
}

fn hide(text: &mut [u8], groups: &[Group]) {
    for &(start, end) in groups {
        if let Some(digits) = text.get_mut(start..end) {
            digits.fill(b'*');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_card_number_is_masked_however_it_is_grouped() {
        assert_eq!(
            mask("Card 4111 1111 1111 1111!"),
            "Card **** **** **** ****!"
        );
        assert_eq!(mask("4111-1111-1111-1111"), "****-****-****-****");
        assert_eq!(mask("4111111111111111"), "****************");
    }

    #[test]
    fn a_card_number_with_its_code_behind_it_is_masked() {
        let masked = mask("4111 1111 1111 1111 123");
        assert!(masked.starts_with("**** **** **** ****"), "{masked}");
    }

    #[test]
    fn a_number_that_fails_luhns_check_stays() {
        assert_eq!(mask("4111 1111 1111 1112"), "4111 1111 1111 1112");
        assert_eq!(mask("order 123456789012"), "order 123456789012");
    }

    #[test]
    fn identity_numbers_are_masked() {
        assert_eq!(mask("900101-1234567"), "******-*******");
        assert_eq!(mask("주민 9001011234567 번호"), "주민 ************* 번호");
        assert_eq!(mask("SSN 123-45-6789."), "SSN ***-**-****.");
    }

    #[test]
    fn phone_numbers_dates_and_prices_stay() {
        for text in ["2026-11-25", "02-123-4567", "1,299.00", "666-12-3456"] {
            assert_eq!(mask(text), text);
        }
    }

    proptest! {
        #[test]
        fn nothing_but_digits_changes(text in any::<String>()) {
            let masked = mask(&text);
            prop_assert_eq!(masked.len(), text.len());
            for (after, before) in masked.bytes().zip(text.bytes()) {
                prop_assert!(after == before || (after == b'*' && before.is_ascii_digit()));
            }
        }

        #[test]
        fn every_card_number_is_masked(digits in "[1-9][0-9]{11,17}", before in "[a-z ]{0,8}") {
            let sum = |digits: &str| digits.bytes().rev().enumerate().map(|(index, byte)| {
                let digit = u32::from(byte - b'0') * if index % 2 == 0 { 2 } else { 1 };
                digit / 10 + digit % 10
            }).sum::<u32>();
            let card = std::format!("{digits}{}", (10 - sum(&digits) % 10) % 10);
            let masked = mask(&std::format!("{before}{card} x"));
            prop_assert!(!masked.bytes().any(|byte| byte.is_ascii_digit()), "{}", masked);
        }
    }
}
