//! Every code of a rejected event: told in the answer, counted, and recorded with the event's own bytes.

use crate::pipeline::batch;
use footfall_tests::{gateway::Gateway, kafka::Kafka};
use serde_json::{Value, json};

/// An event that is right but for what `members` say.
fn event(id: usize, members: &str) -> String {
    format!(r#"{{ "id":"0199d0a4-0000-7000-8000-{id:012x}"{members} }}"#)
}

/// Events with the codes that they get; of the first there is none.
fn events(now: i64) -> Vec<(String, &'static str)> {
    let at = format!(r#","time":{now}"#);
    let seen = format!(r#"{at},"type":"page_view""#);
    let custom = format!(r#"{at},"type":"custom""#);
    let long = |len| "x".repeat(len);
    let deep = r#"{"a":"#.repeat(64) + "{}" + "}".repeat(64).as_str();
    vec![
        (event(0, &seen), ""),
        ("[7]".into(), "not_an_object"),
        (
            format!(r#"{{"type":"page_view","time":{now}}}"#),
            "id_missing",
        ),
        (
            format!(r#"{{"id":"7","type":"page_view","time":{now}}}"#),
            "id_invalid",
        ),
        (event(0, &seen), "duplicate_id"),
        (event(5, r#","type":"page_view""#), "time_missing"),
        (
            event(6, r#","type":"page_view","time":946684799999"#),
            "time_invalid",
        ),
        (event(7, &at), "type_missing"),
        (event(8, &format!(r#"{at},"type":"walk""#)), "type_unknown"),
        (event(9, &custom), "name_missing"),
        (
            event(10, &format!(r#"{custom},"name":"{}""#, long(129))),
            "name_too_long",
        ),
        (event(11, &format!(r#"{seen},"seq":-1"#)), "seq_invalid"),
        (
            event(12, &format!(r#"{seen},"page":{{"url":"{}"}}"#, long(4097))),
            "url_too_long",
        ),
        (
            event(13, &format!(r#"{seen},"properties":[]"#)),
            "properties_invalid",
        ),
        (
            event(14, &format!(r#"{seen},"properties":{deep}"#)),
            "depth_exceeded",
        ),
        (
            event(15, &format!(r#"{seen},"x":"{}""#, long(1 << 16))),
            "event_too_large",
        ),
        (event(16, &format!(r#"{seen},"page":7"#)), "field_invalid"),
    ]
}

#[tokio::test]
async fn each_is_told_counted_and_recorded_with_the_events_own_bytes() {
    let kafka = Kafka::shared().await;
    let gateway = Gateway::start(kafka).await;
    let now = batch::now();
    let events = events(now);
    let sent: Vec<_> = events.iter().map(|(event, _)| event.as_str()).collect();
    let body = format!(
        r#"{{"write_key":"demo","sent_at":{now},"events":[{}]}}"#,
        sent.join(",")
    );
    let answer = gateway.post(body).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let said = answer.json();
    assert_eq!(said["accepted"], 1);
    let told: Vec<_> = said["rejected"].as_array().unwrap().iter().collect();
    let codes: Vec<_> = told
        .iter()
        .map(|told| told["code"].as_str().unwrap())
        .collect();
    let wanted: Vec<_> = events[1..].iter().map(|(_, code)| *code).collect();
    assert_eq!(codes, wanted);
    for (told, index) in told.iter().zip(1..) {
        let id = match index {
            1..=3 => Value::Null,
            4 => json!("0199d0a4-0000-7000-8000-000000000000"),
            _ => json!(format!("0199d0a4-0000-7000-8000-{index:012x}")),
        };
        assert_eq!((&told["index"], &told["id"]), (&json!(index), &id));
        assert!(!told["message"].as_str().unwrap().is_empty());
    }

    let records = kafka.records(&gateway.rejected, codes.len()).await;
    assert_eq!(records.len(), codes.len());
    for record in records {
        assert_eq!(record.key_text(), Some("demo"));
        let value = record.json();
        let index = usize::try_from(value["index"].as_u64().unwrap()).unwrap();
        let (event, code) = &events[index];
        assert_eq!(value["code"], *code);
        assert_eq!(record.timestamp, value["received_at"].as_i64().unwrap());
        let own = format!("\"event\":{event}}}");
        assert!(record.value_text().ends_with(&own), "{record:?}");
    }
    let metrics = gateway.metrics().await;
    for code in codes {
        let sample = format!("footfall_events_rejected_total{{code=\"{code}\"}}");
        assert_eq!(metrics.sum(&sample), 1.0, "{sample}");
    }
}
