//! Whether a component needs the asynchronous component model.

use crate::options::RunOptions;
use wasmparser::{Parser, Validator, WasmFeatures};

const ASYNCHRONOUS: WasmFeatures = WasmFeatures::CM_ASYNC
    .union(WasmFeatures::CM_ASYNC_STACKFUL)
    .union(WasmFeatures::CM_MORE_ASYNC_BUILTINS)
    .union(WasmFeatures::CM_THREADING)
    .union(WasmFeatures::CM_ERROR_CONTEXT);

/// Switches the engine's support for concurrent tasks off where the component cannot use it: without, each call
/// between the component and its host costs less. What the options say themselves stands.
pub(crate) fn decide(options: &mut RunOptions, binary: &[u8]) {
    let wasm = &mut options.common.wasm;
    let asked_for = [
        wasm.component_model_async,
        wasm.component_model_async_stackful,
        wasm.component_model_more_async_builtins,
        wasm.component_model_threading,
        wasm.component_model_error_context,
        wasm.all_proposals,
    ];
    if wasm.concurrency_support.is_none() && !asked_for.contains(&Some(true)) && !is_asynchronous(binary) {
        wasm.concurrency_support = Some(false);
    }
}

/// Whether a component is valid only with the asynchronous component model. Of one that is not valid at all it may
/// say anything.
fn is_asynchronous(binary: &[u8]) -> bool {
    let mut validator = Validator::new_with_features(WasmFeatures::all().difference(ASYNCHRONOUS));
    // The bodies of functions are stepped over: they are core WebAssembly, and the bulk of a program.
    Parser::new(0)
        .parse_all(binary)
        .any(|payload| payload.and_then(|payload| validator.payload(&payload)).is_err())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_uses_it_needs_it() {
        let module =
            "(core module $m (memory (export \"m\") 1) (func (export \"f\") (result i32) (i32.const 0)))
            (core instance $i (instantiate $m))";
        for (text, asynchronous) in [
            ("", false),
            (module, false),
            ("(import \"a:b/c@1.0.0\" (instance (export \"r\" (type (sub resource)))))", false),
            ("(component (import \"f\" (func (result string))))", false),
            ("(import \"f\" (func async))", true),
            ("(import \"f\" (func (param \"s\" (stream u8))))", true),
            ("(import \"f\" (func (result (future))))", true),
            ("(type error-context)", true),
            ("(component (component (import \"f\" (func async))))", true),
            ("(core func (canon task.cancel))", true),
            (
                &format!(
                    "{module} (func (export \"f\") async (result u32) (canon lift (core func $i \"f\")))"
                ),
                true,
            ),
            (
                &format!("{module} (func (export \"f\") (result u32) (canon lift (core func $i \"f\")))"),
                false,
            ),
        ] {
            let binary = wat::parse_str(format!("(component {text})")).expect(text);
            assert_eq!(is_asynchronous(&binary), asynchronous, "{text}");
            assert!(
                Validator::new_with_features(WasmFeatures::all()).validate_all(&binary).is_ok(),
                "{text}"
            );
        }
    }
}
