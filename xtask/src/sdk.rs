//! `cargo xtask sdk`: the SDK's npm package and script-tag files, in `sdk-wasm/dist/`.
//!
//! cargo -> snip -> wasm-bindgen -> wasm-opt -> esbuild. The same sources give the same bytes.

mod bindings;
mod inputs;
mod lower;
pub(crate) mod node;
mod snip;
mod twin;

use crate::{
    cargo::{self, cargo},
    process,
};
use anyhow::{Context as _, bail};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const TARGET: &str = "wasm32-unknown-unknown";

/// What wasm-opt may use: what rustc uses by itself, and every browser of the last years has.
/// (`--all-features` makes modules that browsers refuse.)
const FEATURES: &[&str] = &[
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// The command: builds, and says how large it is.
///
/// # Errors
/// When a step fails; the message names it.
pub(crate) fn run() -> anyhow::Result<()> {
    build(cargo::root())
}

/// Builds what has changed since the last time.
///
/// # Errors
/// When a step fails; the message names it.
pub(crate) fn build(root: &Path) -> anyhow::Result<()> {
    let _others_wait = cargo::lock()?;
    node::install(root)?;
    let work = cargo::target().join("sdk");
    let stamp = inputs::stamp(root)?;
    let stamp_file = work.join("stamp");
    let dist = root.join("sdk-wasm/dist");
    if is_built(&stamp_file, &stamp, &dist) {
        process::say("==> the SDK is built already");
        return Ok(());
    }
    add_target()?;
    let wasm = compile()?;
    bindings::generate(&wasm, &work)?;
    optimise(root, &work)?;
    twin::make(root, &work)?;
    let mut types = node::program(root, "tsc");
    process::run("check the SDK's types", types.args(["-p", "sdk-wasm"]))?;
    test_scripts(root, &work)?;
    bundle(root, &work, &dist)?;
    fs::write(&stamp_file, stamp).with_context(|| format!("write {}", stamp_file.display()))
}

fn is_built(stamp_file: &Path, stamp: &str, dist: &Path) -> bool {
    let built = fs::read_to_string(stamp_file).is_ok_and(|built| built == stamp);
    built
        && ["footfall.js", "index.js"]
            .iter()
            .all(|file| dist.join(file).exists())
}

/// A toolchain that is installed without its file's targets needs them added.
fn add_target() -> anyhow::Result<()> {
    let mut rustc = Command::new("rustc");
    rustc.args(["--print", "target-libdir", "--target", TARGET]);
    let output = rustc.output().context("cannot start `rustc`")?;
    let folder = String::from_utf8(output.stdout).context("read rustc's answer")?;
    if Path::new(folder.trim()).exists() {
        return Ok(());
    }
    let mut rustup = Command::new("rustup");
    rustup.args(["target", "add", TARGET]);
    process::run("add the wasm target", &mut rustup)
}

fn compile() -> anyhow::Result<PathBuf> {
    let mut build = cargo(&["build", "--package", "footfall-sdk", "--lib"]);
    build.args(["--profile", "wasm", "--target", TARGET]);
    // What panics would say names files: by the same names on every machine.
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(env::home_dir()?.join(".cargo")));
    let home = home.context("find cargo's folder")?;
    let flags = format!("--remap-path-prefix={}=cargo", home.display());
    build.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", flags);
    process::run("compile the SDK to wasm", &mut build)?;
    Ok(cargo::target().join(TARGET).join("wasm/footfall_sdk.wasm"))
}

fn optimise(root: &Path, work: &Path) -> anyhow::Result<()> {
    let mut opt = node::program(root, "wasm-opt");
    opt.args(FEATURES).args([
        "--flatten",
        "--rereloop",
        "-O2",
        "-Os",
        "--converge",
        // Functions of one module stand together, where compression sees what they share.
        "--reorder-functions-by-name",
        "--reorder-locals",
        // The lowest addresses are the far end of the stack.
        "--low-memory-unused",
        "--strip-producers",
        "--strip-target-features",
    ]);
    opt.arg(work.join(bindings::WASM))
        .arg("-o")
        .arg(work.join("footfall.wasm"));
    process::run("optimise the wasm", &mut opt)
}

/// What the scripts decide by themselves: consent, options, waits. The rest takes a browser.
fn test_scripts(root: &Path, work: &Path) -> anyhow::Result<()> {
    let mut node = Command::new("node");
    node.current_dir(root)
        .arg("sdk-wasm/build/test.js")
        .arg(work);
    process::run("test the SDK's scripts", node.stdin(Stdio::null()))
}

fn bundle(root: &Path, work: &Path, dist: &Path) -> anyhow::Result<()> {
    if dist.exists() {
        fs::remove_dir_all(dist).with_context(|| format!("empty {}", dist.display()))?;
    }
    let mut node = Command::new("node");
    node.current_dir(root)
        .arg("sdk-wasm/build/bundle.js")
        .arg(work)
        .arg(dist);
    process::run("bundle the SDK", node.stdin(Stdio::null()))?;
    if !dist.join("footfall.js").exists() {
        bail!("bundle the SDK failed (it wrote no footfall.js)");
    }
    Ok(())
}
