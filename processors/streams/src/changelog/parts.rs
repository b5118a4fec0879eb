//! Changes of state that are too large for one record of the changelog, in parts.
//!
//! A part's key is one byte for its kind, a slot (one byte, 0 or 1), its number (a big-endian `u16`),
//! and the key of the change; its value is the CRC-32 of the whole value (a big-endian `u32`) and a
//! piece of it. In the place of the value stands a head: one byte for its kind, a version, the slot,
//! how many parts there are (a big-endian `u16`), and the CRC-32. Parts come before their head, and
//! into the slot that the parts of the change before do not have, which go after it: a set that was
//! not written to its end leaves the one before whole.

use crate::aggregate::take;
use bytes::Bytes;
use std::collections::{BTreeMap, HashMap};

/// So many bytes of a value have room in one record.
const PART: usize = 64 << 10;
const PARTS: u8 = 5;
const HEAD: u8 = 0xf0;
const VERSION: u8 = 1;

/// Key and value of a record in a changelog.
type Change = (Bytes, Option<Bytes>);

/// Parts changes, and puts them together again.
#[derive(Debug)]
pub(crate) struct Parts {
    part: usize,
    /// The sets of parts that stand in the changelog, by the key of the change.
    sets: HashMap<Bytes, Head>,
    /// What was read and is not whole.
    open: HashMap<Bytes, Open>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Head {
    slot: u8,
    count: u16,
    sum: u32,
}

#[derive(Debug, Default)]
struct Open {
    /// Without one, its parts wait for it.
    head: Option<Head>,
    /// By slot and number: the sum of the whole, and the piece.
    pieces: BTreeMap<(u8, u16), (u32, Bytes)>,
}

impl Default for Parts {
    fn default() -> Self {
        Self::of(PART)
    }
}

impl Parts {
    fn of(part: usize) -> Self {
        Self {
            part,
            sets: HashMap::new(),
            open: HashMap::new(),
        }
    }

    /// Hands the records that bring a change about to `push`, in order.
    pub(crate) fn write(&mut self, (key, value): Change, mut push: impl FnMut(Change)) {
        let is_large = value.as_ref().is_some_and(|value| value.len() > self.part);
        let before = if self.sets.is_empty() {
            None
        } else {
            self.sets.remove(&key)
        };
        match value {
            Some(value) if is_large => {
                let pieces = value.chunks(self.part);
                let head = Head {
                    slot: before.map_or(0, |before| 1 - before.slot),
                    // What one pane has gathered is far below 65,535 times 64 KiB.
                    count: u16::try_from(pieces.len()).unwrap_or(u16::MAX),
                    sum: crc32fast::hash(&value),
                };
                for (number, piece) in (0..).zip(pieces) {
                    let value = [&head.sum.to_be_bytes()[..], piece].concat();
                    push((part_key(head.slot, number, &key), Some(value.into())));
                }
                push((key.clone(), Some(head.to_bytes())));
                self.sets.insert(key.clone(), head);
            }
            value => push((key.clone(), value)),
        }
        if let Some(before) = before {
            for number in 0..before.count {
                push((part_key(before.slot, number, &key), None));
            }
        }
    }

    /// Takes a record of the changelog; returns the change that is whole because of it, if one is.
    /// The order of records with different keys does not count.
    pub(crate) fn read(&mut self, key: &[u8], value: Option<&[u8]>) -> Option<Change> {
        let mut rest = key;
        if let Some([PARTS, slot]) = take(&mut rest) {
            let number = u16::from_be_bytes(take(&mut rest)?);
            let key = Bytes::copy_from_slice(rest);
            let open = self.open.entry(key.clone()).or_default();
            match value {
                Some(mut value) => {
                    let sum = u32::from_be_bytes(take(&mut value)?);
                    let piece = (sum, Bytes::copy_from_slice(value));
                    open.pieces.insert((slot, number), piece);
                }
                None => {
                    open.pieces.remove(&(slot, number));
                    if open.pieces.is_empty() && open.head.is_none() {
                        self.open.remove(&key);
                    }
                    return None;
                }
            }
            return self.complete(key);
        }
        let key = Bytes::copy_from_slice(key);
        let head = value.and_then(Head::from_bytes);
        self.supersede(&key, head);
        match head {
            Some(head) => {
                self.sets.insert(key.clone(), head);
                self.open.entry(key.clone()).or_default().head = Some(head);
                self.complete(key)
            }
            None => {
                self.sets.remove(&key);
                if let Some(open) = self.open.get_mut(&key) {
                    open.head = None;
                }
                Some((key, value.map(Bytes::copy_from_slice)))
            }
        }
    }

    /// The records that remove what was read and belongs to no set that stands.
    pub(crate) fn remove_torn(&mut self) -> Vec<Change> {
        let mut torn = Vec::new();
        for (key, open) in std::mem::take(&mut self.open) {
            let stands = self.sets.get(&key);
            for (slot, number) in open.pieces.into_keys() {
                let belongs = |head: &Head| head.slot == slot && number < head.count;
                if !stands.is_some_and(belongs) {
                    torn.push((part_key(slot, number, &key), None));
                }
            }
        }
        torn
    }

    /// The parts of the set that stood until now are torn, unless they are removed yet.
    fn supersede(&mut self, key: &Bytes, head: Option<Head>) {
        let Some(before) = self.sets.get(key).copied() else {
            return;
        };
        if head.is_none_or(|head| head.slot != before.slot) {
            let open = self.open.entry(key.clone()).or_default();
            for number in 0..before.count {
                let piece = open.pieces.entry((before.slot, number));
                piece.or_default();
            }
        }
    }

    fn complete(&mut self, key: Bytes) -> Option<Change> {
        let open = self.open.get_mut(&key)?;
        let head = open.head?;
        let mut value = Vec::new();
        for number in 0..head.count {
            let (sum, piece) = open.pieces.get(&(head.slot, number))?;
            if *sum != head.sum {
                return None;
            }
            value.extend_from_slice(piece);
        }
        if crc32fast::hash(&value) != head.sum {
            return None;
        }
        open.head = None;
        open.pieces
            .retain(|(slot, number), _| *slot != head.slot || *number >= head.count);
        if open.pieces.is_empty() {
            self.open.remove(&key);
        }
        Some((key, Some(value.into())))
    }
}

impl Head {
    fn to_bytes(self) -> Bytes {
        let mut bytes = vec![HEAD, VERSION, self.slot];
        bytes.extend(self.count.to_be_bytes());
        bytes.extend(self.sum.to_be_bytes());
        bytes.into()
    }

    fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let [HEAD, VERSION, slot @ 0..=1] = take(&mut bytes)? else {
            return None;
        };
        let count = u16::from_be_bytes(take(&mut bytes)?);
        let sum = u32::from_be_bytes(take(&mut bytes)?);
        bytes.is_empty().then_some(Self { slot, count, sum })
    }
}

fn part_key(slot: u8, number: u16, key: &[u8]) -> Bytes {
    let mut bytes = Vec::with_capacity(4 + key.len());
    bytes.extend([PARTS, slot]);
    bytes.extend(number.to_be_bytes());
    bytes.extend(key);
    bytes.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Known = BTreeMap<Bytes, Bytes>;

    /// What is there after these records.
    fn known<'a>(parts: &mut Parts, log: impl IntoIterator<Item = &'a Change>) -> Known {
        let mut known = Known::new();
        for (key, value) in log {
            match parts.read(key, value.as_deref()) {
                Some((key, Some(value))) => known.insert(key, value),
                Some((key, None)) => known.remove(&key),
                None => None,
            };
        }
        known
    }

    fn newest(log: &[Change]) -> Vec<Change> {
        let newest: BTreeMap<_, _> = log.iter().cloned().collect();
        newest
            .into_iter()
            .filter(|(_, value)| value.is_some())
            .collect()
    }

    fn changes() -> impl Strategy<Value = Vec<(u8, Option<Vec<u8>>)>> {
        let value = prop::option::of(prop::collection::vec(any::<u8>(), 0..20));
        prop::collection::vec((1..4_u8, value), 0..12)
    }

    proptest! {
        #[test]
        fn changes_in_parts_come_back_in_any_order_and_never_torn(
            changes in changes(),
            seed in any::<u64>(),
        ) {
            let mut parts = Parts::of(4);
            let (mut log, mut model) = (Vec::new(), Known::new());
            // What is known after each change, and where it begins in the log.
            let mut states = vec![(0, model.clone())];
            for (key, value) in changes {
                // As no head begins.
                let value = value.map(|value| Bytes::from([&[1][..], &value].concat()));
                let key = Bytes::from(vec![key]);
                parts.write((key.clone(), value.clone()), |change| log.push(change));
                match value {
                    Some(value) => model.insert(key, value),
                    None => model.remove(&key),
                };
                states.push((log.len(), model.clone()));
            }
            prop_assert!(log.iter().all(|(_, value)| value.as_ref().is_none_or(|value| value.len() <= 9)));
            prop_assert_eq!(&known(&mut Parts::of(4), &log), &model);
            let mut compacted = newest(&log);
            let length = compacted.len().max(1);
            compacted.rotate_left(usize::try_from(seed % length as u64).unwrap());
            prop_assert_eq!(&known(&mut Parts::of(4), &compacted), &model);
            compacted.reverse();
            prop_assert_eq!(&known(&mut Parts::of(4), &compacted), &model);
            // Cut anywhere, it is what it was before a change or after it.
            let cut = usize::try_from(seed % (log.len() as u64 + 1)).unwrap();
            let mut parts = Parts::of(4);
            let found = known(&mut parts, &log[..cut]);
            let before = states.iter().rev().find(|(end, _)| *end <= cut).unwrap();
            let after = states.iter().find(|(end, _)| *end >= cut).unwrap();
            prop_assert!(found == before.1 || found == after.1, "{:?}", found);
            // What is torn is removed, and nothing else.
            let mut mended = log[..cut].to_vec();
            mended.extend(parts.remove_torn());
            let mut parts = Parts::of(4);
            prop_assert_eq!(&known(&mut parts, &newest(&mended)), &found);
            prop_assert!(parts.open.is_empty());
        }
    }

    /// Version 1, as it lies in people's changelogs: what reads it must stay.
    #[test]
    fn a_change_in_parts_is_version_1() {
        let mut parts = Parts::of(2);
        let mut log = Vec::new();
        let change = (
            Bytes::from_static(b"\x01k"),
            Some(Bytes::from_static(b"123456789")),
        );
        parts.write(change, |change| log.push(change));
        let check = b"\xcb\xf4\x39\x26";
        let part = |number: u8, piece: &[u8]| {
            let value = [check, piece].concat();
            (
                Bytes::from(vec![5, 0, 0, number, 1, b'k']),
                Some(Bytes::from(value)),
            )
        };
        let head = Bytes::from([&b"\xf0\x01\x00\x00\x05"[..], check].concat());
        let expected = [
            part(0, b"12"),
            part(1, b"34"),
            part(2, b"56"),
            part(3, b"78"),
            part(4, b"9"),
            (Bytes::from_static(b"\x01k"), Some(head)),
        ];
        assert_eq!(log, expected);
    }
}
