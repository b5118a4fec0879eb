//! Takes from a module what JavaScript has no words for, before wasm-bindgen uses it.

use anyhow::{Context as _, bail};
use walrus::{FunctionBuilder, FunctionKind, ImportKind, Module, RawCustomSection, ValType};

/// What a module may use, as compilers tell it and wasm-bindgen goes by.
const FEATURES: &str = "target_features";

/// Functions with several results, and objects of the page in tables.
const FORBIDDEN: &[&str] = &["multivalue", "reference-types"];

/// wasm-bindgen replaces it only where it uses tables.
const FIRST_OWN_OBJECT: [&str; 2] = [
    "__wbindgen_externref_xform__",
    "__wbindgen_externref_statics_end",
];

/// Where the objects start that the glue keeps in its array: behind 1,024 places for borrowed ones,
/// and `undefined`, `null`, `true` and `false`.
const OWN_OBJECTS: i32 = 1024 + 4;

/// Makes wasm-bindgen keep the page's objects in an array of the glue's.
///
/// # Errors
/// When the module is not as rustc and wasm-bindgen leave it.
pub(super) fn lower(module: &mut Module) -> anyhow::Result<()> {
    let section = module.customs.remove_raw(FEATURES);
    let list = section.context("find the features of the compiled wasm")?;
    let data = without(&list.data, FORBIDDEN).context("read the features of the compiled wasm")?;
    let name = FEATURES.into();
    module.customs.add(RawCustomSection { name, data });
    answer_first_own_object(module)
}

/// Takes features off the list, whose format is that of the [tool conventions][1]: a count, then for
/// each feature a sign and a name with its length. All numbers are below 128 here, one byte each.
///
/// [1]: https://github.com/WebAssembly/tool-conventions/blob/main/Linking.md#target-features-section
fn without(list: &[u8], features: &[&str]) -> Option<Vec<u8>> {
    let (_count, mut rest) = list.split_first()?;
    let mut kept = vec![0];
    while let [_sign, length, after @ ..] = rest {
        let (name, next) = after.split_at_checked((*length).into())?;
        if !features.iter().any(|feature| feature.as_bytes() == name) {
            kept[0] += 1;
            kept.extend(&rest[..2 + name.len()]);
        }
        rest = next;
    }
    rest.is_empty().then_some(kept)
}

fn answer_first_own_object(module: &mut Module) -> anyhow::Result<()> {
    let [from, name] = FIRST_OWN_OBJECT;
    let Some(import) = module.imports.find(from, name) else {
        return Ok(());
    };
    let ImportKind::Function(function) = module.imports.get(import).kind else {
        bail!("expected that the import {name} is a function");
    };
    module.imports.delete(import);
    let mut builder = FunctionBuilder::new(&mut module.types, &[], &[ValType::I32]);
    builder.func_body().i32_const(OWN_OBJECTS);
    let body = builder.local_func(Vec::new());
    module.funcs.get_mut(function).kind = FunctionKind::Local(body);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::without;

    #[test]
    fn only_what_is_named_is_taken_off() {
        let list = b"\x03+\x03one+\x03two+\x05three";
        assert_eq!(
            without(list, &["two", "four"]).unwrap(),
            b"\x02+\x03one+\x05three"
        );
    }

    #[test]
    fn a_list_that_ends_early_is_not_read() {
        assert_eq!(without(b"\x01+\x03on", &[]), None);
        assert_eq!(without(b"", &[]), None);
    }
}
