//! What a site says itself: its events, its users, its properties, and what it keeps back.

use super::Watched;
use footfall_tests::{browser::Kind, recorder::Page};
use serde_json::{Value, json};

crate::browser::in_every_browser!(
    events_have_the_user_from_identify_on_until_reset,
    properties_of_the_site_go_with_every_event_until_reset,
    a_filter_changes_events_or_keeps_them_back,
);

fn named<'a>(events: &'a [Value], name: &str) -> &'a Value {
    let found = events.iter().find(|event| event["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {events:#?}"))
}

async fn quiet(kind: Kind) -> Watched {
    Watched::of(kind, &Page::default().with("capture", "page-views")).await
}

async fn events_have_the_user_from_identify_on_until_reset(kind: Kind) {
    let watched = quiet(kind).await;
    watched
        .run(
            "footfall.track('before');
            footfall.identify('u_42', { plan: 'pro' });
            footfall.track('known');
            footfall.identify(43);
            footfall.track('another');
            footfall.reset();
            footfall.track('after')",
        )
        .await;
    let events = watched.events().await;
    let users: Vec<_> = ["before", "known", "another", "after"]
        .map(|name| named(&events, name)["user"].clone())
        .into();
    assert_eq!(
        users,
        [Value::Null, json!("u_42"), json!("43"), Value::Null]
    );
    let identified: Vec<_> = events
        .iter()
        .filter(|event| event["type"] == "identify")
        .collect();
    assert_eq!(identified.len(), 2);
    assert_eq!(identified[0]["user"], "u_42");
    assert_eq!(identified[0]["properties"], json!({ "plan": "pro" }));
    for member in ["visitor", "session"] {
        let of = |name: &str| named(&events, name)[member].clone();
        assert_eq!(of("before"), of("another"), "the same {member}");
        assert_ne!(of("another"), of("after"), "another {member}");
    }
    assert!(watched.recorder.log().gaps().is_empty());
}

async fn properties_of_the_site_go_with_every_event_until_reset(kind: Kind) {
    let page = Page::default().with("capture", "page-views");
    let page = page.with("properties", r#"{"plan":"free","site":"shop"}"#);
    let watched = Watched::of(kind, &page).await;
    watched
        .run(
            "footfall.properties({ plan: 'pro', version: 2 });
            footfall.track('own', { version: 3 });
            footfall.page({ step: 1 });
            footfall.properties('no object');
            footfall.track('still');
            footfall.reset();
            footfall.track('after')",
        )
        .await;
    let events = watched.events().await;
    let common = json!({ "plan": "free", "site": "shop" });
    assert_eq!(events[0]["properties"], common);
    assert_eq!(
        named(&events, "own")["properties"],
        json!({ "plan": "pro", "site": "shop", "version": 3 })
    );
    let called = events.iter().rfind(|event| event["type"] == "page_view");
    assert_eq!(
        called.unwrap()["properties"],
        json!({ "plan": "pro", "site": "shop", "version": 2, "step": 1 })
    );
    assert_eq!(
        named(&events, "still")["properties"],
        json!({ "plan": "pro", "site": "shop", "version": 2 })
    );
    assert_eq!(named(&events, "after").get("properties"), None);
}

async fn a_filter_changes_events_or_keeps_them_back(kind: Kind) {
    let watched = quiet(kind).await;
    watched
        .run(
            "footfall.beforeSend((event) => {
              if (event.name === 'kept back') return null;
              if (event.name === 'nothing') return undefined;
              if (event.name === 'fails') throw new Error('mine');
              if (event.name === 'other type') return { ...event, type: 'click' };
              event.properties = { ...event.properties, marked: true };
              event.time = 1;
              event.id = event.seq = 'mine';
              return event;
            });
            for (const name of ['first', 'kept back', 'nothing', 'fails', 'other type', 'last']) footfall.track(name, { n: 1 })",
        )
        .await;
    let mut events = watched.events().await;
    events.retain(|event| event["type"] == "custom");
    let names: Vec<_> = events.iter().map(|event| event["name"].clone()).collect();
    assert_eq!(names, ["first", "last"]);
    for event in &events {
        assert_eq!(event["properties"], json!({ "n": 1, "marked": true }));
        assert!(event["time"].as_u64() > Some(1_700_000_000_000), "{event}");
        assert_eq!(event["id"].as_str().unwrap().len(), 36);
    }
    assert!(
        watched.recorder.log().gaps().is_empty(),
        "what is kept back has no number"
    );
}
