/// A finite floating point number: what a sketch takes, where a [`Decimal`](crate::Decimal) would be
/// too small for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Real(f64);

/// It is a number, so it is equal to itself.
impl Eq for Real {}

impl Real {
    /// Reads a JSON number; the nearest there is. `None` when the text is none, or it is beyond what
    /// 64 bits can say, about 1.8 times 10^308.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_number = text.starts_with(|first: char| first == '-' || first.is_ascii_digit());
        let number = text.parse().ok().filter(|_| is_number);
        number.filter(|number: &f64| number.is_finite()).map(Self)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }

    /// As JSON has it: in full where that is short, with an exponent elsewhere.
    pub(crate) fn json(number: f64) -> String {
        let is_short = number == 0.0 || (1e-9..1e27).contains(&number.abs());
        let decimal = crate::Decimal::parse(&number.to_string()).filter(|_| is_short);
        decimal.map_or_else(|| format!("{number:e}"), |decimal| decimal.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::Real;
    use proptest::prelude::*;

    #[test]
    fn json_numbers_are_read_up_to_the_greatest_that_64_bits_can_say() {
        let read = |text| Real::parse(text).map(Real::get);
        assert_eq!(read("1e27"), Some(1e27));
        assert_eq!(read("-1.5E-300"), Some(-1.5e-300));
        assert_eq!(read("1.7976931348623157e308"), Some(f64::MAX));
        assert_eq!(read("1e-400"), Some(0.0));
        for text in [
            "1e400", "-1e309", "", "-", "nan", "-inf", "infinity", "+1", "\"1\"", "true",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_number_is_written_as_json_that_is_about_it(mantissa in -9.99_f64..9.99, exponent in -307..308_i32) {
            let number: f64 = format!("{mantissa}e{exponent}").parse().unwrap();
            let json = Real::json(number);
            let read = serde_json::from_str::<serde_json::Number>(&json).unwrap().as_f64().unwrap();
            prop_assert!((read - number).abs() <= number.abs() * 1e-8, "{} of {}", json, number);
        }
    }
}
