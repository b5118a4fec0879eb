//! `<footfall-privacy>`: the visitor sees the choice and changes it, by keyboard too, on pages with
//! the SDK and without.

use super::stage::until_some;
use footfall_tests::{
    browser::Browser,
    recorder::{Page, Recorder},
    wait,
};
use serde_json::{Value, json};
use thirtyfour::{Key, TypingData};

const SCRIPT: &str = "<script async src=\"/sdk/footfall-privacy.js\"></script>";

const ELEMENT: &str =
    "<h1>Privacy</h1><button id=\"first\">First</button><footfall-privacy></footfall-privacy>";

/// What somebody who cannot see the page is told of the switch.
async fn switch(browser: &Browser, checked: bool) -> Value {
    let script = format!(
        "const root = document.querySelector('footfall-privacy')?.shadowRoot;
         const button = root?.querySelector('[role=switch]');
         return button?.ariaChecked === '{checked}'
           ? {{ name: button.textContent, says: root.querySelector('[role=status]').textContent,
               described: button.getAttribute('aria-describedby') === root.querySelector('[role=status]').id,
               tag: button.tagName }}
           : null"
    );
    until_some(
        browser,
        &format!("the switch to stand at {checked}"),
        &script,
    )
    .await
}

async fn until_reason(browser: &Browser, reason: &str) {
    let script = format!("return window.footfall?.status().reason === '{reason}' || null");
    until_some(browser, reason, &script).await;
}

async fn press(browser: &Browser, keys: TypingData) {
    let chain = browser.driver.action_chain().send_keys(keys);
    chain.perform().await.unwrap();
}

async fn stored(browser: &Browser) -> Value {
    let script = "return { ...localStorage, ...sessionStorage }";
    browser
        .driver
        .execute(script, vec![])
        .await
        .unwrap()
        .json()
        .clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn by_keyboard_alone_somebody_says_no_and_yes_again() {
    let recorder = Recorder::start().await;
    let policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; \
         require-trusted-types-for 'script'; trusted-types 'none'";
    recorder.header("content-security-policy", policy);
    recorder.page(&Page::default().head(SCRIPT).body(ELEMENT));
    let browser = Browser::start().await;
    browser.driver.goto(&recorder.url).await.unwrap();
    until_reason(&browser, "recording").await;
    let told = switch(&browser, true).await;
    assert_eq!(told["name"], "Record my visits");
    assert_eq!(told["tag"], "BUTTON");
    assert_eq!(told["described"], true);

    let focus = "document.querySelector('#first').focus()";
    browser.driver.execute(focus, vec![]).await.unwrap();
    press(&browser, Key::Tab + " ").await;
    let told = switch(&browser, false).await;
    assert!(
        told["says"]
            .as_str()
            .unwrap()
            .starts_with("Your visits are not recorded."),
        "{told}"
    );
    until_reason(&browser, "opted_out").await;
    assert_eq!(stored(&browser).await, json!({ "footfall.choice": "out" }));
    let before = recorder.log().batches().count();

    press(&browser, Key::Enter + "").await;
    switch(&browser, true).await;
    until_reason(&browser, "recording").await;
    wait::until("events with consent", async || {
        let log = recorder.log();
        let later: Vec<_> = log
            .batches()
            .skip(before)
            .map(|request| request.json())
            .collect();
        let granted = later.iter().all(|batch| batch["consent"] == "granted");
        if later.is_empty() || !granted {
            Err(format!("{later:#?}"))
        } else {
            Ok(())
        }
    })
    .await;
    let clicks = recorder.taken();
    assert!(
        clicks.iter().all(|event| event["type"] != "click"),
        "the switch is not watched: {clicks:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn its_style_needs_no_permission_and_its_words_can_be_the_sites() {
    let recorder = Recorder::start().await;
    recorder.header(
        "content-security-policy",
        "default-src 'none'; script-src 'self'",
    );
    let element = "<footfall-privacy consent=\"required\" label=\"Meine Besuche aufzeichnen\" \
         text-consent_required=\"Nichts wird aufgezeichnet.\"></footfall-privacy>";
    let html =
        format!("<!doctype html><html lang=\"de\"><title>Privat</title>{SCRIPT}{element}</html>");
    recorder.file("", "text/html; charset=utf-8", &html);
    let browser = Browser::start().await;
    browser.driver.goto(&recorder.url).await.unwrap();
    let told = switch(&browser, false).await;
    assert_eq!(told["name"], "Meine Besuche aufzeichnen");
    assert_eq!(told["says"], "Nichts wird aufgezeichnet.");
    let script = "const root = document.querySelector('footfall-privacy').shadowRoot;
        return getComputedStyle(root.querySelector('.track')).borderTopWidth";
    let width = browser.driver.execute(script, vec![]).await.unwrap();
    assert_eq!(width.json(), "2px");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_without_the_sdk_keeps_the_choice_for_those_that_have_it() {
    let recorder = Recorder::start().await;
    recorder.page(&Page::default().head(SCRIPT).body(ELEMENT));
    let bare =
        format!("<!doctype html><html lang=\"en\"><title>Privacy</title>{SCRIPT}{ELEMENT}</html>");
    recorder.file("/privacy", "text/html; charset=utf-8", &bare);
    let browser = Browser::start().await;
    browser
        .driver
        .goto(format!("{}/privacy", recorder.url))
        .await
        .unwrap();
    switch(&browser, true).await;
    let click =
        "document.querySelector('footfall-privacy').shadowRoot.querySelector('button').click()";
    browser.driver.execute(click, vec![]).await.unwrap();
    switch(&browser, false).await;
    browser.driver.goto(&recorder.url).await.unwrap();
    until_reason(&browser, "opted_out").await;
    switch(&browser, false).await;
    assert_eq!(stored(&browser).await, json!({ "footfall.choice": "out" }));
    assert!(recorder.log().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_that_the_browser_has_said_no() {
    let recorder = Recorder::start().await;
    recorder.page(&Page::default().head(SCRIPT).body(ELEMENT));
    let browser = Browser::start_with_global_privacy_control().await;
    browser.driver.goto(&recorder.url).await.unwrap();
    let told = switch(&browser, false).await;
    assert!(
        told["says"]
            .as_str()
            .unwrap()
            .contains("Global Privacy Control"),
        "{told}"
    );
}
