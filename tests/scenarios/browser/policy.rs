//! Pages with a Content Security Policy: what it allows, the SDK uses; what it does not, the page
//! never hears of.

use footfall_tests::{browser::Browser, recorder::Recorder, wait};
use serde_json::{Value, json};
use thirtyfour::By;

/// Writes down whatever goes wrong on the page.
const WATCH: &str = "
    window.seen = [];
    addEventListener('error', (event) => seen.push('error ' + event.message));
    addEventListener('unhandledrejection', (event) => seen.push('rejection ' + event.reason));
    document.addEventListener('securitypolicyviolation', (event) =>
      seen.push('violation ' + event.effectiveDirective + ' ' + event.blockedURI));";

/// What a browser reports when a page tries WebAssembly; a page has no other way to learn that it
/// may not.
const REFUSED: &str = "violation script-src wasm-eval";

/// A server of one page with a policy; every script on it has the same attributes.
struct Site {
    recorder: Recorder,
}

impl Site {
    async fn with(policy: &str, attributes: &str) -> Self {
        let recorder = Recorder::start().await;
        recorder.header("content-security-policy", policy);
        recorder.file("/watch.js", "text/javascript", WATCH);
        let html = format!(
            "<!doctype html><html lang=\"en\"><head><title>A title</title><script {attributes} src=\"/watch.js\"></script>\
             <script async {attributes} src=\"/sdk/footfall.js\" data-write-key=\"demo\"></script></head>\
             <body><button id=\"buy\">Buy</button></body></html>"
        );
        recorder.file("", "text/html; charset=utf-8", &html);
        Self { recorder }
    }

    /// Opens the page, clicks, and returns what went wrong once both events have arrived.
    async fn visit(&self) -> Value {
        let browser = Browser::start().await;
        browser.driver.goto(&self.recorder.url).await.unwrap();
        let button = browser.driver.find(By::Css("#buy")).await.unwrap();
        until_reason(&browser, "recording").await;
        button.click().await.unwrap();
        wait::until("a page view and a click", async || {
            let taken = self.recorder.taken();
            let kinds: Vec<_> = taken.iter().map(|event| event["type"].clone()).collect();
            if kinds.contains(&json!("page_view")) && kinds.contains(&json!("click")) {
                Ok(())
            } else {
                Err(format!("{kinds:?}"))
            }
        })
        .await;
        seen(&browser).await
    }
}

async fn seen(browser: &Browser) -> Value {
    let seen = browser.driver.execute("return window.seen", vec![]).await;
    seen.unwrap().json().clone()
}

async fn until_reason(browser: &Browser, reason: &str) {
    let script = "return window.footfall?.status().reason ?? 'not there'";
    wait::until(&format!("the reason {reason}"), async || {
        let found = browser.driver.execute(script, vec![]).await;
        let found = found.map_err(|error| error.to_string())?.json().clone();
        if found == reason {
            Ok(())
        } else {
            Err(found.to_string())
        }
    })
    .await;
}

async fn assert_recorded(policy: &str, attributes: &str, reports: &[&str]) {
    let site = Site::with(policy, attributes).await;
    assert_eq!(site.visit().await, json!(reports), "{policy}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_allows_webassembly_reports_nothing() {
    let policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";
    assert_recorded(policy, "", &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_permission_for_webassembly_the_twin_records_after_one_report() {
    let policy = "default-src 'none'; script-src 'self'; connect-src 'self'";
    assert_recorded(policy, "", &[REFUSED]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_that_asks_for_the_twin_reports_nothing_and_fetches_no_wasm() {
    let policy = "default-src 'none'; script-src 'self'; connect-src 'self'";
    assert_recorded(policy, "data-twin", &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nonce_on_the_tag_is_enough_for_all_its_files() {
    let policy = "script-src 'nonce-random' 'strict-dynamic' 'wasm-unsafe-eval'";
    assert_recorded(policy, "nonce=\"random\"", &[]).await;
    let policy = "script-src 'nonce-random' 'strict-dynamic'; object-src 'none'; base-uri 'none'";
    assert_recorded(policy, "nonce=\"random\"", &[REFUSED]).await;
    let policy = "script-src 'nonce-random' 'wasm-unsafe-eval'";
    assert_recorded(policy, "nonce=\"random\"", &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trusted_types_have_nothing_to_object_to() {
    let policy = "script-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'";
    assert_recorded(policy, "", &[REFUSED]).await;
    let policy = "script-src 'self' 'wasm-unsafe-eval'; require-trusted-types-for 'script'; trusted-types 'none'";
    assert_recorded(policy, "", &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_may_be_sent_the_page_sees_no_error() {
    let site = Site::with(
        "script-src 'self' 'wasm-unsafe-eval'; connect-src 'none'",
        "",
    )
    .await;
    let browser = Browser::start().await;
    browser.driver.goto(&site.recorder.url).await.unwrap();
    until_reason(&browser, "recording").await;
    let button = browser.driver.find(By::Css("#buy")).await.unwrap();
    button.click().await.unwrap();
    let flushed = "const done = arguments[0]; footfall.flush().then(() => done('flushed'), (error) => done(String(error)))";
    let flushed = browser.driver.execute_async(flushed, vec![]).await.unwrap();
    assert_eq!(flushed.json(), "flushed");
    let seen = seen(&browser).await;
    assert!(
        seen.as_array()
            .unwrap()
            .iter()
            .all(|seen| seen.as_str().unwrap().starts_with("violation connect-src")),
        "what the policy itself reports is all: {seen}"
    );
    assert!(site.recorder.log().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_core_may_not_be_loaded_the_page_sees_no_error() {
    let recorder = Recorder::start().await;
    let loader = format!("{}/sdk/footfall.js", recorder.url);
    let policy = format!(
        "script-src {0}/watch.js {loader}; connect-src 'self'",
        recorder.url
    );
    recorder.header("content-security-policy", &policy);
    recorder.file("/watch.js", "text/javascript", WATCH);
    let html = "<!doctype html><title>A title</title><script src=\"/watch.js\"></script>\
        <script async src=\"/sdk/footfall.js\" data-write-key=\"demo\"></script>";
    recorder.file("", "text/html; charset=utf-8", html);
    let browser = Browser::start().await;
    browser.driver.goto(&recorder.url).await.unwrap();
    until_reason(&browser, "stopped").await;
    let called = "footfall.track('order'); footfall.identify('u'); footfall.optOut(); return footfall.status().reason";
    let called = browser.driver.execute(called, vec![]).await.unwrap();
    assert_eq!(called.json(), "opted_out");
    let seen = seen(&browser).await;
    let seen: Vec<_> = seen
        .as_array()
        .unwrap()
        .iter()
        .map(|seen| seen.as_str().unwrap().to_owned())
        .collect();
    assert_eq!(seen.len(), 2, "{seen:?}");
    assert!(
        seen.iter()
            .all(|seen| seen.starts_with("violation script-src-elem")),
        "{seen:?}"
    );
}
