//! Web vitals: measured only where the site asks for them.

use super::stage::until_some;
use footfall_tests::{
    browser::Browser,
    recorder::{Page, Recorder},
    wait,
};
use serde_json::json;
use std::collections::BTreeMap;

const LOADED: &str = "return performance.getEntriesByType('resource')
    .some(({ name }) => name.includes('/sdk/footfall-vitals-'))";

#[tokio::test(flavor = "multi_thread")]
async fn all_five_arrive_once_for_a_page_that_asks_for_them() {
    let recorder = Recorder::start().await;
    // Slow enough to be measured: what is painted within a frame or two is no interaction.
    let slow = "<script>addEventListener('click', () => {
        const end = performance.now() + 100; while (performance.now() < end);
    })</script>";
    recorder.page(
        &Page::default()
            .with("capture", "page-views vitals")
            .head(slow),
    );
    let browser = Browser::start().await;
    browser.driver.goto(&recorder.url).await.unwrap();
    until_some(
        &browser,
        "the file that measures",
        &format!("{LOADED} || null"),
    )
    .await;
    // Somebody acts, a frame is painted, and the page is left.
    let button = browser
        .driver
        .find(thirtyfour::By::Css("#buy"))
        .await
        .unwrap();
    button.click().await.unwrap();
    let painted = "const done = arguments[0]; requestAnimationFrame(() => setTimeout(done, 100))";
    browser.driver.execute_async(painted, vec![]).await.unwrap();
    browser
        .driver
        .goto(format!("{}/next", recorder.url))
        .await
        .unwrap();
    wait::until("the vitals of the first page", async || {
        let taken = recorder.taken();
        let first = taken.iter().filter(|event| {
            event["type"] == "vital" && event["page"]["url"] == format!("{}/", recorder.url)
        });
        let mut found = BTreeMap::new();
        for event in first {
            let properties = &event["properties"];
            let rated = properties["value"].is_number()
                && ["good", "needs-improvement", "poor"]
                    .contains(&properties["rating"].as_str().unwrap_or(""));
            assert!(rated, "{event}");
            *found
                .entry(event["name"].as_str().unwrap_or("").to_owned())
                .or_insert(0) += 1;
        }
        let expected = ["CLS", "FCP", "INP", "LCP", "TTFB"].map(|name| (name.to_owned(), 1));
        if found == BTreeMap::from(expected) {
            Ok(())
        } else {
            Err(format!("{found:?}"))
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_asks_for_nothing_special_never_loads_what_does_it() {
    let recorder = Recorder::start().await;
    let browser = Browser::start().await;
    browser.driver.goto(&recorder.url).await.unwrap();
    let sent = "const done = arguments[0]; (async () => {
        while (!window.footfall?.status().visitor) { await new Promise((resolve) => setTimeout(resolve, 50)); }
        await footfall.flush(); done(); })()";
    browser.driver.execute_async(sent, vec![]).await.unwrap();
    let loaded = "return performance.getEntriesByType('resource')
        .map(({ name }) => name.replace(/.*\\/|-.*/g, ''))
        .filter((name) => /^(core|footfall)/.test(name)).sort()";
    let loaded = browser.driver.execute(loaded, vec![]).await.unwrap();
    assert_eq!(*loaded.json(), json!(["core", "footfall", "footfall.js"]));
    assert!(
        recorder
            .taken()
            .iter()
            .all(|event| event["type"] != "vital")
    );
}
