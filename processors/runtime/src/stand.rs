//! Where those who read one partition stand. The group has one offset for it; a reader that is new,
//! or was away, stands elsewhere until it has caught up, or is caught up with.
//!
//! This lies in the metadata of the group's offset, so that it is true in the same transaction: the
//! address of who commits, then, after a space, `s=` and the readers with commas between them. Each
//! is, after a `~` if it does not read here any more, 12 hexadecimal digits of the digest of its name, `/` and how many partitions the topic had when
//! it began, if it began at the end, `:` and its offset, if it is not the group's.

use footfall_task::{Offset, Reader, Start, digest};
use std::{collections::BTreeMap, fmt::Write as _};

/// Brokers take 4,096 bytes of metadata; readers that have left are forgotten before that.
const MOST_BYTES: usize = 4_000;
const PREFIX: &str = "s=";
const LEFT: &str = "~";

/// What a reader is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Id(u64);

impl Id {
    pub(crate) fn of(reader: &str) -> Self {
        Self(digest(reader.bytes()) >> 16)
    }
}

/// Where one reader stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Mark {
    /// None: where the group does.
    offset: Option<Offset>,
    /// How many partitions the topic had when it began at the end.
    partitions: Option<i32>,
}

/// Where all of them stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stand {
    marks: BTreeMap<Id, Mark>,
    /// Of those in `marks`, who does not read here any more.
    left: Vec<Id>,
}

/// The group's offset of a partition, if it has one, and who stood where, if that is said.
pub(crate) type Known = Option<(Offset, Option<Stand>)>;

/// What Kafka knows of a partition.
#[derive(Debug)]
pub(crate) struct Found {
    /// Where the group was.
    pub(crate) group: Known,
    /// The first offset there is, and the one behind the last.
    pub(crate) ends: (Offset, Offset),
    /// How many partitions the topic has now.
    pub(crate) partitions: i32,
    /// How many partitions the topic had when readers began at its end, as other partitions say.
    pub(crate) began: BTreeMap<Id, i32>,
}

impl Found {
    /// Whether somebody begins here, so that the partition's ends matter.
    pub(crate) fn has_new(&self, readers: &[Reader]) -> bool {
        match &self.group {
            None => readers.iter().any(|reader| reader.start == Start::Latest),
            Some((_, stand)) => has_new(stand.as_ref(), readers),
        }
    }

    /// Where the group stands, and each of these readers of the partition with this number.
    pub(crate) fn begin(self, readers: &[Reader], partition: i32) -> (Offset, Stand) {
        let (first, end) = self.ends;
        let begins = |reader: &Reader| match reader.start {
            Start::Earliest | Start::WithTheGroup => (first, None),
            Start::Latest => match self.began.get(&Id::of(&reader.name)) {
                // The partition is newer than the reader.
                Some(&count) if count <= partition => (first, Some(count)),
                known => (end, Some(known.copied().unwrap_or(self.partitions))),
            },
        };
        let known = match &self.group {
            None => Stand::default(),
            Some((_, Some(stand))) => stand.clone(),
            Some((_, None)) => {
                let ids = own(readers).map(|reader| (Id::of(&reader.name), Mark::default()));
                Stand {
                    marks: ids.collect(),
                    left: Vec::new(),
                }
            }
        };
        let least = readers.iter().map(|reader| begins(reader).0).min();
        let group = self.group.as_ref().map(|(offset, _)| *offset);
        let group = group.unwrap_or(least.unwrap_or(first));
        let mut stand = Stand::default();
        for reader in own(readers) {
            let id = Id::of(&reader.name);
            let mark = known.marks.get(&id).copied().unwrap_or_else(|| {
                let (offset, partitions) = begins(reader);
                Mark {
                    offset: Some(offset),
                    partitions,
                }
            });
            stand.marks.insert(id, mark);
        }
        for (id, mark) in known.marks {
            stand.marks.entry(id).or_insert_with(|| {
                stand.left.push(id);
                Mark {
                    // It stays there, so that it can go on when it is back.
                    offset: mark.offset.or(Some(group)),
                    ..mark
                }
            });
        }
        stand.settle(group);
        (group, stand)
    }
}

/// Whether one of these readers has not begun where the group has an offset.
pub(crate) fn has_new(stand: Option<&Stand>, readers: &[Reader]) -> bool {
    // From before it was said who reads: whoever does has read until there.
    stand.is_some_and(|stand| own(readers).any(|reader| !stand.knows(&reader.name)))
}

fn own(readers: &[Reader]) -> impl Iterator<Item = &Reader> {
    let mut readers = readers.iter();
    std::iter::from_fn(move || readers.find(|reader| reader.start != Start::WithTheGroup))
}

impl Stand {
    /// Reads metadata: the address, and who stands where, if either is said.
    pub(crate) fn read(metadata: &str) -> (Option<&str>, Option<Self>) {
        let (address, more) = metadata.split_once(' ').unwrap_or((metadata, ""));
        let said = more.split(' ').find_map(|part| part.strip_prefix(PREFIX));
        let stand = said.map(|said| {
            let mut stand = Self::default();
            for reader in said.split(',') {
                let here = reader.strip_prefix(LEFT);
                if let Some((id, mark)) = Mark::read(here.unwrap_or(reader)) {
                    stand.marks.insert(id, mark);
                    stand.left.extend(here.map(|_| id));
                }
            }
            stand
        });
        (Some(address).filter(|address| !address.is_empty()), stand)
    }

    /// As it is written, with the address of who commits.
    pub(crate) fn metadata(&self, address: Option<&str>) -> String {
        let mut text = address.unwrap_or_default().to_owned();
        if self.marks.is_empty() {
            return text;
        }
        let is_left = |id: &Id| self.left.contains(id);
        let stay = self.marks.iter().filter(|(id, _)| !is_left(id));
        let left = self.marks.iter().filter(|(id, _)| is_left(id));
        let mut separator = format!(" {PREFIX}");
        for (id, mark) in stay.chain(left) {
            let written = mark.written(*id);
            if is_left(id) && text.len() + written.len() > MOST_BYTES {
                break;
            }
            let left = if is_left(id) { LEFT } else { "" };
            let _infallible = write!(text, "{separator}{left}{written}");
            ",".clone_into(&mut separator);
        }
        text
    }

    /// How many partitions the topic had when readers began at its end.
    pub(crate) fn began(&self) -> impl Iterator<Item = (Id, i32)> {
        let marks = self.marks.iter();
        marks.filter_map(|(id, mark)| Some((*id, mark.partitions?)))
    }

    /// Where a reader stands; `None` where the group does.
    pub(crate) fn of(&self, reader: &str) -> Option<Offset> {
        self.marks.get(&Id::of(reader)).and_then(|mark| mark.offset)
    }

    /// The least offset of those who read here.
    pub(crate) fn least(&self) -> Option<Offset> {
        let here = self.marks.iter().filter(|(id, _)| !self.left.contains(id));
        here.filter_map(|(_, mark)| mark.offset).min()
    }

    /// A reader has come to this offset.
    pub(crate) fn comes_to(&mut self, reader: &str, offset: Option<Offset>) {
        if let Some(mark) = self.marks.get_mut(&Id::of(reader)) {
            mark.offset = offset;
        }
    }

    /// The group has come to this offset: who stood ahead of it up to there stands with it now.
    pub(crate) fn group_comes_to(&mut self, from: Offset, to: Offset) {
        for (id, mark) in &mut self.marks {
            let is_reached = |offset: Offset| from <= offset && offset <= to;
            if !self.left.contains(id) && mark.offset.is_some_and(is_reached) {
                mark.offset = None;
            }
        }
    }

    fn settle(&mut self, group: Offset) {
        self.group_comes_to(group, group);
    }

    fn knows(&self, reader: &str) -> bool {
        self.marks.contains_key(&Id::of(reader))
    }
}

impl Mark {
    fn read(text: &str) -> Option<(Id, Self)> {
        let (text, offset) = match text.split_once(':') {
            Some((text, offset)) => (text, Some(Offset(offset.parse().ok()?))),
            None => (text, None),
        };
        let (id, partitions) = match text.split_once('/') {
            Some((id, count)) => (id, Some(count.parse().ok()?)),
            None => (text, None),
        };
        let id = Id(u64::from_str_radix(id, 16).ok()?);
        Some((id, Self { offset, partitions }))
    }

    fn written(self, id: Id) -> String {
        let mut text = format!("{:012x}", id.0);
        if let Some(count) = self.partitions {
            let _infallible = write!(text, "/{count}");
        }
        if let Some(offset) = self.offset {
            let _infallible = write!(text, ":{offset}");
        }
        text
    }
}

#[cfg(test)]
mod tests;
