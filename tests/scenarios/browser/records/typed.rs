//! Addresses that scripts make of what is being typed.

use super::Watched;
use footfall_tests::{browser::Kind, recorder::Page};
use thirtyfour::By;

crate::browser::in_every_browser!(
    what_is_typed_is_not_told_by_the_addresses_that_a_script_makes_of_it,
    what_is_typed_into_a_form_that_is_not_tracked_is_not_told_by_the_next_address
);

/// A search that has no form: the address follows the keys, and the field is empty afterwards.
const SEARCH: &str = r#"<input id="wish"> <a id="all" href="/all">All</a> <div id="rich" contenteditable></div><script>
    const wish = document.getElementById('wish'), all = document.getElementById('all');
    const find = (words) => '/find?about=' + encodeURIComponent(words) + '&by=price';
    wish.addEventListener('input', () => {
      history.replaceState(null, '', '?about=' + encodeURIComponent(wish.value));
      all.href = find(wish.value);
    });
    all.addEventListener('click', (event) => event.preventDefault());
    wish.addEventListener('keydown', ({ key }) => {
      if (key === 'Enter') {
        const words = wish.value;
        wish.value = '';
        history.pushState(null, '', find(words));
      }
    });
    document.getElementById('rich').addEventListener('input', ({ target }) => {
      history.replaceState(null, '', '/note?text=' + encodeURIComponent(target.textContent));
    });
  </script>"#;

async fn type_into(watched: &Watched, selector: &str, keys: &str) {
    let field = watched.browser.driver.find(By::Css(selector)).await;
    field.unwrap().send_keys(keys).await.unwrap();
}

async fn click(watched: &Watched, selector: &str) {
    let target = watched.browser.driver.find(By::Css(selector)).await;
    target.unwrap().click().await.unwrap();
}

/// Everything that was sent, also what was not taken.
fn sent(watched: &Watched) -> String {
    let log = watched.recorder.log();
    log.iter().map(|request| request.body.clone()).collect()
}

async fn what_is_typed_is_not_told_by_the_addresses_that_a_script_makes_of_it(kind: Kind) {
    let watched = Watched::of(kind, &Page::default().body(SEARCH)).await;
    type_into(&watched, "#wish", "my secret").await;
    click(&watched, "#all").await;
    type_into(&watched, "#wish", "\u{e007}").await;
    assert_eq!(watched.views().await, ["/", "/find?by=price"]);
    let clicks = watched.events_of("click").await;
    assert_eq!(watched.path(&clicks[0]["page"]["url"]), "/");
    assert_eq!(
        watched.path(&clicks[0]["element"]["href"]),
        "/find?by=price"
    );
    type_into(&watched, "#rich", "my secret").await;
    watched.run("footfall.page()").await;
    assert_eq!(watched.views().await.last().unwrap(), "/note");
    // The next document knows nothing of what was typed, but its tab knows the name.
    watched.goto("/find?about=my%20secret&by=name").await;
    assert_eq!(watched.views().await.last().unwrap(), "/find?by=name");
    let sent = sent(&watched);
    assert!(!sent.contains("secret"), "{sent}");
    let stored = watched.run("return JSON.stringify([localStorage, sessionStorage])");
    let stored = stored.await;
    assert!(!stored.as_str().unwrap().contains("secret"), "{stored}");
}

async fn what_is_typed_into_a_form_that_is_not_tracked_is_not_told_by_the_next_address(kind: Kind) {
    let form = r#"<form data-no-track action="/found"><input id="wish" name="wish"><button id="go">Go</button></form>"#;
    let watched = Watched::of(kind, &Page::default().body(form)).await;
    type_into(&watched, "#wish", "my secret").await;
    click(&watched, "#go").await;
    watched.until_at("/found").await;
    assert_eq!(watched.views().await, ["/", "/found"]);
    assert!(watched.events_of("form_submit").await.is_empty());
    let sent = sent(&watched);
    assert!(!sent.contains("secret"), "{sent}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_is_not_told_by_the_page_that_a_script_opens_with_it() {
    let search = r#"<input id="wish" onchange="location.assign('/find?about=' + encodeURIComponent(value))">"#;
    let watched = Watched::open(&Page::default().body(search)).await;
    type_into(&watched, "#wish", "my secret\u{e007}").await;
    watched.until_at("/find").await;
    assert_eq!(watched.views().await, ["/", "/find"]);
    let sent = sent(&watched);
    assert!(!sent.contains("secret"), "{sent}");
}
