//! Kafka by TLS, with a user and a password.

use crate::pipeline::batch;
use footfall_tests::{client, gateway::Gateway, kafka::Kafka, wait};
use serde_json::Value;

/// A gateway that knows the user; `certificate` and `password` are what a test may have wrong.
fn launch(kafka: &Kafka, certificate: Option<&str>, password: &str) -> Gateway {
    let certificate = certificate.map(|file| format!("ssl.ca.location={file}"));
    let password = format!("sasl.password={password}");
    let properties = [
        "security.protocol=SASL_SSL",
        "sasl.mechanism=SCRAM-SHA-512",
        "sasl.username=footfall",
        &password,
    ];
    let flags = properties.into_iter().chain(certificate.as_deref());
    let flags: Vec<_> = flags
        .flat_map(|property| ["--kafka-property", property])
        .collect();
    let topics = ["--topics-create", "true", "--drain-delay", "0s"];
    let brokers = kafka.secure.as_deref().unwrap();
    Gateway::launch(brokers, &[&topics[..], &flags].concat())
}

/// Waits until `/readyz` is 503 for a reason that has `part` in it, and the log has it too.
async fn until_refused(gateway: &Gateway, part: &str) -> Value {
    wait::until(&format!("a reason with `{part}`"), async || {
        let answer = client::get(&format!("{}/readyz", gateway.url)).await?;
        let said = answer.json();
        let reason = said["reason"].as_str().unwrap_or_default();
        let logged = gateway.program.stderr().contains(part);
        if answer.status == 503 && reason.contains(part) && logged {
            Ok(said)
        } else {
            Err(format!("{answer:?}"))
        }
    })
    .await
}

#[tokio::test]
async fn by_tls_with_the_right_password_events_reach_kafka_and_wrong_ones_are_told() {
    let kafka = Kafka::start_secure().await;
    let certificate = kafka.certificate().display().to_string();

    let gateway = launch(&kafka, Some(&certificate), "secret");
    client::until_answers(&format!("{}/readyz", gateway.url), r#""kafka":"up""#).await;
    let answer = gateway.post(batch::of_page_views(3).to_string()).await;
    assert_eq!(answer.status, 202);
    assert_eq!(kafka.records(&gateway.topic, 3).await.len(), 3);

    let gateway = launch(&kafka, Some(&certificate), "wrong");
    let said = until_refused(&gateway, "uthentication failed").await;
    assert_eq!(
        (&said["ready"], &said["kafka"]),
        (&false.into(), &"down".into())
    );
    let log = gateway.program.stderr();
    assert!(!log.contains("wrong"), "the password is in the log: {log}");

    // Only the system's own authorities are trusted then.
    let gateway = launch(&kafka, None, "secret");
    let said = until_refused(&gateway, "certificate verify failed").await;
    assert_eq!(
        (&said["ready"], &said["kafka"]),
        (&false.into(), &"down".into())
    );
}
