//! Calls that make no sense.

use super::visit::Visit;
use footfall_tests::{
    browser::{Browser, Kind},
    recorder::Page,
};
use serde_json::{Value, json};

crate::browser::in_every_browser!(wrong_arguments_are_ignored_and_nothing_is_thrown);

/// Calls every function with everything; returns what was thrown.
const CALL: &str = "
    const circle = {};
    circle.itself = circle;
    const angry = { get a() { throw new Error('angry') }, toString() { throw new Error('angry') },
      toJSON() { throw new Error('angry') } };
    const odd = [undefined, null, true, 0, -1, NaN, 1n, '', 'x'.repeat(100000), '\\ud800', Symbol('s'), [], [[]],
      {}, circle, angry, () => { throw new Error('angry') }, new Date(NaN), new Map(), document, window, new Proxy({}, {
        get() { throw new Error('angry') }, ownKeys() { throw new Error('angry') } })];
    const thrown = [];
    const names = ['track', 'page', 'identify', 'beforeSend', 'init', 'flush', 'status', 'inspect'];
    for (const name of names) {
      for (const first of odd) {
        for (const second of [undefined, ...odd]) {
          try {
            const answer = footfall[name](first, second);
            answer?.catch?.((error) => seen.push(name + ' rejects ' + error));
          } catch (error) {
            thrown.push(name + ' ' + error);
          }
        }
      }
    }
    footfall.beforeSend((event) => event);
    return thrown;";

async fn wrong_arguments_are_ignored_and_nothing_is_thrown(kind: Kind) {
    let browser = Browser::of(kind).await;
    // There is no room to wait for what is too much; the button's click comes after it.
    let page = Page::default()
        .head(&super::visit::head(""))
        .with("queue-bytes", "64KB");
    let visit = Visit::to(&browser, page).await;
    visit.open().await;
    let before = browser.run(CALL).await.unwrap();
    assert_eq!(before, json!([]), "before the core is there");
    visit
        .until("return footfall.status().visitor !== undefined")
        .await;
    let after = browser.run(CALL).await.unwrap();
    assert_eq!(after, json!([]), "after that");

    browser
        .run("footfall.track('last', { all: 'right' })")
        .await
        .unwrap();
    footfall_tests::wait::until("the last event", async || {
        let taken = visit.recorder.taken();
        let is_last = |event: &Value| {
            event["name"] == "last" && event["properties"] == json!({ "all": "right" })
        };
        if taken.iter().any(is_last) {
            Ok(())
        } else {
            Err(format!("{} others", taken.len()))
        }
    })
    .await;
    visit.assert_unnoticed("wrong arguments").await;
}
