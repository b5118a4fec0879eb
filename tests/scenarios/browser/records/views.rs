//! One page view for each view that a person sees.

use super::Watched;
use footfall_tests::{
    browser::{Browser, Kind},
    recorder::{Page, Recorder},
    wait,
};

crate::browser::in_every_browser!(
    every_new_path_of_the_history_is_a_view_and_says_where_the_visitor_was,
    a_replaced_query_another_fragment_and_the_same_address_are_no_views,
    what_a_router_does_within_one_task_is_one_view_with_the_last_address,
    a_view_has_the_title_of_a_little_later_and_what_comes_between_comes_after_it,
    fragments_are_views_where_the_site_routes_by_them,
);

async fn at_home(kind: Kind) -> Watched {
    let watched = Watched::of(kind, &Page::default()).await;
    assert_eq!(watched.views().await, ["/"]);
    watched
}

async fn every_new_path_of_the_history_is_a_view_and_says_where_the_visitor_was(kind: Kind) {
    let watched = at_home(kind).await;
    watched.run("history.pushState(null, '', '/pushed')").await;
    assert_eq!(watched.views().await, ["/", "/pushed"]);
    watched
        .run("history.replaceState(null, '', '/replaced?x=1')")
        .await;
    assert_eq!(watched.views().await, ["/", "/pushed", "/replaced?x=1"]);
    watched.run("history.back()").await;
    wait::until("the page before", async || {
        let views = watched.views().await;
        if views.len() == 4 {
            Ok(())
        } else {
            Err(format!("{views:?}"))
        }
    })
    .await;
    assert_eq!(watched.views().await.last().unwrap(), "/");
    let views = watched.events_of("page_view").await;
    let referrers: Vec<_> = views
        .iter()
        .map(|view| watched.path(&view["page"]["referrer"]))
        .collect();
    assert_eq!(referrers, ["?", "/", "/pushed", "/replaced?x=1"]);
}

async fn a_replaced_query_another_fragment_and_the_same_address_are_no_views(kind: Kind) {
    let watched = at_home(kind).await;
    watched
        .run("history.replaceState(null, '', '/?page=2')")
        .await;
    watched.run("history.replaceState({ scroll: 1 }, '')").await;
    watched.run("location.hash = 'top'").await;
    watched
        .run("history.pushState(null, '', location.href)")
        .await;
    assert_eq!(watched.views().await, ["/"]);
}

async fn what_a_router_does_within_one_task_is_one_view_with_the_last_address(kind: Kind) {
    let watched = at_home(kind).await;
    watched
        .run("history.replaceState({ position: 1 }, ''); history.pushState(null, '', '/a'); history.replaceState(null, '', '/b')")
        .await;
    assert_eq!(watched.views().await, ["/", "/b"]);
}

async fn a_view_has_the_title_of_a_little_later_and_what_comes_between_comes_after_it(kind: Kind) {
    let watched = at_home(kind).await;
    watched
        .run(
            "history.pushState(null, '', '/late');
            setTimeout(() => { document.getElementById('buy').click() }, 10);
            setTimeout(() => { document.title = 'Late'; window.late = true }, 40)",
        )
        .await;
    wait::until("the click", async || {
        let clicked = watched.taken().iter().any(|event| event["type"] == "click");
        if clicked {
            Ok(())
        } else {
            Err(format!("{:?}", watched.taken()))
        }
    })
    .await;
    let events = watched.events().await;
    let kinds: Vec<_> = events
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["page_view", "page_leave", "page_view", "click"]);
    assert_eq!(events[2]["page"]["title"], "Late");
    let times: Vec<_> = events.iter().map(|event| event["time"].as_u64()).collect();
    assert!(times.is_sorted(), "{times:?}");
    let numbers: Vec<_> = events.iter().map(|event| event["seq"].as_u64()).collect();
    assert!(numbers.is_sorted(), "{numbers:?}");
}

async fn fragments_are_views_where_the_site_routes_by_them(kind: Kind) {
    let watched = Watched::of(kind, &Page::default().with("capture", "page-views hash")).await;
    watched
        .run("location.hash = '#/find?q=secret&by=price'")
        .await;
    wait::until("the route", async || {
        let views = watched.views().await;
        if views == ["/", "/#/find?by=price"] {
            Ok(())
        } else {
            Err(format!("{views:?}"))
        }
    })
    .await;
    watched
        .run("history.replaceState(null, '', '#/cart')")
        .await;
    assert_eq!(watched.views().await, ["/", "/#/find?by=price", "/#/cart"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_navigation_api_makes_views_too() {
    let watched = at_home(Kind::Chromium).await;
    watched
        .run("navigation.addEventListener('navigate', (event) => event.intercept({ handler: async () => {} }))")
        .await;
    watched
        .run_async("await navigation.navigate('/routed').finished")
        .await;
    watched
        .run_async("await navigation.navigate('/again', { history: 'replace' }).finished")
        .await;
    watched
        .run_async("await navigation.navigate('/again?x', { history: 'replace' }).finished")
        .await;
    assert_eq!(watched.views().await, ["/", "/routed", "/again"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_from_the_back_forward_cache_is_one_more_view_in_the_same_load() {
    // Firefox is on the list of limits.
    for kind in [Kind::Chromium, Kind::WebKit] {
        come_back(kind).await;
    }
}

async fn come_back(kind: Kind) {
    let watched = at_home(kind).await;
    watched.run("window.kept = true").await;
    watched.goto("/next").await;
    assert_eq!(watched.views().await, ["/", "/next"]);
    watched.browser.driver.back().await.unwrap();
    assert_eq!(
        watched.run("return window.kept").await,
        true,
        "the page was restored"
    );
    assert_eq!(watched.views().await, ["/", "/next", "/"]);
    let views = watched.events_of("page_view").await;
    assert_eq!(views[0]["load"], views[2]["load"]);
    assert_ne!(views[0]["load"], views[1]["load"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prerendered_page_is_no_view_before_somebody_sees_it() {
    let rules = r#"<script type="speculationrules">{"prerender":[{"urls":["/next"],"eagerness":"immediate"}]}</script>"#;
    let recorder = Recorder::start().await;
    recorder.page(&Page::default().head(
        "<script>if (document.prerendering) { localStorage.setItem('prerendered', location.pathname) }</script>",
    ));
    let home = Page::default().head(rules);
    recorder.file("/", "text/html; charset=utf-8", &home.html());
    let browser = Browser::start().await;
    let watched = Watched { recorder, browser };
    watched.goto("/").await;
    wait::until("the prerendered page", async || {
        let path = watched
            .run("return localStorage.getItem('prerendered')")
            .await;
        if path == "/next" {
            Ok(())
        } else {
            Err(path.to_string())
        }
    })
    .await;
    assert_eq!(watched.views().await, ["/"]);
    let script = "document.getElementById('next').click()";
    watched.run(script).await;
    wait::until("the next page", async || {
        let script = "return performance.getEntriesByType('navigation')[0].activationStart";
        let started = watched.run(script).await;
        if started.as_f64().is_some_and(|at| at > 0.0) {
            Ok(())
        } else {
            Err(started.to_string())
        }
    })
    .await;
    watched.until_started().await;
    assert_eq!(watched.views().await, ["/", "/next"]);
}
