//! How records are parted into batches, to find the one that Kafka refuses a batch for.

use footfall_task::Outgoing;

/// So many bytes of suspects go together at first.
const FEW: usize = 16 << 10;

/// How much care a record is sent with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Care {
    /// With all others.
    #[default]
    None,
    /// With few others.
    Few,
    /// Alone.
    Alone,
}

impl Care {
    /// The next degree.
    #[must_use]
    pub(crate) fn more(self) -> Self {
        match self {
            Self::None => Self::Few,
            Self::Few | Self::Alone => Self::Alone,
        }
    }
}

/// A record to write, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item<'a> {
    pub(crate) record: &'a Outgoing,
    pub(crate) care: Care,
}

/// The parts of `items` that are sent one after the other, each when the one before has met its
/// end. Order stays as it is.
pub(super) fn parts<'a>(
    items: &'a [Item<'_>],
) -> impl Iterator<Item = std::ops::Range<usize>> + use<'a> {
    let mut begin = 0;
    std::iter::from_fn(move || {
        let first = items.get(begin)?;
        let mut end = begin;
        let mut bytes = 0;
        while let Some(item) = items.get(end) {
            let size = item.record.size();
            let fits = match first.care {
                Care::None => item.care == Care::None,
                Care::Few => item.care == Care::Few && bytes + size <= FEW,
                Care::Alone => false,
            };
            if end > begin && !fits {
                break;
            }
            bytes += size;
            end += 1;
        }
        let part = begin..end;
        begin = end;
        Some(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(size: usize) -> Outgoing {
        Outgoing {
            topic: "t".into(),
            partition: None,
            timestamp: None,
            key: None,
            value: Some(vec![0; size].into()),
            headers: Vec::new(),
        }
    }

    #[test]
    fn suspects_are_sent_apart_from_others_and_in_order() {
        let (small, large) = (record(6 << 10), record(20 << 10));
        let items = [
            (&small, Care::None),
            (&large, Care::None),
            (&small, Care::Few),
            (&small, Care::Few),
            (&small, Care::Few),
            (&large, Care::Few),
            (&small, Care::Alone),
            (&small, Care::Alone),
            (&small, Care::None),
        ];
        let items = items.map(|(record, care)| Item { record, care });
        let found: Vec<_> = parts(&items).collect();
        assert_eq!(found, [0..2, 2..4, 4..5, 5..6, 6..7, 7..8, 8..9]);
    }
}
