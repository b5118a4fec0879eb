//! Who does not want to be tracked is not, and can read what would be recorded.

use crate::pipeline::batch;
use footfall_tests::{
    browser::Browser,
    client::{self, Answer},
    gateway::Gateway,
    kafka::Kafka,
    wait,
};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use thirtyfour::By;

async fn post(gateway: &Gateway, signal: &str, consent: Option<&str>) -> Answer {
    let mut body = batch::of_page_views(1);
    body["visitor"] = json!("v-1");
    body["session"] = json!("s-1");
    body["user"] = json!("u-1");
    body["consent"] = json!(consent);
    let mut request = gateway.request(body.to_string());
    if !signal.is_empty() {
        request = request.header(signal, "1");
    }
    Answer::to(request).await.unwrap()
}

async fn well_known(gateway: &Gateway, name: &str) -> Value {
    let url = format!("{}/.well-known/{name}", gateway.url);
    let answer = client::get(&url).await.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    answer.json()
}

#[tokio::test]
async fn by_default_nothing_of_who_says_no_reaches_any_topic() {
    let kafka = Kafka::shared().await;
    let gateway = Gateway::start(kafka).await;
    for (signal, consent) in [
        ("sec-gpc", None),
        ("dnt", None),
        ("", Some("denied")),
        ("sec-gpc", Some("denied")),
    ] {
        let answer = post(&gateway, signal, consent).await;
        assert_eq!(answer.status, 202);
        assert_eq!(
            answer.json(),
            json!({"accepted": 0, "rejected": [], "dropped": 1})
        );
    }
    for (signal, consent) in [
        ("sec-gpc", Some("granted")),
        ("dnt", Some("granted")),
        ("", None),
    ] {
        let answer = post(&gateway, signal, consent).await;
        assert_eq!(answer.json(), json!({"accepted": 1, "rejected": []}));
    }
    assert_eq!(kafka.records(&gateway.topic, 3).await.len(), 3);
    assert_eq!(kafka.read(&gateway.rejected).await.unwrap(), []);
    let said = well_known(&gateway, "footfall.json").await;
    assert_eq!(said["counts"], json!({"dropped": 4, "anonymised": 0}));
    assert_eq!(said["policy"], "drop");
}

#[tokio::test]
async fn anonymised_events_have_no_visitor_session_user_address_and_key() {
    let kafka = Kafka::shared().await;
    let gateway = Gateway::start_with(kafka, &["--privacy-policy", "anonymise"]).await;
    let answer = post(&gateway, "sec-gpc", None).await;
    assert_eq!(answer.json(), json!({"accepted": 1, "rejected": []}));
    let records = kafka.records(&gateway.topic, 1).await;
    assert_eq!(records[0].key, None);
    let record = records[0].json();
    for gone in ["visitor", "session", "user", "client"] {
        assert_eq!(record[gone], Value::Null, "{record}");
    }
    let said = well_known(&gateway, "footfall.json").await;
    assert_eq!(said["counts"], json!({"dropped": 0, "anonymised": 1}));
    assert_eq!(said["policy"], "anonymise");
}

#[tokio::test]
async fn programs_and_people_can_read_what_is_recorded_for_what_and_how_long() {
    let flags = [
        "--privacy-purposes",
        "audience measurement,<b>fraud</b>",
        "--privacy-retention",
        "30d",
        "--ip",
        "none",
    ];
    let gateway = Gateway::start_with(Kafka::shared().await, &flags).await;
    assert_eq!(well_known(&gateway, "gpc.json").await["gpc"], true);
    let said = well_known(&gateway, "footfall.json").await;
    assert_eq!(
        said["purposes"],
        json!(["audience measurement", "<b>fraud</b>"])
    );
    assert_eq!(said["retention_days"], 30);
    let names: Vec<_> = said["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| field["name"].as_str().unwrap())
        .collect();
    assert!(
        names.contains(&"page") && !names.contains(&"client.ip"),
        "{names:?}"
    );
    let page = client::get(&format!("{}/privacy", gateway.url))
        .await
        .unwrap();
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert!(
        page.header("content-security-policy")
            .unwrap()
            .contains("script-src 'self'")
    );
    assert!(page.body.contains("audience measurement") && page.body.contains("30 days"));
    assert!(page.body.contains("&lt;b&gt;fraud") && !page.body.contains("<b>fraud"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_switch_sets_the_flag_of_the_sdk_and_forgets_the_visitor() {
    let gateway = Gateway::start(Kafka::shared().await).await;
    let browser = Browser::start().await;
    let driver = &browser.driver;
    let page = format!("{}/privacy", gateway.url);
    driver.goto(&page).await.unwrap();
    let visitor = "localStorage.setItem('footfall.visitor', 'v')";
    driver.execute(visitor, vec![]).await.unwrap();
    let stored = async || {
        let script =
            "return ['choice', 'visitor'].map((key) => localStorage.getItem(`footfall.${key}`))";
        driver.execute(script, vec![]).await.unwrap().json().clone()
    };
    let checked = async |wanted: &str| {
        wait::until("the switch", async || {
            let switch = driver
                .find(By::Id("switch"))
                .await
                .map_err(|error| error.to_string())?;
            let found = switch
                .attr("aria-checked")
                .await
                .map_err(|error| error.to_string())?;
            let enabled = switch
                .is_enabled()
                .await
                .map_err(|error| error.to_string())?;
            if enabled && found.as_deref() == Some(wanted) {
                Ok(switch)
            } else {
                Err(format!("{found:?}"))
            }
        })
        .await
    };
    checked("false").await.click().await.unwrap();
    checked("true").await;
    assert_eq!(stored().await, json!(["out", null]));
    driver.goto(&page).await.unwrap();
    checked("true").await.click().await.unwrap();
    checked("false").await;
    assert_eq!(stored().await, json!([null, null]));
}

#[tokio::test]
async fn the_policy_is_reloaded_with_what_is_told_about_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gateway.toml");
    std::fs::write(&file, "privacy.policy = \"drop\"\n").unwrap();
    let flags = ["--config", &file.display().to_string()];
    let gateway = Gateway::start_with(Kafka::shared().await, &flags).await;
    let dropped = post(&gateway, "dnt", None).await.json();
    assert_eq!(dropped["dropped"], 1);
    let new = "[privacy]\npolicy = \"anonymise\"\npurposes = [\"statistics\"]\n";
    std::fs::write(&file, new).unwrap();
    gateway.program.signal(Signal::SIGHUP);
    let said = wait::until("the new policy to be told", async || {
        let said = well_known(&gateway, "footfall.json").await;
        let is_new = said["policy"] == "anonymise";
        is_new.then(|| said.clone()).ok_or(said.to_string())
    })
    .await;
    assert_eq!(said["purposes"], json!(["statistics"]));
    let kept = post(&gateway, "dnt", None).await.json();
    assert_eq!(kept, json!({"accepted": 1, "rejected": []}));
    let logs = gateway.program.stderr();
    assert!(!logs.contains("need a restart"), "{logs}");
}
