//! What the page never notices: nothing is prevented, and nobody waits for the SDK.

use footfall_tests::{
    browser::{Browser, Kind},
    recorder::{Page, Recorder, Reply},
    wait,
};
use serde_json::json;
use thirtyfour::By;

super::in_every_browser!(
    no_default_is_prevented,
    no_page_waits_for_batches_that_nobody_answers
);

async fn no_default_is_prevented(kind: Kind) {
    let recorder = Recorder::start().await;
    let head = "<script>
        window.prevented = [];
        for (const name of ['preventDefault', 'stopPropagation', 'stopImmediatePropagation']) {
          const original = Event.prototype[name];
          Event.prototype[name] = function () { prevented.push(name + ' ' + this.type); original.call(this) };
        }
        for (const kind of ['click', 'auxclick', 'submit', 'change', 'keydown', 'pagehide', 'visibilitychange']) {
          addEventListener(kind, (event) => event.defaultPrevented && prevented.push(kind));
        }
      </script>";
    let body = "<form action=\"#sent\"><input id=\"word\" name=\"word\"><input id=\"box\" type=\"checkbox\">
        <details><summary>More</summary>Much more</details><button id=\"buy\">Buy</button></form>
        <a id=\"hash\" href=\"#there\">There</a>";
    recorder.page(
        &Page::default()
            .head(head)
            .body(body)
            .with("capture", "page-views clicks forms engagement"),
    );
    let browser = Browser::of(kind).await;
    browser.driver.goto(&recorder.url).await.unwrap();
    until_recording(&browser).await;
    for css in ["#box", "summary", "#hash"] {
        let element = browser.driver.find(By::Css(css)).await.unwrap();
        element.click().await.unwrap();
    }
    let word = browser.driver.find(By::Css("#word")).await.unwrap();
    word.send_keys("words").await.unwrap();
    let done =
        "return [document.querySelector('#box').checked, document.querySelector('details').open,
        location.hash, document.querySelector('#word').value, window.prevented]";
    let done = browser.run(done).await.unwrap();
    assert_eq!(done, json!([true, true, "#there", "words", []]), "{kind}");
    let button = browser.driver.find(By::Css("#buy")).await.unwrap();
    button.click().await.unwrap();
    wait::until("the form to be sent", async || {
        let url = browser
            .driver
            .current_url()
            .await
            .map_err(|error| error.to_string())?;
        if url.query() == Some("word=words") {
            Ok(())
        } else {
            Err(url.to_string())
        }
    })
    .await;
}

/// Every batch hangs until the end of the test; with keepalive they outlive their page, and it must
/// not wait for them.
async fn no_page_waits_for_batches_that_nobody_answers(kind: Kind) {
    let recorder = Recorder::start().await;
    recorder.reply(Reply::Hang(202));
    let browser = Browser::of(kind).await;
    browser.driver.goto(&recorder.url).await.unwrap();
    until_recording(&browser).await;
    let record =
        "for (let n = 0; n < 100; n++) footfall.track('step', { n, text: 'x'.repeat(500) })";
    browser.run(record).await.unwrap();
    wait::until("a batch that hangs", async || {
        let log = recorder.log();
        let hanging = log.batches().count();
        if hanging > 0 {
            Ok(())
        } else {
            Err("none".into())
        }
    })
    .await;
    let link = browser.driver.find(By::Css("#next")).await.unwrap();
    link.click().await.unwrap();
    wait::until("the next page", async || {
        let url = browser
            .driver
            .current_url()
            .await
            .map_err(|error| error.to_string())?;
        if url.path() == "/next" {
            Ok(())
        } else {
            Err(url.to_string())
        }
    })
    .await;
    let hanging = recorder.log();
    assert!(
        hanging.batches().all(|batch| batch.status.is_none()),
        "none was answered"
    );
    recorder.release();
}

async fn until_recording(browser: &Browser) {
    let script = "return window.footfall?.status().visitor !== undefined";
    wait::until("the SDK to record", async || {
        let found = browser.run(script).await?;
        if found == true {
            Ok(())
        } else {
            Err(found.to_string())
        }
    })
    .await;
}
