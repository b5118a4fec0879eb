//! What happens before the core is there, and more tags than one.

use super::visit::{Visit, head};
use footfall_tests::{
    browser::{Browser, Kind},
    recorder::Page,
};
use serde_json::{Value, json};

crate::browser::in_every_browser!(
    what_happens_before_the_core_is_there_is_recorded_once,
    a_second_tag_gives_no_second_sdk
);

/// The core's WebAssembly comes when the test wants it to.
const HOLD: &str = "
    const wanted = new Promise((resolve) => (window.letGo = resolve)), original = fetch;
    window.fetch = async (...args) => {
      if (/\\.wasm$/.test(args[0])) await wanted;
      return original(...args);
    };";

async fn what_happens_before_the_core_is_there_is_recorded_once(kind: Kind) {
    let browser = Browser::of(kind).await;
    let visit = Visit::with(&browser, HOLD).await;
    visit.open().await;
    visit
        .until("return typeof footfall?.track === 'function'")
        .await;
    browser
        .run("footfall.identify('u'); footfall.track('early', { n: 1 })")
        .await
        .unwrap();
    visit.click().await;
    assert_eq!(visit.recorder.log().len(), 0);
    browser.run("letGo()").await.unwrap();
    visit
        .until("return footfall.status().visitor !== undefined")
        .await;
    browser
        .run("footfall.track('late', { n: 2 })")
        .await
        .unwrap();

    visit
        .until_taken(&["page_view", "identify", "custom", "click", "custom"])
        .await;
    visit
        .assert_unnoticed("calls and clicks before the core")
        .await;
    let taken = visit.recorder.taken();
    let early = taken.iter().find(|event| event["name"] == "early").unwrap();
    let late = taken.iter().find(|event| event["name"] == "late").unwrap();
    assert_eq!(early["properties"], json!({ "n": 1 }));
    assert_eq!(early["user"], "u");
    let click = taken.iter().find(|event| event["type"] == "click").unwrap();
    assert_eq!(click["element"]["id"], "buy");
    let time = |event: &Value| event["time"].as_i64().unwrap();
    assert!(
        time(early) <= time(click) && time(click) <= time(late),
        "each has the time when it happened: {taken:?}"
    );
}

async fn a_second_tag_gives_no_second_sdk(kind: Kind) {
    let browser = Browser::of(kind).await;
    let second = "<script async src=\"/sdk/footfall.js\" data-write-key=\"another\"></script>";
    let third = "const tag = document.createElement('script');
        tag.src = '/sdk/footfall.js?again';
        tag.dataset.writeKey = 'third';
        tag.onload = () => (window.third = true);
        document.head.append(tag);";
    let body = format!("<button id=\"buy\">Buy</button>{second}");
    let visit = Visit::to(&browser, Page::default().head(&head("")).body(&body)).await;
    visit.open().await;
    visit
        .until("return footfall.status().visitor !== undefined")
        .await;
    browser.run("window.first = footfall").await.unwrap();
    browser.run(third).await.unwrap();
    visit
        .until("return window.third === true && window.first === window.footfall")
        .await;
    visit.click().await;
    browser.run("footfall.track('end')").await.unwrap();
    visit.until_taken(&["page_view", "click", "custom"]).await;
    visit.assert_unnoticed("three tags").await;
    let log = visit.recorder.log();
    let keys: Vec<_> = log
        .batches()
        .map(|batch| batch.json()["write_key"].clone())
        .collect();
    assert!(keys.windows(2).all(|pair| pair[0] == pair[1]), "{keys:?}");
}
