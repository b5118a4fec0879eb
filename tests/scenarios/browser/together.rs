//! Several scripts of the SDK on one page, and what a page calls before any is there.

use super::stage::until_some;
use footfall_tests::{
    browser::Browser,
    program,
    recorder::{Page, Recorder},
    wait,
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, fs};

/// The events, once those of these names are there.
async fn until_named(recorder: &Recorder, names: &[&str]) -> Vec<Value> {
    wait::until(&format!("{names:?}"), async || {
        let taken = recorder.taken();
        let told: BTreeSet<_> = taken
            .iter()
            .filter_map(|event| event["name"].as_str())
            .collect();
        if names.iter().all(|name| told.contains(name)) {
            Ok(taken.clone())
        } else {
            Err(format!("{taken:#?}"))
        }
    })
    .await
}

fn count(events: &[Value], kind: &str) -> usize {
    events.iter().filter(|event| event["type"] == kind).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_tags_are_one_sdk_and_the_first_configuration_wins() {
    let recorder = Recorder::start().await;
    let other = "<script src=\"/sdk/footfall.js\" data-write-key=\"first\"></script>";
    recorder.page(&Page::default().head(other));
    let browser = Browser::start().await;
    browser.driver.goto(&recorder.url).await.unwrap();
    until_some(
        &browser,
        "the SDK",
        "return window.footfall?.status().visitor ?? null",
    )
    .await;
    let script = "document.querySelector('#buy').click(); footfall.track('last')";
    browser.driver.execute(script, vec![]).await.unwrap();
    let events = until_named(&recorder, &["last"]).await;
    assert_eq!(
        [count(&events, "page_view"), count(&events, "click")],
        [1, 1],
        "{events:#?}"
    );
    let log = recorder.log();
    assert!(
        log.batches()
            .all(|request| request.json()["write_key"] == "first")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn tag_and_package_are_one_sdk_whichever_comes_first() {
    for package_first in [false, true] {
        let recorder = Recorder::start().await;
        let package = fs::read_to_string(program::root().join("sdk-wasm/dist/index.js")).unwrap();
        recorder.file("/package.js", "text/javascript", &package);
        let started = "
            import { init } from '/package.js';
            const tag = () => new Promise((resolve) => {
              const script = Object.assign(document.createElement('script'), { src: '/sdk/footfall.js', onload: resolve });
              script.dataset.writeKey = 'tag';
              document.head.append(script);
            });
            const own = () => init({ writeKey: 'package', endpoint: location.origin });
            if (FIRST) { own(); await tag(); } else { await tag(); own(); }
            init({}).track('by package');
            footfall.track('by tag');
            window.loads = [init({}).status().session, footfall.status().session];";
        recorder.file(
            "/start.js",
            "text/javascript",
            &started.replace("FIRST", &package_first.to_string()),
        );
        let html = "<!doctype html><title>A title</title><script type=\"module\" src=\"/start.js\"></script>";
        recorder.file("", "text/html; charset=utf-8", html);
        let browser = Browser::start().await;
        browser.driver.goto(&recorder.url).await.unwrap();
        let events = until_named(&recorder, &["by package", "by tag"]).await;
        let loads: BTreeSet<_> = events
            .iter()
            .map(|event| event["load"].to_string())
            .collect();
        assert_eq!(loads.len(), 1, "{events:#?}");
        assert_eq!(
            [count(&events, "page_view"), count(&events, "custom")],
            [1, 2],
            "{events:#?}"
        );
        let expected = if package_first { "package" } else { "tag" };
        let log = recorder.log();
        assert!(
            log.batches()
                .all(|request| request.json()["write_key"] == expected)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_before_the_tag_are_not_lost_and_the_snippet_is_short() {
    let docs = fs::read_to_string(program::root().join("docs/sdk.md")).unwrap();
    let snippet = docs
        .lines()
        .find(|line| line.starts_with("<script>footfall="))
        .expect("the snippet");
    assert!(snippet.len() <= 300, "{} bytes", snippet.len());
    let recorder = Recorder::start().await;
    let early = "<script>footfall.beforeSend((event) => ({ ...event, properties: { ...event.properties, marked: true } }));
        footfall.identify('u_1'); footfall.track('early', { amount: 1 })</script>";
    recorder.page(&Page::default().head(&format!("{snippet}{early}")));
    let browser = Browser::start().await;
    browser.driver.goto(&recorder.url).await.unwrap();
    let events = until_named(&recorder, &["early"]).await;
    let event = events
        .iter()
        .find(|event| event["name"] == "early")
        .unwrap();
    assert_eq!(event["properties"], json!({ "amount": 1, "marked": true }));
    assert_eq!(event["user"], "u_1");
}
