//! The longest task in which a tracker's script runs, from Chromium's trace.
//!
//! A task is an outermost slice of the renderer's main thread, and not only what its event loop
//! calls a task: promise jobs and modules run at the end of one, outside of that.

use crate::{THROTTLES, TRACKERS, boot, site::Site, tell, throttled};
use footfall_tests::{browser::Wishes, wait};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::{borrow::Cow, fs, path::Path, time::Duration};
use tempfile::TempDir;

const CATEGORIES: &str =
    "-*,toplevel,blink.user_timing,devtools.timeline,disabled-by-default-devtools.timeline,v8";

/// Slices in which a script runs.
const SCRIPT: [&str; 4] = [
    "EvaluateScript",
    "FunctionCall",
    "RunMicrotasks",
    "v8.evaluateModule",
];

/// More than a page takes, so that all of them are in the trace when its time is over.
const TIME_FOR_A_PAGE: Duration = Duration::from_secs(4);

/// A page that was loaded.
struct Load {
    tracker: &'static str,
    throttle: u32,
    host: String,
}

pub(crate) async fn measure(site: &Site, run: u32, loads: u32) {
    let folder = TempDir::new().expect("a folder for the trace");
    let file = folder.path().join("trace.json");
    let loads = loads.div_ceil(4);
    let pages = THROTTLES.len() * TRACKERS.len() * loads as usize;
    // A browser that is told to quit does not get the time to write it.
    let seconds = TIME_FOR_A_PAGE.as_secs() * pages as u64;
    let wishes = Wishes::default()
        .flag(format!("--trace-startup={CATEGORIES}"))
        .flag(format!("--trace-startup-duration={seconds}"))
        .flag("--trace-startup-format=json")
        .flag(format!("--trace-startup-file={}", file.display()));
    let browser = site.browser(wishes).await;
    let mut done = Vec::new();
    for throttle in THROTTLES {
        boot::slow_down(&browser, throttle).await;
        for _ in 0..loads {
            for tracker in TRACKERS {
                let (host, page) = site.page(tracker);
                browser.driver.goto(&page).await.expect("a page");
                tokio::time::sleep(boot::WINDOW).await;
                done.push(Load {
                    tracker,
                    throttle,
                    host,
                });
            }
        }
    }
    let limit = Duration::from_secs(seconds) + wait::LIMIT;
    let text = wait::until_within(limit, "the trace", async || whole(&file)).await;
    let trace: Trace = serde_json::from_str(&text).expect("a trace");
    for load in done {
        let what = throttled("longest task", load.throttle);
        tell(load.tracker, run, &what, trace.longest_ms(&load.host));
    }
}

fn whole(file: &Path) -> Result<String, String> {
    let text = fs::read_to_string(file).map_err(|error| error.to_string())?;
    if text.trim_end().ends_with('}') {
        Ok(text)
    } else {
        Err("not whole yet".into())
    }
}

#[derive(Deserialize)]
struct Trace<'a> {
    #[serde(borrow, rename = "traceEvents")]
    slices: Vec<Slice<'a>>,
}

/// Times are in µs.
#[derive(Deserialize)]
struct Slice<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    ph: Cow<'a, str>,
    pid: u64,
    tid: u64,
    #[serde(default)]
    ts: f64,
    #[serde(default)]
    dur: f64,
    /// CPU instead of the clock.
    #[serde(default)]
    tdur: f64,
    #[serde(borrow)]
    args: Option<&'a RawValue>,
}

impl Trace<'_> {
    /// The CPU of the longest task with a script in it, of a page that is the only one of its host.
    fn longest_ms(&self, host: &str) -> f64 {
        let names = |args: &RawValue| args.get().contains(&format!("//{host}:"));
        let start = self
            .slices
            .iter()
            .find(|slice| slice.name == "navigationStart" && slice.args.is_some_and(names));
        let start = start.expect("the page's start");
        let end = start.ts + boot::WINDOW.as_secs_f64() * 1e6;
        let on_thread = |slice: &&Slice<'_>| {
            slice.ph == "X"
                && (slice.pid, slice.tid) == (start.pid, start.tid)
                && (start.ts..end).contains(&slice.ts)
        };
        let mut slices: Vec<_> = self.slices.iter().filter(on_thread).collect();
        // Whoever contains another comes first.
        slices.sort_by(|one, other| {
            one.ts
                .total_cmp(&other.ts)
                .then(other.dur.total_cmp(&one.dur))
        });
        let (mut longest, mut task) = (0.0_f64, None::<&Slice<'_>>);
        for slice in slices {
            let inside = task.filter(|task| slice.ts < task.ts + task.dur);
            let task = task.insert(inside.unwrap_or(slice));
            if SCRIPT.contains(&slice.name.as_ref()) {
                longest = longest.max(task.tdur);
            }
        }
        longest / 1e3
    }
}
