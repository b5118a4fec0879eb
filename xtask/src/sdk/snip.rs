//! Takes out what a panic would print.
//!
//! The standard library is compiled with its panic messages, and nothing on stable Rust leaves them
//! out. On a page nobody reads them: a panic is a trap either way. A function that is named here
//! becomes that trap, and wasm-opt removes what only it has used.

use walrus::{FunctionBuilder, FunctionId, FunctionKind, LocalFunction, Module};

/// Parts of mangled names. Formatting is only reached from panics: the SDK never formats.
const SNIPPED: &[&str] = &[
    // The SDK awaits nothing.
    "js_sys7futures",
    "4core3fmt",
    "4core9panicking",
    "5alloc3fmt",
    "3std9panicking",
    "3std5alloc8rust_oom",
    "rust_begin_unwind",
    "rust_panic",
    "panic_access_error",
    "capacity_overflow",
    // What the bindings would throw.
    "throw_str",
    "malloc_failure",
    "handle_alloc_error",
    "slice_error_fail",
    "slice_index_fail",
    "unwrap_failed",
    "expect_failed",
];

/// What only panics say, and the files they name.
const SAID: &[&str] = &[
    "cannot access a Thread Local Storage value during or after destruction: ",
    "Tried to shrink to a larger capacity",
    "AccessError",
    "capacity overflow",
    "library/std/src/thread/local.rs",
    "library/alloc/src/raw_vec/mod.rs",
];

/// What the name of a file of the standard library starts with; the compiler's commit follows.
const FILE: &str = "/rustc/";

/// The length of a commit's name and the slash behind it.
const COMMIT: usize = 41;

/// Replaces the body of every such function, and what it would say; returns how many there were.
pub(super) fn snip(module: &mut Module) -> usize {
    let snipped: Vec<FunctionId> = module
        .funcs
        .iter_local()
        .map(|(id, _)| id)
        .filter(|id| {
            module
                .funcs
                .get(*id)
                .name
                .as_deref()
                .is_some_and(is_snipped)
        })
        .collect();
    for id in &snipped {
        let body = trap(module, *id);
        module.funcs.get_mut(*id).kind = FunctionKind::Local(body);
    }
    let data: Vec<_> = module.data.iter().map(walrus::Data::id).collect();
    for id in data {
        blank(&mut module.data.get_mut(id).value);
    }
    snipped.len()
}

/// Writes zeros over the texts: wasm-opt leaves out what is zero.
fn blank(data: &mut [u8]) {
    for text in SAID.iter().map(|text| text.as_bytes()) {
        while let Some(at) = find(data, text) {
            data[at..at + text.len()].fill(0);
        }
    }
    while let Some(at) = find(data, FILE.as_bytes()) {
        let end = data.len().min(at + FILE.len() + COMMIT);
        data[at..end].fill(0);
    }
}

fn find(data: &[u8], text: &[u8]) -> Option<usize> {
    data.windows(text.len()).position(|window| window == text)
}

fn is_snipped(name: &str) -> bool {
    SNIPPED.iter().any(|part| name.contains(part))
}

fn trap(module: &mut Module, id: FunctionId) -> LocalFunction {
    let kind = module.types.get(module.funcs.get(id).ty());
    let (params, results) = (kind.params().to_vec(), kind.results().to_vec());
    let arguments = params.iter().map(|kind| module.locals.add(*kind)).collect();
    let mut builder = FunctionBuilder::new(&mut module.types, &params, &results);
    builder.func_body().unreachable();
    builder.local_func(arguments)
}

#[cfg(test)]
mod tests {
    use super::blank;

    #[test]
    fn what_only_panics_say_becomes_zero_and_nothing_else() {
        let commit = "0".repeat(40);
        let mut data = format!("a/rustc/{commit}/library/std/src/thread/local.rsb").into_bytes();
        blank(&mut data);
        assert_eq!((data[0], data[data.len() - 1]), (b'a', b'b'));
        assert!(data[1..data.len() - 1].iter().all(|byte| *byte == 0));
    }
}
