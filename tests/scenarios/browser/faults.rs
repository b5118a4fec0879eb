//! Ten thousand events over everything that happens to pages: what was recorded arrives, and each
//! event counts once.

mod life;
mod tally;

use footfall_tests::{
    browser::{Browser, Kind},
    recorder::{Page, Recorder},
};
use life::{Fault, Life};
use tally::Tally;

/// How many pages live in a run, and how much each of them records.
const LIVES: usize = 20;
const EVENTS: usize = 500;

super::in_every_browser!(
    ten_thousand_events_survive_all_that_happens_to_pages,
    twenty_tabs_at_once_lose_nothing
);

async fn ten_thousand_events_survive_all_that_happens_to_pages(kind: Kind) {
    let recorder = recorder().await;
    let browser = Browser::of(kind).await;
    let home = Life::home(&browser, &recorder).await;
    let faults = Fault::of(kind);
    for number in 0..LIVES {
        let fault = faults[number % faults.len()];
        let life = Life::begin(&browser, &recorder, &home, number).await;
        life.until_nothing_is_left().await;
        life.suffer(fault, number * EVENTS, EVENTS).await;
    }
    let last = Life::begin(&browser, &recorder, &home, LIVES).await;
    last.until_nothing_is_left().await;

    let tally = Tally::of(&recorder, LIVES * EVENTS).await;
    // Only Chromium promises to send what a page leaves behind however it ends.
    let most = if kind == Kind::Chromium {
        0
    } else {
        LIVES * EVENTS / 1_000
    };
    tally.assert_lost_at_most(most);
    tally.assert_doubles_only_where_no_answer_could_be_read();
}

async fn twenty_tabs_at_once_lose_nothing(kind: Kind) {
    let recorder = recorder().await;
    let browser = Browser::of(kind).await;
    let home = Life::home(&browser, &recorder).await;
    let mut lives = Vec::new();
    for number in 0..LIVES {
        let life = Life::begin(&browser, &recorder, &home, number).await;
        life.record_slowly(number * EVENTS, EVENTS).await;
        lives.push(life);
    }
    for life in &lives {
        life.until_recorded().await;
    }
    for life in lives.drain(1..) {
        life.show().await;
        life.close().await;
    }
    lives[0].show().await;
    lives[0].until_nothing_waits().await;

    let tally = Tally::of(&recorder, LIVES * EVENTS).await;
    tally.assert_lost_at_most(0);
}

/// Serves a page that records when it is told to.
async fn recorder() -> Recorder {
    let recorder = Recorder::start().await;
    // Also when it is loaded again. (Firefox tells the address that the document had at first.)
    let script = "<script>
        history.replaceState(null, '', location.search + '&' + performance.timeOrigin);
        function record(from, count) {
          for (let n = from; n < from + count; n++) footfall.track('step', { n });
        }
        function recordSlowly(from, count) {
          record(from, 10);
          if (count > 10) setTimeout(recordSlowly, 1, from + 10, count - 10);
          else window.recorded = true;
        }
      </script>";
    recorder.page(&Page::default().head(script));
    recorder.file(
        "/blank",
        "text/html",
        "<!doctype html><title>Nothing</title>",
    );
    recorder
}
