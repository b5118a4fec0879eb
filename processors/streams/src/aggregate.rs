//! What is computed over the records of a window.

use crate::Decimal;
use std::fmt;

/// One way to sum records up. Two panes merge in any order to the same, so that a window can be
/// made of panes.
pub trait Aggregate: Default + Clone + fmt::Debug {
    /// Takes one record's input. A record without the field has none, and is left out, except by
    /// what counts records.
    fn add(&mut self, input: Option<Decimal>);

    /// Takes what another pane has gathered.
    fn merge(&mut self, other: &Self);

    /// Its result as JSON.
    fn result(&self) -> String;

    /// Appends its state.
    fn save(&self, bytes: &mut Vec<u8>);

    /// Takes saved state off the front of `bytes`; `None` when it is none of this aggregate.
    fn load(bytes: &mut &[u8]) -> Option<Self>;
}

/// The number of records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Count(u64);

/// The sum of a field; 0 when no record has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sum(Decimal);

/// The smallest value of a field; `null` when no record has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Min(Option<Decimal>);

/// The greatest value of a field; `null` when no record has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Max(Option<Decimal>);

impl Aggregate for Count {
    fn add(&mut self, _input: Option<Decimal>) {
        self.0 += 1;
    }

    fn merge(&mut self, other: &Self) {
        self.0 += other.0;
    }

    fn result(&self) -> String {
        self.0.to_string()
    }

    fn save(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.0.to_be_bytes());
    }

    fn load(bytes: &mut &[u8]) -> Option<Self> {
        take(bytes).map(|count| Self(u64::from_be_bytes(count)))
    }
}

impl Aggregate for Sum {
    fn add(&mut self, input: Option<Decimal>) {
        self.0 = self.0.plus(input.unwrap_or_default());
    }

    fn merge(&mut self, other: &Self) {
        self.0 = self.0.plus(other.0);
    }

    fn result(&self) -> String {
        self.0.to_string()
    }

    fn save(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.0.to_bytes());
    }

    fn load(bytes: &mut &[u8]) -> Option<Self> {
        take(bytes).map(|sum| Self(Decimal::from_bytes(sum)))
    }
}

impl Aggregate for Min {
    fn add(&mut self, input: Option<Decimal>) {
        // `None` is below every number, so it must not be asked.
        self.0 = self.0.into_iter().chain(input).min();
    }

    fn merge(&mut self, other: &Self) {
        self.add(other.0);
    }

    fn result(&self) -> String {
        or_null(self.0)
    }

    fn save(&self, bytes: &mut Vec<u8>) {
        save_optional(self.0, bytes);
    }

    fn load(bytes: &mut &[u8]) -> Option<Self> {
        load_optional(bytes).map(Self)
    }
}

impl Aggregate for Max {
    fn add(&mut self, input: Option<Decimal>) {
        self.0 = self.0.max(input);
    }

    fn merge(&mut self, other: &Self) {
        self.add(other.0);
    }

    fn result(&self) -> String {
        or_null(self.0)
    }

    fn save(&self, bytes: &mut Vec<u8>) {
        save_optional(self.0, bytes);
    }

    fn load(bytes: &mut &[u8]) -> Option<Self> {
        load_optional(bytes).map(Self)
    }
}

/// Writes [`Function`] and [`Accumulator`], and hands each call on to the aggregate.
macro_rules! aggregates {
    ($($name:ident = $word:literal),+ $(,)?) => {
        /// The name of an aggregate.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Function {
            $(#[doc = concat!("`", $word, "`, see [`", stringify!($name), "`](Accumulator::", stringify!($name), ").")] $name,)+
        }

        /// An aggregate with what it has gathered.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Accumulator {
            $(#[doc = concat!("What `", $word, "` has gathered.")] $name($name),)+
        }

        impl Function {
            /// All there are.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// As it is written, e.g. `count`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }

            /// The aggregate that has gathered nothing yet.
            #[must_use]
            pub fn start(self) -> Accumulator {
                match self { $(Self::$name => Accumulator::$name($name::default()),)+ }
            }

            pub(crate) fn load(self, bytes: &mut &[u8]) -> Option<Accumulator> {
                match self { $(Self::$name => $name::load(bytes).map(Accumulator::$name),)+ }
            }
        }

        impl Accumulator {
            pub(crate) fn add(&mut self, input: Option<Decimal>) {
                match self { $(Self::$name(aggregate) => aggregate.add(input),)+ }
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
        }
    };
}

aggregates!(Count = "count", Sum = "sum", Min = "min", Max = "max");

impl Function {
    /// Whether it looks at a field, or only at the fact that there is a record.
    #[must_use]
    pub const fn reads_a_field(self) -> bool {
        !matches!(self, Self::Count)
    }
}

impl Accumulator {
    /// Its result as a number, if it is one.
    #[must_use]
    pub fn number(&self) -> Option<Decimal> {
        Decimal::parse(&self.result())
    }
}

fn or_null(number: Option<Decimal>) -> String {
    number.map_or_else(|| "null".into(), |number| number.to_string())
}

fn save_optional(number: Option<Decimal>, bytes: &mut Vec<u8>) {
    bytes.push(u8::from(number.is_some()));
    bytes.extend(number.unwrap_or_default().to_bytes());
}

fn load_optional(bytes: &mut &[u8]) -> Option<Option<Decimal>> {
    let [is_there] = take(bytes)?;
    let number = Decimal::from_bytes(take(bytes)?);
    Some((is_there == 1).then_some(number))
}

/// Takes `N` bytes off the front.
pub(crate) fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (front, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*front)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn inputs() -> impl Strategy<Value = Vec<Option<i32>>> {
        proptest::collection::vec(proptest::option::of(any::<i32>()), 0..12)
    }

    fn gathered(function: Function, inputs: &[Option<i32>]) -> Accumulator {
        let mut accumulator = function.start();
        for input in inputs {
            accumulator.add(input.map(|number| Decimal::parse(&number.to_string()).unwrap()));
        }
        accumulator
    }

    #[test]
    fn without_a_number_the_sum_is_0_and_the_extremes_are_null() {
        let results = Function::ALL
            .iter()
            .map(|function| gathered(*function, &[None]).result());
        assert_eq!(results.collect::<Vec<_>>(), ["1", "0", "null", "null"]);
    }

    #[test]
    fn results_are_exact() {
        let numbers = [Some(7), None, Some(-3), Some(5)];
        let results = Function::ALL
            .iter()
            .map(|function| gathered(*function, &numbers).result());
        assert_eq!(results.collect::<Vec<_>>(), ["4", "9", "-3", "7"]);
    }

    proptest! {
        #[test]
        fn panes_merge_in_any_order_to_what_one_pane_would_have(a in inputs(), b in inputs(), c in inputs()) {
            for function in Function::ALL {
                let [pane_a, pane_b, pane_c] = [&a, &b, &c].map(|inputs| gathered(*function, inputs));
                let all = gathered(*function, &[&a[..], &b, &c].concat());
                let mut left = pane_a.clone();
                left.merge(&pane_b);
                left.merge(&pane_c);
                let mut right = pane_c;
                right.merge(&pane_b);
                right.merge(&pane_a);
                prop_assert_eq!(&left, &all);
                prop_assert_eq!(&right, &all);
            }
        }

        #[test]
        fn what_is_saved_is_loaded(a in inputs()) {
            for function in Function::ALL {
                let accumulator = gathered(*function, &a);
                let mut bytes = Vec::new();
                accumulator.save(&mut bytes);
                let mut rest = &bytes[..];
                prop_assert_eq!(function.load(&mut rest), Some(accumulator));
                prop_assert!(rest.is_empty());
            }
        }
    }
}
