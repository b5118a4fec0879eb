//! Hides numbers that name a person or pay for things: cards, and Korean and US identity numbers.

/// The longest card numbers.
const MOST_DIGITS: usize = 19;

/// Puts `*` in place of every digit of such a number.
///
/// Card numbers are 13 to 19 digits that pass Luhn's check; a Korean number is `YYMMDD-SNNNNNN`
/// (with or without the hyphen), a US one `AAA-GG-SSSS`. Spaces and hyphens may group digits.
#[must_use]
pub fn mask(text: &str) -> String {
    let mut masked = String::new();
    let mut copied = 0;
    let mut before = b' ';
    let mut end = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte.is_ascii_digit() {
            if !before.is_ascii_digit() {
                let rest = text.as_bytes().get(at..).unwrap_or_default();
                end = end.max(at + personal(rest));
            }
            if at < end {
                masked.push_str(text.get(copied..at).unwrap_or_default());
                masked.push_str("*");
                copied = at + 1;
            }
        }
        before = byte;
    }
    masked.push_str(text.get(copied..).unwrap_or_default());
    masked
}

/// The length of the longest such number that starts here and ends where digits end, or 0.
fn personal(text: &[u8]) -> usize {
    let mut digits = [0; MOST_DIGITS];
    let mut count = 0;
    // The lengths of the groups, as the digits of a number to the base 20.
    let mut shape = 0;
    let mut group = 0;
    let mut end = 0;
    for (at, byte) in text.iter().enumerate() {
        let after = text.get(at + 1).copied().unwrap_or(b' ');
        if byte.is_ascii_digit() {
            let Some(digit) = digits.get_mut(count) else {
                break;
            };
            *digit = byte - b'0';
            count += 1;
            group += 1;
            if !after.is_ascii_digit() {
                shape = shape * 20 + group;
                group = 0;
                let digits = digits.get(..count).unwrap_or_default();
                if is_card(digits) || is_korean(digits, shape) || is_american(digits, shape) {
                    end = at + 1;
                }
            }
        } else if !(matches!(byte, b' ' | b'-' | b'.') && after.is_ascii_digit()) {
            break;
        }
    }
    end
}

fn is_card(digits: &[u8]) -> bool {
    let mut sum = 0;
    let mut double = false;
    for digit in digits.iter().rev() {
        let value = if double { digit * 2 } else { *digit };
        sum += if value > 9 { value - 9 } else { value };
        double = !double;
    }
    digits.len() >= 13 && sum.is_multiple_of(10) && sum > 0
}

/// Six digits of a birth date, then seven, the first of which tells century, sex and nationality.
fn is_korean(digits: &[u8], shape: u32) -> bool {
    let [_, _, m0, m1, d0, d1, sex, ..] = digits else {
        return false;
    };
    let (month, day) = (m0 * 10 + m1, d0 * 10 + d1);
    (shape == 6 * 20 + 7 || shape == 13)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && *sex < 9
}

/// Area 000, 666 and from 900, group 00 and serial 0000 were never given out.
fn is_american(digits: &[u8], shape: u32) -> bool {
    let [a0, a1, a2, g0, g1, s0, s1, s2, s3] = digits else {
        return false;
    };
    shape == (3 * 20 + 2) * 20 + 4
        && !matches!((a0, a1, a2), (0, 0, 0) | (6, 6, 6) | (9, _, _))
        && g0 + g1 != 0
        && s0 + s1 + s2 + s3 != 0
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
