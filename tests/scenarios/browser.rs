//! The shop in real browsers and the records that lie in Kafka afterwards, and pages with the SDK
//! before a server that writes down what they send.

/// A scenario that is a function of the browser, as a test for each of them.
macro_rules! in_every_browser {
    ($($scenario:ident),+ $(,)?) => {
        $(
            mod $scenario {
                use footfall_tests::browser::Kind;

                #[tokio::test(flavor = "multi_thread")]
                async fn chromium() {
                    super::$scenario(Kind::Chromium).await;
                }

                #[tokio::test(flavor = "multi_thread")]
                async fn firefox() {
                    super::$scenario(Kind::Firefox).await;
                }

                #[tokio::test(flavor = "multi_thread")]
                async fn webkit() {
                    super::$scenario(Kind::WebKit).await;
                }
            }
        )+
    };
}

pub(crate) use in_every_browser;

mod consent;
mod delivery;
mod faults;
mod fields;
mod hostile;
mod limits;
mod opt_out;
mod policy;
mod records;
mod refusal;
mod stage;
mod story;
mod together;
mod twin;
mod unnoticed;
mod visit;
mod vitals;
mod widget;
