//! What runs on one page.

use super::{
    click::Selectors,
    host,
    world::{Page, now},
};
use crate::{
    delivery::Answer,
    event::Event,
    options::Options,
    scan::join,
    text::readable,
    tracker::{Tracker, World as _},
    views::Views,
};
use gloo_timers::callback::Timeout;
use web_sys::{Document, MouseEvent};

/// Pages set their title a little after their address.
const TITLE_MS: u64 = 100;

/// What the name of a load's unsent events in storage starts with; the load's id follows.
const UNSENT: &str = "unsent.";

/// No timer is set further ahead; it is set again then.
const LONGEST_TIMER_MS: u64 = 60 * 60_000;

/// The tracker, bound to this page.
pub(super) struct App {
    tracker: Tracker,
    views: Views,
    page: Page,
    document: Document,
    selectors: Selectors,
    /// A view that waits for its title.
    view: Option<View>,
    /// When what is due next is due, and its timer.
    timer: Option<(u64, Timeout)>,
    /// Waits for the end of the task in which the address changed.
    settling: Option<Timeout>,
    /// What could neither be sent nor stored when the page was left.
    unsent: String,
}

struct View {
    time: u64,
    url: String,
    referrer: String,
    _timer: Timeout,
}

impl App {
    /// Reads the options; nothing is recorded yet.
    pub(super) fn new(document: Document, granted: bool) -> Self {
        let mut page = Page::default();
        let options = Options::new(&page);
        page.stores = options.stores;
        let views = Views::new(options.capture.hash);
        let context = host::context();
        Self {
            tracker: Tracker::new(options, granted, context, now(), &mut page),
            views,
            page,
            document,
            selectors: Selectors::new(),
            view: None,
            timer: None,
            settling: None,
            unsent: String::new(),
        }
    }

    /// Takes over what other pages could not send, and records the first view.
    pub(super) fn begin(&mut self) {
        self.adopt("");
        self.shown();
    }

    /// Records an event.
    pub(super) fn record(&mut self, event: &Event<'_>) {
        self.tracker.record(event, now(), &mut self.page);
    }

    /// The page's address, as it may be told.
    pub(super) fn url(&self) -> String {
        self.scrubbed(&host::address())
    }

    /// The site calls a function of its interface.
    pub(super) fn call(&mut self, name: &str, time: u64, text: &str, properties: &str) {
        let url = self.url();
        let mut event = Event {
            time,
            url: &url,
            properties,
            ..Event::default()
        };
        let title;
        match name {
            "track" => {
                event.kind = "custom";
                event.name = text;
            }
            "page" => {
                self.finish_view();
                self.views.shown(&host::address());
                title = readable(&self.document.title());
                event.kind = "page_view";
                event.title = &title;
            }
            "identify" => {
                self.finish_view();
                self.tracker.identify(text);
                event.kind = "identify";
            }
            _ => {
                self.finish_view();
                self.tracker.reset(now(), &mut self.page);
                return;
            }
        }
        self.record(&event);
    }

    /// The visitor opted in; what was recorded before stays as it was.
    pub(super) fn grant(&mut self) {
        self.finish_view();
        self.tracker.grant();
    }

    pub(super) fn clicked(&mut self, event: &MouseEvent) {
        let options = self.tracker.options();
        if !options.capture.clicks {
            return;
        }
        let Some((target, path)) = self.selectors.find(event, options.capture.all_clicks) else {
            return;
        };
        let page = host::address();
        let scrub = &options.scrub;
        let element = self.selectors.describe(&target, &path, &page, scrub);
        self.record(&Event {
            kind: "click",
            time: now(),
            url: &scrub.url(&page),
            element: &element,
            properties: &host::tracked(&target),
            ..Event::default()
        });
    }

    /// The address changed, perhaps not for the last time in this task.
    pub(super) fn moved(&mut self, replaced: bool) {
        self.views.changed(replaced);
        if self.settling.is_none() {
            self.settling = Some(timer(0, Self::settle));
        }
    }

    /// The page is shown, for the first time or as it was left.
    pub(super) fn shown(&mut self) {
        let url = host::address();
        self.views.shown(&url);
        self.start_view(&url, &self.document.referrer());
    }

    /// Sends what may be sent, and keeps the rest for the next page.
    pub(super) fn left(&mut self) {
        self.settle();
        self.finish_view();
        let now = now();
        let url = self.tracker.options().url.clone();
        let mut beacon = |body: &str| host::beacon(&url, body);
        let unsent = self.tracker.leave(now, &mut self.page, &mut beacon);
        if unsent.is_empty() {
            return;
        }
        let name = join(&[UNSENT, self.tracker.load()]);
        let before = self.page.stored(&name).unwrap_or_default();
        if !self.page.store(&name, &join(&[&before, &unsent])) {
            self.unsent.push_str(&unsent);
        }
    }

    /// Takes back what no other page has taken over meanwhile.
    pub(super) fn returned(&mut self) {
        let load = self.tracker.load().to_owned();
        self.adopt(&load);
    }

    pub(super) fn flush(&mut self) -> bool {
        self.settle();
        self.finish_view();
        self.tracker.flush(now());
        self.send();
        self.tracker.is_sending()
    }

    pub(super) fn answered(&mut self, answer: Answer) -> bool {
        self.tracker.answered(answer, now());
        self.send();
        self.tracker.is_sending()
    }

    pub(super) fn status(&self) -> String {
        self.tracker.status()
    }

    /// Sets the timer for what is due next, unless it is set already.
    pub(super) fn schedule(&mut self) {
        let now = now();
        let due = self.tracker.due(now);
        let set = self.timer.as_ref().map(|(at, _)| *at);
        if due == set {
            return;
        }
        self.timer = due.map(|at| {
            let wait = at.saturating_sub(now);
            (at, timer(wait, Self::tick))
        });
    }

    /// Takes over what one load, or any, could not send.
    fn adopt(&mut self, load: &str) {
        let mut unsent = std::mem::take(&mut self.unsent);
        if self.page.stores {
            unsent.push_str(&host::take(&join(&[UNSENT, load])));
        }
        self.tracker.adopt(&unsent, now());
    }

    fn tick(&mut self) {
        self.timer = None;
        self.send();
    }

    fn send(&mut self) {
        if let Some(body) = self.tracker.send(now(), &mut self.page) {
            host::post(&self.tracker.options().url, &body);
        }
    }

    /// The task in which the address changed is over.
    fn settle(&mut self) {
        if self.settling.take().is_none() {
            return;
        }
        let url = host::address();
        if let Some(before) = self.views.settle(&url) {
            self.start_view(&url, &before);
        }
    }

    /// A view starts, if views are recorded; its title may come a little later.
    fn start_view(&mut self, url: &str, referrer: &str) {
        self.finish_view();
        if self.tracker.options().capture.page_views {
            self.view = Some(View {
                time: now(),
                url: self.scrubbed(url),
                referrer: self.scrubbed(referrer),
                _timer: timer(TITLE_MS, Self::finish_view),
            });
        }
    }

    fn finish_view(&mut self) {
        if let Some(view) = self.view.take() {
            self.record(&Event {
                kind: "page_view",
                time: view.time,
                url: &view.url,
                title: &readable(&self.document.title()),
                referrer: &view.referrer,
                ..Event::default()
            });
        }
    }

    fn scrubbed(&self, url: &str) -> String {
        self.tracker.options().scrub.url(url)
    }
}

/// Runs something later; dropping the timer prevents that.
fn timer(wait_ms: u64, run: fn(&mut App)) -> Timeout {
    let wait_ms = wait_ms.min(LONGEST_TIMER_MS);
    Timeout::new(u32::try_from(wait_ms).unwrap_or(0), move || {
        super::with(&mut |app| run(app));
    })
}
