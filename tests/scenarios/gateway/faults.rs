//! Brokers that are away, frozen or slow to come, and the orderly end.

use crate::pipeline::batch;
use footfall_tests::{client, gateway::Gateway, kafka::Kafka, port, wait};
use nix::sys::signal::Signal;

#[tokio::test]
async fn without_a_broker_it_starts_takes_events_and_says_so() {
    let gateway = Gateway::launch(
        &port::free_address(),
        &["--drain-delay", "0s", "--drain-timeout", "1s"],
    );
    let ready = client::until_answers(&format!("{}/readyz", gateway.url), "").await;
    let said = ready.json();
    assert_eq!(
        (said["ready"].clone(), said["kafka"].clone()),
        (true.into(), "down".into()),
        "{said}"
    );
    assert!(said["reason"].is_string(), "{said}");
    assert_eq!(
        gateway
            .post(batch::of_page_views(1).to_string())
            .await
            .status,
        202
    );
}

#[tokio::test]
async fn with_its_broker_gone_it_takes_events_until_the_queue_is_full_and_goes_on_when_it_is_back()
{
    let mut kafka = Kafka::start().await;
    let gateway = Gateway::start_with(&kafka, &["--kafka-queue", "1MiB"]).await;
    assert_eq!(
        gateway
            .post(batch::of_page_views(1).to_string())
            .await
            .status,
        202
    );
    kafka.records(&gateway.topic, 1).await;

    kafka.stop().await;
    let mut taken = 1;
    let full = loop {
        let answer = gateway.post(batch::of_page_views(100).to_string()).await;
        match answer.status {
            202 => taken += 100,
            _ => break answer,
        }
        assert!(taken < 100_000, "the queue has no end");
    };
    assert_eq!(full.status, 503, "{full:?}");
    assert_eq!(full.json()["code"], "unavailable");
    assert!(full.header("retry-after").is_some());
    assert!(taken > 100, "it had room for some: {taken}");
    let ready = client::get(&format!("{}/readyz", gateway.url))
        .await
        .unwrap();
    assert_eq!(ready.status, 503, "{ready:?}");

    kafka.start_again().await;
    assert_eq!(kafka.records(&gateway.topic, taken).await.len(), taken);
    wait::until("the gateway to take events again", async || {
        let answer = gateway.post(batch::of_page_views(1).to_string()).await;
        if answer.status == 202 {
            Ok(())
        } else {
            Err(format!("{answer:?}"))
        }
    })
    .await;
}

#[tokio::test]
async fn sigterm_delivers_what_was_taken_and_ends_with_0() {
    let kafka = Kafka::shared().await;
    let mut gateway = Gateway::start_with(kafka, &["--kafka-property", "linger.ms=500"]).await;
    for _ in 0..20 {
        assert_eq!(
            gateway
                .post(batch::of_page_views(50).to_string())
                .await
                .status,
            202
        );
    }
    gateway.program.signal(Signal::SIGTERM);
    gateway.program.signal(Signal::SIGTERM);
    assert_eq!(
        gateway.program.exit().await.code(),
        Some(0),
        "{}",
        gateway.program.stderr()
    );
    assert_eq!(kafka.records(&gateway.topic, 1000).await.len(), 1000);
}

#[tokio::test]
async fn while_draining_it_is_not_ready_but_still_answers() {
    let kafka = Kafka::shared().await;
    let mut gateway = Gateway::launch(
        &kafka.brokers,
        &["--topics-create", "true", "--drain-delay", "3s"],
    );
    client::until_answers(&format!("{}/readyz", gateway.url), r#""kafka":"up""#).await;
    gateway.program.signal(Signal::SIGTERM);
    let ready = wait::until("/readyz to turn", async || {
        let answer = client::get(&format!("{}/readyz", gateway.url)).await?;
        if answer.status == 503 {
            Ok(answer)
        } else {
            Err(format!("{answer:?}"))
        }
    })
    .await;
    assert_eq!(ready.json()["ready"], false);
    let late = gateway.post(batch::of_page_views(1).to_string()).await;
    assert_eq!(late.status, 202);
    assert_eq!(late.header("connection"), Some("close"));
    assert_eq!(
        gateway.program.exit().await.code(),
        Some(0),
        "{}",
        gateway.program.stderr()
    );
    assert_eq!(kafka.records(&gateway.topic, 1).await.len(), 1);
}
