use super::{
    Accumulator,
    number::{Count, Max, Mean, Min, Sum},
    order::{First, Last},
    sketch::{Distinct, Quantiles},
    top::Top,
};
use std::{num::NonZeroU32, sync::Arc};

/// What is computed, with what must be said for that.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Function {
    /// The number of records.
    Count,
    /// The sum of a field; 0 when no record has it.
    Sum,
    /// The smallest number of a field; `null` when no record has it.
    Min,
    /// The greatest number of a field; `null` when no record has it.
    Max,
    /// The arithmetic mean of a field; `null` when no record has it.
    Mean,
    /// How many different values a field has, by HyperLogLog: exact but for a few in a hundred
    /// thousand up to some hundreds, then with a standard error of 1.6 %.
    Distinct,
    /// The numbers that these shares of a field's numbers are not above, by DDSketch: each within
    /// 1 % of the number at that rank; `null` when no record has the field. One share gives a
    /// number, several an object that has them by the share as written.
    Quantiles(Arc<[Share]>),
    /// A field's value in the record with the least event time, then offset.
    First,
    /// A field's value in the record with the greatest event time, then offset.
    Last,
    /// The most frequent values of a field with their counts: exact while a pane has up to 1,024
    /// different ones.
    Top(NonZeroU32),
}

/// A share from 0 to 1, as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Share(Box<str>);

/// What a function looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// Only that there is a record.
    Nothing,
    /// A field's number, exactly: below 10^27, to 18 digits after the point.
    Number,
    /// A field's number, nearly, of any size.
    Real,
    /// A field's value, whatever it is.
    Value,
}

/// How each function is written.
const FORMS: [(&str, &str); 11] = [
    ("count", "()"),
    ("sum", "(/pointer)"),
    ("min", "(/pointer)"),
    ("max", "(/pointer)"),
    ("mean", "(/pointer)"),
    ("distinct", "(/pointer)"),
    ("quantile", "(/pointer, 0.95)"),
    ("quantiles", "(/pointer, 0.5, 0.95)"),
    ("first", "(/pointer)"),
    ("last", "(/pointer)"),
    ("top", "(/pointer, 10)"),
];

impl Function {
    /// The function of this name, with what is written after the field.
    ///
    /// # Errors
    /// What was expected instead.
    pub fn read(name: &str, parameters: &[&str]) -> Result<Self, String> {
        let form = FORMS.iter().find(|form| form.0 == name);
        let Some((_, form)) = form else {
            let forms: Vec<_> = FORMS
                .iter()
                .map(|(name, form)| format!("`{name}{form}`"))
                .collect();
            return Err(format!("one of {}", forms.join(", ")));
        };
        let function = match (name, parameters) {
            ("count", []) => Some(Self::Count),
            ("sum", []) => Some(Self::Sum),
            ("min", []) => Some(Self::Min),
            ("max", []) => Some(Self::Max),
            ("mean", []) => Some(Self::Mean),
            ("distinct", []) => Some(Self::Distinct),
            ("first", []) => Some(Self::First),
            ("last", []) => Some(Self::Last),
            ("top", [count]) => count.parse().ok().map(Self::Top),
            ("quantile", [_]) | ("quantiles", [_, ..]) => {
                let shares = parameters.iter().map(|share| Share::read(share));
                shares.collect::<Option<_>>().map(Self::Quantiles)
            }
            _ => None,
        };
        function.ok_or_else(|| match name {
            "quantile" | "quantiles" => format!("`{name}{form}` with shares from 0 to 1"),
            "top" => format!("`{name}{form}` with a whole number from 1"),
            _ => format!("`{name}{form}`"),
        })
    }

    /// As it is written, e.g. `count`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Sum => "sum",
            Self::Min => "min",
            Self::Max => "max",
            Self::Mean => "mean",
            Self::Distinct => "distinct",
            Self::Quantiles(shares) if shares.len() == 1 => "quantile",
            Self::Quantiles(_) => "quantiles",
            Self::First => "first",
            Self::Last => "last",
            Self::Top(_) => "top",
        }
    }

    /// What is written after the field, in this order.
    #[must_use]
    pub fn parameters(&self) -> Vec<String> {
        match self {
            Self::Quantiles(shares) => shares.iter().map(|share| share.0.to_string()).collect(),
            Self::Top(count) => vec![count.to_string()],
            Self::Count
            | Self::Sum
            | Self::Min
            | Self::Max
            | Self::Mean
            | Self::Distinct
            | Self::First
            | Self::Last => Vec::new(),
        }
    }

    /// What it looks at.
    #[must_use]
    pub const fn reads(&self) -> Reads {
        match self {
            Self::Count => Reads::Nothing,
            Self::Sum | Self::Min | Self::Max | Self::Mean => Reads::Number,
            Self::Quantiles(_) => Reads::Real,
            Self::Distinct | Self::First | Self::Last | Self::Top(_) => Reads::Value,
        }
    }

    /// The aggregate that has gathered nothing yet.
    #[must_use]
    pub fn start(&self) -> Accumulator {
        match self {
            Self::Count => Accumulator::Count(Count::default()),
            Self::Sum => Accumulator::Sum(Sum::default()),
            Self::Min => Accumulator::Min(Min::default()),
            Self::Max => Accumulator::Max(Max::default()),
            Self::Mean => Accumulator::Mean(Mean::default()),
            Self::Distinct => Accumulator::Distinct(Distinct::new()),
            Self::Quantiles(shares) => Accumulator::Quantiles(Quantiles::new(Arc::clone(shares))),
            Self::First => Accumulator::First(First::default()),
            Self::Last => Accumulator::Last(Last::default()),
            Self::Top(count) => Accumulator::Top(Top::new(*count)),
        }
    }

    pub(crate) fn load(&self, bytes: &mut &[u8]) -> Option<Accumulator> {
        let mut accumulator = self.start();
        accumulator.load(bytes)?;
        Some(accumulator)
    }
}

impl Share {
    /// Reads a number from 0 to 1.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let share: f64 = text.parse().ok()?;
        (0.0..=1.0).contains(&share).then(|| Self(text.into()))
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }

    pub(super) fn number(&self) -> f64 {
        self.0.parse().unwrap_or_default()
    }
}
