//! How changes lie in a store: one after the other, in blocks that know whether they are whole.
//!
//! A block is a CRC-32 of what follows, then changes: the key's length and the value's (little-endian
//! `u32`s; [`DELETED`] for a value that is missing), the key, the value.

use std::collections::HashMap;

/// A block is cut when it has so many bytes.
const BLOCK: usize = 60 << 10;
const DELETED: u32 = u32::MAX;
const HEAD: usize = 8;
const SUM: usize = 4;

/// Key, and value unless it is deleted.
pub(crate) type Change<'a> = (&'a [u8], Option<&'a [u8]>);

/// A block that cannot have been written so.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a block of changes is damaged")]
pub(crate) struct Damaged;

/// Adds a change to `changes`.
pub(crate) fn push(changes: &mut Vec<u8>, (key, value): Change<'_>) {
    // Kafka's records are far shorter than `u32::MAX`.
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(DELETED);
    changes.extend(length(key).to_le_bytes());
    changes.extend(value.map_or(DELETED, length).to_le_bytes());
    changes.extend(key);
    changes.extend(value.unwrap_or_default());
}

/// The changes of a block's inside, in order.
pub(crate) fn read(mut changes: &[u8]) -> impl Iterator<Item = Result<Change<'_>, Damaged>> {
    std::iter::from_fn(move || {
        if changes.is_empty() {
            return None;
        }
        let change = take(changes).map(|(change, rest)| {
            changes = rest;
            change
        });
        if change.is_none() {
            changes = &[];
        }
        Some(change.ok_or(Damaged))
    })
}

/// What is left of `changes` when each key keeps its newest value, without what is deleted.
///
/// # Errors
/// When they are no changes.
pub(crate) fn newest(changes: &[u8]) -> Result<Vec<u8>, Damaged> {
    let mut values = HashMap::new();
    for change in read(changes) {
        let (key, value) = change?;
        values.insert(key, value);
    }
    let mut kept = Vec::with_capacity(changes.len());
    for (key, value) in values {
        if value.is_some() {
            push(&mut kept, (key, value));
        }
    }
    Ok(kept)
}

/// Cuts changes into blocks.
///
/// # Errors
/// When they are no changes.
pub(crate) fn blocks(changes: &[u8]) -> Result<Vec<Vec<u8>>, Damaged> {
    let mut blocks = Vec::new();
    let mut block = Vec::new();
    for change in read(changes) {
        if block.is_empty() {
            block.extend([0; SUM]);
        }
        push(&mut block, change?);
        if block.len() >= BLOCK {
            blocks.push(std::mem::take(&mut block));
        }
    }
    if !block.is_empty() {
        blocks.push(block);
    }
    for block in &mut blocks {
        let sum = crc32fast::hash(&block[SUM..]);
        block[..SUM].copy_from_slice(&sum.to_le_bytes());
    }
    Ok(blocks)
}

/// The inside of a block.
///
/// # Errors
/// When it is not as it was written.
pub(crate) fn inside(block: &[u8]) -> Result<&[u8], Damaged> {
    let (sum, changes) = block.split_first_chunk::<SUM>().ok_or(Damaged)?;
    if u32::from_le_bytes(*sum) == crc32fast::hash(changes) {
        Ok(changes)
    } else {
        Err(Damaged)
    }
}

fn take(changes: &[u8]) -> Option<(Change<'_>, &[u8])> {
    let (head, rest) = changes.split_first_chunk::<HEAD>()?;
    let [key, value] = [0, 4].map(|at| {
        let length = [head[at], head[at + 1], head[at + 2], head[at + 3]];
        u32::from_le_bytes(length)
    });
    let (key, rest) = rest.split_at_checked(usize::try_from(key).ok()?)?;
    if value == DELETED {
        return Some(((key, None), rest));
    }
    let (value, rest) = rest.split_at_checked(usize::try_from(value).ok()?)?;
    Some(((key, Some(value)), rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn changes() -> impl Strategy<Value = Vec<(Vec<u8>, Option<Vec<u8>>)>> {
        let key = prop::collection::vec(0..4_u8, 0..3);
        let value = prop::option::of(prop::collection::vec(any::<u8>(), 0..9_000));
        prop::collection::vec((key, value), 0..60)
    }

    fn written(changes: &[(Vec<u8>, Option<Vec<u8>>)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (key, value) in changes {
            push(&mut bytes, (key, value.as_deref()));
        }
        bytes
    }

    proptest! {
        #[test]
        fn blocks_hold_the_changes_in_order(changes in changes()) {
            let mut found = Vec::new();
            for block in blocks(&written(&changes)).unwrap() {
                for change in read(inside(&block).unwrap()) {
                    let (key, value) = change.unwrap();
                    found.push((key.to_vec(), value.map(<[u8]>::to_vec)));
                }
            }
            prop_assert_eq!(found, changes);
        }

        #[test]
        fn the_newest_values_are_those_that_a_map_would_have(changes in changes()) {
            let expected: BTreeMap<_, _> = changes.iter().cloned().collect();
            let kept = newest(&written(&changes)).unwrap();
            let mut found = BTreeMap::new();
            for change in read(&kept) {
                let (key, value) = change.unwrap();
                let twice = found.insert(key.to_vec(), value.map(<[u8]>::to_vec));
                prop_assert_eq!(twice, None);
            }
            let left = expected.into_iter().filter(|(_, value)| value.is_some());
            prop_assert_eq!(found, left.collect());
        }

        #[test]
        fn bytes_that_are_no_changes_are_damaged_and_nothing_worse(
            bytes in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let length: usize = read(&bytes).count();
            prop_assert!(length <= bytes.len());
        }
    }

    #[test]
    fn a_block_with_one_other_bit_is_damaged() {
        let block = &blocks(&written(&[(vec![7], Some(vec![1, 2]))])).unwrap()[0];
        for index in 0..block.len() * 8 {
            let mut other = block.clone();
            other[index / 8] ^= 1 << (index % 8);
            assert_eq!(inside(&other), Err(Damaged), "bit {index}");
        }
        assert_eq!(inside(&block[..3]), Err(Damaged));
    }
}
