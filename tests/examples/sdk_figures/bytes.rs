//! What a page with the tag downloads.

use crate::{TRACKERS, site::Site, tell};
use brotli::enc::BrotliEncoderParams;
use footfall_tests::browser::{Browser, Wishes};

/// Asks the page what it has fetched, so that nothing is forgotten, and packs it as a server would.
pub(crate) async fn measure(site: &Site) {
    let browser = site.browser(Wishes::default()).await;
    for tracker in TRACKERS {
        let (_, page) = site.page(tracker);
        browser.driver.goto(&page).await.expect("a page");
        tokio::time::sleep(crate::boot::WINDOW).await;
        let (mut all, mut first) = (0, None);
        for url in scripts(&browser).await {
            let bytes = packed(&url).await;
            all += bytes;
            first.get_or_insert(bytes);
        }
        tell(tracker, 0, "bytes", all);
        tell(tracker, 0, "bytes of the first file", first);
    }
}

async fn scripts(browser: &Browser) -> Vec<String> {
    let script = "return performance.getEntriesByType('resource').map(({ name }) => name)
        .filter((name) => /\\.(js|wasm)$/.test(name)).sort((one, other) =>
          other.endsWith('/footfall.js') - one.endsWith('/footfall.js'))";
    let names = browser.run(script).await.expect("what was fetched");
    serde_json::from_value(names).expect("a list of names")
}

async fn packed(url: &str) -> usize {
    let url = url.replacen(url.split('/').nth(2).expect("a host"), &local(url), 1);
    let answer = reqwest::get(url).await.expect("an answer");
    let bytes = answer.bytes().await.expect("a file");
    let mut packed = Vec::new();
    let best = BrotliEncoderParams::default();
    brotli::BrotliCompress(&mut bytes.as_ref(), &mut packed, &best).expect("memory is enough");
    packed.len()
}

/// Only browsers know that every name below `localhost` is this machine.
fn local(url: &str) -> String {
    let port = url
        .split('/')
        .nth(2)
        .and_then(|host| host.split(':').nth(1));
    format!("127.0.0.1:{}", port.expect("a port"))
}
