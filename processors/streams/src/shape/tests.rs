use super::*;
use crate::{Emit, TimeWindows, millis, stream, table};

fn definition() -> Definition {
    let windows = TimeWindows::of(millis(30)).advance_by(millis(20));
    let grouped = stream("in").group_by_key();
    grouped
        .windowed_by(windows.grace(millis(3)).unwrap())
        .count()
        .to("out")
}

/// Version 1, as it lies in people's changelogs: what reads it must stay.
const GOLDEN: &str = r#"{"version":1,"definition":[["from","in"],["window","windows of 30 ms every 20 ms with a grace of 3 ms"],["aggregate","count = count()"]]}"#;

#[test]
fn a_definition_is_written_as_version_1_and_known_again() {
    assert_eq!(KEY, b"\0definition");
    let shape = definition().shape();
    assert_eq!(String::from_utf8(shape.value()).unwrap(), GOLDEN);
    assert_eq!(shape.check(GOLDEN.as_bytes()), Ok(()));
    assert_eq!(shape.digest(), 8_471_369_142_789_386_346);
}

#[test]
fn what_has_changed_is_told_part_by_part_with_what_to_do() {
    let other = Definition {
        from: "other".into(),
        dedupe: Some(millis(5)),
        ..definition()
    };
    let refusal = other.shape().check(GOLDEN.as_bytes()).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "expected state of the stream as it is defined, found that of another definition: `dedupe within` \
         was left out and is `5ms`, `from` was `in` and is `other`; to count by the new one from an empty \
         state, give the stream the next `version` (`start` says where it begins), or another name; to go \
         on with this state, take the change back"
    );
}

#[test]
fn what_only_says_when_and_where_results_go_is_no_part_of_it() {
    let other = Definition {
        emit: Emit::Final,
        idle_timeout: Some(millis(7)),
        to: "elsewhere".into(),
        late: None,
        dlq: None,
        codec: crate::Codec::Streams,
        ..definition()
    };
    assert_eq!(other.shape(), definition().shape());
}

#[test]
fn functions_in_rust_are_parts_of_it_as_far_as_that_they_are_there() {
    let windows = || TimeWindows::of(millis(30)).grace(millis(3)).unwrap();
    let users = table("users");
    let key = |record: &footfall_task::Record<'_>| record.key.map(<[u8]>::to_vec);
    let plain = stream("in").group_by_key().windowed_by(windows()).count();
    let filtered = stream("in").filter(|_| true).group_by_key();
    let filtered = filtered.windowed_by(windows()).count();
    let joined = stream("in").join(&users, key, |_, row| row.to_vec());
    let joined = joined.group_by_key().windowed_by(windows()).count();
    let deduped = stream("in").dedupe_within(millis(9), key).group_by_key();
    let deduped = deduped.windowed_by(windows()).count();
    let rekeyed = stream("in").group_by_read_key();
    let rekeyed = rekeyed.windowed_by(windows()).count();
    let shapes = [plain, filtered, joined, deduped, rekeyed].map(|it| it.to("out").shape());
    for (index, shape) in shapes.iter().enumerate() {
        let others = shapes.iter().skip(index + 1);
        assert!(others.into_iter().all(|other| other != shape), "{shape}");
    }
}

#[test]
fn what_is_no_definition_is_refused_with_its_bytes() {
    let refusal = definition().shape().check(b"{\x07").unwrap_err();
    assert_eq!(
        refusal.to_string(),
        r"expected a definition in version 1, found the bytes `{\x07`"
    );
}
