//! What lies between the wasm and JavaScript.

use super::{lower::lower, snip::snip};
use crate::process;
use anyhow::{Context as _, bail};
use std::{fs, path::Path};
use walrus::Module;
use wasm_bindgen_cli_support::Bindgen;

/// The wasm as wasm-bindgen leaves it. Its own JavaScript is not used: `script/glue.ts` is smaller.
pub(super) const WASM: &str = "footfall_bg.wasm";

/// What `script/glue.ts` calls, and by which name.
const EXPORTS: &[(&str, &str)] = &[
    ("memory", "memory"),
    ("__wbindgen_malloc", "malloc"),
    ("call", "call"),
];

/// What `script/glue.ts` provides.
const IMPORTS: &[&str] = &["ask", "tell"];

/// Writes the wasm into a folder, as `script/glue.ts` and the twin want it.
///
/// # Errors
/// When the wasm cannot be read, wants what nobody provides, or nothing can be written.
pub(super) fn generate(wasm: &Path, folder: &Path) -> anyhow::Result<()> {
    process::say("==> make the bindings");
    fs::create_dir_all(folder).with_context(|| format!("make folder {}", folder.display()))?;
    let mut module = Module::from_file(wasm).context("read the compiled wasm")?;
    snip(&mut module);
    lower(&mut module)?;
    let mut output = Bindgen::new()
        .input_module("footfall", module)
        .bundler(true)?
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate_output()
        .context("run wasm-bindgen")?;
    let module = output.wasm_mut();
    name_exports(module);
    walrus::passes::gc::run(module);
    name_imports(module)?;
    module
        .emit_wasm_file(folder.join(WASM))
        .context("write the wasm")
}

/// Some crates export what only other kinds of programs call.
fn name_exports(module: &mut Module) {
    let mut unused = Vec::new();
    for export in module.exports.iter_mut() {
        match EXPORTS.iter().find(|(long, _)| *long == export.name) {
            Some((_, name)) => export.name = (*name).into(),
            None => unused.push(export.id()),
        }
    }
    for export in unused {
        module.exports.delete(export);
    }
}

/// The names carry hashes, which no compression makes small.
fn name_imports(module: &mut Module) -> anyhow::Result<()> {
    for import in module.imports.iter_mut() {
        let Some(name) = IMPORTS
            .iter()
            .find(|name| import.name.starts_with(&format!("__wbg_{name}_")))
        else {
            bail!(
                "expected imports of {IMPORTS:?} only, found {}",
                import.name
            );
        };
        import.module = "a".into();
        import.name = (*name).into();
    }
    Ok(())
}
