//! What becomes of a batch after each kind of answer.

use footfall_tests::{
    browser::Browser,
    recorder::{Recorder, Reply},
    wait,
};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_with_503_is_sent_again_under_the_same_ids() {
    let recorder = Recorder::start().await;
    recorder.reply(Reply::Status(503));
    let browser = Browser::start().await;
    browser.driver.goto(&recorder.url).await.unwrap();
    wait::until("a first try", async || {
        let tries = recorder.log().batches().count();
        if tries > 0 {
            Ok(())
        } else {
            Err("none".into())
        }
    })
    .await;
    recorder.reply(Reply::Status(202));
    wait::until("the page view", async || {
        if recorder.taken().is_empty() {
            Err("nothing".into())
        } else {
            Ok(())
        }
    })
    .await;
    let log = recorder.log();
    let first = log.batches().next().unwrap().events();
    assert_eq!(first[0]["id"], recorder.taken()[0]["id"]);
    assert!(log.gaps().is_empty());
}
