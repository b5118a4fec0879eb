//! The package as customers get it: packed, installed into fresh projects, bundled by what they
//! bundle with, and opened in a browser.

mod project;

use footfall_tests::{browser::Browser, recorder::Recorder, wait};
use project::{Project, packed, tool};
use serde_json::{Value, json};
use std::path::Path;

#[tokio::test(flavor = "multi_thread")]
async fn vite_bundles_it_and_its_parts_are_loaded_only_when_they_are_needed() {
    let project = Project::fresh("vite").await;
    project.run("vite", &["build"]).await;
    let dist = project.folder.join("dist");
    let events = events_of(&dist, "/", "", "vite").await;
    assert!(
        loaded(&events, "vitals") && !loaded(&events, "twin"),
        "{events:#?}"
    );
    // The same files where WebAssembly is refused.
    let policy = "script-src 'self'";
    let events = events_of(&dist, "/", policy, "vite").await;
    assert!(
        loaded(&events, "vitals") && loaded(&events, "twin"),
        "{events:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn webpack_bundles_it_with_the_wasm_inside_or_outside() {
    let project = Project::fresh("webpack").await;
    project.run("webpack", &[]).await;
    let dist = project.folder.join("dist");
    project.copy("index.html", "dist/index.html");
    project.copy("external.html", "dist/external.html");
    events_of(&dist, "/", "", "webpack").await;
    events_of(&dist, "/external.html", "", "webpack, external").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn esbuild_bundles_it() {
    let project = Project::fresh("esbuild").await;
    let flags = ["main.js", "--bundle", "--minify", "--outfile=dist/main.js"];
    project.run("esbuild", &flags).await;
    project.copy("index.html", "dist/index.html");
    events_of(&project.folder.join("dist"), "/", "", "esbuild").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rollup_bundles_it_into_one_script() {
    let project = Project::fresh("rollup").await;
    let flags = [
        "-p",
        "node-resolve",
        "-i",
        "main.js",
        "-f",
        "iife",
        "-o",
        "dist/main.js",
    ];
    project.run("rollup", &flags).await;
    project.copy("index.html", "dist/index.html");
    events_of(&project.folder.join("dist"), "/", "", "rollup").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn next_renders_and_bundles_it_with_its_hook_and_provider() {
    let project = Project::fresh("next").await;
    project.run("next", &["build"]).await;
    events_of(&project.folder.join("out"), "/", "", "next").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn node_imports_it_without_touching_a_global_and_browsers_need_no_bundler() {
    let project = Project::fresh("node").await;
    let said = project.node("server.js").await;
    assert_eq!(said.trim(), "imported 5 entries");
    events_of(&project.folder, "/", "", "node").await;
}

#[tokio::test]
async fn its_types_and_its_manifest_are_right() {
    let package = packed().await.display().to_string();
    tool("publint", &["run", &package, "--strict"], Path::new(".")).await;
    let flags = [&package, "--profile", "esm-only", "--no-emoji"];
    tool("attw", &flags, Path::new(".")).await;
}

/// Opens a page of the folder; returns the page's view and its own event, and what it has loaded.
async fn events_of(folder: &Path, path: &str, policy: &str, by: &str) -> Value {
    let recorder = Recorder::start().await;
    recorder.folder(folder);
    if !policy.is_empty() {
        recorder.header("content-security-policy", policy);
    }
    let browser = Browser::start().await;
    browser
        .driver
        .goto(format!("{}{path}", recorder.url))
        .await
        .unwrap();
    let taken = wait::until(&format!("the events of what {by} has made"), async || {
        let taken = recorder.taken();
        let has = |kind: &str| taken.iter().any(|event| event["type"] == kind);
        let is_whole = has("page_view") && has("custom");
        is_whole
            .then_some(taken.clone())
            .ok_or_else(|| format!("{taken:#?}"))
    })
    .await;
    let own: Vec<_> = taken
        .iter()
        .filter(|event| event["type"] == "custom")
        .collect();
    assert_eq!(own.len(), 1, "{own:#?}");
    assert_eq!(own[0]["name"], "bundled");
    assert_eq!(own[0]["properties"], json!({ "by": by }));
    let script = "return performance.getEntriesByType('resource').map(({ name }) => name)";
    let resources = browser.driver.execute(script, vec![]).await.unwrap();
    json!({ "taken": taken, "resources": resources.json() })
}

fn loaded(events: &Value, part: &str) -> bool {
    let resources = events["resources"].as_array().unwrap();
    resources
        .iter()
        .any(|url| url.as_str().unwrap().contains(&format!("/{part}-")))
}
