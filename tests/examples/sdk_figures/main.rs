//! Measures the SDK in Chromium beside other trackers, for `cargo xtask bench sdk`, which judges:
//! `sdk_figures TRACKERS RUNS LOADS` writes one line of JSON a measurement.

#![expect(
    clippy::expect_used,
    reason = "a measurement that cannot be made says why and ends"
)]

mod boot;
mod bytes;
mod clicks;
mod site;
mod trace;

use serde_json::{Value, json};
use site::{Site, TRACKERS};
use std::io::Write as _;

/// How much slower the processor is made: as it is, and as a phone's.
const THROTTLES: [u32; 2] = [1, 4];

#[tokio::main]
async fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [trackers, runs, loads] = arguments.as_slice() else {
        panic!("expected TRACKERS RUNS LOADS, found {arguments:?}");
    };
    let [runs, loads] = [runs, loads].map(|text| text.parse::<u32>().expect("a number"));
    let site = Site::start(trackers.as_ref()).await;
    bytes::measure(&site).await;
    for run in 0..runs {
        for throttle in THROTTLES {
            boot::measure(&site, run, throttle, loads).await;
        }
        trace::measure(&site, run, loads).await;
        clicks::measure(&site, run).await;
    }
}

/// Tells one measurement of a tracker.
fn tell(tracker: &str, run: u32, what: &str, value: impl Into<Value>) {
    let line = json!({ "tracker": tracker, "run": run, "what": what, "value": value.into() });
    writeln!(std::io::stdout(), "{line}").expect("somebody who listens");
}

/// The name of a measurement that was made on a slower processor.
fn throttled(what: &str, throttle: u32) -> String {
    if throttle == 1 {
        what.into()
    } else {
        format!("{what} {throttle}x")
    }
}
