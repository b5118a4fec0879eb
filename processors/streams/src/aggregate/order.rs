//! Aggregates that keep one record's value by the order of events.

use super::{Aggregate, Place, Sample, save_bytes, take, take_text};

/// The value of the earliest record.
pub(super) type First = Kept<false>;

/// The value of the newest record.
pub(super) type Last = Kept<true>;

/// A value and where its record stands; two values of one place are told apart by their text, so
/// that the order in which panes merge never counts.
#[derive(Clone, Debug, Default)]
pub struct Kept<const IS_NEWEST: bool>(Option<Placed>);

type Placed = (Place, Box<str>);

impl<const IS_NEWEST: bool> Kept<IS_NEWEST> {
    fn meet(&mut self, other: Option<Placed>) {
        let both = self.0.take().into_iter().chain(other);
        self.0 = if IS_NEWEST { both.max() } else { both.min() };
    }
}

impl<const IS_NEWEST: bool> Aggregate for Kept<IS_NEWEST> {
    fn add(&mut self, sample: Sample<'_>) {
        let value = sample.input.value();
        self.meet(value.map(|value| (sample.place, value.into())));
    }

    fn merge(&mut self, other: &Self) {
        self.meet(other.0.clone());
    }

    fn result(&self) -> String {
        let value = self.0.as_ref().map(|(_, value)| value.to_string());
        value.unwrap_or_else(|| "null".into())
    }

    fn save(&self, bytes: &mut Vec<u8>) {
        bytes.push(u8::from(self.0.is_some()));
        if let Some((place, value)) = &self.0 {
            bytes.extend(place.time.to_be_bytes());
            bytes.extend(place.offset.to_be_bytes());
            bytes.extend(place.partition.to_be_bytes());
            save_bytes(value.as_bytes(), bytes);
        }
    }

    fn load(&mut self, bytes: &mut &[u8]) -> Option<()> {
        let [is_there] = take(bytes)?;
        self.0 = match is_there {
            0 => None,
            _ => {
                let place = Place {
                    time: i64::from_be_bytes(take(bytes)?),
                    offset: i64::from_be_bytes(take(bytes)?),
                    partition: i32::from_be_bytes(take(bytes)?),
                };
                Some((place, take_text(bytes)?))
            }
        };
        Some(())
    }
}
