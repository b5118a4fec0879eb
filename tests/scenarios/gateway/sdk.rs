//! The SDK's files, as the gateway serves them.

use footfall_tests::{client::Answer, gateway::Gateway, kafka::Kafka, wait};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::fs;

async fn get(gateway: &Gateway, name: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = reqwest::Client::new().get(format!("{}/sdk/{name}", gateway.url));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Answer::to(request).await.unwrap()
}

#[tokio::test]
async fn files_are_served_compressed_with_tags_and_only_hashed_names_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let script = "export const footfall = 1;\n".repeat(50);
    fs::write(folder.path().join("footfall.js"), &script).unwrap();
    fs::write(
        folder.path().join("footfall-4b64b994353a.wasm"),
        "\0asm".repeat(50),
    )
    .unwrap();
    fs::write(folder.path().join("secret.pem"), "secret").unwrap();
    let flags = ["--sdk-dir", &folder.path().display().to_string()];
    let gateway = Gateway::start_with(Kafka::shared().await, &flags).await;
    let plain = get(&gateway, "footfall.js", &[]).await;
    assert_eq!((plain.status, plain.body.as_str()), (200, script.as_str()));
    assert_eq!(
        plain.header("content-type"),
        Some("text/javascript; charset=utf-8")
    );
    assert_eq!(plain.header("cache-control"), Some("no-cache"));
    assert_eq!(
        plain.header("cross-origin-resource-policy"),
        Some("cross-origin")
    );
    let tag = plain.header("etag").unwrap();
    let known = get(&gateway, "footfall.js", &[("if-none-match", tag)]).await;
    assert_eq!((known.status, known.body.as_str()), (304, ""));
    for encoding in ["br", "gzip"] {
        let compressed = wait::until("the compressed form", async || {
            let answer = get(&gateway, "footfall.js", &[("accept-encoding", encoding)]).await;
            match answer.header("content-encoding") {
                Some(said) if said == encoding => Ok(answer),
                _ => Err(format!("{answer:?}")),
            }
        })
        .await;
        let len: usize = compressed
            .header("content-length")
            .unwrap()
            .parse()
            .unwrap();
        assert!(len < script.len() && compressed.header("etag") != Some(tag));
    }
    let wasm = get(&gateway, "footfall-4b64b994353a.wasm", &[]).await;
    assert_eq!(wasm.header("content-type"), Some("application/wasm"));
    assert_eq!(
        wasm.header("cache-control"),
        Some("public, max-age=31536000, immutable")
    );
    for name in [
        "secret.pem",
        "nothing.js",
        "..%2fCargo.toml",
        "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    ] {
        assert_eq!(get(&gateway, name, &[]).await.status, 404, "{name}");
    }
}

#[tokio::test]
async fn a_page_from_before_an_update_still_gets_its_core_and_no_cache_keeps_that_a_file_is_missing()
 {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    put("footfall.js", "import('./core-aaaaaaaaaaaa.js')");
    put("core-aaaaaaaaaaaa.js", "first");
    let flags = ["--sdk-dir", &folder.path().display().to_string()];
    let gateway = Gateway::start_with(Kafka::shared().await, &flags).await;
    let early = get(&gateway, "core-bbbbbbbbbbbb.js", &[]).await;
    assert_eq!(
        (early.status, early.header("cache-control")),
        (404, Some("no-store"))
    );
    fs::remove_file(folder.path().join("core-aaaaaaaaaaaa.js")).unwrap();
    put("core-bbbbbbbbbbbb.js", "second");
    put("footfall.js", "import('./core-bbbbbbbbbbbb.js')");
    gateway.program.signal(Signal::SIGHUP);
    wait::until("the update to be served", async || {
        let answer = get(&gateway, "core-bbbbbbbbbbbb.js", &[]).await;
        let is_there = answer.status == 200 && answer.body == "second";
        is_there.then_some(()).ok_or(answer.body)
    })
    .await;
    let old = get(&gateway, "core-aaaaaaaaaaaa.js", &[]).await;
    assert_eq!((old.status, old.body.as_str()), (200, "first"));
    let cached = old.header("cache-control");
    assert_eq!(cached, Some("public, max-age=31536000, immutable"));
    let loader = get(&gateway, "footfall.js", &[]).await;
    assert!(loader.body.contains("bbbbbbbbbbbb"), "{loader:?}");
}

#[tokio::test]
async fn what_the_sdk_sends_is_listed_where_its_files_are_and_the_statement_says_where() {
    let dist = footfall_tests::program::root().join("sdk-wasm/dist");
    let without = tempfile::tempdir().unwrap();
    fs::write(without.path().join("footfall.js"), "").unwrap();
    for (folder, expected) in [
        (dist.as_path(), json!("/sdk/fields.json")),
        (without.path(), Value::Null),
    ] {
        let flags = ["--sdk-dir", &folder.display().to_string()];
        let gateway = Gateway::start_with(Kafka::shared().await, &flags).await;
        let statement = format!("{}/.well-known/footfall.json", gateway.url);
        let statement = Answer::to(reqwest::Client::new().get(statement)).await;
        assert_eq!(statement.unwrap().json()["sdk_fields"], expected);
        let listed = get(&gateway, "fields.json", &[]).await;
        assert_eq!(listed.status, if expected.is_null() { 404 } else { 200 });
        if listed.status == 200 {
            assert_eq!(listed.header("content-type"), Some("application/json"));
            assert!(listed.json()["fields"].as_array().unwrap().len() > 30);
        }
    }
}
