//! The privacy page: what was sent is shown as it was, and the switch works.

use super::{
    stage::{Stage, until_some},
    story::Story,
};
use footfall_tests::{browser::Browser, wait};
use serde_json::{Value, json};
use thirtyfour::{By, WebElement};

async fn until_reason(browser: &Browser, reason: &str) -> Value {
    let script = format!(
        "const status = window.footfall?.status(); return status?.reason === '{reason}' ? status : null"
    );
    until_some(browser, &format!("the reason {reason}"), &script).await
}

/// Waits until the switch stands as it should.
async fn until_switch(browser: &Browser, on: bool) -> WebElement {
    let css = format!("[role='switch'][aria-checked='{on}']");
    wait::until(&format!("the switch to stand at {on}"), async || {
        let element = browser.driver.find(By::Css("footfall-privacy")).await;
        let element = element.map_err(|error| error.to_string())?;
        let root = element.get_shadow_root().await;
        let root = root.map_err(|error| error.to_string())?;
        let found = root.find(By::Css(&css)).await;
        found.map_err(|error| error.to_string())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_privacy_page_shows_batches_exactly_as_they_were_sent() {
    let stage = Stage::set().await;
    let browser = Browser::start().await;
    browser.driver.goto(&stage.shop.url).await.unwrap();
    Story::of(&stage, 1).await;
    stage.click(&browser, ".foot a[href='/privacy']").await;
    stage.until_at(&browser, "/privacy").await;
    Story::of(&stage, 3).await;
    let sent = until_some(
        &browser,
        "batches of both pages",
        "const sent = window.footfall?.inspect() ?? []; return sent.length >= 2 ? sent : null",
    )
    .await;
    let story = Story::so_far(&stage).await;
    for batch in sent.as_array().unwrap() {
        let body = batch["body"].as_str().unwrap();
        let parsed: Value = serde_json::from_str(body).unwrap();
        assert_eq!(parsed["write_key"], "demo");
        let sent_at = parsed["sent_at"].as_i64().unwrap();
        assert!(
            batch["sentAt"].as_i64().unwrap() >= sent_at,
            "handed over once it was written"
        );
        for event in parsed["events"].as_array().unwrap() {
            let id = event["id"].to_string();
            assert!(story.distinct("id").contains(&id), "{id} lies in Kafka");
        }
        let shown = format!(
            "return [...document.querySelectorAll('[data-privacy-batches] li')]
                .some((item) => item.textContent.includes({})) || null",
            json!(body)
        );
        until_some(&browser, "the page to show the batch byte for byte", &shown).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_switch_stops_recording_wipes_what_was_stored_and_can_be_turned_back() {
    let stage = Stage::set().await;
    let browser = Browser::start().await;
    let page = &browser.driver;
    page.goto(format!("{}/privacy", stage.shop.url))
        .await
        .unwrap();
    let before = until_reason(&browser, "recording").await;
    Story::of(&stage, 1).await;

    let switch = until_switch(&browser, true).await;
    // By keyboard, as anyone must be able to.
    switch.focus().await.unwrap();
    switch.send_keys(" ").await.unwrap();
    until_reason(&browser, "opted_out").await;
    let stored = "return [...Object.keys(localStorage), ...Object.keys(sessionStorage)]";
    let stored = page.execute(stored, vec![]).await.unwrap().json().clone();
    assert_eq!(
        stored.as_array().unwrap().len(),
        1,
        "only the visitor's own choice: {stored}"
    );
    let quiet = Story::so_far(&stage).await.records().len();

    stage.click(&browser, ".foot a[href='/journal']").await;
    stage.until_at(&browser, "/journal").await;
    until_reason(&browser, "opted_out").await;
    page.goto(format!("{}/privacy", stage.shop.url))
        .await
        .unwrap();
    until_reason(&browser, "opted_out").await;

    let switch = until_switch(&browser, false).await;
    switch.click().await.unwrap();
    let after = until_reason(&browser, "recording").await;
    assert_ne!(
        after["visitor"], before["visitor"],
        "the old number is forgotten"
    );
    let story = wait::until("events after the switch was turned back", async || {
        let story = Story::so_far(&stage).await;
        if story.records().len() > quiet {
            Ok(story)
        } else {
            Err(story.text())
        }
    })
    .await;
    let later: Vec<_> = story.events("page_view").skip(1).collect();
    assert!(
        later
            .iter()
            .all(|event| event["page"]["url"].as_str().unwrap().ends_with("/privacy")),
        "{later:#?}"
    );
    assert_eq!(later.last().unwrap()["consent"], "granted");
}
