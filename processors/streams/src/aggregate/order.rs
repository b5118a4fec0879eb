//! Aggregates that keep one record's value by the order of events.

use super::{Aggregate, Place, Sample, save_bytes, take, take_text};

/// The value of the earliest record.
#[derive(Clone, Debug, Default)]
pub struct First(Kept);

/// The value of the newest record.
#[derive(Clone, Debug, Default)]
pub struct Last(Kept);

/// A value and where its record stands; two values of one place are told apart by their text, so
/// that the order in which panes merge never counts.
type Kept = Option<(Place, Box<str>)>;

impl Aggregate for First {
    fn add(&mut self, sample: Sample<'_>) {
        self.0 = self.0.take().into_iter().chain(kept(sample)).min();
    }

    fn merge(&mut self, other: &Self) {
        self.0 = self.0.take().into_iter().chain(other.0.clone()).min();
    }

    fn result(&self) -> String {
        result(&self.0)
    }

    fn save(&self, bytes: &mut Vec<u8>) {
        save(&self.0, bytes);
    }

    fn load(&mut self, bytes: &mut &[u8]) -> Option<()> {
        self.0 = load(bytes)?;
        Some(())
    }
}

impl Aggregate for Last {
    fn add(&mut self, sample: Sample<'_>) {
        self.0 = self.0.take().max(kept(sample));
    }

    fn merge(&mut self, other: &Self) {
        self.0 = self.0.take().max(other.0.clone());
    }

    fn result(&self) -> String {
        result(&self.0)
    }

    fn save(&self, bytes: &mut Vec<u8>) {
        save(&self.0, bytes);
    }

    fn load(&mut self, bytes: &mut &[u8]) -> Option<()> {
        self.0 = load(bytes)?;
        Some(())
    }
}

fn kept(sample: Sample<'_>) -> Kept {
    let value = sample.input.value()?;
    Some((sample.place, value.into()))
}

fn result(kept: &Kept) -> String {
    kept.as_ref()
        .map_or_else(|| "null".into(), |(_, value)| value.to_string())
}

fn save(kept: &Kept, bytes: &mut Vec<u8>) {
    bytes.push(u8::from(kept.is_some()));
    if let Some((place, value)) = kept {
        bytes.extend(place.time.to_be_bytes());
        bytes.extend(place.offset.to_be_bytes());
        bytes.extend(place.partition.to_be_bytes());
        save_bytes(value.as_bytes(), bytes);
    }
}

fn load(bytes: &mut &[u8]) -> Option<Kept> {
    let [is_there] = take(bytes)?;
    if is_there == 0 {
        return Some(None);
    }
    let place = Place {
        time: i64::from_be_bytes(take(bytes)?),
        offset: i64::from_be_bytes(take(bytes)?),
        partition: i32::from_be_bytes(take(bytes)?),
    };
    Some(Some((place, take_text(bytes)?)))
}
