//! Gateway and shop, and what a person does in the shop.

use footfall_tests::{browser::Browser, gateway::Gateway, kafka::Kafka, shop::Shop, wait};
use serde_json::Value;
use thirtyfour::By;

/// A shop whose pages send to a gateway with topics of its own.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) shop: Shop,
    pub(crate) gateway: Gateway,
}

impl Stage {
    /// Starts both, on the shared Kafka.
    pub(crate) async fn set() -> Self {
        let gateway = Gateway::start(Kafka::shared().await).await;
        let shop = Shop::start(&gateway.url).await;
        Self { shop, gateway }
    }

    /// Clicks once the SDK is there: what is clicked before is not its to see.
    pub(crate) async fn click(&self, browser: &Browser, css: &str) {
        Self::click_in(browser, css).await;
    }

    /// The same without a stage that is whole.
    pub(crate) async fn click_in(browser: &Browser, css: &str) {
        wait::until("the SDK to be ready", async || {
            let ready = browser
                .driver
                .execute(
                    "return window.footfall?.status().reason ?? 'not there'",
                    vec![],
                )
                .await
                .map_err(|error| error.to_string())?;
            match ready.json().as_str() {
                Some("not there" | "not_started") | None => Err(ready.json().to_string()),
                Some(_) => Ok(()),
            }
        })
        .await;
        let element = browser.driver.find(By::Css(css)).await.unwrap();
        // The shop scrolls smoothly, and what moves cannot be clicked.
        let scroll = "arguments[0].scrollIntoView({ block: 'center', behavior: 'instant' })";
        let arguments = vec![element.to_json().unwrap()];
        browser.driver.execute(scroll, arguments).await.unwrap();
        element.click().await.unwrap();
    }

    /// Waits until the address bar shows this path.
    pub(crate) async fn until_at(&self, browser: &Browser, path: &str) {
        Self::until_path(browser, path, |now| now == path).await;
    }

    /// Waits until the address bar shows a path below this one, and returns it.
    pub(crate) async fn until_below(&self, browser: &Browser, path: &str) -> String {
        Self::until_path(browser, path, |now| {
            now.len() > path.len() && now.starts_with(path)
        })
        .await
    }

    /// Waits until the address bar shows another path, and returns it.
    pub(crate) async fn until_left(&self, browser: &Browser, path: &str) -> String {
        Self::until_path(browser, path, |now| now != path).await
    }

    /// Waits until the address bar shows a path that fits, and returns it.
    pub(crate) async fn until_path(
        browser: &Browser,
        what: &str,
        fits: impl Fn(&str) -> bool,
    ) -> String {
        wait::until(&format!("the page ({what})"), async || {
            let url = browser
                .driver
                .current_url()
                .await
                .map_err(|error| error.to_string())?;
            if fits(url.path()) {
                Ok(url.path().to_owned())
            } else {
                Err(url.to_string())
            }
        })
        .await
    }
}

/// Runs a script in the page until it gives something else than null.
pub(crate) async fn until_some(browser: &Browser, what: &str, script: &str) -> Value {
    wait::until(what, async || {
        let found = browser
            .driver
            .execute(script, vec![])
            .await
            .map_err(|error| error.to_string())?;
        let found = found.json().clone();
        if found.is_null() {
            Err("nothing yet".into())
        } else {
            Ok(found)
        }
    })
    .await
}
