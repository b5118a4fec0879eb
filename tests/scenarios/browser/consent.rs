//! What visitors have said, on this site or by their browser, and what holds then.

use super::records::Watched;
use footfall_tests::{
    browser::{Browser, Kind},
    recorder::{Page, Recorder, Reply},
    wait,
};
use serde_json::{Value, json};

super::in_every_browser!(
    opting_out_in_one_tab_stops_all_and_leaves_nothing_but_the_choice,
    where_consent_is_required_nothing_is_stored_or_sent_before_it,
    calls_before_the_decision_wait_only_where_the_site_says_so_and_a_no_drops_them,
    an_opt_out_while_a_batch_is_on_its_way_leaves_nothing,
);

/// All that is stored.
const STORED: &str =
    "return { local: Object.keys(localStorage), session: Object.keys(sessionStorage),
    cookies: document.cookie }";

/// What the page has fetched besides itself.
const FETCHED: &str = "return performance.getEntriesByType('resource')
    .map(({ name }) => new URL(name).pathname).filter((path) => path !== '/favicon.ico')";

fn only_the_choice() -> Value {
    json!({ "local": ["footfall.choice"], "session": [], "cookies": "" })
}

async fn until_reason(watched: &Watched, reason: &str) {
    wait::until(reason, async || {
        let found = watched
            .browser
            .run("return window.footfall?.status().reason ?? null")
            .await?;
        if found == reason {
            Ok(())
        } else {
            Err(found.to_string())
        }
    })
    .await;
}

async fn until(watched: &Watched, script: &str) {
    wait::until(script, async || {
        let found = watched.browser.run(script).await?;
        if found == true {
            Ok(())
        } else {
            Err(found.to_string())
        }
    })
    .await;
}

/// Does everything that would be recorded.
async fn act(watched: &Watched) {
    watched
        .run_async(
            "footfall.track('after the no'); footfall.page(); footfall.identify('after the no');
            document.getElementById('buy').click(); history.pushState(null, '', '/after-the-no');
            await footfall.flush(); dispatchEvent(new Event('online'))",
        )
        .await;
}

/// Whatever was sent so far: what is recorded now comes after it.
async fn all_that_was_sent(watched: &Watched) -> String {
    watched
        .run("footfall.optIn(); footfall.track('last')")
        .await;
    wait::until("the last event", async || {
        let taken = watched.taken();
        if taken.iter().any(|event| event["name"] == "last") {
            Ok(())
        } else {
            Err(format!("{taken:#?}"))
        }
    })
    .await;
    let log = watched.recorder.log();
    log.iter().map(|request| request.body.clone()).collect()
}

async fn opting_out_in_one_tab_stops_all_and_leaves_nothing_but_the_choice(kind: Kind) {
    let watched = Watched::of(kind, &Page::default().with("inspect", "9")).await;
    watched.events().await;
    // From now on nothing leaves, not even with a tab that is hidden.
    watched.recorder.reply(Reply::RetryAfter(503, "600".into()));
    watched
        .run("footfall.track('tries'); footfall.flush()")
        .await;
    until(
        &watched,
        "return !!localStorage['footfall.wait']?.endsWith('!')",
    )
    .await;
    let driver = &watched.browser.driver;
    let first = driver.window().await.unwrap();
    let second = driver.new_tab().await.unwrap();
    for tab in [&second, &first] {
        driver.switch_to_window(tab.clone()).await.unwrap();
        if *tab == second {
            watched.goto("/second").await;
        }
        watched.run("footfall.track('waits')").await;
        let kept = "return Object.entries(localStorage).filter(([name, text]) =>
            name.startsWith('footfall.unsent.') && text.includes('waits')).length";
        let count = if *tab == second { 1 } else { 2 };
        until(&watched, &format!("{kept} === {count}")).await;
    }
    until(&watched, "return footfall.inspect().length > 0").await;
    driver.switch_to_window(second.clone()).await.unwrap();
    watched.run("footfall.optOut()").await;
    watched.recorder.reply(Reply::Status(202));
    for tab in [&second, &first] {
        driver.switch_to_window(tab.clone()).await.unwrap();
        until_reason(&watched, "opted_out").await;
        act(&watched).await;
        assert_eq!(watched.run(STORED).await, only_the_choice());
        let status = watched.run("return footfall.status()").await;
        let expected = json!({ "recording": false, "reason": "opted_out", "queued": 0, "lost": 0 });
        assert_eq!(status, expected);
        assert_eq!(watched.run("return footfall.inspect()").await, json!([]));
    }
    let sent = all_that_was_sent(&watched).await;
    for gone in ["waits", "after the no"] {
        assert!(!sent.contains(gone), "{gone} in {sent}");
    }
}

async fn where_consent_is_required_nothing_is_stored_or_sent_before_it(kind: Kind) {
    let page = Page::default().with("consent", "required");
    let watched = Watched::of(kind, &page).await;
    until_reason(&watched, "consent_required").await;
    act(&watched).await;
    let nothing = json!({ "local": [], "session": [], "cookies": "" });
    assert_eq!(watched.run(STORED).await, nothing);
    assert_eq!(watched.run(FETCHED).await, json!(["/sdk/footfall.js"]));
    watched.run("footfall.optIn()").await;
    watched.until_started().await;
    let events = watched.events().await;
    assert_eq!(events.len(), 1, "{events:#?}");
    assert_eq!(events[0]["type"], "page_view");
    assert_eq!(watched.path(&events[0]["page"]["url"]), "/after-the-no");
    let log = watched.recorder.log();
    assert!(
        log.batches()
            .all(|batch| batch.json()["consent"] == "granted")
    );
    // The choice holds for the next page as well.
    watched.goto("/next").await;
    assert_eq!(watched.views().await, ["/after-the-no", "/next"]);
}

async fn calls_before_the_decision_wait_only_where_the_site_says_so_and_a_no_drops_them(
    kind: Kind,
) {
    let page = Page::default().with("consent", "required");
    let held = page.with("hold", "").with("capture", "page-views");
    let watched = Watched::of(kind, &held).await;
    until_reason(&watched, "consent_required").await;
    watched.run("footfall.track('for a no')").await;
    assert_eq!(watched.run("return footfall.status().queued").await, 1);
    watched.run("footfall.optOut()").await;
    assert_eq!(watched.run("return footfall.status().queued").await, 0);
    assert_eq!(watched.run(STORED).await, only_the_choice());
    assert_eq!(watched.run(FETCHED).await, json!(["/sdk/footfall.js"]));

    watched.run("localStorage.clear()").await;
    watched.goto("/again").await;
    watched
        .run("footfall.track('for a yes', { n: 1 }); footfall.optIn(); footfall.track('later')")
        .await;
    watched.until_started().await;
    let events = watched.events().await;
    let told: Vec<_> = events
        .iter()
        .map(|event| event.get("name").unwrap_or(&event["type"]).clone())
        .collect();
    assert_eq!(told, ["page_view", "for a yes", "later"]);
    assert_eq!(events[1]["properties"], json!({ "n": 1 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_comes_back_after_an_opt_out_is_silent() {
    // Firefox is on the list of limits.
    for kind in [Kind::Chromium, Kind::WebKit] {
        come_back_after_an_opt_out(kind).await;
    }
}

async fn come_back_after_an_opt_out(kind: Kind) {
    let watched = Watched::of(kind, &Page::default()).await;
    watched.run("window.kept = true").await;
    watched.events().await;
    watched.goto("/next").await;
    watched.run("footfall.optOut()").await;
    watched.browser.driver.back().await.unwrap();
    until(&watched, "return location.pathname === '/'").await;
    until_reason(&watched, "opted_out").await;
    assert_eq!(
        watched.run("return window.kept ?? null").await,
        true,
        "restored"
    );
    act(&watched).await;
    assert_eq!(watched.run(STORED).await, only_the_choice());
    let before = watched.taken().len();
    let sent = all_that_was_sent(&watched).await;
    assert!(!sent.contains("after the no"), "{sent}");
    let views = watched.taken().split_off(before);
    assert_eq!(views[0]["type"], "page_view", "of the opt-in: {views:#?}");
    assert_eq!(views[0]["consent"], Value::Null, "consent is the batch's");
}

async fn an_opt_out_while_a_batch_is_on_its_way_leaves_nothing(kind: Kind) {
    let watched = Watched::of(kind, &Page::default().with("inspect", "9")).await;
    watched.events().await;
    watched.recorder.reply(Reply::Hang(202));
    let before = watched.recorder.log().len();
    watched
        .run("footfall.track('on its way'); window.flushed = footfall.flush()")
        .await;
    wait::until("a batch on its way", async || {
        let count = watched.recorder.log().len();
        if count > before {
            Ok(())
        } else {
            Err(count.to_string())
        }
    })
    .await;
    watched.run("footfall.optOut()").await;
    watched.recorder.reply(Reply::Status(202));
    watched.run_async("await flushed").await;
    assert_eq!(watched.run(STORED).await, only_the_choice());
    assert_eq!(watched.run("return footfall.inspect()").await, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opt_out_is_kept_even_where_storage_is_full_of_our_own_events() {
    let watched = Watched::open(&Page::default()).await;
    watched.events().await;
    let fill = "let size = 1 << 22, text = '';
        for (; size >= 1; size >>= 1) {
          try {
            localStorage.setItem('footfall.unsent.demo.other', text + 'x'.repeat(size));
            text += 'x'.repeat(size);
          } catch {}
        }";
    watched.run(fill).await;
    watched.run("footfall.optOut()").await;
    watched.goto("/next").await;
    until_reason(&watched, "opted_out").await;
    assert_eq!(watched.run(STORED).await, only_the_choice());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_browser_says_counts_only_while_the_visitor_has_not_chosen_here() {
    let browsers = [
        (Browser::start_with_global_privacy_control().await, "gpc"),
        (Browser::start_with_do_not_track().await, "dnt"),
    ];
    for (browser, reason) in browsers {
        // The browser is stronger than the site, whatever that asks for.
        let page = Page::default().with("consent", "required");
        let watched = Watched::open_in(browser, &page).await;
        until_reason(&watched, reason).await;
        act(&watched).await;
        assert_eq!(watched.run(FETCHED).await, json!(["/sdk/footfall.js"]));
        watched.run("footfall.optIn()").await;
        until_reason(&watched, "recording").await;
        watched.until_started().await;
        watched
            .run("footfall.optOut(); footfall.optIn(); footfall.optOut()")
            .await;
        watched.goto("/next").await;
        until_reason(&watched, "opted_out").await;
        assert_eq!(watched.run(STORED).await, only_the_choice());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn do_not_track_is_heard_in_every_form_and_wipes_what_an_earlier_visit_has_left() {
    let recorder = Recorder::start().await;
    let say = "<script>
        const [where, value] = (new URLSearchParams(location.search).get('say') ?? '').split(' ');
        if (where) Object.defineProperty(window[where] ?? window, 'doNotTrack', { value: value === 'null' ? null : value });
      </script>";
    recorder.page(&Page::default().head(say));
    let browser = Browser::start().await;
    let watched = Watched { recorder, browser };
    for (said, reason) in [
        ("navigator 1", "dnt"),
        ("navigator yes", "dnt"),
        ("window 1", "dnt"),
        ("window yes", "dnt"),
        ("navigator 0", "recording"),
        ("navigator null", "recording"),
        ("navigator unspecified", "recording"),
    ] {
        watched.goto("/").await;
        watched.events().await;
        watched
            .goto(&format!("/?say={}", said.replace(' ', "%20")))
            .await;
        until_reason(&watched, reason).await;
        if reason == "dnt" {
            let nothing = json!({ "local": [], "session": [], "cookies": "" });
            assert_eq!(watched.run(STORED).await, nothing, "{said}");
        }
    }
}
