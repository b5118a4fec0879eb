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
    // What the bindings would throw.
    "throw_str",
    "malloc_failure",
    "handle_alloc_error",
    "slice_error_fail",
    "slice_index_fail",
    "unwrap_failed",
    "expect_failed",
];

/// Replaces the body of every such function; returns how many there were.
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
    snipped.len()
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
