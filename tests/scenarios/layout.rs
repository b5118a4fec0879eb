//! What the design forbids: edges between crates, and unsafe code anywhere but in one module.

use cargo_metadata::{DependencyKind, MetadataCommand};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// What a crate must not depend on, directly or through others of the workspace.
const FORBIDDEN: &[(&str, &[&str])] = &[
    (
        "footfall-protocol",
        &[
            "tokio",
            "axum",
            "rdkafka",
            "wasm-bindgen",
            "uuid",
            "rand",
            "jiff",
        ],
    ),
    (
        "footfall-sdk",
        &[
            "tokio",
            "axum",
            "rdkafka",
            "serde",
            "serde_json",
            "url",
            "uuid",
            "footfall-service",
        ],
    ),
    (
        "footfall-gateway",
        &[
            "footfall-runtime",
            "footfall-streams",
            "footfall-aggregation",
            "footfall-sdk",
        ],
    ),
    (
        "footfall-task",
        &[
            "rdkafka",
            "tokio",
            "footfall-protocol",
            "footfall-runtime",
            "footfall-service",
            "footfall-streams",
        ],
    ),
    (
        "footfall-streams",
        &[
            "rdkafka",
            "tokio",
            "axum",
            "jiff",
            "footfall-runtime",
            "footfall-service",
        ],
    ),
    (
        "footfall-runtime",
        &[
            "footfall-aggregation",
            "footfall-streams",
            "footfall-gateway",
            "footfall-protocol",
        ],
    ),
    (
        "footfall-aggregation",
        &["footfall-gateway", "footfall-sdk"],
    ),
    (
        "footfall-service",
        &["footfall-gateway", "footfall-runtime", "footfall-protocol"],
    ),
];

/// Crates that stand at the end: nobody depends on them.
const LEAVES: &[&str] = &["footfall-tests", "footfall-demo-site", "xtask"];

#[test]
fn no_crate_has_an_edge_that_the_design_forbids() {
    let edges = edges();
    for (name, forbidden) in FORBIDDEN {
        let reached = reached(&edges, name);
        let broken: Vec<_> = forbidden
            .iter()
            .filter(|other| reached.contains(**other))
            .collect();
        assert!(broken.is_empty(), "{name} must not depend on {broken:?}");
    }
}

#[test]
fn nobody_depends_on_tests_demo_site_or_xtask() {
    for (name, dependencies) in edges() {
        let broken: Vec<_> = LEAVES
            .iter()
            .filter(|leaf| dependencies.contains(**leaf))
            .collect();
        assert!(broken.is_empty(), "{name} must not depend on {broken:?}");
    }
}

#[test]
fn every_crate_of_the_table_exists() {
    let edges = edges();
    for name in FORBIDDEN.iter().map(|(name, _)| name).chain(LEAVES) {
        assert!(edges.contains_key(*name), "{name} is not in the workspace");
    }
}

#[test]
fn unsafe_code_is_in_one_module() {
    let root = footfall_tests::program::root();
    let mut found = Vec::new();
    for folder in [
        "gateway",
        "processors",
        "service",
        "sdk-wasm/src",
        "demo-site",
        "tests/src",
        "xtask/src",
    ] {
        sources(&root.join(folder), &mut |path, text| {
            // The lint denies it wherever nobody says its name.
            if text.contains("unsafe_code") {
                let path = path.strip_prefix(root).unwrap();
                found.push(path.display().to_string());
            }
        });
    }
    assert_eq!(found, ["processors/runtime/src/native.rs"]);
}

/// Shows each Rust file below a folder.
fn sources(folder: &Path, show: &mut impl FnMut(&Path, &str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, show);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            show(&path, &fs::read_to_string(&path).unwrap());
        }
    }
}

/// The direct dependencies of every crate of the workspace, those of tests and builds apart.
fn edges() -> BTreeMap<String, BTreeSet<String>> {
    let manifest = footfall_tests::program::root().join("Cargo.toml");
    let metadata = MetadataCommand::new()
        .manifest_path(manifest)
        .no_deps()
        .exec()
        .expect("cargo metadata");
    let packages = metadata.packages.iter().map(|package| {
        let normal = package
            .dependencies
            .iter()
            .filter(|one| one.kind == DependencyKind::Normal);
        (
            package.name.to_string(),
            normal.map(|one| one.name.clone()).collect(),
        )
    });
    packages.collect()
}

/// Everything reached from a crate by way of crates of the workspace.
fn reached(edges: &BTreeMap<String, BTreeSet<String>>, from: &str) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut next = vec![from.to_owned()];
    while let Some(name) = next.pop() {
        for dependency in edges.get(&name).into_iter().flatten() {
            if reached.insert(dependency.clone()) {
                next.push(dependency.clone());
            }
        }
    }
    reached
}
