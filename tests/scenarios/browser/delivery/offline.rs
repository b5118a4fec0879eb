//! The network goes away, and pages do.

use super::{open_tab, run, track, until, until_kept, until_page, until_recording, until_taken};
use footfall_tests::{
    browser::{Browser, Kind},
    recorder::{Page, Recorder, Reply},
};
use serde_json::json;

crate::browser::in_every_browser!(what_a_page_records_while_it_goes_arrives_without_another_visit);

async fn network(browser: &Browser, offline: bool) {
    let conditions = json!({ "offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1 });
    browser.cdp("Network.enable", json!({})).await.unwrap();
    let method = "Network.emulateNetworkConditions";
    browser.cdp(method, conditions).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn events_wait_in_storage_while_the_browser_is_offline_and_go_when_it_is_online() {
    let recorder = Recorder::start().await;
    let browser = Browser::start().await;
    browser.driver.goto(&recorder.url).await.unwrap();
    until_taken(&recorder, 1).await;
    network(&browser, true).await;
    until_page(&browser, "!navigator.onLine").await;
    track(&browser, 45).await;
    run(&browser, "return footfall.flush()").await;
    until_kept(&browser).await;
    assert_eq!(run(&browser, "return footfall.status().queued").await, 45);
    let stored = "Object.entries(localStorage).some(([name, text]) =>
        name.startsWith('footfall.unsent.') && text.includes('\"i\":44'))";
    until_page(&browser, stored).await;
    assert_eq!(recorder.log().batches().count(), 1);
    network(&browser, false).await;
    let log = until_taken(&recorder, 46).await;
    assert_eq!(log.taken().len(), 46, "none twice");
    assert!(log.gaps().is_empty());
    until_page(&browser, "footfall.status().queued === 0").await;
    assert_eq!(run(&browser, "return footfall.status().lost").await, 0);
}

async fn what_a_page_records_while_it_goes_arrives_without_another_visit(kind: Kind) {
    let recorder = Recorder::start().await;
    let page = Page::default().with("batch-age", "1h").with("capture", "");
    recorder.page(&page.head(
        "<script>
          document.addEventListener('visibilitychange', () => footfall.track('is ' + document.visibilityState));
          addEventListener('pagehide', () => footfall.track('goes'));
        </script>",
    ));
    recorder.file(
        "/blank",
        "text/html",
        "<!doctype html><title>Nothing</title>",
    );
    let browser = Browser::of(kind).await;
    browser.driver.goto(&recorder.url).await.unwrap();
    until_recording(&browser).await;
    track(&browser, 1).await;
    browser
        .driver
        .goto(format!("{}/blank", recorder.url))
        .await
        .unwrap();
    let log = until(&recorder, "all three", |log| {
        let taken = log.taken();
        let names = ["e", "goes", "is hidden"];
        names
            .iter()
            .all(|name| taken.iter().any(|event| event["name"] == *name))
    })
    .await;
    assert!(log.gaps().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_was_hidden_before_it_goes_loses_nothing_either() {
    let recorder = Recorder::start().await;
    let page = Page::default().with("batch-age", "1h").with("capture", "");
    let head = "<script>addEventListener('pagehide', () => footfall.track('goes'))</script>";
    recorder.page(&page.head(head));
    let browser = Browser::start().await;
    browser.driver.goto(&recorder.url).await.unwrap();
    until_recording(&browser).await;
    let first = browser.driver.window().await.unwrap();
    open_tab(&browser, &recorder.url).await;
    let second = browser.driver.window().await.unwrap();
    browser.driver.switch_to_window(first).await.unwrap();
    run(&browser, "footfall.track('hidden')").await;
    browser.driver.close_window().await.unwrap();
    browser.driver.switch_to_window(second).await.unwrap();
    let log = until_taken(&recorder, 2).await;
    let names: Vec<_> = log
        .taken()
        .iter()
        .map(|event| event["name"].clone())
        .collect();
    assert_eq!(names, ["hidden", "goes"]);
}

/// Whatever the reason, every event that was recorded has either arrived or was told to be lost.
#[tokio::test(flavor = "multi_thread")]
async fn what_arrives_and_what_is_told_to_be_lost_sum_up_to_all_that_was_recorded() {
    let recorder = Recorder::start().await;
    let page = Page::default()
        .with("capture", "")
        .with("queue-bytes", "8KB");
    recorder.page(&page.with("batch-count", "10"));
    let browser = Browser::start().await;
    browser.driver.goto(&recorder.url).await.unwrap();
    until_recording(&browser).await;
    recorder.reply_by(|request| match request.events().len() {
        _ if request.body.contains("refused") => Reply::Status(400),
        more if more > 4 => Reply::Status(413),
        _ if request.body.contains("huge") => Reply::Status(413),
        _ => Reply::Status(202),
    });
    track(&browser, 20).await;
    run(&browser, "footfall.track('huge'); return footfall.flush()").await;
    run(
        &browser,
        "footfall.track('refused'); return footfall.flush()",
    )
    .await;
    run(
        &browser,
        "footfall.track('x'.repeat(100), { text: 'x'.repeat(9000) })",
    )
    .await;
    track(&browser, 300).await;
    run(&browser, "return footfall.flush()").await;
    until_page(&browser, "footfall.status().queued === 0").await;
    run(&browser, "footfall.track('end'); return footfall.flush()").await;
    until_page(&browser, "footfall.status().queued === 0").await;
    let lost_in_all = run(&browser, "return footfall.status().lost").await;
    let taken = recorder.taken();
    let told = taken.iter().filter(|event| event["type"] == "lost");
    let counts = told.flat_map(|event| event["properties"].as_object().unwrap().values());
    let lost: u64 = counts.map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(lost_in_all, lost, "all of it is told");
    let last = taken.iter().filter_map(|event| event["seq"].as_u64()).max();
    let arrived = recorder.log().ids().len() as u64;
    assert_eq!(arrived + lost, last.unwrap() + 1, "{taken:#?}");
    let reasons: Vec<_> = taken
        .iter()
        .filter(|event| event["type"] == "lost")
        .flat_map(|event| event["properties"].as_object().unwrap().keys().cloned())
        .collect();
    for reason in ["queue_full", "too_large", "rejected"] {
        assert!(reasons.iter().any(|told| told == reason), "{reasons:?}");
    }
}
