//! Visitors and sessions: who shares them, and what starts new ones.

use super::Watched;
use footfall_tests::{
    browser::{Browser, Kind},
    recorder::{Page, Recorder},
    wait,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

crate::browser::in_every_browser!(
    tabs_that_start_at_once_on_empty_storage_end_with_one_visitor_and_one_session,
    a_session_ends_after_half_an_hour_or_a_day_or_with_another_campaign,
    the_time_zone_is_told_from_the_second_batch_on,
);

/// The page's clock, which a test can put forward.
const CLOCK: &str = "<script>
    const now = Date.now;
    Date.now = () => now() + Number(sessionStorage.minutes ?? 0) * 60000;
  </script>";

pub(super) fn distinct(events: &[Value], member: &str) -> BTreeSet<String> {
    events
        .iter()
        .map(|event| event[member].to_string())
        .collect()
}

/// Waits until so many pages have been viewed, and returns all that was taken.
async fn until_viewed(recorder: &Recorder, count: usize) -> Vec<Value> {
    wait::until("a view of each", async || {
        let taken = recorder.taken();
        let views = taken.iter().filter(|event| event["type"] == "page_view");
        if views.count() == count {
            Ok(taken)
        } else {
            Err(format!("{taken:#?}"))
        }
    })
    .await
}

pub(super) async fn status(watched: &Watched, member: &str) -> Value {
    watched
        .run(&format!("return footfall.status().{member} ?? null"))
        .await
}

async fn tabs_that_start_at_once_on_empty_storage_end_with_one_visitor_and_one_session(kind: Kind) {
    let recorder = Recorder::start().await;
    recorder.page(&Page::default());
    recorder.file(
        "/blank",
        "text/html",
        "<!doctype html><title>Nothing</title>",
    );
    let browser = Browser::of(kind).await;
    let blank = format!("{}/blank", recorder.url);
    browser.driver.goto(&blank).await.unwrap();
    let open = "for (let n = 0; n < 4; n++) {
        const tab = document.createElement('iframe');
        tab.src = '/tab' + n;
        document.body.append(tab);
      }";
    browser.run(open).await.unwrap();
    let taken = until_viewed(&recorder, 4).await;
    assert_eq!(distinct(&taken, "load").len(), 4);
    assert_eq!(distinct(&taken, "visitor").len(), 1, "{taken:#?}");
    assert_eq!(distinct(&taken, "session").len(), 1, "{taken:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn windows_that_are_opened_at_once_on_empty_storage_end_with_one_visitor() {
    let recorder = Recorder::start().await;
    recorder.page(&Page::default());
    recorder.file(
        "/blank",
        "text/html",
        "<!doctype html><title>Nothing</title>",
    );
    let browser = Browser::start().await;
    let blank = format!("{}/blank", recorder.url);
    browser.driver.goto(&blank).await.unwrap();
    // Nobody sends before both have started, however long that takes. Without an opener each has a
    // process of its own, which hears of the other's storage a little later.
    let open =
        "navigator.locks.request('footfall', () => new Promise((free) => (window.free = free)));
        open('/first', '', 'noopener'); open('/second', '', 'noopener')";
    browser.run(open).await.unwrap();
    let first = browser.driver.window().await.unwrap();
    wait::until("two windows with one visitor", async || {
        let mut visitors = BTreeSet::new();
        let windows = browser.driver.windows().await.unwrap();
        for window in windows.iter().filter(|window| **window != first) {
            let window = window.clone();
            browser.driver.switch_to_window(window).await.unwrap();
            let script = "return window.footfall?.status().recording
                ? localStorage['footfall.visitor'] : String(Math.random())";
            let visitor = browser.run(script).await?;
            visitors.insert(visitor.to_string());
        }
        let found = format!("{visitors:?}");
        (windows.len() == 3 && visitors.len() == 1)
            .then_some(())
            .ok_or(found)
    })
    .await;
    browser.driver.switch_to_window(first).await.unwrap();
    browser.run("free()").await.unwrap();
    let taken = until_viewed(&recorder, 2).await;
    assert_eq!(distinct(&taken, "visitor").len(), 1, "{taken:#?}");
    assert_eq!(distinct(&taken, "session").len(), 1, "{taken:#?}");
}

async fn a_session_ends_after_half_an_hour_or_a_day_or_with_another_campaign(kind: Kind) {
    let page = Page::default().head(CLOCK).with("capture", "page-views");
    let watched = Watched::of(kind, &page).await;
    let later = async |minutes: u32| {
        let script = format!(
            "sessionStorage.minutes = Number(sessionStorage.minutes ?? 0) + {minutes};
            footfall.track('later'); await footfall.flush(); return footfall.status().session"
        );
        watched.run_async(&script).await
    };
    watched.events().await;
    let first = status(&watched, "session").await;
    assert_eq!(later(29).await, first, "29 minutes are no break");
    watched.goto("/next").await;
    watched.events().await;
    assert_eq!(status(&watched, "session").await, first, "pages share it");
    let second = later(30).await;
    assert_ne!(second, first, "30 minutes are one");
    for times in 1..=48 {
        assert_eq!(later(29).await, second, "after {times} times 29 minutes");
    }
    assert_eq!(later(28).await, second, "after 23 hours and 40 minutes");
    let third = later(20).await;
    assert_ne!(third, second, "a busy day is over");

    watched.goto("/?utm_source=letter&utm_medium=mail").await;
    watched.events().await;
    let of_letter = status(&watched, "session").await;
    assert_ne!(of_letter, third, "another campaign");
    watched
        .goto("/again?utm_source=letter&utm_medium=mail")
        .await;
    watched.goto("/direct").await;
    watched.events().await;
    assert_eq!(status(&watched, "session").await, of_letter, "the same one");
    watched.goto("/?utm_source=poster").await;
    let events = watched.events().await;
    assert_ne!(
        status(&watched, "session").await,
        of_letter,
        "yet another one"
    );
    assert_eq!(
        distinct(&events, "visitor").len(),
        1,
        "one person all the time"
    );
    let view = events.iter().rfind(|event| event["type"] == "page_view");
    assert_eq!(
        view.unwrap()["properties"],
        json!({ "utm_source": "poster" })
    );
}

async fn the_time_zone_is_told_from_the_second_batch_on(kind: Kind) {
    let watched = Watched::of(kind, &Page::default().with("capture", "page-views")).await;
    let zone = watched
        .run("return Intl.DateTimeFormat().resolvedOptions().timeZone")
        .await;
    wait::until("the time zone", async || {
        watched.events().await;
        let log = watched.recorder.log();
        let told: Vec<_> = log
            .batches()
            .map(|batch| batch.json()["context"]["timezone"].clone())
            .collect();
        assert_eq!(told[0], Value::Null, "asking takes time");
        if told.last() == Some(&zone) {
            Ok(())
        } else {
            Err(format!("{told:?}"))
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_share_of_the_sessions_is_recorded_and_all_pages_of_one_agree() {
    let half = Page::default().with("sample", "0.5");
    let watched = Watched::open(&half.with("capture", "")).await;
    let mut reasons = BTreeSet::new();
    for _ in 0..32 {
        watched
            .run("footfall.reset(); footfall.track('here')")
            .await;
        let here = status(&watched, "reason").await;
        watched.goto("/there").await;
        watched.run("footfall.track('there')").await;
        assert_eq!(status(&watched, "reason").await, here);
        reasons.insert(here.as_str().unwrap().to_owned());
        if reasons.len() == 2 {
            break;
        }
    }
    let both = ["recording", "sampled_out"].map(String::from);
    assert_eq!(reasons, BTreeSet::from(both));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_not_recorded_sends_nothing_and_says_why() {
    let watched = Watched::open(&Page::default().with("sample", "0")).await;
    assert!(watched.events().await.is_empty());
    let found = watched.run("return footfall.status()").await;
    assert_eq!(found["reason"], "sampled_out");
    assert_eq!(found["recording"], false);
    assert_eq!(found["queued"], 0);
    assert_eq!(watched.recorder.log().len(), 0);
}
