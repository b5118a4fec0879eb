//! What is not tested in a browser, because it cannot be done there.

use footfall_tests::browser::Kind;
use std::io::{self, Write as _};

/// The browser, what is left out, and why.
const LEFT_OUT: &[(Kind, &str, &str)] = &[
    (
        Kind::Firefox,
        "a renderer that crashes",
        "its driver has no way to crash one",
    ),
    (
        Kind::WebKit,
        "a renderer that crashes",
        "its driver has no way to crash one",
    ),
    (
        Kind::WebKit,
        "Global Privacy Control and Do Not Track",
        "it has neither",
    ),
    (
        Kind::Firefox,
        "pages from the back-forward cache",
        "it keeps no page there that holds a lock, as the SDK's pages do",
    ),
    (
        Kind::WebKit,
        "the Navigation API, and pages that a script opens with what was typed",
        "it has no Navigation API",
    ),
    (
        Kind::Firefox,
        "deferred fetches (fetchLater) and prerendering",
        "it has neither",
    ),
    (
        Kind::WebKit,
        "deferred fetches (fetchLater) and prerendering",
        "it has neither",
    ),
];

/// Passing tests show nothing of what they print, so that this goes past them.
#[test]
fn what_a_browser_cannot_do_is_listed() -> io::Result<()> {
    let mut stderr = io::stderr().lock();
    for (kind, what, why) in LEFT_OUT {
        writeln!(stderr, "    not tested in {kind}: {what} ({why})")?;
    }
    Ok(())
}
