//! What becomes of events when the page goes away.

use super::{
    crash, open_tab, run, track, until, until_kept, until_page, until_recording, until_taken,
};
use footfall_tests::{
    browser::Browser,
    recorder::{Page, Recorder, Reply},
};
use serde_json::json;
use thirtyfour::By;

async fn opened() -> (Recorder, Browser) {
    let recorder = Recorder::start().await;
    recorder.page(&Page::default().with("capture", "page-views clicks"));
    let browser = Browser::start().await;
    browser.driver.goto(&recorder.url).await.unwrap();
    until_recording(&browser).await;
    (recorder, browser)
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_link_the_rest_goes_out_as_a_beacon_and_only_once() {
    let (recorder, browser) = opened().await;
    until_taken(&recorder, 1).await;
    for round in 1..=5 {
        track(&browser, 3).await;
        browser
            .driver
            .find(By::Id("next"))
            .await
            .unwrap()
            .click()
            .await
            .unwrap();
        // Three events, the click on the link, and the view of the page it leads to.
        until_taken(&recorder, 1 + round * 5).await;
        until_recording(&browser).await;
    }
    let log = recorder.log();
    assert_eq!(log.taken().len(), 26, "none twice");
    assert!(log.gaps().is_empty());
    let beacons: Vec<_> = log.batches().filter(|batch| batch.is_beacon()).collect();
    assert_eq!(beacons.len(), 5);
    for beacon in beacons {
        assert_eq!(beacon.headers["content-type"], "text/plain;charset=UTF-8");
        assert_eq!(beacon.events().len(), 4);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_hidden_sends_at_once_and_nothing_again_when_it_returns() {
    let (recorder, browser) = opened().await;
    until_taken(&recorder, 1).await;
    track(&browser, 3).await;
    browser.driver.minimize_window().await.unwrap();
    let log = until_taken(&recorder, 4).await;
    assert!(log.batches().last().unwrap().is_beacon());
    browser.driver.maximize_window().await.unwrap();
    track(&browser, 1).await;
    let log = until_taken(&recorder, 5).await;
    assert_eq!(log.taken().len(), 5);
    until_page(
        &browser,
        "!Object.keys(localStorage).some((key) => key.includes('unsent'))",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_beacon_that_failed_is_sent_again_by_the_next_page() {
    let (recorder, browser) = opened().await;
    until_taken(&recorder, 1).await;
    track(&browser, 3).await;
    recorder.reply(Reply::Status(503));
    browser
        .driver
        .goto(&format!("{}/next", recorder.url))
        .await
        .unwrap();
    until(&recorder, "the next page's try", |log| {
        log.batches().any(|batch| batch.body.contains("/next"))
    })
    .await;
    recorder.reply(Reply::Status(202));
    let log = until_taken(&recorder, 5).await;
    assert!(log.gaps().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_on_its_way_without_an_answer_is_sent_by_the_next_page() {
    let recorder = Recorder::start().await;
    recorder.reply(Reply::Hang(202));
    let browser = Browser::start().await;
    browser.driver.goto(&recorder.url).await.unwrap();
    until(&recorder, "a batch that hangs", |log| {
        log.batches().count() > 0
    })
    .await;
    recorder.reply(Reply::Status(202));
    browser
        .driver
        .goto(&format!("{}/next", recorder.url))
        .await
        .unwrap();
    let log = until_taken(&recorder, 2).await;
    assert!(log.gaps().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_events_of_a_page_that_crashes_arrive_without_another_visit() {
    let recorder = Recorder::start().await;
    let browser = Browser::start().await;
    open_tab(&browser, &recorder.url).await;
    until_taken(&recorder, 1).await;
    track(&browser, 3).await;
    until_kept(&browser).await;
    assert_eq!(recorder.log().ids().len(), 1);
    crash(&browser).await;
    let log = until_taken(&recorder, 4).await;
    assert!(log.gaps().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_crashed_page_had_stored_is_sent_by_the_next_one() {
    let recorder = Recorder::start().await;
    let browser = Browser::start().await;
    open_tab(&browser, &recorder.url).await;
    until_taken(&recorder, 1).await;
    recorder.reply(Reply::Status(503));
    track(&browser, 50).await;
    until_page(&browser, "localStorage['footfall.wait']").await;
    until_kept(&browser).await;
    crash(&browser).await;
    recorder.reply(Reply::Status(202));
    browser
        .driver
        .goto(&format!("{}/next", recorder.url))
        .await
        .unwrap();
    let log = until_taken(&recorder, 52).await;
    assert!(log.gaps().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn opting_out_calls_off_what_the_browser_would_send_later() {
    let recorder = Recorder::start().await;
    recorder.page(&Page::default().with("batch-age", "1h"));
    let browser = Browser::start().await;
    browser.driver.goto(&recorder.url).await.unwrap();
    until_taken(&recorder, 1).await;
    track(&browser, 3).await;
    until_kept(&browser).await;
    run(&browser, "footfall.optOut()").await;
    browser.driver.goto("about:blank").await.unwrap();
    // Whatever the page had to send would have come before what this one sends.
    browser.driver.goto(&recorder.url).await.unwrap();
    run(&browser, "footfall.optIn()").await;
    let log = until_taken(&recorder, 2).await;
    let kinds: Vec<_> = log
        .taken()
        .iter()
        .map(|event| event["type"].clone())
        .collect();
    assert_eq!(kinds, [json!("page_view"), json!("page_view")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_from_the_back_forward_cache_goes_on() {
    let (recorder, browser) = opened().await;
    until_taken(&recorder, 1).await;
    run(&browser, "window.kept = true").await;
    track(&browser, 1).await;
    browser
        .driver
        .goto(&format!("{}/next", recorder.url))
        .await
        .unwrap();
    until_taken(&recorder, 3).await;
    browser.driver.back().await.unwrap();
    until_page(&browser, "window.kept").await;
    track(&browser, 1).await;
    // The view of the page that came back, and one more event.
    let log = until_taken(&recorder, 5).await;
    assert_eq!(log.taken().len(), 5);
    assert!(log.gaps().is_empty());
}
