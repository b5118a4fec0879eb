//! A thousand clicks in ten seconds.

use crate::{TRACKERS, site::Site, tell};
use footfall_tests::browser::{Browser, Wishes};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval, sleep};

const CLICKS: usize = 1_000;
const PACE: Duration = Duration::from_millis(10);

/// Until what the clicks have started is done.
const REST: Duration = Duration::from_millis(1_000);

/// Watches long tasks, and events that took two frames or longer, from now on.
const WATCH: &str = "
    window.long = [], window.slow = [];
    new PerformanceObserver((list) => long.push(...list.getEntries())).observe({ type: 'longtask' });
    new PerformanceObserver((list) => slow.push(...list.getEntries()))
      .observe({ type: 'event', durationThreshold: 16 });
    spent.length = 0;";

/// INP is the longest interaction, but for one in fifty; quicker ones than 16 ms are not told.
const READ: &str = "
    const longest = new Map();
    for (const { interactionId, duration } of slow) {
      if (interactionId) longest.set(interactionId, Math.max(duration, longest.get(interactionId) ?? 0));
    }
    const durations = [...longest.values()].sort((one, other) => other - one);
    const times = [...spent].sort((one, other) => one - other);
    return {
      handled: times.length,
      p99: times[Math.ceil(times.length * 0.99) - 1] ?? 0,
      longTasks: long.length,
      inp: durations[Math.floor(arguments[0] / 50)] ?? 16,
      isolated: crossOriginIsolated,
    };";

pub(crate) async fn measure(site: &Site, run: u32) {
    let browser = site.browser(Wishes::default()).await;
    for tracker in TRACKERS {
        let (_, page) = site.page(tracker);
        browser.driver.goto(&page).await.expect("a page");
        sleep(crate::boot::WINDOW).await;
        browser.run(WATCH).await.expect("a page that is watched");
        click(&browser).await;
        sleep(REST).await;
        let result = browser.driver.execute(READ, vec![json!(CLICKS)]).await;
        let result = result.expect("what was seen");
        let found: &Value = result.json();
        assert_eq!(found["isolated"], true, "the clock would be too coarse");
        if tracker == "footfall" {
            assert_eq!(found["handled"], CLICKS, "the SDK has to see every click");
        }
        tell(tracker, run, "click handler p99", found["p99"].clone());
        tell(tracker, run, "long tasks", found["longTasks"].clone());
        tell(tracker, run, "INP", found["inp"].clone());
    }
}

/// Clicks on a link and a button by turns, as a mouse does.
async fn click(browser: &Browser) {
    let script = "const at = ({ left, top }) => [left + 5, top + 5];
        return [...document.querySelectorAll('a, button')].slice(0, 2)
          .map((element) => at(element.getBoundingClientRect()))";
    let places = browser.run(script).await.expect("places");
    let places: [[f64; 2]; 2] = serde_json::from_value(places).expect("two places");
    let mut pace = interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for [x, y] in places.into_iter().cycle().take(CLICKS) {
        pace.tick().await;
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({ "type": kind, "x": x, "y": y, "button": "left", "clickCount": 1 });
            let sent = browser.cdp("Input.dispatchMouseEvent", event).await;
            sent.expect("a click");
        }
    }
}
