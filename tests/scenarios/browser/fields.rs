//! `fields.json` lists what is sent: all of it, and nothing else.

use super::records::Watched;
use footfall_tests::{
    browser::Browser,
    program,
    recorder::{Log, Page, Recorder},
    wait,
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};
use thirtyfour::By;

/// By name, the types of event that may have it; none for what the batch has, or every event.
type Listed = BTreeMap<String, Option<BTreeSet<String>>>;

/// What a field is on where its name is the site's own.
const OWN: &str = "events[].properties.*";

const BODY: &str = r#"<main><form name="pay" id="pay" action="/paid" method="post" onsubmit="return false">
    <button id="buy" name="order" role="switch" data-track-plan="pro">Buy</button></form>
    <a id="out" href="https://other.example/list" onclick="return false">Out</a>
    <p style="height: 5000px"></p></main>"#;

/// What an earlier page has lost and could not tell.
const LEFT: &str = "localStorage['footfall.unsent.demo.0199d0a4-7c00-7000-8000-000000000000'] = '0\\n! 1 2 3 4 5 6\\n'";

fn listed() -> Listed {
    let file = program::root().join("sdk-wasm/dist/fields.json");
    let list: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let fields = list["fields"].as_array().unwrap().iter().map(|field| {
        for member in ["name", "purpose"] {
            assert!(field[member].is_string(), "{field}");
        }
        assert!(!field["example"].is_null(), "{field}");
        let types = field.get("types").map(|types| {
            let types = types.as_array().unwrap().iter();
            types
                .map(|kind| kind.as_str().unwrap().to_owned())
                .collect()
        });
        (field["name"].as_str().unwrap().to_owned(), types)
    });
    fields.collect()
}

/// Every member that is no object, by its path, with the type of the event it is on.
fn sent(log: &Log) -> BTreeSet<(String, Option<String>)> {
    let mut found = BTreeSet::new();
    for batch in log.batches() {
        let mut envelope = batch.json();
        envelope.as_object_mut().unwrap().remove("events");
        collect(&envelope, "", &mut |name| {
            found.insert((name, None));
        });
        for event in batch.events() {
            let kind = event["type"].as_str().unwrap().to_owned();
            collect(&event, "events[].", &mut |name| {
                found.insert((name, Some(kind.clone())));
            });
        }
    }
    found
}

fn collect(value: &Value, before: &str, take: &mut impl FnMut(String)) {
    for (name, member) in value.as_object().unwrap() {
        let path = format!("{before}{name}");
        if member.is_object() {
            collect(member, &format!("{path}."), take);
        } else {
            take(path);
        }
    }
}

/// The name in the list: a property that is not listed for this type is the site's own.
fn name_in(listed: &Listed, path: &str, kind: Option<&str>) -> String {
    let is_listed = listed.get(path).is_some_and(|types| {
        types
            .as_ref()
            .is_none_or(|types| kind.is_some_and(|kind| types.contains(kind)))
    });
    if !is_listed && path.starts_with("events[].properties.") {
        OWN.into()
    } else {
        path.into()
    }
}

/// A visit on which everything happens that can be recorded.
async fn visit() -> Log {
    let recorder = Recorder::start().await;
    let slow = "<script>addEventListener('click', () => {
        const end = performance.now() + 100; while (performance.now() < end);
      })</script>";
    let page = Page::default().head(slow).body(BODY).with(
        "capture",
        "page-views clicks forms engagement vitals errors",
    );
    recorder.page(&page);
    recorder.file(
        "/blank",
        "text/html",
        &format!("<!doctype html><title>Nothing</title><script>{LEFT}</script>"),
    );
    let browser = Browser::start().await;
    let blank = format!("{}/blank", recorder.url);
    browser.driver.goto(&blank).await.unwrap();
    let watched = Watched { recorder, browser };
    watched.goto("/?utm_source=letter").await;
    let vitals = "return performance.getEntriesByType('resource').some(({ name }) => name.includes('-vitals-'))";
    wait::until("the file that measures", async || {
        let loaded = watched.browser.run(vitals).await?;
        if loaded == true {
            Ok(())
        } else {
            Err(loaded.to_string())
        }
    })
    .await;
    watched.events().await;
    for selector in ["#buy", "#out"] {
        let target = watched.browser.driver.find(By::Css(selector)).await;
        target.unwrap().click().await.unwrap();
    }
    watched
        .run(
            "footfall.optIn(); footfall.identify('u_42', { plan: 'pro' }); footfall.track('own', { amount: 12.5 });
            setTimeout(() => { null.boom }); scrollTo(0, 500); history.pushState(null, '', '/next')",
        )
        .await;
    let painted = "await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 200)))";
    watched.run_async(painted).await;
    // What is learnt when nothing else is to do goes with a later batch.
    wait::until("the time zone", async || {
        watched.events().await;
        let log = watched.recorder.log();
        let last = log
            .batches()
            .last()
            .map(|batch| batch.json()["context"].clone());
        match last {
            Some(context) if context["timezone"].is_string() => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    watched.goto("/end").await;
    watched.events().await;
    wait::until("vitals and losses", async || {
        let taken = watched.taken();
        let missing: Vec<_> = ["vital", "lost", "page_leave", "error"]
            .into_iter()
            .filter(|kind| taken.iter().all(|event| event["type"] != *kind))
            .collect();
        if missing.is_empty() {
            Ok(())
        } else {
            Err(format!("{missing:?}"))
        }
    })
    .await;
    watched.recorder.log()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_field_that_is_sent_is_listed_and_every_listed_one_is_sent() {
    let listed = listed();
    let mut seen: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, kind) in sent(&visit().await) {
        let name = name_in(&listed, &path, kind.as_deref());
        let types = listed.get(&name);
        let types = types.unwrap_or_else(|| panic!("{path} of {kind:?} is not listed"));
        let may = match (types, &kind) {
            (Some(types), Some(kind)) => types.contains(kind),
            (None, _) => true,
            (Some(_), None) => false,
        };
        assert!(may, "{path} is listed, but not for {kind:?}");
        seen.entry(name).or_default().extend(kind);
    }
    for (name, types) in &listed {
        let seen = seen.get(name);
        let seen = seen.unwrap_or_else(|| panic!("{name} is listed, and was not sent"));
        // What the site adds may be on all of them; what the SDK adds is.
        if name != OWN
            && let Some(types) = types
        {
            assert_eq!(seen, types, "{name}");
        }
    }
}
