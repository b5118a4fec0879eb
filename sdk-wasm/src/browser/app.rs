//! What runs on one page.

use super::{
    click::Selectors,
    host,
    world::{Page, now, precise},
};
use crate::{
    delivery::Answer, event::Event, options::Options, text::readable, tracker::Tracker,
    views::Views,
};
use gloo_timers::callback::Timeout;
use web_sys::{Document, MouseEvent};

/// Pages set their title a little after their address.
const TITLE_MS: u32 = 100;

/// The tracker, bound to this page.
pub(super) struct App {
    tracker: Tracker,
    views: Views,
    page: Page,
    document: Document,
    selectors: Selectors,
    /// A view that waits for its title.
    view: Option<View>,
    /// When what is due next is due, as far as the timer was told.
    due: Option<u64>,
    /// How many lost events the site's developer was told of.
    told: u64,
    /// Waits for the end of the task in which the address changed.
    settling: Option<Timeout>,
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
            due: None,
            told: 0,
            settling: None,
        }
    }

    /// Records the first view.
    pub(super) fn begin(&mut self) {
        self.shown();
    }

    /// The id of this load.
    pub(super) fn load(&self) -> String {
        self.tracker.load().to_owned()
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

    /// Hands over what may be sent.
    pub(super) fn left(&mut self) {
        self.settle();
        self.finish_view();
        self.tracker.leave(now(), &mut self.page, &mut host::beacon);
    }

    pub(super) fn snapshot(&self) -> String {
        self.tracker.snapshot(now())
    }

    /// All that waits is due now.
    pub(super) fn flush(&mut self) {
        self.settle();
        self.finish_view();
        self.tracker.flush();
    }

    /// Starts to send the next batch, if one is due.
    pub(super) fn send(&mut self) -> bool {
        self.due = None;
        let body = self.tracker.send(now(), &mut self.page);
        if let Some(body) = &body {
            host::post(body);
        }
        body.is_some()
    }

    pub(super) fn answered(&mut self, answer: Answer) {
        self.tracker.answered(answer, now(), &mut self.page);
    }

    pub(super) fn refresh(&mut self) {
        self.tracker.refresh(now(), &mut self.page);
    }

    pub(super) fn unsent(&mut self, room: usize, for_good: bool) -> String {
        self.tracker.unsent(room, for_good)
    }

    pub(super) fn adopt(&mut self, text: &str) {
        self.tracker.adopt(text, now());
    }

    pub(super) fn forget(&mut self) {
        self.tracker.forget();
    }

    pub(super) fn status(&self) -> String {
        self.tracker.status()
    }

    /// Has the timer set for what is due next, and the developer told of what was lost.
    pub(super) fn schedule(&mut self) {
        let now = now();
        let due = self.tracker.due(now);
        if due != self.due {
            self.due = due;
            host::wake(due.map_or(-1.0, |at| precise(at.saturating_sub(now))));
        }
        let lost = self.tracker.lost();
        if lost != self.told {
            self.told = lost;
            host::dropped(&self.tracker.untold());
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
fn timer(wait_ms: u32, run: fn(&mut App)) -> Timeout {
    Timeout::new(wait_ms, move || {
        super::with(&mut |app| run(app));
    })
}
