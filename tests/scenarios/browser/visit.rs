//! A visit: pages opened, things clicked, words typed, the tab left. What lies in Kafka afterwards
//! is what a person who watched would have written down, each once.

use super::{
    stage::{Stage, until_some},
    story::{Story, path_of},
};
use footfall_tests::{browser::Browser, kafka::Kafka};
use serde_json::json;
use thirtyfour::By;

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_is_recorded_as_a_person_would_tell_it_and_each_event_once() {
    let stage = Stage::set().await;
    let browser = Browser::start().await;
    let page = &browser.driver;

    page.goto(&stage.shop.url).await.unwrap();
    stage
        .click(&browser, "a[href='/products/gull-delta']")
        .await;
    stage.until_at(&browser, "/products/gull-delta").await;
    stage.click(&browser, "[data-basket-add] button").await;
    let search = page.find(By::Css("#find")).await.unwrap();
    search.send_keys("a secret wish").await.unwrap();
    stage.click(&browser, ".find button").await;
    stage.until_at(&browser, "/search").await;
    stage.click(&browser, "nav a[href='/journal']").await;
    stage.until_at(&browser, "/journal").await;
    stage
        .click(&browser, "[data-journal] li:first-child a")
        .await;
    let first = stage.until_below(&browser, "/journal/").await;
    stage.click(&browser, ".next a").await;
    let second = stage.until_left(&browser, &first).await;
    page.back().await.unwrap();
    stage.until_at(&browser, &first).await;
    page.goto("about:blank").await.unwrap();

    let views = [
        "/",
        "/products/gull-delta",
        "/search",
        "/journal",
        &first,
        &second,
        &first,
    ];
    let clicks = [
        ["/", "a", "/products/gull-delta"],
        ["/products/gull-delta", "button", ""],
        ["/products/gull-delta", "button", ""],
        ["/search", "a", "/journal"],
        ["/journal", "a", first.as_str()],
        [first.as_str(), "a", second.as_str()],
    ];
    let story = Story::of(&stage, views.len() + clicks.len()).await;
    assert_eq!(story.views(), views);
    assert_eq!(story.clicks(), clicks);
    story.assert_no_gap();
    assert_eq!(story.distinct("visitor").len(), 1, "one person");
    assert_eq!(story.distinct("session").len(), 1, "one visit");
    assert!(
        !story.text().contains("secret"),
        "what was typed stays in the page"
    );
    let loads = story.distinct("load");
    assert_eq!(
        loads.len(),
        4,
        "four documents: the journal's entries are one"
    );
    // The shop and the gateway have different origins.
    let preflights = r#"footfall_requests_total{route="/v1/events",status="204",code="ok"}"#;
    let metrics = stage.gateway.metrics().await;
    assert_eq!(metrics.sum(preflights), 0.0, "the SDK needs no preflight");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_puts_headers_of_its_own_on_every_request_sends_and_reads_all_the_same() {
    let stage = Stage::set().await;
    let browser = Browser::start().await;
    browser.driver.goto(&stage.shop.url).await.unwrap();
    // As tracing libraries do.
    let script = r#"
        const headers = { baggage: 'a=b', 'sentry-trace': '1-2-1', 'x-datadog-trace-id': '7', 'X-Own': 'y' };
        const body = JSON.stringify({ write_key: 'demo', sent_at: Date.now(), events: [
            { id: crypto.randomUUID(), time: Date.now(), type: 'page_view', page: { url: 'https://of.example/' } }] });
        const sent = await fetch('GATEWAY/v1/events', { method: 'POST', headers, body });
        const read = await fetch('GATEWAY/.well-known/footfall.json', { headers });
        return [sent.status, (await sent.json()).accepted, read.status, (await read.json()).policy];"#;
    let script = script.replace("GATEWAY", &stage.gateway.url);
    let script = format!("return (async () => {{{script}}})()");
    let said = browser.run(&script).await.unwrap();
    assert_eq!(said, json!([202, 1, 200, "drop"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn page_views_say_where_the_person_came_from_and_how_the_page_is_called() {
    let stage = Stage::set().await;
    let browser = Browser::start().await;
    browser.driver.goto(&stage.shop.url).await.unwrap();
    stage.click(&browser, "nav a[href='/journal']").await;
    stage.until_at(&browser, "/journal").await;
    stage
        .click(&browser, "[data-journal] li:first-child a")
        .await;
    let entry = stage.until_below(&browser, "/journal/").await;
    let title = browser.driver.title().await.unwrap();

    let story = Story::of(&stage, 5).await;
    let views: Vec<_> = story.events("page_view").collect();
    assert_eq!(views.len(), 3);
    assert_eq!(views[0]["page"].get("referrer"), None);
    assert_eq!(path_of(&views[1]["page"]["referrer"]), "/");
    assert_eq!(
        path_of(&views[2]["page"]["referrer"]),
        "/journal",
        "the url before, inside one document"
    );
    assert_eq!(path_of(&views[2]["page"]["url"]), entry);
    assert_eq!(views[2]["page"]["title"], title.as_str());
    let context = &views[0]["context"];
    assert_eq!(
        context["viewport"].as_str().map(|size| size.contains('x')),
        Some(true),
        "{context}"
    );
    let key = story.records()[0].key_text().unwrap().to_owned();
    assert_eq!(
        key,
        format!("demo/{}", views[0]["visitor"].as_str().unwrap())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_recorded_while_the_gateway_is_away_arrives_when_it_is_back_and_once() {
    let stage = Stage::set().await;
    let browser = Browser::start().await;
    let journal = format!("{}/journal", stage.shop.url);
    browser.driver.goto(&journal).await.unwrap();
    Story::of(&stage, 1).await;
    let (shop, gateway) = (stage.shop, stage.gateway.stop().await);
    Stage::click_in(&browser, "[data-journal] li:first-child a").await;
    let entry = Stage::until_path(&browser, "/journal/…", |now| now.starts_with("/journal/")).await;
    let failed = "return performance.getEntriesByType('resource')
        .filter(({ name, responseStatus }) => name.endsWith('/v1/events') && responseStatus === 0).length || null";
    until_some(&browser, "a request that failed", failed).await;

    let stage = Stage {
        shop,
        gateway: gateway.start_again(Kafka::shared().await).await,
    };
    let story = Story::of(&stage, 3).await;
    assert_eq!(story.views(), ["/journal", entry.as_str()]);
    assert_eq!(story.clicks(), [["/journal", "a", entry.as_str()]]);
    story.assert_no_gap();
}
