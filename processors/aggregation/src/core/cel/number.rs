use super::Nothing;
use std::{cmp::Ordering, fmt};

/// A number as JSON has it: exact while it is whole and has up to 38 digits, else a double.
#[derive(Clone, Copy, Debug)]
pub(super) enum Number {
    Whole(i128),
    /// Never a whole number that [`Whole`](Self::Whole) has room for.
    Double(f64),
}

/// 2^127, from which on a double is beyond every `i128`.
const BEYOND: f64 = 170_141_183_460_469_231_731_687_303_715_884_105_728.0;

impl From<f64> for Number {
    fn from(number: f64) -> Self {
        match whole(number) {
            Some(whole) if number.fract() == 0.0 => Self::Whole(whole),
            _ => Self::Double(number),
        }
    }
}

/// Without what is behind the point.
#[expect(clippy::cast_possible_truncation, reason = "that is what it is for")]
fn whole(number: f64) -> Option<i128> {
    (number.abs() < BEYOND).then_some(number as i128)
}

impl Number {
    /// Reads a number of JSON.
    pub(super) fn parse(json: &str) -> Option<Self> {
        let whole = json.parse().ok().map(Self::Whole);
        whole.or_else(|| json.parse().ok().map(|number: f64| number.into()))
    }

    /// The whole number that it is.
    pub(super) fn as_whole(self) -> Option<i128> {
        match self {
            Self::Whole(whole) => Some(whole),
            Self::Double(_) => None,
        }
    }

    /// Without what is behind the point.
    pub(super) fn truncated(self) -> Option<i128> {
        match self {
            Self::Whole(whole) => Some(whole),
            Self::Double(number) => whole(number),
        }
    }

    pub(super) fn as_double(self) -> f64 {
        match self {
            Self::Whole(whole) => whole as f64,
            Self::Double(number) => number,
        }
    }

    pub(super) fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Whole(one), Self::Whole(other)) => Some(one.cmp(&other)),
            (Self::Double(one), Self::Double(other)) => one.partial_cmp(&other),
            (Self::Whole(one), Self::Double(other)) => compare(one, other),
            (Self::Double(one), Self::Whole(other)) => compare(other, one).map(Ordering::reverse),
        }
    }

    pub(super) fn negated(self) -> Self {
        match self {
            Self::Whole(whole) => whole
                .checked_neg()
                .map_or_else(|| Self::Double(-self.as_double()), Self::Whole),
            Self::Double(number) => Self::Double(-number),
        }
    }

    pub(super) fn plus(self, other: Self) -> Self {
        self.by(other, i128::checked_add, |one, other| one + other)
    }

    pub(super) fn minus(self, other: Self) -> Self {
        self.by(other, i128::checked_sub, |one, other| one - other)
    }

    pub(super) fn times(self, other: Self) -> Self {
        self.by(other, i128::checked_mul, |one, other| one * other)
    }

    /// A division by zero says nothing.
    pub(super) fn divided_by(self, other: Self) -> Result<Self, Nothing> {
        let exact =
            |one: i128, other| (one.checked_rem(other)? == 0).then(|| one.checked_div(other))?;
        match other {
            Self::Whole(0) => Err(Nothing),
            Self::Whole(_) | Self::Double(_) => Ok(self.by(other, exact, |one, other| one / other)),
        }
    }

    /// With the sign of what is divided; by zero it says nothing.
    pub(super) fn modulo(self, other: Self) -> Result<Self, Nothing> {
        match other {
            Self::Whole(0) => Err(Nothing),
            Self::Whole(_) | Self::Double(_) => {
                Ok(self.by(other, i128::checked_rem, |one, other| one % other))
            }
        }
    }

    fn by(
        self,
        other: Self,
        exact: impl Fn(i128, i128) -> Option<i128>,
        double: impl Fn(f64, f64) -> f64,
    ) -> Self {
        let whole = self.as_whole().zip(other.as_whole());
        let whole = whole.and_then(|(one, other)| exact(one, other));
        let of_doubles = || double(self.as_double(), other.as_double()).into();
        whole.map_or_else(of_doubles, Self::Whole)
    }
}

/// Exact, where a conversion to a double would not be.
fn compare(whole_number: i128, double: f64) -> Option<Ordering> {
    if double.is_nan() {
        return None;
    }
    let Some(cut) = whole(double) else {
        let is_less = double > 0.0;
        return Some(if is_less {
            Ordering::Less
        } else {
            Ordering::Greater
        });
    };
    let behind_the_point = double.fract();
    let by_rest = 0.0_f64.partial_cmp(&behind_the_point);
    by_rest.map(|by_rest| whole_number.cmp(&cut).then(by_rest))
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(whole) => whole.fmt(f),
            Self::Double(number) => match serde_json::Number::from_f64(*number) {
                Some(json) => json.fmt(f),
                None => number.fmt(f),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(json: &str) -> Number {
        Number::parse(json).unwrap()
    }

    #[test]
    fn numbers_are_compared_by_what_they_are() {
        let ascending = [
            "-1e400",
            "-170141183460469231731687303715884105728",
            "-9007199254740993",
            "-9007199254740992",
            "-1.5",
            "-1",
            "-0.5",
            "0",
            "5e-324",
            "0.5",
            "1",
            "1.5",
            "9007199254740992",
            "9007199254740993",
            "18446744073709551616",
            "170141183460469231731687303715884105727",
            "1e39",
            "1e400",
        ];
        for (index, one) in ascending.iter().enumerate() {
            for (other_index, other) in ascending.iter().enumerate() {
                let ordering = number(one).compare(number(other));
                assert_eq!(ordering, Some(index.cmp(&other_index)), "{one} and {other}");
            }
        }
        for (one, other) in [
            ("1.0", "1"),
            ("1e3", "1000"),
            ("-0", "0"),
            ("1e20", "100000000000000000000"),
        ] {
            assert_eq!(number(one).compare(number(other)), Some(Ordering::Equal));
        }
    }

    #[test]
    fn a_division_is_whole_where_it_can_be() {
        let divided = |one, other| number(one).divided_by(number(other)).map(|n| n.to_string());
        assert_eq!(divided("90", "60").as_deref(), Ok("1.5"));
        assert_eq!(divided("90.5", "60").as_deref(), Ok("1.5083333333333333"));
        assert_eq!(divided("90.0", "60").as_deref(), Ok("1.5"));
        assert_eq!(divided("120", "60").as_deref(), Ok("2"));
        assert_eq!(divided("1", "0"), Err(Nothing));
        assert_eq!(divided("1", "0.0"), Err(Nothing));
    }

    #[test]
    fn what_has_no_room_among_whole_numbers_is_a_double() {
        let greatest = number("170141183460469231731687303715884105727");
        assert_eq!(
            greatest.plus(Number::Whole(1)).to_string(),
            "1.7014118346046923e+38"
        );
        assert_eq!(
            number("9007199254740993")
                .plus(Number::Whole(1))
                .to_string(),
            "9007199254740994"
        );
        assert_eq!(
            number("90.5")
                .modulo(Number::Whole(60))
                .unwrap()
                .to_string(),
            "30.5"
        );
    }

    proptest! {
        #[test]
        fn whole_numbers_and_doubles_are_compared_exactly(whole in any::<i64>(), near in -4_i32..4) {
            let double = whole as f64 + f64::from(near) / 2.0;
            let exact = i128::from(whole) * 2;
            // Twice a double of this size is whole.
            let twice = Number::from(double * 2.0).as_whole().unwrap();
            let ordering = Number::Whole(whole.into()).compare(double.into());
            prop_assert_eq!(ordering, Some(exact.cmp(&twice)));
        }
    }
}
