//! The page that shows people the streams as they run, in a real browser.

use footfall_tests::{
    aggregation::Aggregation,
    browser::Browser,
    client,
    kafka::{Kafka, NewRecord},
    wait,
};

async fn produce(kafka: &Kafka, source: &str, count: usize) {
    let record = NewRecord {
        timestamp: 1_764_000_000_000,
        key: Some(b"a"),
        value: Some(br#"{"page":"/"}"#),
        ..NewRecord::default()
    };
    kafka.produce_all(source, vec![record; count]).await;
}

/// Waits until a script of the page says this.
async fn until_says(browser: &Browser, script: &str, expected: &str) {
    wait::until(&format!("`{script}` to be {expected}"), async || {
        let said = browser.run(script).await?;
        if said == expected {
            Ok(())
        } else {
            Err(said.to_string())
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_draws_the_streams_and_shows_their_numbers_changing() {
    let kafka = Kafka::shared().await;
    let source = Kafka::unique("source");
    kafka.create_topic(&source, 2).await;
    let config = format!(
        "[streams.visits]\nfrom = '{source}'\nto = '{source}.visits'\n\
         window = {{ size = '5m', grace = '1m' }}\nemit = 'both'\n\
         [streams.pages]\nfrom = '{source}.visits'\nkey = '/key'\nto = '{source}.pages'\n\
         window = {{ size = '5m', grace = '1m' }}\n"
    );
    let process = Aggregation::start(kafka, &config).await;
    let page = client::get(&format!("{}/", process.url)).await.unwrap();
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"));

    let browser = Browser::start().await;
    browser.driver.goto(&process.url).await.unwrap();
    until_says(
        &browser,
        "return document.querySelector('[data-part=state]').textContent",
        "Live",
    )
    .await;
    // From left to right: a topic, a stream, its results, the stream that reads them, and its own.
    let drawn = "return [...document.querySelectorAll('.layer')].map((layer) => layer.innerText.includes('visits')).join()";
    until_says(&browser, drawn, "false,true,true,true,false").await;
    let lines = "return String(document.querySelectorAll('svg.edges path[d^=M]').length)";
    until_says(&browser, lines, "4").await;
    produce(kafka, &source, 3).await;
    let entries = "return [...document.querySelectorAll('#stream-visits td[data-head=Entries]')].map((cell) => Number(cell.textContent)).sort().join()";
    until_says(&browser, entries, "0,1").await;
    let results = "return String([...document.querySelectorAll('#stream-visits td[data-head=Results]')].some((cell) => Number(cell.textContent) > 0))";
    until_says(&browser, results, "true").await;
    let behind = "return document.querySelector('[data-part=behind]').textContent";
    until_says(&browser, behind, "0").await;
    // By keyboard: from the drawing to the stream's own figures.
    let chosen = "document.querySelector('.graph a[href=\"#stream-visits\"]').focus(); document.activeElement.click(); return document.querySelector(':target').id";
    until_says(&browser, chosen, "stream-visits").await;
    // On a telephone nothing is wider than the page.
    let narrow =
        serde_json::json!({ "width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": true });
    browser
        .cdp("Emulation.setDeviceMetricsOverride", narrow)
        .await
        .unwrap();
    let fits = "return String(document.documentElement.scrollWidth <= 360 && innerWidth === 360)";
    until_says(&browser, fits, "true").await;
}
