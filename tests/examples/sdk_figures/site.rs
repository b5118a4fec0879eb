//! The page that is measured, with one tracker on it.

use footfall_tests::{
    browser::{Browser, Kind, Wishes},
    recorder::Recorder,
};
use std::{cell::Cell, fs, path::Path};

/// What is measured; everything is net of what an empty script costs.
pub(crate) const TRACKERS: [&str; 5] = ["empty", "plausible", "snowplow", "posthog", "footfall"];

/// Trackers ignore browsers that say that a program drives them.
const AGENT: &str = "--user-agent=Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 \
    (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36";

/// Times every listener to a click, for all of which the page waits. Who takes one away has to get rid of it, too.
const HEAD: &str = "<script>
  const spent = [], timed = new WeakMap(), { addEventListener, removeEventListener } = EventTarget.prototype;
  let last;
  const wrap = (listener) => function (event) {
    const start = performance.now();
    try {
      return listener.call(this, event);
    } finally {
      const us = (performance.now() - start) * 1000;
      last === event ? (spent[spent.length - 1] += us) : spent.push(us);
      last = event;
    }
  };
  EventTarget.prototype.addEventListener = function (kind, listener, options) {
    if (kind === 'click' && typeof listener === 'function') {
      timed.has(listener) || timed.set(listener, wrap(listener));
      listener = timed.get(listener);
    }
    return addEventListener.call(this, kind, listener, options);
  };
  EventTarget.prototype.removeEventListener = function (kind, listener, options) {
    const added = kind === 'click' && timed.get(listener) || listener;
    return removeEventListener.call(this, kind, added, options);
  };
</script>";

pub(crate) struct Site {
    recorder: Recorder,
    hosts: Cell<u32>,
}

impl Site {
    /// Serves a page for every tracker; `trackers` is the folder of their scripts.
    pub(crate) async fn start(trackers: &Path) -> Self {
        let recorder = Recorder::start().await;
        // An isolated page has a clock of 5 µs instead of 100.
        recorder.header("cross-origin-opener-policy", "same-origin");
        recorder.header("cross-origin-embedder-policy", "require-corp");
        recorder.header("cache-control", "no-store");
        for tracker in TRACKERS {
            let script = script(tracker);
            if tracker != "footfall" {
                let file = trackers.join(format!("{tracker}.js"));
                let content = fs::read_to_string(&file).expect("a bundled tracker");
                recorder.file(&script, "text/javascript", &content);
            }
            recorder.file(&format!("/{tracker}"), "text/html", &html(&script));
        }
        Self {
            recorder,
            hosts: Cell::new(0),
        }
    }

    /// A host of its own for every page: its renderer is a new process, and knows no script yet.
    /// Returns the host and the page's address.
    pub(crate) fn page(&self, tracker: &str) -> (String, String) {
        let number = self.hosts.get();
        self.hosts.set(number + 1);
        let host = format!("page-{number}.localhost");
        let address = self.recorder.url.replace("127.0.0.1", &host);
        (host, format!("{address}/{tracker}"))
    }

    /// A browser that trackers take for a person's.
    pub(crate) async fn browser(&self, wishes: Wishes) -> Browser {
        let wishes = wishes
            .flag(AGENT)
            .flag("--disable-blink-features=AutomationControlled");
        Browser::with(Kind::Chromium, wishes).await
    }
}

fn script(tracker: &str) -> String {
    if tracker == "footfall" {
        "/sdk/footfall.js".into()
    } else {
        format!("/trackers/{tracker}.js")
    }
}

fn html(script: &str) -> String {
    let row = "<p><a href=\"#there\">A link</a> <button>A button</button></p>";
    format!(
        "<!doctype html><html lang=\"en\"><head><title>A page</title>{HEAD}\
         <script async src=\"{script}\" data-write-key=\"bench\"></script></head>\
         <body><h1>A page</h1>{}</body></html>",
        row.repeat(20)
    )
}
