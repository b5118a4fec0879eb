//! Where visitor and session are kept.

use super::{
    Watched,
    session::{distinct, status},
};
use footfall_tests::{
    browser::{Browser, Kind},
    program,
    recorder::{Page, Recorder},
    wait,
};
use serde_json::json;
use std::fs;

crate::browser::in_every_browser!(
    without_cookies_and_the_like_there_is_no_visitor_and_no_session,
    where_cookies_cannot_be_had_a_visitor_lasts_as_long_as_the_page,
);

/// The names of all that is stored.
const STORED: &str =
    "return { local: Object.keys(localStorage).sort(), session: Object.keys(sessionStorage),
    cookies: document.cookie.split('; ').map((cookie) => cookie.split('=')[0]).sort() }";

async fn without_cookies_and_the_like_there_is_no_visitor_and_no_session(kind: Kind) {
    let recorder = Recorder::start().await;
    recorder.page(&Page::default().with("cookieless", ""));
    let browser = Browser::of(kind).await;
    let watched = Watched { recorder, browser };
    for path in ["/", "/next"] {
        let url = format!("{}{path}", watched.recorder.url);
        watched.browser.driver.goto(&url).await.unwrap();
        wait::until("the tag", async || {
            let there = watched.run("return !!window.footfall").await;
            if there == true {
                Ok(())
            } else {
                Err(there.to_string())
            }
        })
        .await;
        watched
            .run_async("await footfall.flush(); footfall.track('one'); footfall.reset(); footfall.track('two'); await footfall.flush()")
            .await;
    }
    let log = watched.recorder.log();
    for batch in log.batches() {
        for member in ["visitor", "session"] {
            assert_eq!(batch.json().get(member), None, "{}", batch.body);
        }
    }
    let taken = log.taken();
    assert_eq!(
        taken.iter().filter(|event| event["name"] == "two").count(),
        2
    );
    assert_eq!(distinct(&taken, "load").len(), 2);
    let status = watched.run("return footfall.status()").await;
    assert_eq!((status.get("visitor"), status.get("session")), (None, None));
    let stored = watched.run(STORED).await;
    assert_eq!(
        stored,
        json!({ "local": [], "session": [], "cookies": [""] })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn visitor_and_session_are_cookies_where_the_site_asks_for_it() {
    let watched = Watched::open(&Page::default().with("storage", "cookie")).await;
    watched.events().await;
    let stored = watched.run(STORED).await;
    assert_eq!(
        stored["cookies"],
        json!(["footfall.session", "footfall.visitor"])
    );
    let local = stored["local"].to_string();
    assert!(
        !local.contains("visitor") && !local.contains("session"),
        "{local}"
    );
    let before = [
        status(&watched, "visitor").await,
        status(&watched, "session").await,
    ];
    watched.goto("/next").await;
    watched.events().await;
    let after = [
        status(&watched, "visitor").await,
        status(&watched, "session").await,
    ];
    assert_eq!(after, before);
    watched.run("footfall.optOut()").await;
    let stored = watched.run(STORED).await;
    assert_eq!(
        stored,
        json!({ "local": ["footfall.choice"], "session": [], "cookies": [""] })
    );
}

/// What writes cookies is a file of its own, which does not come here. To keep the ids elsewhere is not what the
/// site has asked for.
async fn where_cookies_cannot_be_had_a_visitor_lasts_as_long_as_the_page(kind: Kind) {
    let recorder = Recorder::start().await;
    recorder.page(
        &Page::default()
            .with("storage", "cookie")
            .with("capture", "page-views")
            .head(
                "<script>
                window.errors = [];
                for (const kind of ['error', 'unhandledrejection']) addEventListener(kind, () => errors.push(kind));
              </script>",
            ),
    );
    let mut missing = 0;
    for file in fs::read_dir(program::root().join("sdk-wasm/dist")).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        if name.starts_with("footfall-extras-") {
            recorder.file(&format!("/sdk/{name}"), "text/html", "<h1>Not found</h1>");
            missing += 1;
        }
    }
    assert_eq!(missing, 1);
    let browser = Browser::of(kind).await;
    let watched = Watched { recorder, browser };
    for path in ["/", "/next"] {
        watched.goto(path).await;
        watched.run("footfall.track('here')").await;
        watched.events().await;
        let stored = watched.run(STORED).await;
        let nothing = json!({ "local": [], "session": [], "cookies": [""] });
        assert_eq!(stored, nothing);
        assert_eq!(watched.run("return errors").await, json!([]));
    }
    let taken = watched.taken();
    assert_eq!(taken.len(), 4, "{taken:#?}");
    for id in ["load", "visitor", "session"] {
        assert_eq!(distinct(&taken, id).len(), 2, "{id} of each page");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_kept_between_pages_where_the_site_asks_for_it() {
    let watched = Watched::open(&Page::default().with("storage", "memory")).await;
    watched.events().await;
    let before = status(&watched, "visitor").await;
    watched.goto("/next").await;
    watched.run("footfall.track('waits')").await;
    assert_ne!(status(&watched, "visitor").await, before);
    let script = format!("await new Promise((kept) => setTimeout(kept, 300)); {STORED}");
    let stored = watched.run_async(&script).await;
    let nothing = json!({ "local": [], "session": [], "cookies": [""] });
    assert_eq!(stored, nothing);
}
