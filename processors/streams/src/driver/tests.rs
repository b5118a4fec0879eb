use super::*;
use crate::{Extract, Extracted, SessionWindows, TimeWindows, Unusable, millis, own_time, stream};
use proptest::prelude::*;
use std::sync::Arc;

/// By the record's key; its value is what duplicates are known by.
#[derive(Debug)]
struct ById;

impl Extract for ById {
    fn extract(&self, record: &Record<'_>) -> Result<Option<Extracted>, Unusable> {
        Ok(Some(Extracted {
            key: record.key.unwrap_or_default().to_vec(),
            time: own_time(record)?,
            inputs: Vec::new(),
            id: record.value.map(<[u8]>::to_vec),
        }))
    }
}

fn windowed() -> Definition {
    let windows = TimeWindows::of(millis(20)).advance_by(millis(5));
    let counts = stream("in").group_by_key();
    let counts = counts.windowed_by(windows.grace(millis(10)).unwrap());
    Definition {
        extract: Arc::new(ById),
        dedupe: Some(millis(15)),
        idle_timeout: Some(millis(1)),
        ..counts.count().to("out")
    }
}

fn sessions() -> Definition {
    let sessions = SessionWindows::with_gap(millis(10)).grace(millis(15));
    let grouped = stream("in").group_by_key().windowed_by(sessions.unwrap());
    Definition {
        idle_timeout: Some(millis(1)),
        ..grouped.count().to("out")
    }
}

/// What compaction leaves of the changelog, but for the times of the stream.
fn saved(driver: &TestDriver) -> Size {
    let mut newest = BTreeMap::new();
    for (place, changes) in &driver.changelogs {
        for change in changes {
            let key = change.key.clone().unwrap();
            newest.insert((place, key), change.value.as_deref());
        }
    }
    let mut size = Size::default();
    for ((_, key), value) in newest {
        if let (1 | 3 | 4, Some(value)) = (key[0], value) {
            size.entries += 1;
            size.bytes += (key.len() + value.len()) as u64;
        }
    }
    size
}

proptest! {
    #[test]
    fn the_size_is_that_of_the_compacted_changelog(
        steps in prop::collection::vec((0_u8..7, 0_u8..3, 0_i64..120), 1..80),
        is_session in any::<bool>(),
    ) {
        let definition = if is_session { sessions() } else { windowed() };
        let mut driver = TestDriver::new(definition);
        for (step, key, time) in steps {
            match step {
                0 => driver.advance_clock(millis(2)),
                1 => driver.commit(),
                2 => {
                    driver.commit();
                    driver.restart();
                }
                _ => driver.pipe("in", &"key".repeat(key.into()), &time.to_string(), time),
            }
        }
        driver.commit();
        prop_assert_eq!(driver.size("out"), saved(&driver));
    }
}
