//! The JavaScript twin does what the wasm does.

use footfall_tests::{
    browser::Browser,
    recorder::{Page, Recorder},
    wait,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What differs between any two visits.
const OWN: &[&str] = &["id", "time", "load", "session", "visitor", "sent_at"];

const NO_WASM: &str =
    "<meta http-equiv=\"content-security-policy\" content=\"script-src 'self' 'unsafe-inline'\">";

/// Does a little of everything.
const STORY: &str = "
    const done = arguments[0];
    (async () => {
      footfall.beforeSend((event) => (event.name === 'secret' ? null : event));
      const view = () => new Promise((resolve) => setTimeout(resolve, 200));
      await view();
      document.querySelector('#buy').click();
      footfall.track('order \u{2764} \u{d55c}\u{ad6d}', { amount: 12.5, big: 2 ** 53, list: [1, null, '\u{1f3c1}'] });
      footfall.track('secret');
      footfall.track('', {});
      history.pushState(null, '', '/second?token=abc&colour=red');
      document.title = 'Card 4111 1111 1111 1111';
      await view();
      footfall.identify('u_42', { plan: 'pro' });
      footfall.page({ step: 2 });
      document.querySelector('#next').addEventListener('click', (event) => event.preventDefault());
      document.querySelector('#next').click();
      await footfall.flush();
      done(null);
    })();";

async fn batches(recorder: &Recorder, page: &Page, twin: bool) -> Vec<Value> {
    let before = recorder.log().batches().count();
    recorder.page(page);
    let browser = Browser::start().await;
    browser
        .driver
        .goto(format!("{}/first", recorder.url))
        .await
        .unwrap();
    until_recording(&browser).await;
    let script = "return performance.getEntriesByType('resource')
        .some(({ name }) => name.includes('/sdk/footfall-twin-'))";
    let is_twin = browser.driver.execute(script, vec![]).await.unwrap();
    assert_eq!(
        is_twin.json(),
        twin,
        "the twin is fetched only where it is needed"
    );
    browser.driver.execute_async(STORY, vec![]).await.unwrap();
    let log = recorder.log();
    let own = log.batches().skip(before);
    own.map(|request| request.json()).collect()
}

async fn until_recording(browser: &Browser) {
    let script = "return window.footfall?.status().visitor ?? null";
    wait::until("the core to record", async || {
        let found = browser.driver.execute(script, vec![]).await;
        let found = found.map_err(|error| error.to_string())?;
        let is_there = found.json().is_string();
        is_there
            .then_some(())
            .ok_or_else(|| found.json().to_string())
    })
    .await;
}

/// All events of a visit, each with its batch's envelope, without what is never the same twice.
fn told(batches: &[Value]) -> Vec<Value> {
    let events = batches.iter().flat_map(|batch| {
        let mut envelope = batch.as_object().unwrap().clone();
        let events = envelope.remove("events").unwrap();
        let events = events.as_array().unwrap().clone();
        events.into_iter().map(move |event| {
            let mut all = envelope.clone();
            all.extend(event.as_object().unwrap().clone());
            all.retain(|name, _| !OWN.contains(&name.as_str()));
            // How long a page was seen, and when the time zone is learnt, differs too.
            for (member, part) in [("properties", "visible_ms"), ("context", "timezone")] {
                if let Some(Value::Object(within)) = all.get_mut(member) {
                    within.remove(part);
                }
            }
            Value::Object(all)
        })
    });
    events.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn wasm_and_twin_send_the_same() {
    let recorder = Recorder::start().await;
    let of_wasm = batches(&recorder, &Page::default(), false).await;
    let of_twin = batches(&recorder, &Page::default().head(NO_WASM), true).await;
    let told_by_wasm = told(&of_wasm);
    assert_eq!(told(&of_twin), told_by_wasm);
    let kinds: Vec<_> = told_by_wasm.iter().map(|event| &event["type"]).collect();
    let expected = [
        "page_view",
        "click",
        "custom",
        "page_leave",
        "page_view",
        "identify",
        "page_leave",
        "page_view",
        "click",
    ];
    assert_eq!(
        kinds,
        expected.map(|kind| json!(kind)).iter().collect::<Vec<_>>()
    );
    let members = |batches: &[Value]| -> BTreeSet<String> {
        batches
            .iter()
            .flat_map(|batch| batch.as_object().unwrap().keys().cloned())
            .collect()
    };
    assert_eq!(members(&of_twin), members(&of_wasm));
}

/// More than the memory that the twin starts with, so that it must grow.
#[tokio::test(flavor = "multi_thread")]
async fn the_twin_keeps_megabytes_of_events() {
    let recorder = Recorder::start().await;
    let page = Page::default().with("queue-bytes", "8MB").with("twin", "");
    recorder.page(&page.with("batch-count", "500").with("batch-bytes", "400KB"));
    let browser = Browser::start().await;
    browser.driver.goto(&recorder.url).await.unwrap();
    until_recording(&browser).await;
    let script = "
        const done = arguments[0];
        for (let index = 0; index < 3000; index++) {
          footfall.track('filled', { index, filling: 'x'.repeat(1000) });
        }
        footfall.flush().then(() => done(footfall.status()));";
    let status = browser.driver.execute_async(script, vec![]).await.unwrap();
    assert_eq!(status.json()["lost"], 0, "{}", status.json());
    wait::until("all of it", async || {
        let taken = recorder.taken();
        let of_ours = taken
            .iter()
            .filter_map(|event| event["properties"]["index"].as_u64());
        let found = of_ours.collect::<BTreeSet<_>>().len();
        if found == 3000 {
            Ok(())
        } else {
            Err(format!("{found} of 3000"))
        }
    })
    .await;
}
