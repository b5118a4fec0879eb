//! Whether anything has changed that the SDK is made from.

use anyhow::Context as _;
use std::{
    env, fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::{Path, PathBuf},
};

/// Everything that is read on the way to `dist/`.
const INPUTS: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml",
    "package-lock.json",
    "rust-toolchain.toml",
    "sdk-wasm/Cargo.toml",
    "sdk-wasm/build",
    "sdk-wasm/external.d.ts",
    "sdk-wasm/fields.json",
    "sdk-wasm/footfall.wasm.d.ts",
    "sdk-wasm/index.d.ts",
    "sdk-wasm/package.json",
    "sdk-wasm/privacy.d.ts",
    "sdk-wasm/react.d.ts",
    "sdk-wasm/script.d.ts",
    "sdk-wasm/script",
    "sdk-wasm/src",
    "sdk-wasm/tsconfig.json",
    "sdk-wasm/twin.d.ts",
    "sdk-wasm/vitals.d.ts",
    "xtask/src/sdk",
    "xtask/src/sdk.rs",
];

/// A text that changes when an input does.
///
/// # Errors
/// When an input cannot be read.
pub(super) fn stamp(root: &Path) -> anyhow::Result<String> {
    let mut hasher = DefaultHasher::new();
    env::var_os("RUSTFLAGS").hash(&mut hasher);
    for input in INPUTS {
        let mut files = Vec::new();
        collect(&root.join(input), &mut files)?;
        files.sort();
        for file in files {
            let bytes = fs::read(&file).with_context(|| format!("read {}", file.display()))?;
            file.strip_prefix(root).unwrap_or(&file).hash(&mut hasher);
            bytes.hash(&mut hasher);
        }
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(path).with_context(|| format!("read {}", path.display()))? {
        collect(&entry?.path(), files)?;
    }
    Ok(())
}
