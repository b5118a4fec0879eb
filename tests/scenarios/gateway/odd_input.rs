//! Numbers that no double holds, and escapes that are half a character: refused, or carried byte for byte.

use crate::pipeline::batch;
use footfall_tests::{gateway::Gateway, kafka::Kafka};
use serde_json::{Value, json};

/// Stands in a batch where odd text is put instead, which no JSON library would write.
const PLACE: &str = "\"PLACE\"";

/// A right batch of one event, with `odd` in the place that `put` chooses.
fn with(odd: &str, put: impl FnOnce(&mut Value, Value)) -> String {
    let mut body = batch::of_page_views(1);
    put(&mut body, json!("PLACE"));
    body.to_string().replace(PLACE, odd)
}

fn with_event(odd: &str, member: &str) -> String {
    with(odd, |body, place| body["events"][0][member] = place)
}

#[tokio::test]
async fn a_number_where_none_belongs_is_named_by_its_pointer_however_large_it_is() {
    let gateway = Gateway::start(Kafka::shared().await).await;
    let long = "9".repeat(400);
    for (member, numbers) in [
        ("events", &["1e999", "-1e999", &*long][..]),
        ("context", &["1e999"]),
        ("write_key", &["1e999", &*long]),
        ("visitor", &["1e999"]),
        (
            "sent_at",
            &["1e999", "1e3", "1764000000123.0", "1E400", "-1e999", &*long],
        ),
    ] {
        for number in numbers {
            let answer = gateway
                .post(with(number, |body, place| body[member] = place))
                .await;
            assert_eq!(answer.status, 400, "{member} {number}: {answer:?}");
            let said = answer.json();
            assert_eq!(said["code"], "invalid_field", "{member} {number}");
            assert_eq!(said["pointer"], format!("#/{member}"), "{number}");
        }
    }
    let body = gateway.post("1e999").await;
    assert_eq!(
        (body.status, &body.json()["code"]),
        (400, &json!("malformed_body"))
    );
}

#[tokio::test]
async fn a_number_that_is_no_time_and_no_seq_rejects_its_event() {
    let gateway = Gateway::start(Kafka::shared().await).await;
    let long = "9".repeat(400);
    for (member, number, code) in [
        ("time", "1e400", "time_invalid"),
        ("time", "1764000000001.5", "time_invalid"),
        ("time", &long, "time_invalid"),
        ("seq", "1e400", "seq_invalid"),
        ("seq", "1e2", "seq_invalid"),
        ("seq", "-1", "seq_invalid"),
        ("seq", &long, "seq_invalid"),
        ("id", "1e400", "id_invalid"),
        ("type", "1e400", "type_unknown"),
        ("page", "1e400", "field_invalid"),
        ("properties", "1e400", "properties_invalid"),
    ] {
        let answer = gateway.post(with_event(number, member)).await;
        assert_eq!(answer.status, 202, "{member} {number}: {answer:?}");
        let said = answer.json();
        assert_eq!(said["accepted"], 0, "{member} {number}");
        assert_eq!(said["rejected"][0]["code"], code, "{member} {number}");
    }
}

#[tokio::test]
async fn properties_and_context_keep_huge_numbers_and_half_characters_byte_for_byte() {
    let kafka = Kafka::shared().await;
    let gateway = Gateway::start(kafka).await;
    let odd = r#"{"big":1e400,"small":-1E-400,"long":1234567890123456789012345678901234567890.10,"zero":-0.0,"half":"\ud83d","\udc00":"\uD83D\u0041","big":[1e999]}"#;
    let body = with(odd, |body, place| {
        body["events"][0]["properties"] = place.clone();
        body["context"] = place;
    });
    let answer = gateway.post(body).await;
    assert_eq!(answer.body, r#"{"accepted":1,"rejected":[]}"#);
    let records = kafka.records(&gateway.topic, 1).await;
    let value = records[0].value_text();
    for member in ["properties", "context"] {
        assert!(value.contains(&format!("\"{member}\":{odd}")), "{value}");
    }
}

#[tokio::test]
async fn half_a_character_in_a_known_text_becomes_the_replacement_character() {
    let kafka = Kafka::shared().await;
    let gateway = Gateway::start(kafka).await;
    let body = with(r#""a\ud83d""#, |body, place| {
        let event = &mut body["events"][0];
        event["type"] = json!("click");
        event["page"]["title"] = place.clone();
        event["element"] = json!({ "tag": "a", "text": place });
        body["visitor"] = place;
    });
    assert_eq!(gateway.post(body).await.status, 202);
    let records = kafka.records(&gateway.topic, 1).await;
    let value = records[0].json();
    for pointer in ["/page/title", "/element/text", "/visitor"] {
        assert_eq!(value.pointer(pointer), Some(&json!("a\u{fffd}")), "{value}");
    }
    assert_eq!(records[0].key_text(), Some("demo/a\u{fffd}"));
    let no_key = with(r#""\ud83d""#, |body, place| body["write_key"] = place);
    let refused = gateway.post(no_key).await;
    assert_eq!(
        (refused.status, &refused.json()["pointer"]),
        (400, &json!("#/write_key"))
    );
}
