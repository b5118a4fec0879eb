//! What lies between the wasm and JavaScript.

use super::{lower::lower, snip::snip};
use crate::process;
use anyhow::Context as _;
use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};
use walrus::Module;
use wasm_bindgen_cli_support::{Bindgen, EncodeInto};

/// The wasm as wasm-bindgen leaves it.
pub(super) const WASM: &str = "footfall_bg.wasm";

/// wasm-bindgen's functions, which the wasm calls and is called by.
const GLUE: &str = "footfall_bg.js";

/// What `script/core.ts` imports as `footfall-glue`: the functions, and what to instantiate with.
const ENTRY: &str = "glue.js";

/// What the wasm is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// To be run as it is.
    Wasm,
    /// To be made into JavaScript.
    Twin,
}

/// Writes the wasm and its glue into a folder.
///
/// # Errors
/// When the wasm cannot be read, or nothing can be written.
pub(super) fn generate(wasm: &Path, form: Form, folder: &Path) -> anyhow::Result<()> {
    process::say("==> make the bindings");
    fs::create_dir_all(folder).with_context(|| format!("make folder {}", folder.display()))?;
    let mut module = Module::from_file(wasm).context("read the compiled wasm")?;
    snip(&mut module);
    if form == Form::Twin {
        lower(&mut module)?;
    }
    let mut output = Bindgen::new()
        .input_module("footfall", module)
        .bundler(true)?
        .typescript(false)
        // Every browser that has reference types has `encodeInto`.
        .encode_into(EncodeInto::Always)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate_output()
        .context("run wasm-bindgen")?;
    output.emit(folder).context("write the bindings")?;
    let glue = fs::read_to_string(folder.join(GLUE)).context("read the bindings")?;
    let module = output.wasm_mut();
    remove_unused_exports(module, &glue);
    let glue = shorten_exports(module, &glue);
    let entry = shorten_imports(module);
    write(&folder.join(GLUE), &glue)?;
    write(&folder.join(ENTRY), &entry)?;
    module
        .emit_wasm_file(folder.join(WASM))
        .context("write the wasm")
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(file, text).with_context(|| format!("write {}", file.display()))
}

/// Some crates export what only other kinds of programs call.
fn remove_unused_exports(module: &mut Module, glue: &str) {
    let unused: Vec<_> = module
        .exports
        .iter()
        .filter(|export| !glue.contains(&format!("wasm.{}", export.name)))
        .filter(|export| export.name != "__wbindgen_start")
        .map(walrus::Export::id)
        .collect();
    for export in unused {
        module.exports.delete(export);
    }
}

/// Renames the exports to single letters, and where the glue uses them too.
fn shorten_exports(module: &mut Module, glue: &str) -> String {
    let mut short = BTreeMap::new();
    for (index, export) in module.exports.iter_mut().enumerate() {
        short.insert(export.name.clone(), letters(index));
        export.name = letters(index);
    }
    let mut shortened = String::new();
    for (index, part) in glue.split("wasm.").enumerate() {
        let is_name = |char: char| char.is_ascii_alphanumeric() || char == '_';
        let end = part.find(|char| !is_name(char)).unwrap_or(part.len());
        let (name, rest) = part.split_at(end);
        match short.get(name) {
            Some(letters) if index > 0 => shortened.extend(["wasm.", letters, rest]),
            _ if index > 0 => shortened.extend(["wasm.", part]),
            _ => shortened.push_str(part),
        }
    }
    // What the module does first, if anything; the glue knows its name no more than anybody else.
    let start = short.get("__wbindgen_start");
    let start = start.map_or_else(String::new, |letters| format!("wasm.{letters}();"));
    let _written = writeln!(shortened, "export function begin() {{ {start} }}");
    shortened
}

/// Renames the imports to single letters and writes the module that provides them: the names carry
/// hashes, which no compression makes small, and every page would download them twice.
fn shorten_imports(module: &mut Module) -> String {
    let mut sources: BTreeMap<String, usize> = BTreeMap::new();
    let mut provided = String::new();
    for (index, import) in module.imports.iter_mut().enumerate() {
        let next = sources.len();
        let source = *sources.entry(import.module.clone()).or_insert(next);
        let short = letters(index);
        // Writing to a String cannot fail.
        let _written = writeln!(provided, "  {short}: m{source}.{},", import.name);
        import.module = "a".into();
        import.name = short;
    }
    let mut entry = format!("export * from \"./{GLUE}\";\n");
    for (source, number) in &sources {
        let _written = writeln!(entry, "import * as m{number} from \"{source}\";");
    }
    let _written = write!(entry, "export const imports = {{ a: {{\n{provided}}} }};\n");
    entry
}

/// `a` to `z`, then `ba`, `bb` and so on.
fn letters(index: usize) -> String {
    let last = char::from(b'a' + u8::try_from(index % 26).unwrap_or(0));
    match index / 26 {
        0 => last.to_string(),
        rest => letters(rest) + &last.to_string(),
    }
}
