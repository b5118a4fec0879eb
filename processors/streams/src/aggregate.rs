//! What is computed over the records of a window.

mod function;
mod number;
mod order;
mod sketch;
mod top;

pub use function::{Function, Reads, Share};

use crate::{Decimal, Real};
use number::{Count, Max, Mean, Min, Sum};
use order::{First, Last};
use sketch::{Distinct, Quantiles};
use std::fmt;
use top::Top;

/// What an aggregate reads of one record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Input {
    /// Nothing: the aggregate reads no field, or the record does not have it.
    #[default]
    Missing,
    /// A number, exactly.
    Number(Decimal),
    /// A number, nearly, of any size.
    Real(Real),
    /// Any value, as JSON in one line; the same value must always be the same text.
    Value(Box<str>),
}

/// One record's input, and which record that is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample<'a> {
    /// What is read of it.
    pub(crate) input: &'a Input,
    /// Where it stands in the order of events.
    pub(crate) place: Place,
}

/// Where a record stands in the order of events: by event time, then offset, then partition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// Event time, in milliseconds since the Unix epoch.
    pub(crate) time: i64,
    /// The offset at its source.
    pub(crate) offset: i64,
    /// The partition at its source.
    pub(crate) partition: i32,
}

/// One way to sum records up. Panes merge in any order to the same, so that a window can be made
/// of panes.
trait Aggregate: Clone + fmt::Debug {
    /// Takes one record. One without the field is left out, except by what counts records.
    fn add(&mut self, sample: Sample<'_>);

    /// Takes what another pane has gathered.
    fn merge(&mut self, other: &Self);

    /// Its result as JSON.
    fn result(&self) -> String;

    /// Appends its state.
    fn save(&self, bytes: &mut Vec<u8>);

    /// Takes saved state off the front of `bytes`, while it has gathered nothing itself; `None`
    /// when it is none of this aggregate.
    fn load(&mut self, bytes: &mut &[u8]) -> Option<()>;
}

/// Writes [`Accumulator`], and hands each call on to the aggregate.
macro_rules! accumulators {
    ($($name:ident),+ $(,)?) => {
        /// An aggregate with what it has gathered.
        #[derive(Clone, Debug)]
        pub enum Accumulator {
            $(#[doc = concat!("Of [`Function::", stringify!($name), "`].")] $name($name),)+
        }

        impl Accumulator {
            pub(crate) fn add(&mut self, sample: Sample<'_>) {
                match self { $(Self::$name(aggregate) => aggregate.add(sample),)+ }
            }

            /// Two different aggregates never meet: all panes of a stream have the same ones.
            pub(crate) fn merge(&mut self, other: &Self) {
                match (self, other) {
                    $((Self::$name(aggregate), Self::$name(other)) => aggregate.merge(other),)+
                    _ => {}
                }
            }

            /// Its result as JSON.
            #[must_use]
            pub fn result(&self) -> String {
                match self { $(Self::$name(aggregate) => aggregate.result(),)+ }
            }

            pub(crate) fn save(&self, bytes: &mut Vec<u8>) {
                match self { $(Self::$name(aggregate) => aggregate.save(bytes),)+ }
            }

            fn load(&mut self, bytes: &mut &[u8]) -> Option<()> {
                match self { $(Self::$name(aggregate) => aggregate.load(bytes),)+ }
            }
        }
    };
}

accumulators!(
    Count, Sum, Min, Max, Mean, Distinct, Quantiles, First, Last, Top
);

impl Accumulator {
    /// Its result as a number to compare by, if it is one.
    #[must_use]
    pub fn number(&self) -> Option<Decimal> {
        Decimal::nearest(&self.result())
    }

    /// Its result as a whole number, if it is one.
    #[must_use]
    pub fn whole(&self) -> Option<i64> {
        self.result().parse().ok()
    }
}

impl Input {
    const fn number(&self) -> Option<Decimal> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Missing | Self::Value(_) | Self::Real(_) => None,
        }
    }

    fn real(&self) -> Option<f64> {
        match self {
            Self::Real(number) => Some(number.get()),
            Self::Number(number) => Some(number.to_f64()),
            Self::Missing | Self::Value(_) => None,
        }
    }

    const fn value(&self) -> Option<&str> {
        match self {
            Self::Value(value) => Some(value),
            Self::Missing | Self::Number(_) | Self::Real(_) => None,
        }
    }
}

/// Takes `N` bytes off the front.
pub(crate) fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (front, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*front)
}

/// Appends bytes with their length in front.
fn save_bytes(saved: &[u8], bytes: &mut Vec<u8>) {
    // What one record holds, or a sketch, is far below 4 GiB.
    let length = u32::try_from(saved.len()).unwrap_or(u32::MAX);
    bytes.extend(length.to_be_bytes());
    bytes.extend(saved);
}

/// Takes bytes of [`save_bytes`] off the front.
fn take_bytes<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(u32::from_be_bytes(take(bytes)?)).ok()?;
    let (front, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(front)
}

fn take_text(bytes: &mut &[u8]) -> Option<Box<str>> {
    std::str::from_utf8(take_bytes(bytes)?).ok().map(Into::into)
}

#[cfg(test)]
mod tests;
