//! Visitors whose browser says no: nothing is sent and nothing is stored.

use super::{
    stage::{Stage, until_some},
    story::Story,
};
use footfall_tests::{
    browser::{Browser, Kind, Wishes},
    client, wait,
};
use serde_json::{Value, json};
use thirtyfour::By;

#[tokio::test(flavor = "multi_thread")]
async fn with_global_privacy_control_nothing_is_sent_and_nothing_is_stored() {
    nothing_of(Browser::start_with_global_privacy_control().await, "gpc").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_do_not_track_nothing_is_sent_and_nothing_is_stored() {
    nothing_of(Browser::start_with_do_not_track().await, "dnt").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_global_privacy_control_of_firefox_nothing_is_sent_and_nothing_is_stored() {
    nothing_of(firefox("privacy.globalprivacycontrol.enabled").await, "gpc").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_do_not_track_of_firefox_nothing_is_sent_and_nothing_is_stored() {
    nothing_of(firefox("privacy.donottrackheader.enabled").await, "dnt").await;
}

async fn firefox(preference: &str) -> Browser {
    let wishes = Wishes::default().preference(preference, true);
    Browser::with(Kind::Firefox, wishes).await
}

/// Visits with this browser, then with one that says nothing: whatever the first had to send would
/// have come before what the second sends, and nothing of it has.
async fn nothing_of(silent: Browser, reason: &str) {
    let stage = Stage::set().await;
    let found = visit(&stage, &silent).await;
    assert_eq!(found["reason"], reason, "{found}");
    assert_eq!(found["recording"], false, "{found}");
    assert_eq!(
        found["stored"],
        json!({ "local": [], "session": [], "cookies": "" }),
        "{found}"
    );
    let fetched = found["fetched"].as_array().unwrap();
    assert!(
        fetched
            .iter()
            .all(|url| url.as_str().unwrap().starts_with(&stage.shop.url)),
        "only the shop was asked for anything: {found}"
    );
    let of_sdk = fetched
        .iter()
        .filter(|url| url.as_str().unwrap().contains("/sdk/"));
    let of_sdk: Vec<_> = of_sdk.collect();
    assert!(of_sdk.is_empty(), "the journal has its own: {found}");
    let first = found["first"].as_array().unwrap().iter();
    let of_sdk: Vec<_> = first
        .filter(|url| url.as_str().unwrap().contains("/sdk/"))
        .collect();
    assert_eq!(
        of_sdk,
        [&json!(format!("{}/sdk/footfall.js", stage.shop.url))],
        "the core is not even fetched"
    );
    let page = client::get(&format!("{}/metrics", stage.gateway.url))
        .await
        .unwrap()
        .body;
    assert!(
        !page.contains(r#"route="/v1/events""#),
        "the gateway was asked: {page}"
    );

    let other = Browser::start().await;
    let control = visit(&stage, &other).await;
    assert_eq!(control["recording"], true, "{control}");
    let story = Story::of(&stage, 3).await;
    assert_eq!(
        story.views(),
        ["/", "/journal"],
        "only of the second browser"
    );
    assert_eq!(story.distinct("visitor").len(), 1);
    let metrics = stage.gateway.metrics().await;
    assert!(
        metrics.sum("footfall_events_received_total") >= 3.0,
        "{metrics:?}"
    );
    assert_eq!(metrics.sum("footfall_events_dropped_total"), 0.0);
}

/// Opens the shop, clicks, and leaves; returns what the second page knows and has stored, and what
/// the first has fetched.
async fn visit(stage: &Stage, browser: &Browser) -> Value {
    let page = &browser.driver;
    page.goto(&stage.shop.url).await.unwrap();
    let fetched = "return window.footfall
        ? performance.getEntriesByType('resource').map(({ name }) => name) : null";
    let first = until_some(browser, "the SDK", fetched).await;
    stage.click(browser, "nav a[href='/journal']").await;
    stage.until_at(browser, "/journal").await;
    page.find(By::Css("h1"))
        .await
        .unwrap()
        .click()
        .await
        .unwrap();
    let script = "
        const { recording, reason } = window.footfall.status();
        const fetched = performance.getEntriesByType('resource').map(({ name }) => name);
        const stored = {
          local: Object.keys(localStorage), session: Object.keys(sessionStorage), cookies: document.cookie,
        };
        return { recording, reason, fetched, stored };";
    let found = wait::until("the SDK to say how it is", async || {
        page.execute(script, vec![])
            .await
            .map_err(|error| error.to_string())
    })
    .await;
    page.goto("about:blank").await.unwrap();
    let mut found = found.json().clone();
    found["first"] = first;
    found
}
