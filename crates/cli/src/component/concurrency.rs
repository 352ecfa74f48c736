//! Whether a component runs concurrent tasks, as WASI 0.3 has it: such a one is called asynchronously.

use super::release::Release;
use crate::options::RunOptions;
use anyhow::{Result, bail};
use wasmparser::{Parser, Payload, Validator, WasmFeatures};

const ASYNCHRONOUS: WasmFeatures = WasmFeatures::CM_ASYNC
    .union(WasmFeatures::CM_ASYNC_STACKFUL)
    .union(WasmFeatures::CM_MORE_ASYNC_BUILTINS)
    .union(WasmFeatures::CM_THREADING)
    .union(WasmFeatures::CM_ERROR_CONTEXT);

/// Says whether a component runs concurrent tasks. Where it cannot, the engine's support for them is switched off:
/// without, each call between the component and its host costs less. What the options say themselves stands.
///
/// # Errors
///
/// If they forbid what the component needs.
pub(crate) fn decide(options: &mut RunOptions, binary: &[u8]) -> Result<bool> {
    let concurrent = is_asynchronous(binary) || (Release::P3.is_on(options) && speaks_p3(binary));
    let wasm = &mut options.common.wasm;
    let asked_for = [
        wasm.component_model_async,
        wasm.component_model_async_stackful,
        wasm.component_model_more_async_builtins,
        wasm.component_model_threading,
        wasm.component_model_error_context,
        wasm.all_proposals,
    ];
    match wasm.concurrency_support {
        Some(false) if concurrent => {
            bail!(
                "-W concurrency-support=n does not work with a component that runs concurrent tasks; leave it out"
            )
        }
        None if !concurrent && !asked_for.contains(&Some(true)) => wasm.concurrency_support = Some(false),
        _ => {}
    }
    Ok(concurrent)
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

/// Whether a component, or one in it, imports or exports an interface of WASI 0.3. Some of these have nothing
/// asynchronous in them.
fn speaks_p3(binary: &[u8]) -> bool {
    let p3 = |name: &str| Release::of(name) == Some(Release::P3);
    Parser::new(0).parse_all(binary).map_while(Result::ok).any(|payload| match payload {
        Payload::ComponentImportSection(imports) => imports.into_iter().flatten().any(|i| p3(i.name.name)),
        Payload::ComponentExportSection(exports) => exports.into_iter().flatten().any(|e| p3(e.name.name)),
        _ => false,
    })
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

    #[test]
    fn names_of_interfaces_tell_it_too() {
        let speaks = |text: &str| speaks_p3(&wat::parse_str(format!("(component {text})")).expect(text));
        let import = |name: &str| speaks(&format!("(import {name:?} (instance))"));
        assert!(import("wasi:random/random@0.3.0"));
        assert!(!import("wasi:random/random@0.2.0"));
        assert!(!import("my:random/random@0.3.0"));
        assert!(speaks("(instance $i) (export \"wasi:cli/run@0.3.1\" (instance $i))"));
        assert!(!speaks("(instance $i) (export \"wasi:cli/run@0.2.1\" (instance $i))"));
    }
}
