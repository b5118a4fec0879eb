//! What becomes of a batch after each kind of answer.

use super::{run, track, until, until_page, until_recording, until_taken};
use footfall_tests::{
    browser::Browser,
    recorder::{Page, Recorder, Reply},
};
use std::time::Duration;

/// A page that is recorded, its server, and its browser.
async fn opened(page: Page, reply: Reply) -> (Recorder, Browser) {
    let recorder = Recorder::start().await;
    recorder.page(&page);
    recorder.reply(reply);
    let browser = Browser::start().await;
    browser.driver.goto(&recorder.url).await.unwrap();
    until_recording(&browser).await;
    (recorder, browser)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_with_503_or_not_at_all_is_sent_again_under_the_same_ids() {
    for reply in [Reply::Status(503), Reply::Drop] {
        let (recorder, _browser) = opened(Page::default(), reply).await;
        until(&recorder, "a first try", |log| log.batches().count() > 0).await;
        recorder.reply(Reply::Status(202));
        let log = until_taken(&recorder, 1).await;
        let first = log.batches().next().unwrap().events();
        assert_eq!(first[0]["id"], log.taken()[0]["id"]);
        assert!(log.gaps().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_after_is_obeyed_even_by_flush_and_by_who_leaves() {
    let page = Page::default().with("batch-age", "100ms");
    let (recorder, browser) = opened(page, Reply::RetryAfter(429, "4".into())).await;
    until(&recorder, "a first try", |log| log.batches().count() > 0).await;
    until_page(&browser, "localStorage['footfall.wait']").await;
    recorder.reply(Reply::Status(202));
    run(
        &browser,
        "footfall.flush(); dispatchEvent(new Event('online'))",
    )
    .await;
    browser
        .driver
        .goto(&format!("{}/next", recorder.url))
        .await
        .unwrap();
    until_recording(&browser).await;
    run(&browser, "footfall.flush()").await;
    let log = until_taken(&recorder, 2).await;
    let times: Vec<_> = log.batches().map(|batch| batch.at).collect();
    let pause = times[1] - times[0];
    assert!(pause >= Duration::from_millis(3_900), "{pause:?}");
    assert!(log.gaps().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_is_halved_until_it_fits() {
    let (recorder, browser) = opened(Page::default(), Reply::Status(202)).await;
    recorder.reply_by(|request| {
        let fits = request.events().len() <= 3;
        Reply::Status(if fits { 202 } else { 413 })
    });
    track(&browser, 20).await;
    let log = until_taken(&recorder, 21).await;
    assert!(log.gaps().is_empty());
    assert_eq!(log.taken().len(), 21);
    let sizes: Vec<_> = log.batches().map(|batch| batch.events().len()).collect();
    assert!(
        sizes.windows(3).any(|sizes| sizes == [10, 5, 2]),
        "{sizes:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_event_that_is_too_large_is_lost_and_told() {
    let (recorder, browser) = opened(Page::default(), Reply::Status(202)).await;
    until_taken(&recorder, 1).await;
    recorder.reply_by(|request| {
        Reply::Status(if request.body.contains("huge") {
            413
        } else {
            202
        })
    });
    run(&browser, "footfall.track('huge'); footfall.track('small')").await;
    let log = until(&recorder, "the loss to be told", |log| {
        log.taken().iter().any(|event| event["type"] == "lost")
    })
    .await;
    let taken = log.taken();
    let lost = taken.iter().find(|event| event["type"] == "lost").unwrap();
    assert_eq!(lost["properties"], serde_json::json!({ "too_large": 1 }));
    assert!(taken.iter().any(|event| event["name"] == "small"));
    assert_eq!(log.gaps().into_values().collect::<Vec<_>>(), [[1]]);
    assert_eq!(run(&browser, "return footfall.status().lost").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_lost_and_told_once() {
    let (recorder, browser) = opened(Page::default(), Reply::Status(400)).await;
    until_page(&browser, "footfall.status().lost === 1").await;
    recorder.reply(Reply::Status(202));
    track(&browser, 1).await;
    let log = until_taken(&recorder, 2).await;
    let [custom, lost] = log.taken().try_into().unwrap();
    assert_eq!(custom["type"], "custom");
    assert_eq!(lost["type"], "lost");
    assert_eq!(lost["properties"], serde_json::json!({ "rejected": 1 }));
    assert_eq!(lost["seq"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn single_events_that_the_server_refuses_are_told_too() {
    let recorder = Recorder::start().await;
    recorder.reply(Reply::Body(
        202,
        r#"{"accepted":0,"rejected":[{"index":0}]}"#.into(),
    ));
    let browser = Browser::start().await;
    browser.driver.goto(&recorder.url).await.unwrap();
    until_page(&browser, "window.footfall?.status().lost === 1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_write_key_stops_the_load_but_not_the_next_one() {
    let (recorder, browser) = opened(Page::default(), Reply::Status(401)).await;
    until_page(&browser, "footfall.status().reason === 'stopped'").await;
    recorder.reply(Reply::Status(202));
    run(&browser, "footfall.track('a'); return footfall.flush()").await;
    assert_eq!(recorder.log().batches().count(), 1);
    browser
        .driver
        .goto(&format!("{}/next", recorder.url))
        .await
        .unwrap();
    let log = until_taken(&recorder, 2).await;
    let told: Vec<_> = log
        .taken()
        .iter()
        .map(|event| event["type"].clone())
        .collect();
    assert_eq!(told, ["page_view", "lost"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_five_failures_nobody_tries_before_the_wait_is_over() {
    let (recorder, browser) = opened(Page::default(), Reply::Status(503)).await;
    // Each flush may try during a backoff, until the breaker opens.
    run(
        &browser,
        "return (async () => { for (let i = 0; i < 20; i++) await footfall.flush() })()",
    )
    .await;
    let wait = run(&browser, "return localStorage['footfall.wait']").await;
    let tries = recorder.log().batches().count();
    assert!(
        wait.as_str().unwrap().starts_with(&format!("{tries} ")),
        "{wait} after {tries}"
    );
    assert!((5..=7).contains(&tries), "{tries} tries");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_sent_by_count_at_once_and_by_age() {
    let page = Page::default()
        .with("batch-count", "5")
        .with("batch-age", "2s");
    let (recorder, browser) = opened(page, Reply::Status(202)).await;
    until_taken(&recorder, 1).await;
    track(&browser, 7).await;
    let log = until_taken(&recorder, 8).await;
    let sizes: Vec<_> = log.batches().map(|batch| batch.events().len()).collect();
    assert_eq!(sizes, [1, 5, 2]);
    let times: Vec<_> = log.batches().map(|batch| batch.at).collect();
    assert!(times[2] - times[1] >= Duration::from_millis(1_500));
}

#[tokio::test(flavor = "multi_thread")]
async fn offline_nothing_is_tried_and_online_sends_all() {
    let (recorder, browser) = opened(Page::default(), Reply::Status(202)).await;
    until_taken(&recorder, 1).await;
    let offline =
        "Object.defineProperty(navigator, 'onLine', { value: false, configurable: true })";
    run(&browser, offline).await;
    track(&browser, 30).await;
    run(&browser, "return footfall.flush()").await;
    assert_eq!(recorder.log().batches().count(), 1);
    run(
        &browser,
        "delete navigator.onLine; dispatchEvent(new Event('online'))",
    )
    .await;
    let log = until_taken(&recorder, 31).await;
    assert_eq!(log.taken().len(), 31);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_fetch_events_go_as_beacons() {
    let (recorder, browser) = opened(Page::default(), Reply::Status(202)).await;
    until_taken(&recorder, 1).await;
    run(&browser, "delete window.fetch; footfall.track('a')").await;
    run(&browser, "return footfall.flush()").await;
    let log = until_taken(&recorder, 2).await;
    assert!(log.batches().last().unwrap().is_beacon());
}
