//! What runs on one page.

use super::{click, globals, host, storage, world::Page};
use crate::{
    delivery::Answer, event::Event, options::Options, text::readable, tracker::Tracker,
    views::Views,
};
use gloo_timers::callback::Timeout;
use web_sys::MouseEvent;

/// Pages set their title a little after their address.
const TITLE_MS: u32 = 100;

/// No timer is set further ahead; it is set again then.
const LONGEST_TIMER_MS: u64 = 60 * 60_000;

/// The tracker, bound to this page.
pub(super) struct App {
    tracker: Tracker,
    views: Views,
    page: Page,
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
    pub(super) fn new(granted: bool) -> Self {
        let options = Options::read(&host::option);
        for problem in &options.problems {
            host::misread(problem);
        }
        let mut page = Page {
            stores: options.stores,
        };
        let views = Views::new(options.capture.hash);
        let context = host::context();
        Self {
            tracker: Tracker::new(options, granted, context, globals::now(), &mut page),
            views,
            page,
            view: None,
            timer: None,
            settling: None,
            unsent: String::new(),
        }
    }

    /// Takes over what other pages could not send, and records the first view.
    pub(super) fn begin(&mut self) {
        if self.page.stores {
            let unsent = storage::take_all_unsent();
            self.tracker.adopt(&unsent, globals::now());
        }
        self.shown();
    }

    /// Records an event.
    pub(super) fn record(&mut self, event: &Event<'_>) {
        self.tracker.record(event, globals::now(), &mut self.page);
    }

    /// The page's address, as it may be told.
    pub(super) fn url(&self) -> String {
        self.scrubbed(&globals::url())
    }

    /// A view that the site calls for.
    pub(super) fn page(&mut self, time: u64, properties: &str) {
        self.finish_view();
        let url = globals::url();
        self.views.shown(&url);
        self.record(&Event {
            kind: "page_view",
            time,
            url: &self.scrubbed(&url),
            title: &readable(&globals::title()),
            properties,
            ..Event::default()
        });
    }

    pub(super) fn identify(&mut self, time: u64, user: &str, traits: &str) {
        self.finish_view();
        self.tracker.identify(user);
        self.record(&Event {
            kind: "identify",
            time,
            url: &self.url(),
            properties: traits,
            ..Event::default()
        });
    }

    /// The visitor opted in; what was recorded before stays as it was.
    pub(super) fn grant(&mut self) {
        self.finish_view();
        self.tracker.grant();
    }

    pub(super) fn reset(&mut self) {
        self.finish_view();
        self.tracker.reset(globals::now(), &mut self.page);
    }

    pub(super) fn clicked(&mut self, event: &MouseEvent) {
        let options = self.tracker.options();
        if !options.capture.clicks {
            return;
        }
        let all = options.capture.all_clicks;
        let Some(click) = click::describe(event, all, &options.scrub) else {
            return;
        };
        self.record(&Event {
            kind: "click",
            time: globals::now(),
            url: &self.url(),
            element: &click.element,
            properties: &click.properties,
            ..Event::default()
        });
    }

    /// The address changed, perhaps not for the last time in this task.
    pub(super) fn moved(&mut self, replaced: bool) {
        self.views.changed(replaced);
        if self.settling.is_none() {
            let settle = || {
                super::with(Self::settle);
            };
            self.settling = Some(Timeout::new(0, settle));
        }
    }

    /// The page is shown, for the first time or as it was left.
    pub(super) fn shown(&mut self) {
        let url = globals::url();
        self.views.shown(&url);
        self.start_view(&url, &globals::referrer());
    }

    /// Sends what may be sent, and keeps the rest for the next page.
    pub(super) fn left(&mut self) {
        self.settle();
        self.finish_view();
        let now = globals::now();
        let url = self.tracker.options().url.clone();
        let mut beacon = |body: &str| host::beacon(&url, body);
        let unsent = self.tracker.leave(now, &mut self.page, &mut beacon);
        if unsent.is_empty() {
            return;
        }
        if !(self.page.stores && storage::keep_unsent(self.tracker.load(), &unsent)) {
            self.unsent.push_str(&unsent);
        }
    }

    /// Takes back what no other page has taken over meanwhile.
    pub(super) fn returned(&mut self) {
        let mut unsent = std::mem::take(&mut self.unsent);
        if self.page.stores {
            let stored = storage::take_unsent(self.tracker.load());
            unsent.push_str(&stored.unwrap_or_default());
        }
        self.tracker.adopt(&unsent, globals::now());
    }

    pub(super) fn flush(&mut self) -> bool {
        self.settle();
        self.finish_view();
        self.tracker.flush(globals::now());
        self.send();
        self.tracker.is_sending()
    }

    pub(super) fn answered(&mut self, answer: Answer) -> bool {
        self.tracker.answered(answer, globals::now());
        self.send();
        self.tracker.is_sending()
    }

    pub(super) fn status(&self) -> String {
        self.tracker.status()
    }

    /// Sets the timer for what is due next, unless it is set already.
    pub(super) fn schedule(&mut self) {
        let now = globals::now();
        let due = self.tracker.due(now);
        let set = self.timer.as_ref().map(|(at, _)| *at);
        if due == set {
            return;
        }
        self.timer = due.map(|at| {
            let wait = at.saturating_sub(now).min(LONGEST_TIMER_MS);
            let tick = || {
                super::with(Self::tick);
            };
            (at, Timeout::new(u32::try_from(wait).unwrap_or(0), tick))
        });
    }

    fn tick(&mut self) {
        self.timer = None;
        self.send();
    }

    fn send(&mut self) {
        if let Some(body) = self.tracker.send(globals::now(), &mut self.page) {
            host::post(&self.tracker.options().url, &body);
        }
    }

    /// The task in which the address changed is over.
    fn settle(&mut self) {
        if self.settling.take().is_none() {
            return;
        }
        let url = globals::url();
        if let Some(before) = self.views.settle(&url) {
            self.start_view(&url, &before);
        }
    }

    /// A view starts, if views are recorded; its title may come a little later.
    fn start_view(&mut self, url: &str, referrer: &str) {
        self.finish_view();
        if self.tracker.options().capture.page_views {
            let finish = || {
                super::with(Self::finish_view);
            };
            self.view = Some(View {
                time: globals::now(),
                url: self.scrubbed(url),
                referrer: self.scrubbed(referrer),
                _timer: Timeout::new(TITLE_MS, finish),
            });
        }
    }

    fn finish_view(&mut self) {
        if let Some(view) = self.view.take() {
            self.record(&Event {
                kind: "page_view",
                time: view.time,
                url: &view.url,
                title: &readable(&globals::title()),
                referrer: &view.referrer,
                ..Event::default()
            });
        }
    }

    fn scrubbed(&self, url: &str) -> String {
        self.tracker.options().scrub.url(url)
    }
}
