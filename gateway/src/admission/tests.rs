use super::*;
use crate::{
    outgoing::{Outgoing, Topic},
    testing::{NOW, arrival, batch},
};
use proptest::prelude::*;
use std::collections::BTreeMap;

const LIMIT: usize = 64 * 1024;

fn admitted<T>(body: &str, arrival: &Arrival<'_>, look: impl FnOnce(&Admitted<'_>) -> T) -> T {
    let batch = Batch::read(body.as_bytes()).unwrap();
    look(&admit(&batch, arrival, LIMIT))
}

/// The records of a batch as the golden files write them.
fn golden(body: &str) -> String {
    let batch = Batch::read(body.as_bytes()).unwrap();
    let client = Client {
        ip: Some("203.0.113.0".into()),
        user_agent: Some("Browser/1.0".into()),
        bot: None,
    };
    let arrival = Arrival {
        client: Some(client),
        ..arrival()
    };
    let admitted = admit(&batch, &arrival, LIMIT);
    let outgoing = Outgoing::encode(&batch, &admitted, NOW).unwrap();
    let line = |message: crate::outgoing::Message<'_>| {
        let topic = match message.topic {
            Topic::Events => "events",
            Topic::Rejected => "rejected",
        };
        let key = std::str::from_utf8(message.key.unwrap_or(b"-")).unwrap();
        let value = std::str::from_utf8(message.value).unwrap();
        format!("{topic} {key} {} {value}\n", message.timestamp)
    };
    outgoing.messages().map(line).collect()
}

#[test]
fn the_batches_of_version_1_make_the_records_of_version_1() {
    let browser = include_str!("../../protocol/golden/v1/browser.json");
    let server = include_str!("../../protocol/golden/v1/server.json");
    let records = include_str!("../../protocol/golden/v1/records.txt");
    assert_eq!(golden(browser) + &golden(server), records);
}

#[test]
fn an_id_that_an_earlier_event_has_is_rejected_even_if_that_one_was() {
    let id = "0199d0a4-0000-7000-8000-0000000000aa";
    let events = format!(
        r#"[{{"id":"{id}"}},{{"id":"{}","time":1764000000001,"type":"click"}}]"#,
        id.to_uppercase()
    );
    let body = batch(1, 0).replacen("[{", &format!("{},{{", &events[..events.len() - 1]), 1);
    admitted(&body, &arrival(), |admitted| {
        let codes = admitted.rejected.iter().map(|rejection| rejection.code);
        assert_eq!(
            codes.collect::<Vec<_>>(),
            [Code::TimeMissing, Code::DuplicateId]
        );
        assert_eq!(admitted.rejected[1].id.unwrap().to_string(), id);
        assert_eq!(admitted.accepted.len(), 1);
    });
}

#[test]
fn prose_is_cut_at_512_bytes_and_a_url_is_not() {
    let long = "é".repeat(300);
    let members = format!(
        r#""page":{{"url":"{long}","title":"a{long}","referrer":"{long}"}},"element":{{"text":"{long}","path":"{long}"}},"#
    );
    let body = batch(1, 0).replacen("\"time\"", &format!("{members}\"time\""), 1);
    admitted(&body, &arrival(), |admitted| {
        let record = &admitted.accepted[0];
        let (page, element) = (
            record.page.clone().unwrap(),
            record.element.clone().unwrap(),
        );
        let lens = [
            page.url,
            page.title,
            page.referrer,
            element.text,
            element.path,
        ]
        .map(|text| text.unwrap().len());
        assert_eq!(lens, [600, 511, 512, 512, 600]);
    });
}

#[test]
fn an_anonymised_record_names_nobody_and_has_no_key() {
    let body = batch(1, 0).replacen('{', r#"{"session":"s","user":"u","load":"l","#, 1);
    let client = Client {
        ip: Some("203.0.113.0".into()),
        user_agent: Some("Browser/1.0".into()),
        bot: None,
    };
    let arrival = Arrival {
        client: Some(client),
        treatment: Treatment::Anonymise,
        ..arrival()
    };
    admitted(&body, &arrival, |admitted| {
        let record = &admitted.accepted[0];
        assert_eq!(
            (&record.visitor, &record.session, &record.user),
            (&None, &None, &None)
        );
        let client = record.client.clone().unwrap();
        assert_eq!(
            (client.ip, client.user_agent.as_deref()),
            (None, Some("Browser/1.0"))
        );
        assert_eq!(record.load.as_deref(), Some("l"));
        assert!(!record.append_key(&mut Vec::new()));
    });
}

/// Values for each member, right and wrong ones; an empty one leaves the member out.
fn member(name: &'static str, values: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::sample::select(values).prop_map(move |value| match value {
        "" => String::new(),
        value => format!("\"{name}\":{value},"),
    })
}

fn event() -> impl Strategy<Value = String> {
    let id = prop_oneof![
        8 => any::<u16>().prop_map(|n| format!("\"id\":\"0199d0a4-0000-7000-8000-00000000{n:04x}\",")),
        1 => member("id", &["", "null", "\"x\"", "7"]),
        1 => Just("\"id\":\"0199d0a4-0000-7000-8000-0000000000aa\",".to_owned()),
    ];
    let members = (
        id,
        member(
            "time",
            &[
                "1764000000001",
                "1764000000002",
                "1764009999999",
                "",
                "1.5",
                "\"x\"",
            ],
        ),
        member(
            "type",
            &["\"click\"", "\"page_view\"", "\"custom\"", "", "\"x\""],
        ),
        member("name", &["", "\"n\"", "\"\\ud83d\"", "7"]),
        member("seq", &["", "0", "7", "-1"]),
        member(
            "page",
            &["", "{}", "{\"url\":\"u\"}", "[]", "{\"a\":1,\"a\":2}"],
        ),
        member(
            "properties",
            &["", "{}", "{\"a\":1e400,\"a\":\"\\ud800\"}", "[]"],
        ),
    );
    let object =
        members.prop_map(|(a, b, c, d, e, f, g)| format!("{{{a}{b}{c}{d}{e}{f}{g}\"z\":0}}"));
    prop_oneof![9 => object, 1 => prop::sample::select(&["null", "[]", "1", "{}"][..]).prop_map(String::from)]
}

proptest! {
    #[test]
    fn every_event_is_accepted_or_rejected_exactly_once(
        events in prop::collection::vec(event(), 1..40),
    ) {
        let body = format!(r#"{{"write_key":"demo","sent_at":1764000000123,"events":[{}]}}"#, events.join(","));
        let batch = Batch::read(body.as_bytes()).unwrap();
        let admitted = admit(&batch, &arrival(), LIMIT);
        prop_assert_eq!(admitted.accepted.len() + admitted.rejected.len(), events.len());
        let rejected: BTreeMap<_, _> =
            admitted.rejected.iter().map(|rejection| (rejection.index, rejection.code)).collect();
        prop_assert_eq!(rejected.len(), admitted.rejected.len());
        let kept = (0..events.len()).filter(|index| !rejected.contains_key(index));
        for (index, record) in kept.zip(&admitted.accepted) {
            prop_assert!(events[index].to_lowercase().contains(&record.id.to_string()));
            if let Some(properties) = record.properties {
                prop_assert!(events[index].contains(properties.as_str()));
            }
        }
        let outgoing = Outgoing::encode(&batch, &admitted, NOW).unwrap();
        prop_assert_eq!(outgoing.records(), events.len());
        for message in outgoing.messages().filter(|message| message.topic == Topic::Events) {
            let record = Record::from_json(message.value).unwrap();
            prop_assert_eq!(record.time, message.timestamp);
        }
    }

    #[test]
    fn no_bytes_in_place_of_others_make_admission_panic(at in 0_usize..2000, len in 0_usize..20, by in "[ -~]{0,20}") {
        let mut body = include_bytes!("../../protocol/golden/v1/browser.json").to_vec();
        let start = at.min(body.len());
        let end = (start + len).min(body.len());
        body.splice(start..end, by.bytes());
        if let Ok(batch) = Batch::read(&body) {
            let admitted = admit(&batch, &arrival(), LIMIT);
            prop_assert_eq!(admitted.accepted.len() + admitted.rejected.len(), batch.events.len());
            prop_assert!(Outgoing::encode(&batch, &admitted, NOW).is_ok());
        }
    }
}
