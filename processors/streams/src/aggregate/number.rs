//! Aggregates of exact numbers.

use super::{Aggregate, Sample, take};
use crate::Decimal;

/// The number of records.
#[derive(Clone, Debug, Default)]
pub struct Count(u64);

/// The sum of a field.
#[derive(Clone, Debug, Default)]
pub struct Sum(Decimal);

/// The smallest number of a field.
#[derive(Clone, Debug, Default)]
pub struct Min(Option<Decimal>);

/// The greatest number of a field.
#[derive(Clone, Debug, Default)]
pub struct Max(Option<Decimal>);

/// The mean of a field, from exact parts.
#[derive(Clone, Debug, Default)]
pub struct Mean {
    sum: Decimal,
    count: u64,
}

impl Aggregate for Count {
    fn add(&mut self, _sample: Sample<'_>) {
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

    fn load(&mut self, bytes: &mut &[u8]) -> Option<()> {
        self.0 = u64::from_be_bytes(take(bytes)?);
        Some(())
    }
}

impl Aggregate for Sum {
    fn add(&mut self, sample: Sample<'_>) {
        self.0 = self.0.plus(sample.input.number().unwrap_or_default());
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

    fn load(&mut self, bytes: &mut &[u8]) -> Option<()> {
        self.0 = Decimal::from_bytes(take(bytes)?);
        Some(())
    }
}

impl Aggregate for Min {
    fn add(&mut self, sample: Sample<'_>) {
        // `None` is below every number, so it must not be asked.
        self.0 = self.0.into_iter().chain(sample.input.number()).min();
    }

    fn merge(&mut self, other: &Self) {
        self.0 = self.0.into_iter().chain(other.0).min();
    }

    fn result(&self) -> String {
        or_null(self.0)
    }

    fn save(&self, bytes: &mut Vec<u8>) {
        save_optional(self.0, bytes);
    }

    fn load(&mut self, bytes: &mut &[u8]) -> Option<()> {
        self.0 = load_optional(bytes)?;
        Some(())
    }
}

impl Aggregate for Max {
    fn add(&mut self, sample: Sample<'_>) {
        self.0 = self.0.max(sample.input.number());
    }

    fn merge(&mut self, other: &Self) {
        self.0 = self.0.max(other.0);
    }

    fn result(&self) -> String {
        or_null(self.0)
    }

    fn save(&self, bytes: &mut Vec<u8>) {
        save_optional(self.0, bytes);
    }

    fn load(&mut self, bytes: &mut &[u8]) -> Option<()> {
        self.0 = load_optional(bytes)?;
        Some(())
    }
}

impl Aggregate for Mean {
    fn add(&mut self, sample: Sample<'_>) {
        if let Some(number) = sample.input.number() {
            self.sum = self.sum.plus(number);
            self.count += 1;
        }
    }

    fn merge(&mut self, other: &Self) {
        self.sum = self.sum.plus(other.sum);
        self.count += other.count;
    }

    fn result(&self) -> String {
        or_null(self.sum.divided_by(self.count))
    }

    fn save(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.sum.to_bytes());
        bytes.extend(self.count.to_be_bytes());
    }

    fn load(&mut self, bytes: &mut &[u8]) -> Option<()> {
        self.sum = Decimal::from_bytes(take(bytes)?);
        self.count = u64::from_be_bytes(take(bytes)?);
        Some(())
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
