//! Forms, engagement and errors of a visit.

use super::Watched;
use footfall_tests::{browser::Kind, recorder::Page, wait};
use serde_json::json;
use thirtyfour::By;

crate::browser::in_every_browser!(
    a_form_is_told_by_its_name_and_never_what_was_typed_not_even_by_the_address,
    suggestions_and_editable_text_are_never_told,
    leaving_a_view_tells_how_long_and_how_far_it_was_seen_once,
    errors_are_told_once_each_and_not_without_end_where_the_site_asks_for_it,
);

async fn a_form_is_told_by_its_name_and_never_what_was_typed_not_even_by_the_address(kind: Kind) {
    let form = r#"<main><form id="f" name="finder" action="/found?x=1" method="get"><input id="wish" name="wish">
        <select name="by"><option>price</select><textarea name="note"></textarea><button id="go">Go</button></form></main>"#;
    let watched = Watched::of(kind, &Page::default().body(form)).await;
    for field in ["#wish", "textarea"] {
        let field = watched.browser.driver.find(By::Css(field)).await.unwrap();
        field.send_keys("my secret").await.unwrap();
    }
    watched
        .browser
        .driver
        .find(By::Css("#go"))
        .await
        .unwrap()
        .click()
        .await
        .unwrap();
    watched.until_at("/found").await;
    watched
        .run("history.pushState(null, '', '/next?from=' + 'found')")
        .await;
    let views = watched.views().await;
    assert_eq!(views, ["/", "/found?by=price", "/next?from=found"]);
    let forms = watched.events_of("form_submit").await;
    assert_eq!(forms.len(), 1);
    assert_eq!(
        forms[0]["element"],
        json!({ "tag": "form", "id": "f", "name": "finder", "path": "main>form#f", "href": format!("{}/found?x=1", watched.recorder.url) })
    );
    let bodies: String = watched
        .recorder
        .log()
        .iter()
        .map(|request| request.body.clone())
        .collect();
    assert!(!bodies.contains("secret"), "{bodies}");
}

async fn suggestions_and_editable_text_are_never_told(kind: Kind) {
    let page = Page::default().with("capture", "all-clicks").body(
        r#"<div role="listbox"><div role="option" id="o1" aria-label="secret">secret</div><a id="o2" href="/x">secret</a></div>
           <button id="b" type="button">Send <span contenteditable>secret</span></button>
           <div role="combobox"><span id="c">secret</span></div><output id="out">secret</output>
           <select id="s"><option>secret</select><textarea id="t">secret</textarea><input id="i" value="secret">"#,
    );
    let watched = Watched::of(kind, &page).await;
    watched
        .run(
            "for (const id of ['o1', 'o2', 'b', 'c', 'out', 's', 't', 'i']) {
            const target = document.getElementById(id);
            target.addEventListener('click', (event) => event.preventDefault());
            target.click();
        }",
        )
        .await;
    let clicks = watched.events_of("click").await;
    assert_eq!(clicks.len(), 8);
    let told = serde_json::to_string(&clicks).unwrap();
    assert!(!told.contains("secret"), "{told}");
}

async fn leaving_a_view_tells_how_long_and_how_far_it_was_seen_once(kind: Kind) {
    let watched = Watched::of(
        kind,
        &Page::default().body("<div style='height: 5000px'>Long</div>"),
    )
    .await;
    watched
        .run_async(
            "scrollTo(0, (document.documentElement.scrollHeight - innerHeight) / 2);
            await new Promise((seen) => requestAnimationFrame(() => requestAnimationFrame(seen)))",
        )
        .await;
    watched
        .run("scrollTo(0, 0); history.pushState(null, '', '/next')")
        .await;
    let leaves = watched.events_of("page_leave").await;
    assert_eq!(leaves.len(), 1);
    assert_eq!(watched.path(&leaves[0]["page"]["url"]), "/");
    assert_eq!(leaves[0]["properties"]["scroll_percent"], 50);
    let visible = leaves[0]["properties"]["visible_ms"].as_u64().unwrap();
    assert!(visible > 0, "{visible}");
    watched.goto("/other").await;
    let leaves = watched.events_of("page_leave").await;
    assert_eq!(leaves.len(), 2);
    assert_eq!(watched.path(&leaves[1]["page"]["url"]), "/next");
    assert_eq!(leaves[1]["properties"]["scroll_percent"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn time_in_the_background_is_no_visible_time() {
    let watched = Watched::open(&Page::default()).await;
    let driver = &watched.browser.driver;
    driver.minimize_window().await.unwrap();
    watched
        .until("return document.visibilityState", "hidden")
        .await;
    let hidden = "await new Promise((later) => setTimeout(later, 1500)); return performance.now()";
    let since_start = watched.run_async(hidden).await.as_f64().unwrap();
    driver.maximize_window().await.unwrap();
    watched
        .until("return document.visibilityState", "visible")
        .await;
    watched.run("history.pushState(null, '', '/next')").await;
    let leaves = watched.events_of("page_leave").await;
    let visible = leaves[0]["properties"]["visible_ms"].as_f64().unwrap();
    let all = watched
        .run("return performance.now()")
        .await
        .as_f64()
        .unwrap();
    assert!(
        visible <= all - 1500.0,
        "{visible} of {all}, hidden at {since_start}"
    );
}

async fn errors_are_told_once_each_and_not_without_end_where_the_site_asks_for_it(kind: Kind) {
    // From a file of the page's own: browsers say little about other scripts.
    let page = Page::default()
        .with("capture", "errors")
        .body("<script src='/fail.js'></script>");
    let watched = Watched::of(kind, &page).await;
    let script = "window.fail = () => {
            for (let n = 0; n < 2; n++) setTimeout(() => { null.boom });
            Promise.reject(new RangeError('Card 4111 1111 1111 1111'));
            setTimeout(() => { for (let n = 0; n < 100; n++) setTimeout(() => { throw 'again ' + n }) }, 50);
        }";
    watched.recorder.file("/fail.js", "text/javascript", script);
    watched.goto("/again").await;
    watched.run("setTimeout(fail)").await;
    wait::until("the errors", async || {
        let errors = watched.events_of("error").await;
        if errors.len() == 20 {
            Ok(())
        } else {
            Err(format!("{errors:#?}"))
        }
    })
    .await;
    let errors = watched.events_of("error").await;
    let of = |class: &str| {
        errors
            .iter()
            .filter(|error| error["name"] == class)
            .collect::<Vec<_>>()
    };
    assert_eq!(of("TypeError").len(), 1, "{errors:#?}");
    assert_eq!(
        of("RangeError")[0]["properties"]["message"],
        "Card **** **** **** ****"
    );
    assert_eq!(
        of("TypeError")[0]["properties"]["stack_hash"]
            .as_str()
            .map(str::len),
        Some(8)
    );
    assert_eq!(errors.len(), 20);
}
