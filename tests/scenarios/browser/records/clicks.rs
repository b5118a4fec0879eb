//! Clicks, on what they were meant for.

use super::Watched;
use footfall_tests::{browser::Kind, recorder::Page};
use serde_json::{Value, json};
use thirtyfour::By;

crate::browser::in_every_browser!(
    a_click_is_told_as_the_page_was_and_in_its_order_though_the_page_changes_and_leaves_at_once,
    a_click_is_told_of_the_nearest_element_that_means_something,
    links_say_where_they_lead_and_numbers_of_cards_are_masked,
    a_click_within_an_open_shadow_root_is_told_and_a_closed_one_counts_as_its_host,
    what_means_nothing_or_wants_not_to_be_tracked_is_not_told,
    all_clicks_are_told_where_the_site_asks_for_it,
    a_form_whose_fields_are_named_like_its_properties_breaks_nothing,
);

async fn with_body(kind: Kind, body: &str) -> Watched {
    Watched::of(kind, &Page::default().body(body)).await
}

/// Clicks as a person does, and returns the clicks that were recorded until now.
async fn click(watched: &Watched, selector: &str) -> Vec<Value> {
    let target = watched
        .browser
        .driver
        .find(By::Css(selector))
        .await
        .unwrap();
    target.click().await.unwrap();
    watched.events_of("click").await
}

async fn a_click_is_told_of_the_nearest_element_that_means_something(kind: Kind) {
    let watched = with_body(
        kind,
        r#"<main><form action="javascript:void 0"><button id="buy" name="order" type="button" data-track-plan="pro" data-track-step="2">
           <span id="inner"> Buy  <b>now</b> </span></button></form></main>"#,
    )
    .await;
    let clicks = click(&watched, "#inner").await;
    assert_eq!(clicks.len(), 1);
    assert_eq!(
        clicks[0]["element"],
        json!({ "tag": "button", "id": "buy", "name": "order", "text": "Buy now", "path": "main>form>button#buy" })
    );
    assert_eq!(
        clicks[0]["properties"],
        json!({ "plan": "pro", "step": "2" })
    );
}

async fn links_say_where_they_lead_and_numbers_of_cards_are_masked(kind: Kind) {
    let watched = with_body(
        kind,
        r#"<a id="out" href="https://other.example/x?token=1&a=2" onclick="return false">4111 1111 1111 1111</a>
           <a id="file" href="/list.pdf" onclick="return false">List</a>"#,
    )
    .await;
    click(&watched, "#out").await;
    let clicks = click(&watched, "#file").await;
    let [out, file] = [&clicks[0]["element"], &clicks[1]["element"]];
    assert_eq!(out["href"], "https://other.example/x?a=2");
    assert_eq!(out["kind"], "outbound");
    assert_eq!(out["text"], "**** **** **** ****");
    assert_eq!(file["kind"], "download");
}

async fn a_click_is_told_as_the_page_was_and_in_its_order_though_the_page_changes_and_leaves_at_once(
    kind: Kind,
) {
    let watched = with_body(
        kind,
        r##"<p><a id="go" href="/first" data-track-step="1"><b>Old</b></a></p><script>
           document.querySelector("#go").addEventListener("click", function (event) {
             event.preventDefault();
             footfall.track("clicked");
             this.textContent = "New";
             this.href = "/second";
             this.dataset.trackStep = 2;
             this.remove();
             history.replaceState(null, "", "?changed");
             location = "/left";
           });
           </script>"##,
    )
    .await;
    let link = watched.browser.driver.find(By::Css("#go")).await.unwrap();
    link.click().await.unwrap();
    watched.until_at("/left").await;
    let events = watched.events().await;
    let load = &events[0]["load"];
    let mut first: Vec<_> = events
        .iter()
        .filter(|event| event["load"] == *load)
        .collect();
    first.sort_by_key(|event| event["seq"].as_u64());
    let kinds: Vec<_> = first
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["page_view", "click", "custom", "page_leave"]);
    let click = first[1];
    assert_eq!(click["element"]["text"], "Old");
    assert_eq!(watched.path(&click["element"]["href"]), "/first");
    assert_eq!(click["element"]["path"], "p>a#go");
    assert_eq!(click["properties"]["step"], "1");
    assert_eq!(watched.path(&click["page"]["url"]), "/");
}

async fn a_click_within_an_open_shadow_root_is_told_and_a_closed_one_counts_as_its_host(
    kind: Kind,
) {
    let watched = with_body(
        kind,
        r#"<my-card id="open"></my-card><my-card id="closed" data-track="card"></my-card><script>
           for (const mode of ["open", "closed"]) {
             const root = document.getElementById(mode).attachShadow({ mode });
             root.innerHTML = "<button id='deep'>Deep</button>";
             window[mode + "Button"] = root.firstChild;
           }</script>"#,
    )
    .await;
    watched
        .run("openButton.click(); closedButton.click()")
        .await;
    let clicks = watched.events_of("click").await;
    assert_eq!(clicks[0]["element"]["path"], "my-card#open>button#deep");
    assert_eq!(clicks[1]["element"]["tag"], "my-card");
    assert_eq!(clicks.len(), 2);
}

async fn what_means_nothing_or_wants_not_to_be_tracked_is_not_told(kind: Kind) {
    let watched = with_body(
        kind,
        r#"<p id="plain">Words</p><input id="field"><div data-no-track><button id="private">Private</button></div>
           <div contenteditable id="editor">Text <button id="within">Bold</button></div>
           <label id="label"><input type="checkbox" id="box" name="terms"> Terms</label>"#,
    )
    .await;
    for selector in ["#plain", "#field", "#private", "#editor", "#within"] {
        assert_eq!(
            click(&watched, selector).await,
            [] as [Value; 0],
            "{selector}"
        );
    }
    let clicks = click(&watched, "#label").await;
    assert_eq!(clicks.len(), 1, "the box, not its label");
    assert_eq!(clicks[0]["element"]["id"], "box");
}

async fn all_clicks_are_told_where_the_site_asks_for_it(kind: Kind) {
    let page = Page::default()
        .with("capture", "all-clicks")
        .body("<p id='plain'>Words</p><button id='buy'><i>Buy</i></button>");
    let watched = Watched::of(kind, &page).await;
    click(&watched, "#plain").await;
    let clicks = click(&watched, "i").await;
    let ids: Vec<_> = clicks.iter().map(|click| &click["element"]["id"]).collect();
    assert_eq!(ids, ["plain", "buy"]);
}

async fn a_form_whose_fields_are_named_like_its_properties_breaks_nothing(kind: Kind) {
    let names =
        "matches id name tagName getAttribute closest parentNode action method querySelectorAll";
    let fields: String = names
        .split(' ')
        .map(|name| format!("<input name='{name}'>"))
        .collect();
    let watched = with_body(
        kind,
        &format!(
            "<form id='odd' onsubmit='return false'>{fields}<button id='go'>Go</button></form>"
        ),
    )
    .await;
    // Not even a driver finds its way through such a form.
    watched.run("document.getElementById('go').click()").await;
    let clicks = watched.events_of("click").await;
    assert_eq!(clicks[0]["element"]["path"], "form#odd>button#go");
    assert_eq!(watched.events_of("form_submit").await.len(), 1);
}
