use super::*;

fn reader(name: &str, start: Start) -> Reader {
    Reader {
        name: name.into(),
        start,
    }
}

/// The first offset is 7 and the last 89.
fn found(group: Option<(i64, &str)>) -> Found {
    Found {
        group: group.map(|(offset, metadata)| (Offset(offset), Stand::read(metadata).1)),
        ends: (Offset(7), Offset(90)),
        partitions: 4,
        began: BTreeMap::new(),
    }
}

fn id(name: &str) -> String {
    format!("{:012x}", Id::of(name).0)
}

#[test]
fn where_nobody_was_the_group_begins_with_the_first_of_its_readers() {
    let all = [
        reader("a", Start::Earliest),
        reader("b", Start::Latest),
        reader("c", Start::WithTheGroup),
    ];
    let (group, stand) = found(None).begin(&all, 2);
    assert_eq!(group, Offset(7));
    let expected = format!("http://me s={}/4:90,{}", id("b"), id("a"));
    let metadata = stand.metadata(Some("http://me"));
    let parts = |text: &str| {
        let mut parts: Vec<_> = text.split([' ', ',', '=']).map(str::to_owned).collect();
        parts.sort();
        parts
    };
    assert_eq!(parts(&metadata), parts(&expected));
    let (group, stand) = found(None).begin(&all[1..2], 2);
    assert_eq!((group, stand.of("b")), (Offset(90), None));
    assert_eq!(found(None).begin(&[], 2), (Offset(7), Stand::default()));
}

#[test]
fn a_new_reader_begins_at_its_own_start_and_moves_nobody() {
    let before = format!("http://other s={}", id("a"));
    for (start, at) in [(Start::Earliest, 7), (Start::Latest, 90)] {
        let all = [reader("a", Start::Earliest), reader("b", start)];
        let found = found(Some((52, &before)));
        assert!(found.has_new(&all));
        let (group, stand) = found.begin(&all, 2);
        assert_eq!(group, Offset(52));
        assert_eq!((stand.of("a"), stand.of("b")), (None, Some(Offset(at))));
    }
}

#[test]
fn metadata_of_before_says_that_all_stand_with_the_group() {
    let all = [reader("a", Start::Earliest), reader("b", Start::Latest)];
    let found = found(Some((52, "http://other")));
    assert!(!found.has_new(&all));
    let (group, stand) = found.begin(&all, 2);
    assert_eq!(
        (group, stand.of("a"), stand.of("b")),
        (Offset(52), None, None)
    );
    let written = stand.metadata(None);
    assert_eq!(Stand::read(&written), (None, Some(stand)));
}

#[test]
fn a_reader_that_was_away_goes_on_where_it_left() {
    let both = format!("x s={},{}", id("a"), id("b"));
    let only_a = [reader("a", Start::Earliest)];
    let (_, stand) = found(Some((52, &both))).begin(&only_a, 2);
    assert_eq!(stand.least(), None);
    let later = stand.metadata(Some("x"));
    let left = format!("x s={},~{}:52", id("a"), id("b"));
    assert_eq!(later, left);
    assert_eq!(Stand::read(&later).1.unwrap().least(), None);
    let again = [reader("a", Start::Earliest), reader("b", Start::Earliest)];
    let found = found(Some((80, &later)));
    assert!(!found.has_new(&again));
    let (group, stand) = found.begin(&again, 2);
    assert_eq!(
        (group, stand.of("a"), stand.of("b")),
        (Offset(80), None, Some(Offset(52)))
    );
    assert_eq!(stand.least(), Some(Offset(52)));
}

#[test]
fn who_stands_ahead_is_met_and_who_stands_behind_catches_up() {
    let all = [
        reader("a", Start::Earliest),
        reader("b", Start::Latest),
        reader("c", Start::Earliest),
    ];
    let before = format!("x s={}", id("a"));
    let (_, mut stand) = found(Some((52, &before))).begin(&all, 2);
    stand.group_comes_to(Offset(52), Offset(89));
    assert_eq!(
        (stand.of("b"), stand.of("c")),
        (Some(Offset(90)), Some(Offset(7)))
    );
    stand.group_comes_to(Offset(89), Offset(91));
    assert_eq!((stand.of("b"), stand.of("c")), (None, Some(Offset(7))));
    stand.comes_to("c", Some(Offset(41)));
    let (_, read) = Stand::read(&stand.metadata(Some("x")));
    assert_eq!(read.unwrap().of("c"), Some(Offset(41)));
    stand.comes_to("c", None);
    assert_eq!(stand.of("c"), None);
}

#[test]
fn a_partition_that_is_newer_than_a_reader_from_the_end_is_read_from_its_beginning() {
    let latest = [reader("b", Start::Latest)];
    let began = |count| Found {
        began: BTreeMap::from([(Id::of("b"), count)]),
        ..found(None)
    };
    assert_eq!(began(2).begin(&latest, 2).0, Offset(7));
    assert_eq!(began(3).begin(&latest, 2).0, Offset(90));
    let (_, stand) = began(3).begin(&latest, 2);
    assert_eq!(stand.began().collect::<Vec<_>>(), [(Id::of("b"), 3)]);
}

#[test]
fn what_is_no_stand_is_none() {
    assert_eq!(Stand::read(""), (None, None));
    assert_eq!(Stand::read("http://x"), (Some("http://x"), None));
    assert_eq!(Stand::read("http://x d=12"), (Some("http://x"), None));
    let (address, stand) = Stand::read(" d=12 s=zz,0123456789ab:12");
    assert_eq!(address, None);
    assert_eq!(stand.unwrap().metadata(None), " s=0123456789ab:12");
}

#[test]
fn who_has_left_is_forgotten_before_the_metadata_is_too_long() {
    let all: Vec<_> = (0..300).map(|n| format!("{n:012x}:{n}")).collect();
    let before = format!("x s={}", all.join(","));
    let (_, stand) = found(Some((52, &before))).begin(&[reader("a", Start::Earliest)], 2);
    let written = stand.metadata(Some("http://10.0.0.7:8081"));
    assert!(
        written.len() <= MOST_BYTES + 2 && written.contains(&id("a")),
        "{}",
        written.len()
    );
}
