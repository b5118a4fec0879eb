//! The SDK's core as JavaScript, for pages on which WebAssembly is not allowed.

use super::{bindings, node};
use crate::process;
use anyhow::{Context as _, bail};
use std::{fs, path::Path};

/// The twin as a module; it exports `instantiate`.
const SCRIPT: &str = "twin.js";

/// Instructions that JavaScript has no words for, said with others.
const LOWERED: &[&str] = &[
    "--llvm-memory-copy-fill-lowering",
    "--llvm-nontrapping-fptoint-lowering",
    "--signext-lowering",
];

/// Makes the twin from the wasm that the bindings left in the folder.
///
/// # Errors
/// When a step fails; the message names it.
pub(super) fn make(root: &Path, folder: &Path) -> anyhow::Result<()> {
    let lowered = folder.join("lowered.wasm");
    let mut opt = node::program(root, "wasm-opt");
    opt.args(super::FEATURES).args(LOWERED).args([
        "-Oz",
        "--low-memory-unused",
        "--strip-producers",
        "--strip-target-features",
    ]);
    opt.arg(folder.join(bindings::WASM)).arg("-o").arg(&lowered);
    process::run("lower the wasm for its twin", &mut opt)?;
    let mut translate = node::program(root, "wasm2js");
    let script = folder.join(SCRIPT);
    translate.arg("-Oz").arg(&lowered).arg("-o").arg(&script);
    process::run("translate the wasm to JavaScript", &mut translate)?;
    let translated = fs::read_to_string(&script).context("read the twin")?;
    fs::write(&script, as_function(&translated)?).context("write the twin")
}

/// wasm2js writes a module that imports, and starts when it is imported. Ours is called, with what
/// a module of wasm would be instantiated with.
fn as_function(script: &str) -> anyhow::Result<String> {
    let Some((body, _start)) = script.split_once("\nvar retasmFunc = ") else {
        bail!("expected wasm2js to start the twin by `var retasmFunc = `, found no such line");
    };
    let imports = body.lines().take_while(|line| line.starts_with("import "));
    let body = &body[imports.map(|line| line.len() + 1).sum()..];
    Ok(format!("{body}\nexport {{ asmFunc as instantiate }};\n"))
}

#[cfg(test)]
mod tests {
    use super::as_function;

    #[test]
    fn the_twin_starts_when_it_is_called() {
        let script = "import * as a from 'a';\n\nfunction asmFunc(imports) {}\n\nvar retasmFunc = asmFunc({ a });\n";
        assert_eq!(
            as_function(script).unwrap(),
            "\nfunction asmFunc(imports) {}\n\nexport { asmFunc as instantiate };\n"
        );
    }

    #[test]
    fn another_form_is_refused() {
        assert!(as_function("function asmFunc(imports) {}").is_err());
    }
}
