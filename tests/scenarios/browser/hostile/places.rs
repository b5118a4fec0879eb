//! Where a page may be.

use super::visit::{Visit, head};
use footfall_tests::{
    browser::{Browser, Kind},
    recorder::Page,
    wait,
};
use serde_json::json;
use std::fs;
use tempfile::TempDir;

crate::browser::in_every_browser!(
    in_a_sandbox_it_records,
    from_a_file_it_records,
    what_cannot_be_loaded_leaves_the_page_alone
);

async fn in_a_sandbox_it_records(kind: Kind) {
    let browser = Browser::of(kind).await;
    let visit = Visit::with(&browser, "").await;
    // A sandboxed page has no origin, so that even its own files are another's.
    visit.recorder.header("access-control-allow-origin", "*");
    let frame = "<!doctype html><title>A frame</title><iframe sandbox=\"allow-scripts\" src=\"/inside\"></iframe>";
    visit.recorder.file("/", "text/html", frame);
    visit.open().await;
    browser.driver.enter_frame(0).await.unwrap();
    visit.click_and_be_recorded().await;
    visit.assert_unnoticed("a sandbox").await;
}

async fn from_a_file_it_records(kind: Kind) {
    let browser = Browser::of(kind).await;
    let visit = Visit::with(&browser, "").await;
    visit.recorder.header("access-control-allow-origin", "*");
    let url = &visit.recorder.url;
    let page = Page::default().head(&head("")).html();
    let page = page.replace("src=\"/sdk/", &format!("src=\"{url}/sdk/"));
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("page.html");
    fs::write(&file, page).unwrap();
    let address = format!("file://{}", file.display());
    browser.driver.goto(&address).await.unwrap();
    visit.click_and_be_recorded().await;
    visit.assert_unnoticed("a file").await;
}

/// Neither the core nor its twin comes, as they are: blocked by a policy, or replaced by the page
/// that a server has for everything that it does not know.
async fn what_cannot_be_loaded_leaves_the_page_alone(kind: Kind) {
    let browser = Browser::of(kind).await;
    let page = Page::default().head(&head(""));

    let blocked = Visit::to(&browser, page.clone()).await;
    let policy = "script-src 'unsafe-inline' URL/sdk/footfall.js; connect-src 'self'";
    let policy = policy.replace("URL", &blocked.recorder.url);
    blocked.recorder.header("content-security-policy", &policy);
    assert_alone(&blocked, "a core that a policy blocks").await;

    let replaced = Visit::to(&browser, page).await;
    for file in fs::read_dir(footfall_tests::program::root().join("sdk-wasm/dist")).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        if name != "footfall.js" {
            let path = format!("/sdk/{name}");
            replaced
                .recorder
                .file(&path, "text/html", "<h1>Not found</h1>");
        }
    }
    assert_alone(
        &replaced,
        "a server that has another page in the core's place",
    )
    .await;
}

async fn assert_alone(visit: &Visit<'_>, what: &str) {
    visit.open().await;
    visit
        .until("return footfall.status().reason === 'stopped'")
        .await;
    visit.click().await;
    let calls = "footfall.track('a'); footfall.page(); footfall.identify('u'); footfall.reset();
        footfall.optIn(); footfall.optOut();
        return footfall.flush().then(() => [footfall.status().recording, footfall.inspect()])";
    let answer = wait::until("answers", async || visit.browser.run(calls).await).await;
    assert_eq!(answer, json!([false, []]));
    visit.assert_unnoticed(what).await;
    assert_eq!(visit.recorder.log().len(), 0);
}
