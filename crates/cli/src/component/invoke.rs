//! `--invoke 'function(arguments)'`: values out of text and into text, as WAVE writes them.

use super::exports::Export;
use anyhow::{Result, anyhow, bail};
use wasmtime::component::wasm_wave::untyped::UntypedFuncCall;
use wasmtime::component::{Type, Val};

/// The name in `text`, and what stands behind it: nothing, or the arguments in parentheses.
pub(crate) fn split(text: &str) -> (&str, &str) {
    text.split_at(text.find('(').unwrap_or(text.len()))
}

/// The arguments for `export`, read by its type. Options at the end can be left out.
pub(crate) fn arguments(export: &Export, text: &str) -> Result<Vec<Val>> {
    let types: Vec<Type> = export.ty.params().map(|(_, ty)| ty).collect();
    let (name, arguments) = split(text);
    if arguments.is_empty() && !types.is_empty() {
        bail!("`{}` takes arguments: write them behind the name, --invoke '{name}(…)'", export.signature());
    }
    // A plain name of the same length: WAVE does not know the names in all their forms, but tells where it is stuck.
    let arguments = if arguments.is_empty() { "()" } else { arguments };
    let call = format!("{}{arguments}", "f".repeat(name.len()));
    let values = UntypedFuncCall::parse(&call).and_then(|call| call.to_wasm_params(&types));
    values.map_err(|error| {
        let stuck = text.get(error.span()).filter(|piece| !piece.is_empty());
        let at = stuck.map(|piece| format!(" at `{piece}`")).unwrap_or_default();
        let detail = error.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
        anyhow!("`{text}` does not fit `{}`: {}{detail}{at}", export.signature(), error.kind())
    })
}

/// The results as text, each in a line. A handle has none.
pub(crate) fn text(results: &[Val]) -> String {
    results.iter().map(|result| result.to_wave().unwrap_or_else(|_| "<handle>".into()) + "\n").collect()
}
