//! Many tabs, one queue each, and what they leave behind.

use super::{
    crash, go_to_first_tab, open_tab, run, track, until, until_kept, until_page, until_recording,
    until_taken,
};
use footfall_tests::{
    browser::Browser,
    recorder::{Page, Recorder, Reply},
};
use std::time::Duration;

const NO_LOCKS: &str =
    "<script>Object.defineProperty(Navigator.prototype, 'locks', { value: undefined })</script>";

/// Bytes of UTF-8 under names of unsent events.
async fn stored(browser: &Browser) -> u64 {
    let script = "return Object.entries(localStorage)
        .filter(([name]) => name.startsWith('footfall.unsent.'))
        .reduce((sum, [, value]) => sum + new TextEncoder().encode(value).length, 0)";
    run(browser, script).await.as_u64().unwrap()
}

/// Waits until nothing is left to be sent, and no event has been sent twice.
async fn assert_none_twice(recorder: &Recorder, browser: &Browser) {
    let nothing = "footfall.status().queued === 0
        && !Object.keys(localStorage).some((key) => key.includes('unsent'))";
    until_page(browser, nothing).await;
    let log = recorder.log();
    let batches: Vec<_> = log
        .batches()
        .map(|batch| {
            let (events, json) = (batch.events(), batch.json());
            let first = &events.first().unwrap()["seq"];
            let last = &events.last().unwrap()["seq"];
            let (at, kind) = (batch.at, batch.is_beacon());
            format!(
                "{at:?} {:?} {} {first}..{last} {kind}",
                batch.status, json["load"]
            )
        })
        .collect();
    assert_eq!(
        log.taken().len(),
        log.ids().len(),
        "none twice: {batches:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_tabs_with_500_events_each_give_10_000_ids() {
    let recorder = Recorder::start().await;
    recorder.page(&Page::default().with("capture", ""));
    let browser = Browser::start().await;
    browser.driver.goto(&recorder.url).await.unwrap();
    for tab in 0..20 {
        if tab > 0 {
            open_tab(&browser, &recorder.url).await;
        }
        until_page(&browser, "window.footfall?.status().recording").await;
        track(&browser, 500).await;
    }
    let log = until_taken(&recorder, 10_000).await;
    assert_eq!(log.ids().len(), 10_000);
    assert!(log.gaps().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_tab_sends_at_a_time() {
    let recorder = Recorder::start().await;
    let late = "<script>setTimeout(() => footfall.track('late'), 4000)</script>";
    recorder.page(&Page::default().head(late).with("batch-age", "0"));
    let browser = Browser::start().await;
    browser.driver.goto(&recorder.url).await.unwrap();
    open_tab(&browser, &recorder.url).await;
    open_tab(&browser, &recorder.url).await;
    until_taken(&recorder, 3).await;
    recorder.reply(Reply::Hang(202));
    let waiting = "navigator.locks.query()
        .then(({ pending }) => pending.some(({ name }) => name === 'footfall') || null)";
    until_page(&browser, waiting).await;
    let log = recorder.log();
    let hanging = log.batches().filter(|batch| batch.status.is_none());
    assert_eq!(hanging.count(), 1);
    recorder.reply(Reply::Status(202));
    recorder.release();
    until_taken(&recorder, 6).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_closed_tab_could_not_send_another_one_sends() {
    for page in [Page::default(), Page::default().head(NO_LOCKS)] {
        let recorder = Recorder::start().await;
        recorder.page(&page);
        let browser = Browser::start().await;
        browser.driver.goto(&recorder.url).await.unwrap();
        until_taken(&recorder, 1).await;
        recorder.reply(Reply::RetryAfter(503, "2".into()));
        open_tab(&browser, &recorder.url).await;
        track(&browser, 30).await;
        until_page(&browser, "localStorage['footfall.wait']?.endsWith('!')").await;
        browser.driver.close_window().await.unwrap();
        go_to_first_tab(&browser).await;
        recorder.reply(Reply::Status(202));
        // Two views, what was tracked, and how the second view was.
        let log = until_taken(&recorder, 33).await;
        assert!(log.gaps().is_empty());
        assert_none_twice(&recorder, &browser).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_five_tabs_in_an_outage_the_last_one_sends_what_the_others_had_and_once() {
    for page in [Page::default(), Page::default().head(NO_LOCKS)] {
        let recorder = Recorder::start().await;
        recorder.page(&page);
        recorder.reply(Reply::RetryAfter(503, "4".into()));
        let browser = Browser::start().await;
        browser.driver.goto(&recorder.url).await.unwrap();
        until_recording(&browser).await;
        track(&browser, 50).await;
        until_page(&browser, "localStorage['footfall.wait']?.endsWith('!')").await;
        for _ in 1..5 {
            open_tab(&browser, &recorder.url).await;
            track(&browser, 50).await;
        }
        for _ in 1..5 {
            let last = browser.driver.windows().await.unwrap().pop().unwrap();
            browser.driver.switch_to_window(last).await.unwrap();
            browser.driver.close_window().await.unwrap();
        }
        go_to_first_tab(&browser).await;
        recorder.reply(Reply::Status(202));
        // Five views, what was tracked, and how the four views were.
        let log = until_taken(&recorder, 5 * 51 + 4).await;
        assert!(log.gaps().is_empty());
        assert_none_twice(&recorder, &browser).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_crashed_tab_had_stored_another_one_sends() {
    let recorder = Recorder::start().await;
    let browser = Browser::start().await;
    browser.driver.goto(&recorder.url).await.unwrap();
    until_taken(&recorder, 1).await;
    recorder.reply(Reply::Status(503));
    open_tab(&browser, &recorder.url).await;
    track(&browser, 30).await;
    until_page(&browser, "localStorage['footfall.wait']").await;
    until_kept(&browser).await;
    crash(&browser).await;
    recorder.reply(Reply::Status(202));
    let log = until_taken(&recorder, 32).await;
    assert!(log.gaps().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn tabs_share_what_the_server_asked_for() {
    let recorder = Recorder::start().await;
    recorder.reply(Reply::RetryAfter(429, "4".into()));
    let browser = Browser::start().await;
    browser.driver.goto(&recorder.url).await.unwrap();
    let first = until(&recorder, "a first try", |log| log.batches().count() > 0).await;
    until_page(&browser, "localStorage['footfall.wait']").await;
    recorder.reply(Reply::Status(202));
    open_tab(&browser, &recorder.url).await;
    run(&browser, "footfall.flush()").await;
    let log = until_taken(&recorder, 2).await;
    let first = first.batches().next().unwrap().at;
    let next = log.batches().nth(1).unwrap().at;
    assert!(
        next - first >= Duration::from_millis(3_900),
        "{:?}",
        next - first
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_fits_256_kib_over_all_tabs_and_the_oldest_events_go_and_are_counted() {
    let recorder = Recorder::start().await;
    recorder.reply(Reply::RetryAfter(503, "3".into()));
    let browser = Browser::start().await;
    browser.driver.goto(&recorder.url).await.unwrap();
    until_recording(&browser).await;
    until_page(&browser, "localStorage['footfall.wait']").await;
    let fill = "for (let i = 0; i < 4000; i++) footfall.track('é'.repeat(60), { i })";
    run(&browser, fill).await;
    let lost = until_page(&browser, "footfall.status().lost")
        .await
        .as_u64()
        .unwrap();
    open_tab(&browser, &recorder.url).await;
    run(&browser, fill).await;
    until_page(&browser, "footfall.status().lost").await;
    until_kept(&browser).await;
    until_kept(&browser).await;
    let bytes = stored(&browser).await;
    assert!((200_000..=262_144).contains(&bytes), "{bytes}");
    recorder.reply(Reply::Status(202));
    let log = until(&recorder, "the losses to be told", |log| {
        log.taken()
            .iter()
            .filter(|event| event["type"] == "lost")
            .count()
            >= 2
    })
    .await;
    let told: Vec<_> = log
        .taken()
        .into_iter()
        .filter(|event| event["type"] == "lost")
        .collect();
    let told: Vec<_> = told
        .iter()
        .map(|event| &event["properties"]["queue_full"])
        .collect();
    assert!(told.contains(&&lost.into()), "{lost} of {told:?}");
    let newest = log
        .taken()
        .into_iter()
        .filter(|event| event["properties"]["i"] == 3999);
    assert_eq!(newest.count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waited_longer_than_max_age_is_dropped_and_told() {
    let recorder = Recorder::start().await;
    let page = Page::default().with("max-age", "4s");
    recorder.page(&page.with("batch-age", "500ms"));
    let browser = Browser::start().await;
    browser.driver.goto(&recorder.url).await.unwrap();
    until_taken(&recorder, 1).await;
    recorder.reply(Reply::RetryAfter(503, "5".into()));
    track(&browser, 20).await;
    until_page(&browser, "localStorage['footfall.wait']").await;
    recorder.reply(Reply::Status(202));
    until_page(&browser, "footfall.status().lost === 20").await;
    track(&browser, 1).await;
    let log = until(&recorder, "the loss to be told", |log| {
        log.taken()
            .iter()
            .any(|event| event["properties"]["expired"] == 20)
    })
    .await;
    assert_eq!(
        log.gaps().into_values().map(|gap| gap.len()).sum::<usize>(),
        20
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_site_of_an_origin_left_no_other_site_sends_under_its_own_key() {
    let recorder = Recorder::start().await;
    let other = Page::default().with("write-key", "other").html();
    recorder.file("/other", "text/html", &other);
    recorder.reply(Reply::RetryAfter(503, "1".into()));
    let browser = Browser::start().await;
    browser.driver.goto(&recorder.url).await.unwrap();
    until_recording(&browser).await;
    track(&browser, 5).await;
    until_page(&browser, "localStorage['footfall.wait']").await;
    let other = format!("{}/other", recorder.url);
    browser.driver.goto(&other).await.unwrap();
    recorder.reply(Reply::Status(202));
    let log = until_taken(&recorder, 1).await;
    assert_eq!(log.taken()[0]["page"]["url"], other);
    browser.driver.goto(&recorder.url).await.unwrap();
    let log = until_taken(&recorder, 8).await;
    for batch in log.batches().filter(|batch| batch.is_taken()) {
        let is_other = batch.events()[0]["page"]["url"] == other;
        let key = if is_other { "other" } else { "demo" };
        assert_eq!(batch.json()["write_key"], key);
    }
}
