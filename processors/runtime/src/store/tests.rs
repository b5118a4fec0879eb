use super::{
    checkpoint::Mark,
    file::{Error, File, Place},
    gathered::Gathered,
};
use proptest::prelude::*;
use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::{Seek as _, SeekFrom, Write as _},
    path::Path,
};
use tempfile::TempDir;

const NOW: i64 = 1_764_000_000_000;
const HOUR: i64 = 3_600_000;

type Content = BTreeMap<Vec<u8>, Vec<u8>>;

fn place(partition: i32) -> Place {
    Place {
        changelog: "group-stream-changelog".into(),
        partition,
    }
}

/// Takes changes as a changelog has them from `offset` on.
fn take(gathered: &mut Gathered, offset: i64, changes: &[(Vec<u8>, Option<Vec<u8>>)]) {
    for (number, (key, value)) in (offset..).zip(changes) {
        let mark = Mark::of(number, NOW - 1, key, value.as_deref());
        gathered.take(mark, (key, value.as_deref()));
    }
}

fn write(file: &File, partition: i32, gathered: &mut Gathered) -> Result<(), Error> {
    file.write(&mut [(place(partition), gathered)], NOW)?;
    gathered.written();
    Ok(())
}

/// What a task would have, and the offset up to which.
fn content(file: &File, partition: i32) -> anyhow::Result<Option<(i64, Content)>> {
    let Some(snapshot) = file.snapshot(&place(partition))? else {
        return Ok(None);
    };
    let mut content = Content::new();
    snapshot.read(|(key, value)| {
        match value {
            Some(value) => content.insert(key.to_vec(), value.to_vec()),
            None => content.remove(key),
        };
        Ok(())
    })?;
    Ok(Some((snapshot.checkpoint().last.offset, content)))
}

fn apply(content: &mut Content, changes: &[(Vec<u8>, Option<Vec<u8>>)]) {
    for (key, value) in changes {
        match value {
            Some(value) => content.insert(key.clone(), value.clone()),
            None => content.remove(key),
        };
    }
}

fn changes() -> impl Strategy<Value = Vec<(Vec<u8>, Option<Vec<u8>>)>> {
    let key = (0..90_u8).prop_map(|key| vec![b'k', key]);
    let value = prop::collection::vec(any::<u8>(), 0..2_000);
    prop::collection::vec((key, prop::option::weighted(0.8, value)), 1..200)
}

fn file(folder: &TempDir) -> File {
    File::open(&folder.path().join("store.redb")).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_file_has_what_was_written_over_restarts(
        writes in prop::collection::vec((changes(), any::<bool>()), 1..12),
    ) {
        let folder = TempDir::new().unwrap();
        let mut file = Some(file(&folder));
        let mut gathered = Gathered::default();
        let (mut expected, mut offset) = (Content::new(), 0);
        for (changes, begins_again) in &writes {
            take(&mut gathered, offset, changes);
            apply(&mut expected, changes);
            offset += i64::try_from(changes.len()).unwrap();
            write(file.as_ref().unwrap(), 3, &mut gathered).unwrap();
            if *begins_again {
                drop(file.take());
                file = Some(self::file(&folder));
                let snapshot = file.as_ref().unwrap().snapshot(&place(3)).unwrap().unwrap();
                gathered = Gathered::after(snapshot.checkpoint());
            }
            let found = content(file.as_ref().unwrap(), 3).unwrap();
            prop_assert_eq!(found, Some((offset - 1, expected.clone())));
        }
        prop_assert!(content(file.as_ref().unwrap(), 4).unwrap().is_none());
    }
}

/// A file with two partitions, and what it has.
fn filled(folder: &TempDir) -> Vec<Option<(i64, Content)>> {
    let file = file(folder);
    for partition in 0..2 {
        let mut gathered = Gathered::default();
        for turn in 0..3_u8 {
            let changes: Vec<_> = (0..150_u8)
                .map(|key| (vec![b'k', key], Some(vec![turn; usize::from(key) * 8])))
                .collect();
            take(&mut gathered, i64::from(turn) * 150, &changes);
            write(&file, partition, &mut gathered).unwrap();
        }
    }
    (0..2).map(|at| content(&file, at).unwrap()).collect()
}

/// A damaged file has what it had at some checkpoint, or says so; it never has anything else.
fn is_right_or_refused(path: &Path, expected: &[Option<(i64, Content)>]) {
    let Ok(file) = File::open(path) else { return };
    for (partition, expected) in (0..).zip(expected) {
        match content(&file, partition) {
            Err(_) | Ok(None) => {}
            Ok(found) => assert_eq!(found, *expected),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_file_with_other_bytes_is_refused_or_right(
        at in any::<prop::sample::Index>(),
        bytes in prop::collection::vec(any::<u8>(), 1..5_000),
    ) {
        let folder = TempDir::new().unwrap();
        let expected = filled(&folder);
        let path = folder.path().join("store.redb");
        let mut file = OpenOptions::new().write(true).open(&path).unwrap();
        let length = usize::try_from(file.metadata().unwrap().len()).unwrap();
        file.seek(SeekFrom::Start(at.index(length) as u64)).unwrap();
        file.write_all(&bytes).unwrap();
        is_right_or_refused(&path, &expected);
    }

    #[test]
    fn a_file_that_was_cut_is_refused_or_right(at in any::<prop::sample::Index>()) {
        let folder = TempDir::new().unwrap();
        let expected = filled(&folder);
        let path = folder.path().join("store.redb");
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        let length = usize::try_from(file.metadata().unwrap().len()).unwrap();
        file.set_len(at.index(length) as u64).unwrap();
        is_right_or_refused(&path, &expected);
    }
}

#[test]
fn a_file_of_something_else_is_damaged() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.redb");
    fs::write(&path, b"something else").unwrap();
    assert!(matches!(File::open(&path), Err(Error::Damaged(_))));
}

#[test]
fn what_is_written_in_place_of_a_partition_leaves_nothing_of_it() {
    let folder = TempDir::new().unwrap();
    let file = file(&folder);
    let mut gathered = Gathered::default();
    take(&mut gathered, 7, &[(vec![1], Some(vec![1]))]);
    write(&file, 0, &mut gathered).unwrap();
    let mut anew = Gathered::default();
    take(&mut anew, 2, &[(vec![2], Some(vec![2]))]);
    write(&file, 0, &mut anew).unwrap();
    let expected = Content::from([(vec![2], vec![2])]);
    assert_eq!(content(&file, 0).unwrap(), Some((2, expected)));
}

#[test]
fn what_nobody_has_looked_after_for_long_is_forgotten() {
    let folder = TempDir::new().unwrap();
    let file = file(&folder);
    let mut gathered = Gathered::default();
    take(&mut gathered, 7, &[(vec![1], Some(vec![1]))]);
    gathered.is_whole(NOW);
    write(&file, 0, &mut gathered).unwrap();
    file.remove_old(NOW + 12 * HOUR - 1).unwrap();
    assert!(content(&file, 0).unwrap().is_some());
    file.remove_old(NOW + 12 * HOUR).unwrap();
    assert!(content(&file, 0).unwrap().is_none());
}

#[test]
fn a_file_stays_within_a_small_multiple_of_what_it_has() {
    let folder = TempDir::new().unwrap();
    let file = file(&folder);
    let mut gathered = Gathered::default();
    let mut bytes = 0;
    for turn in 0..200_u8 {
        let changes: Vec<_> = (0..250_u8)
            .map(|key| (vec![b'k', key], Some(vec![turn; 1_000])))
            .collect();
        bytes = changes.len() * 1_000;
        take(&mut gathered, i64::from(turn) * 250, &changes);
        write(&file, 0, &mut gathered).unwrap();
    }
    let length = fs::metadata(folder.path().join("store.redb"))
        .unwrap()
        .len();
    // Each bucket gathers 64 KiB, however little it has.
    let most = (bytes + super::file::BUCKETS * 2 * (64 << 10)) * 4;
    assert!(length <= most as u64, "{length} bytes for {bytes}");
}
