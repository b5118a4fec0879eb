//! Exact numbers for sums: the same whatever the order in which they are added.

use std::fmt;

/// Parts of one in [`Decimal::fraction`].
const SCALE: u64 = 1_000_000_000_000_000_000;
const FRACTION_DIGITS: i64 = 18;
/// Numbers have at most this many digits before the point, so that 10^11 of them can be added.
const WHOLE_DIGITS: i64 = 27;

/// A decimal number with 18 digits after the point. Floating point would give another sum for
/// another order of records; people's amounts are decimal anyway.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Decimal {
    /// The greatest whole number that is not above it.
    whole: i128,
    /// What is to be added to that, in parts of 10^-18.
    fraction: u64,
}

impl Decimal {
    /// Reads a JSON number; more than 18 digits after the point are rounded, halves away from zero.
    /// `None` when the text is none, or the number has more than 27 digits before the point.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, read_exponent(exponent)?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if whole.is_empty()
            || !whole
                .bytes()
                .chain(fraction.bytes())
                .all(|b| b.is_ascii_digit())
        {
            return None;
        }
        let digits = format!("{whole}{fraction}");
        let point = i64::try_from(whole.len()).ok()? + i64::from(exponent);
        let magnitude = Self::from_digits(&digits, point)?;
        Some(if negative {
            magnitude.negated()
        } else {
            magnitude
        })
    }

    /// The same, but a number that is too great is the greatest, or least, there is: to compare by.
    #[must_use]
    pub fn nearest(text: &str) -> Option<Self> {
        let greatest = Self {
            whole: i128::MAX,
            fraction: SCALE - 1,
        };
        Self::parse(text).or_else(|| {
            let number = crate::Real::parse(text)?.get();
            Some(if number < 0.0 {
                greatest.negated()
            } else {
                greatest
            })
        })
    }

    /// `0.DIGITS` times 10^`point`.
    fn from_digits(digits: &str, point: i64) -> Option<Self> {
        let zeros = digits.bytes().take_while(|digit| *digit == b'0').count();
        let (digits, point) = (&digits[zeros..], point - i64::try_from(zeros).ok()?);
        if digits.is_empty() || point < -FRACTION_DIGITS {
            return Some(Self::default());
        }
        if point > WHOLE_DIGITS {
            return None;
        }
        let digit = |place: i64| {
            let index = usize::try_from(place).ok();
            let byte = index.and_then(|index| digits.as_bytes().get(index));
            byte.map_or(0, |byte| byte - b'0')
        };
        let whole = (0..point).fold(0, |sum, place| sum * 10 + i128::from(digit(place)));
        let fraction = (point..point + FRACTION_DIGITS)
            .fold(0, |sum, place| sum * 10 + u64::from(digit(place)));
        let rounding = u64::from(digit(point + FRACTION_DIGITS) >= 5);
        Some(
            Self { whole, fraction: 0 }
                .plus(Self { whole: 0, fraction })
                .plus_parts(rounding),
        )
    }

    /// Their sum.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            whole: self.whole.saturating_add(other.whole),
            fraction: self.fraction,
        }
        .plus_parts(other.fraction)
    }

    /// This number divided by a count, rounded in the last digit, halves away from zero; `None` when
    /// the count is 0.
    #[must_use]
    pub fn divided_by(self, count: u64) -> Option<Self> {
        if self.whole < 0 {
            return Some(self.negated().divided_by(count)?.negated());
        }
        let count = u128::from(count);
        let whole = self.whole.unsigned_abs();
        let (quotient, rest) = (whole.checked_div(count)?, whole % count);
        let parts = rest * u128::from(SCALE) + u128::from(self.fraction);
        let fraction = parts / count + u128::from(2 * (parts % count) >= count);
        let whole = i128::try_from(quotient).ok()?;
        let fraction = u64::try_from(fraction).ok()?;
        Some(Self { whole, fraction: 0 }.plus_parts(fraction))
    }

    /// The nearest floating point number, nearly.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "what is lost is said")]
    pub fn to_f64(self) -> f64 {
        if self.whole < 0 {
            return -self.negated().to_f64();
        }
        self.whole as f64 + self.fraction as f64 / SCALE as f64
    }

    /// Big-endian bytes, of one length.
    #[must_use]
    pub(crate) fn to_bytes(self) -> [u8; 24] {
        let mut bytes = [0; 24];
        bytes[..16].copy_from_slice(&self.whole.to_be_bytes());
        bytes[16..].copy_from_slice(&self.fraction.to_be_bytes());
        bytes
    }

    /// The number of [`to_bytes`](Self::to_bytes).
    pub(crate) fn from_bytes(bytes: [u8; 24]) -> Self {
        let (mut whole, mut fraction) = ([0; 16], [0; 8]);
        whole.copy_from_slice(&bytes[..16]);
        fraction.copy_from_slice(&bytes[16..]);
        Self {
            whole: i128::from_be_bytes(whole),
            fraction: u64::from_be_bytes(fraction),
        }
    }

    /// Both fractions are below one, so their sum fits.
    fn plus_parts(self, parts: u64) -> Self {
        let fraction = self.fraction + parts;
        if fraction < SCALE {
            return Self { fraction, ..self };
        }
        Self {
            whole: self.whole.saturating_add(1),
            fraction: fraction - SCALE,
        }
    }

    fn negated(self) -> Self {
        match self.fraction {
            0 => Self {
                whole: self.whole.saturating_neg(),
                fraction: 0,
            },
            fraction => Self {
                whole: !self.whole,
                fraction: SCALE - fraction,
            },
        }
    }
}

/// One that is beyond all numbers is as good as any such.
fn read_exponent(text: &str) -> Option<i32> {
    const FAR: i32 = 1 << 30;
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let far = if text.starts_with('-') { -FAR } else { FAR };
    Some(text.parse().unwrap_or(far).clamp(-FAR, FAR))
}

/// As JSON has it: no exponent, no digits that say nothing.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, magnitude) = if self.whole < 0 {
            ("-", self.negated())
        } else {
            ("", *self)
        };
        write!(f, "{sign}{}", magnitude.whole)?;
        if magnitude.fraction == 0 {
            return Ok(());
        }
        let digits = format!("{:018}", magnitude.fraction);
        write!(f, ".{}", digits.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::Decimal;
    use proptest::prelude::*;

    #[track_caller]
    fn assert_reads(text: &str, expected: &str) {
        assert_eq!(
            Decimal::parse(text).unwrap().to_string(),
            expected,
            "{text}"
        );
    }

    #[test]
    fn json_numbers_are_read_as_people_wrote_them() {
        for (text, expected) in [
            ("0", "0"),
            ("-0", "0"),
            ("12.50", "12.5"),
            ("-12.5", "-12.5"),
            ("-0.25", "-0.25"),
            ("1e3", "1000"),
            ("1.25E+2", "125"),
            ("125e-4", "0.0125"),
            ("18446744073709551616", "18446744073709551616"),
            ("0.0000000000000000005", "0.000000000000000001"),
            ("0.9999999999999999999", "1"),
            ("1e-300", "0"),
            ("0e999", "0"),
            ("0e99999999999999999999", "0"),
            ("7e-99999999999999999999", "0"),
            ("0.00000000000000000000000000001e29", "1"),
            (
                "-999999999999999999999999999",
                "-999999999999999999999999999",
            ),
        ] {
            assert_reads(text, expected);
        }
    }

    #[test]
    fn what_is_no_number_or_too_great_is_refused() {
        for text in [
            "",
            "-",
            "x",
            "1.5x",
            "+1",
            ".5",
            "1e",
            "1e+",
            "1e1.5",
            "1e27",
            "-1e27",
            "1e400",
            "1e99999999999",
            "NaN",
        ] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
        assert!(Decimal::parse("999999999999999999999999999").is_some());
    }

    #[test]
    fn numbers_of_any_size_compare() {
        let texts = ["-1e300", "-1e26", "0", "1e26", "1e27"];
        let numbers = texts.map(|text| Decimal::nearest(text).unwrap());
        assert!(numbers.is_sorted() && numbers[0] < numbers[1] && numbers[3] < numbers[4]);
        assert_eq!(Decimal::nearest("null"), None);
    }

    #[test]
    fn a_tenth_and_two_tenths_are_three_tenths() {
        let sum = Decimal::parse("0.1")
            .unwrap()
            .plus(Decimal::parse("0.2").unwrap());
        assert_eq!(sum.to_string(), "0.3");
    }

    #[test]
    fn a_quotient_is_rounded_in_its_last_digit() {
        let divided = |text, count| Decimal::parse(text).unwrap().divided_by(count);
        assert_eq!(divided("2", 3).unwrap().to_string(), "0.666666666666666667");
        assert_eq!(
            divided("-2", 3).unwrap().to_string(),
            "-0.666666666666666667"
        );
        assert_eq!(divided("-12.5", 5).unwrap().to_string(), "-2.5");
        assert_eq!(divided("7", 0), None);
        assert!((Decimal::parse("-19.75").unwrap().to_f64() + 19.75).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn sums_and_order_are_those_of_whole_numbers(a in -1_000_000_i64..1_000_000, b in -1_000_000_i64..1_000_000) {
            let thousandths = |n: i64| Decimal::parse(&format!("{n}e-3")).unwrap();
            prop_assert_eq!(thousandths(a).plus(thousandths(b)), thousandths(a + b));
            prop_assert_eq!(thousandths(a).cmp(&thousandths(b)), a.cmp(&b));
            prop_assert_eq!(Decimal::from_bytes(thousandths(a).to_bytes()), thousandths(a));
            prop_assert_eq!(Decimal::parse(&thousandths(a).to_string()), Some(thousandths(a)));
        }
    }
}
