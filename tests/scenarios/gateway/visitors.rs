//! What is told of a visitor, and what a request may not make up.

use crate::pipeline::batch;
use footfall_tests::{client::Answer, gateway::Gateway, kafka::Kafka};
use serde_json::{Value, json};

/// The record of one page view, sent with these headers.
async fn record(
    kafka: &Kafka,
    flags: &[&str],
    headers: &[(&str, &str)],
) -> footfall_tests::record::Record {
    let gateway = Gateway::start_with(kafka, flags).await;
    let mut request = gateway.request(batch::of_page_views(1).to_string());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    assert_eq!(Answer::to(request).await.unwrap().status, 202);
    kafka.records(&gateway.topic, 1).await.remove(0)
}

#[tokio::test]
async fn only_a_trusted_proxy_can_say_who_the_visitor_is() {
    let kafka = Kafka::shared().await;
    let forwarded = [("x-forwarded-for", "198.51.100.7, 203.0.113.9, 10.0.0.2")];
    let trusted = [
        "--trusted-proxies",
        "127.0.0.0/8,10.0.0.0/8",
        "--ip",
        "full",
    ];
    let ip = async |flags: &[&str], headers: &[(&str, &str)]| {
        record(kafka, flags, headers).await.json()["client"]["ip"].clone()
    };
    assert_eq!(ip(&["--ip", "full"], &forwarded).await, "127.0.0.1");
    assert_eq!(ip(&trusted, &forwarded).await, "203.0.113.9");
    let other = [("forwarded", "for=198.51.100.8"), forwarded[0]];
    assert_eq!(ip(&trusted, &other).await, "203.0.113.9");
    let by_rfc = [&trusted[..], &["--forwarded-header", "forwarded"]].concat();
    assert_eq!(ip(&by_rfc, &other).await, "198.51.100.8");
    assert_eq!(
        ip(
            &["--trusted-proxies", "127.0.0.1"],
            &[("x-forwarded-for", "2001:db8:1:2::3")]
        )
        .await,
        "2001:db8:1::"
    );
    assert_eq!(ip(&["--ip", "none"], &[]).await, Value::Null);
}

#[tokio::test]
async fn programs_are_tagged_and_people_are_not() {
    let kafka = Kafka::shared().await;
    let person = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0";
    let bot = "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)";
    let told = record(kafka, &[], &[("user-agent", bot)]).await.json();
    assert_eq!(
        told["client"],
        json!({"ip": "127.0.0.0", "user_agent": bot, "bot": true})
    );
    let told = record(kafka, &[], &[("user-agent", person)]).await.json();
    assert_eq!(
        told["client"],
        json!({"ip": "127.0.0.0", "user_agent": person})
    );
}

#[tokio::test]
async fn a_valid_trace_parent_is_carried_and_a_wrong_one_is_not() {
    let kafka = Kafka::shared().await;
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let told = record(kafka, &[], &[("traceparent", parent)]).await;
    assert_eq!(told.header("traceparent"), Some(parent));
    let told = record(kafka, &[], &[("traceparent", &parent.to_uppercase())]).await;
    assert_eq!(told.header("traceparent"), None);
}

#[tokio::test]
async fn server_timing_is_said_when_it_is_switched_on() {
    let kafka = Kafka::shared().await;
    let gateway = Gateway::start_with(kafka, &["--server-timing", "true"]).await;
    let answer = gateway.post(batch::of_page_views(1).to_string()).await;
    let timing = answer.header("server-timing").unwrap();
    assert!(timing.contains("total;dur="), "{timing}");
    let gateway = Gateway::start(kafka).await;
    let answer = gateway.post(batch::of_page_views(1).to_string()).await;
    assert_eq!(answer.header("server-timing"), None);
}

#[tokio::test]
async fn odd_input_is_carried_or_refused_as_documented() {
    let kafka = Kafka::shared().await;
    let gateway = Gateway::start(kafka).await;
    let now = batch::now();
    let event = |id: u32, members: &str| {
        format!(
            r#"{{"id":"0199d0a4-0000-7000-8000-{id:012x}","time":{now},"type":"page_view"{members}}}"#
        )
    };
    let properties = r#"{"a":1,"a":2,"n":123456789012345678901234567890.5,"e":1e999,"s":"\udc00"}"#;
    let events = [
        event(1, &format!(r#","properties":{properties}"#)),
        event(2, r#","page":{"title":"\ud83d!"}"#),
        event(2, ""),
        event(3, r#","seq":1,"seq":1"#),
        event(4, r#","seq":1e3"#),
        event(5, r#","seq":99999999999999999999"#),
        event(6, &format!(r#","page":{{"url":"{}"}}"#, "x".repeat(4097))),
        event(7, &format!(r#","page":{{"title":"{}"}}"#, "é".repeat(300))),
        event(
            8,
            &format!(r#","properties":{{"x":"{}"}}"#, "x".repeat(65536)),
        ),
        event(
            9,
            &format!(
                r#","properties":{}{}"#,
                r#"{"a":"#.repeat(64) + "{",
                "}".repeat(65)
            ),
        ),
    ];
    let body = format!(
        r#"{{"write_key":"demo","sent_at":{now},"events":[{}]}}"#,
        events.join(",")
    );
    let answer = gateway.post(body).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let said = answer.json();
    let rejected: Vec<_> = said["rejected"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rejected| {
            (
                rejected["index"].as_u64().unwrap(),
                rejected["code"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        rejected,
        [
            (2, "duplicate_id"),
            (3, "field_invalid"),
            (4, "seq_invalid"),
            (5, "seq_invalid"),
            (6, "url_too_long"),
            (8, "event_too_large"),
            (9, "depth_exceeded"),
        ]
    );
    let records = kafka.records(&gateway.topic, 3).await;
    let values: Vec<_> = records
        .iter()
        .map(footfall_tests::record::Record::value_text)
        .collect();
    assert!(
        values.iter().any(|value| value.contains(properties)),
        "{values:?}"
    );
    assert!(
        values.iter().any(|value| value.contains("\u{FFFD}!")),
        "{values:?}"
    );
    let cut = format!(r#""title":"{}""#, "é".repeat(256));
    assert!(
        values.iter().any(|value| value.contains(&cut)),
        "{values:?}"
    );
    let not_utf8 = [b"{\"write_key\":\"", &[0xc3_u8, 0x28][..], b"\"}"].concat();
    assert_eq!(
        gateway.post(not_utf8).await.json()["code"],
        "malformed_body"
    );
}

#[tokio::test]
async fn logs_hold_nothing_of_visitors_and_no_control_characters() {
    for format in ["human", "json"] {
        let logs = logs_of_an_odd_visitor(format).await;
        assert!(
            !logs.contains("7341") && !logs.contains("127.0.0.1:0"),
            "{logs}"
        );
        assert!(
            !logs.chars().any(|char| char.is_control() && char != '\n'),
            "{logs:?}"
        );
        let is_json = |line| serde_json::from_str::<Value>(line).is_ok();
        assert_eq!(logs.lines().all(is_json), format == "json", "{logs}");
    }
}

async fn logs_of_an_odd_visitor(format: &str) -> String {
    let kafka = Kafka::shared().await;
    let flags = ["--log-level", "debug,rdkafka=info", "--log-format", format];
    let gateway = Gateway::start_with(kafka, &flags).await;
    let mut body = batch::of_page_views(1);
    body["visitor"] = json!("visitor-7341");
    body["user"] = json!("user-7341\u{1b}[31m");
    body["events"][0]["page"]["title"] = json!("title-7341\n\u{1b}[31m");
    let url = format!("{}/v1/path-7341%1b%0a?q=query-7341", gateway.url);
    let request = gateway
        .request(body.to_string())
        .header("user-agent", "agent-7341")
        .header("referer", "https://referrer-7341/");
    assert_eq!(Answer::to(request).await.unwrap().status, 202);
    assert_eq!(
        gateway
            .post(r#"{"write_key":"key-7341\u001b","sent_at":"x-7341"}"#)
            .await
            .status,
        400
    );
    assert_eq!(
        Answer::to(reqwest::Client::new().get(url))
            .await
            .unwrap()
            .status,
        404
    );
    kafka.records(&gateway.topic, 1).await;
    gateway.program.stderr()
}
