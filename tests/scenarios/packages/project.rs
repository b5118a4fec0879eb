//! Fresh projects with the packed SDK in them. The tools lie in the folder above, once for all.

use footfall_tests::program;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use tokio::{sync::OnceCell, task::spawn_blocking};

/// A project as somebody has just made it.
#[derive(Debug)]
pub(super) struct Project {
    pub(super) folder: PathBuf,
}

impl Project {
    /// Copies a project of `tests/packages/`, and installs the packed SDK into it.
    pub(super) async fn fresh(name: &str) -> Self {
        packed().await;
        let folder = folder().join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        copy_folder(&program::root().join("tests/packages").join(name), &folder);
        let flags = ["install", "--no-package-lock", "--prefer-offline"];
        let quiet = ["--no-audit", "--no-fund", "--loglevel=error"];
        run(Path::new("npm"), &[&flags[..], &quiet].concat(), &folder).await;
        Self { folder }
    }

    /// Runs a tool in it.
    pub(super) async fn run(&self, name: &str, arguments: &[&str]) {
        tool(name, arguments, &self.folder).await;
    }

    /// Runs a script of it; returns what it prints.
    pub(super) async fn node(&self, script: &str) -> String {
        run(Path::new("node"), &[script], &self.folder).await
    }

    /// Puts a file where the built ones are.
    pub(super) fn copy(&self, from: &str, to: &str) {
        fs::copy(self.folder.join(from), self.folder.join(to)).unwrap();
    }
}

/// The package as npm packs it, once in a run.
pub(super) async fn packed() -> &'static Path {
    static PACKED: OnceCell<PathBuf> = OnceCell::const_new();
    PACKED
        .get_or_init(async || {
            let sdk = program::root().join("sdk-wasm");
            let target = folder().display().to_string();
            let flags = ["pack", "--ignore-scripts", "--pack-destination", &target];
            let said = run(Path::new("npm"), &flags, &sdk).await;
            let name = said.lines().last().unwrap();
            let package = folder().join("sdk.tgz");
            fs::rename(folder().join(name), &package).unwrap();
            package
        })
        .await
}

/// Runs a tool of `tests/packages/package.json`.
pub(super) async fn tool(name: &str, arguments: &[&str], folder: &Path) -> String {
    let program = self::folder().join("node_modules/.bin").join(name);
    assert!(
        program.exists(),
        "{} is not installed; run `cargo xtask test packages`",
        program.display()
    );
    run(&program, arguments, folder).await
}

/// Where the tools are, and the projects beside them.
fn folder() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let target = test.ancestors().nth(3).expect("target/debug/deps/TEST");
    target.join("packages")
}

async fn run(program: &Path, arguments: &[&str], folder: &Path) -> String {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null());
    command.env("NEXT_TELEMETRY_DISABLED", "1");
    let output = spawn_blocking(move || command.output()).await;
    let output = output.unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{} {arguments:?}: {said}{}",
        program.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    said
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
