//! Whatever goes wrong, the page never notices, and a developer who asks is told.

use super::{run, until, until_page, until_recording, until_taken};
use footfall_tests::{
    browser::Browser,
    recorder::{Page, Recorder, Reply},
};
use serde_json::{Value, json};

/// Writes down what reaches the page's own error handlers, and what is warned of.
const WATCH: &str = "<script>
    window.errors = []; window.said = [];
    addEventListener('error', (event) => errors.push(String(event.message)));
    addEventListener('unhandledrejection', (event) => errors.push(String(event.reason)));
    for (const level of ['warn', 'info', 'error']) {
      const original = console[level];
      console[level] = (...words) => {
        said.push(level + ': ' + words.map((word) => { try { return String(word) } catch { return '?' } }).join(' '));
        original.apply(console, words);
      };
    }
  </script>";

/// Lets the wasm trap once the page sets `trap`.
const TRAP: &str = "<script>
    const instantiate = WebAssembly.instantiate;
    WebAssembly.instantiate = async (...args) => {
      const { instance } = await instantiate.apply(WebAssembly, args);
      const exports = {};
      for (const [name, value] of Object.entries(instance.exports)) {
        exports[name] = typeof value !== 'function' ? value : (...args) => {
          if (window.trap) throw new WebAssembly.RuntimeError('unreachable');
          return value(...args);
        };
      }
      return { instance: { exports } };
    };
  </script>";

async fn opened(page: Page) -> (Recorder, Browser) {
    let recorder = Recorder::start().await;
    recorder.page(&page.head(WATCH));
    let browser = Browser::start().await;
    browser.driver.goto(&recorder.url).await.unwrap();
    until_recording(&browser).await;
    (recorder, browser)
}

async fn errors(browser: &Browser) -> Value {
    run(browser, "return window.errors").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trap_makes_the_sdk_silent_and_is_told_once_by_the_next_load() {
    let (recorder, browser) = opened(Page::default().head(TRAP)).await;
    until_taken(&recorder, 1).await;
    run(
        &browser,
        "window.trap = true; document.getElementById('buy').click()",
    )
    .await;
    let after = "
        footfall.track('a'); footfall.page(); footfall.identify('u'); footfall.reset();
        document.getElementById('buy').click(); history.pushState(null, '', '/pushed');
        return (async () => { await footfall.flush(); return footfall.status() })()";
    let status = run(&browser, after).await;
    assert_eq!(status["recording"], false);
    assert_eq!(status["reason"], "stopped");
    assert_eq!(errors(&browser).await, json!([]));
    for path in ["next", "more"] {
        browser
            .driver
            .goto(&format!("{}/{path}", recorder.url))
            .await
            .unwrap();
        until_recording(&browser).await;
        run(&browser, "return footfall.flush()").await;
        run(&browser, "return footfall.flush()").await;
    }
    let log = until_taken(&recorder, 4).await;
    let taken = log.taken();
    let lost: Vec<_> = taken
        .iter()
        .filter(|event| event["type"] == "lost")
        .collect();
    assert_eq!(lost.len(), 1, "{taken:#?}");
    assert_eq!(lost[0]["properties"], json!({ "trap": 1 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_arguments_throw_nothing_are_ignored_and_explained_to_who_asks() {
    let wrong = "
        const bad = { toString() { throw new Error('no') } };
        const loop = {}; loop.loop = loop;
        footfall.track(); footfall.track(''); footfall.track({}); footfall.track('x'.repeat(129));
        footfall.track(bad); footfall.track(Symbol('s'));
        footfall.identify(); footfall.identify(null); footfall.identify({});
        footfall.beforeSend('no function');
        footfall.init(); footfall.init({ writeKey: 'other', endpoint: 'https://other.example' });
        footfall.track('with a number', 5); footfall.track('with a list', [1]);
        footfall.track('with a circle', loop); footfall.track('with a big number', { n: 1n });
        footfall.page('no object');
        return window.said";
    for debug in ["true", "false"] {
        let page = Page::default().with("debug", debug);
        let (recorder, browser) = opened(page.with("capture", "page-views")).await;
        until_taken(&recorder, 1).await;
        let said = run(&browser, wrong).await;
        let warned: Vec<_> = said
            .as_array()
            .unwrap()
            .iter()
            .filter(|line| line.as_str().unwrap().starts_with("warn: footfall:"))
            .collect();
        if debug == "true" {
            assert_eq!(warned.len(), 17, "{said:#?}");
        } else {
            assert_eq!(said, json!([]));
        }
        run(&browser, "return footfall.flush()").await;
        let log = until_taken(&recorder, 6).await;
        assert_eq!(log.taken().len(), 6);
        for event in &log.taken()[1..] {
            assert_eq!(event.get("properties"), None, "{event}");
        }
        assert_eq!(errors(&browser).await, json!([]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_fails_keeps_the_event_back_and_the_page_runs_on() {
    let (recorder, browser) = opened(Page::default()).await;
    until_taken(&recorder, 1).await;
    let script = "
        footfall.beforeSend((event) => {
          if (event.name === 'bad') throw new Error('mine');
          if (event.name === 'again') footfall.track('from within');
          return event;
        });
        for (const name of ['bad', 'again', 'good']) footfall.track(name);";
    run(&browser, script).await;
    let log = until_taken(&recorder, 4).await;
    let names: Vec<_> = log
        .taken()
        .iter()
        .map(|event| event["name"].clone())
        .collect();
    assert_eq!(
        names[1..],
        [json!("again"), json!("good"), json!("from within")]
    );
    assert!(log.gaps().is_empty());
    assert_eq!(errors(&browser).await, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_storage_or_with_a_full_one_events_arrive_and_the_page_sees_no_error() {
    let throwing = "<script>Object.defineProperty(window, 'localStorage',
        { get() { throw new DOMException('denied', 'SecurityError') } })</script>";
    let full = "<script>Storage.prototype.setItem = () => {
        throw new DOMException('full', 'QuotaExceededError') }</script>";
    for head in [throwing, full] {
        let (recorder, browser) = opened(Page::default().head(head)).await;
        recorder.reply(Reply::Status(503));
        run(&browser, "for (let i = 0; i < 30; i++) footfall.track('e')").await;
        until(&recorder, "a failure", |log| {
            log.batches().any(|batch| batch.status == Some(503))
        })
        .await;
        recorder.reply(Reply::Status(202));
        let log = until_taken(&recorder, 31).await;
        assert!(log.gaps().is_empty());
        assert_eq!(errors(&browser).await, json!([]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn debug_tells_what_is_recorded_queued_stored_sent_and_lost_and_why() {
    let (recorder, browser) = opened(Page::default().with("debug", "true")).await;
    until_taken(&recorder, 1).await;
    until_page(&browser, "footfall.status().queued === 0").await;
    recorder.reply(Reply::Status(400));
    run(&browser, "footfall.track('told'); footfall.track('too')").await;
    let stored = "in storage until the server has them: 2";
    until_said(&browser, &["recorded, and queued with 2 in all: {", stored]).await;
    run(&browser, "return footfall.flush()").await;
    until_said(&browser, &["told", "sending", "answered 400", "rejected"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn debug_tells_why_an_event_is_not_recorded_or_not_stored() {
    let page = Page::default().with("debug", "true");
    let (_recorder, browser) = opened(page.clone().with("sample", "0")).await;
    until_said(&browser, &["not recorded (sampled_out): {"]).await;
    let full = "<script>Storage.prototype.setItem = () => {
        throw new DOMException('full', 'QuotaExceededError') }</script>";
    let (_recorder, browser) = opened(page.head(full)).await;
    let memory = "storage takes nothing; only this page's memory has what waits: 1";
    until_said(&browser, &[memory]).await;
}

/// Waits until all of these were told, in whatever order.
async fn until_said(browser: &Browser, words: &[&str]) {
    for words in words {
        let said = format!(
            "window.said.some((line) => line.includes({}))",
            json!(words)
        );
        until_page(browser, &said).await;
    }
}
