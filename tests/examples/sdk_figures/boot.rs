//! How long the main thread works until a page with a tracker is at rest.

use crate::{TRACKERS, site::Site, tell, throttled};
use footfall_tests::browser::{Browser, Wishes};
use serde_json::json;
use std::time::Duration;

/// From the page's load until everything has started and the first batch is sent.
pub(crate) const WINDOW: Duration = Duration::from_millis(2_000);

pub(crate) async fn measure(site: &Site, run: u32, throttle: u32, loads: u32) {
    let browser = site.browser(Wishes::default()).await;
    let clock = json!({ "timeDomain": "threadTicks" });
    cdp(&browser, "Performance.enable", clock).await;
    slow_down(&browser, throttle).await;
    // The trackers take turns, so that what else the machine does meets all of them.
    for _ in 0..loads {
        for tracker in TRACKERS {
            let (_, page) = site.page(tracker);
            browser.driver.goto(&page).await.expect("a page");
            tokio::time::sleep(WINDOW).await;
            let what = throttled("boot", throttle);
            tell(tracker, run, &what, cpu_ms(&browser, throttle).await);
        }
    }
}

/// Makes the processor slower by a factor.
pub(crate) async fn slow_down(browser: &Browser, factor: u32) {
    let rate = json!({ "rate": factor });
    cdp(browser, "Emulation.setCPUThrottlingRate", rate).await;
}

/// All that the main thread has worked, in tasks, between them and after them. While it is slowed
/// down the time outside of tasks is that of the brake, and does not count.
async fn cpu_ms(browser: &Browser, throttle: u32) -> f64 {
    let name = if throttle == 1 {
        "ThreadTime"
    } else {
        "TaskDuration"
    };
    let answer = cdp(browser, "Performance.getMetrics", json!({})).await;
    let metrics = answer["metrics"].as_array().expect("metrics");
    let metric = metrics.iter().find(|metric| metric["name"] == name);
    let seconds = metric.and_then(|metric| metric["value"].as_f64());
    seconds.expect("the main thread's time") * 1e3
}

async fn cdp(browser: &Browser, method: &str, parameters: serde_json::Value) -> serde_json::Value {
    browser.cdp(method, parameters).await.expect("an answer")
}
