//! `--invoke 'function(arguments)'`: values out of text and into text, as WAVE writes them.

use super::exports::Export;
use anyhow::{Result, anyhow, bail};
use std::error::Error;
use wasmtime::component::wasm_wave::untyped::UntypedFuncCall;
use wasmtime::component::{Type, Val};

/// The name in `text`, and what stands behind it: nothing, or the arguments in parentheses.
pub(crate) fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    text.split_at(text.find('(').unwrap_or(text.len()))
}

/// The arguments for `export`, read by its type. Options at the end can be left out.
pub(crate) fn arguments(export: &Export, text: &str) -> Result<Vec<Val>> {
    let types: Vec<Type> = export.ty.params().map(|(_, ty)| ty).collect();
    if let Some((name, _)) = export.ty.params().find(|(_, ty)| !has_text(ty)) {
        bail!(
            "`{}` cannot be invoked from here: what its parameter `{name}` stands for cannot be written down",
            export.signature()
        );
    }
    let (name, arguments) = split(text);
    if matches!(arguments, "" | "()") && types.iter().all(|ty| matches!(ty, Type::Option(_))) {
        return Ok(vec![Val::Option(None); types.len()]);
    }
    if arguments.is_empty() {
        bail!("`{}` takes arguments: write them behind the name, --invoke '{name}(…)'", export.signature());
    }
    // WAVE does not know every form of a name, so it reads the call of another one.
    let call = format!("f{arguments}");
    let values = UntypedFuncCall::parse(&call).and_then(|call| call.to_wasm_params(&types));
    values.map_err(|error| {
        let detail = error.source().map(ToString::to_string).or_else(|| error.detail().map(str::to_owned));
        let detail = detail.map(|detail| format!(": {detail}")).unwrap_or_default();
        let stuck = call.get(error.span()).filter(|piece| !piece.is_empty());
        let at = stuck.map(|piece| format!(" at `{piece}`")).unwrap_or_default();
        anyhow!("`{text}` does not fit `{}`: {}{detail}{at}", export.signature(), error.kind())
    })
}

/// The results as text, each in a line.
pub(crate) fn text(export: &Export, results: &[Val]) -> String {
    let line = |(ty, result): (Type, &Val)| match has_text(&ty) {
        true => {
            result.to_wave().map_err(|error| error.to_string()).unwrap_or_else(|error| format!("<{error}>"))
        }
        false => "<a value that cannot be written down>".into(),
    };
    export.ty.results().zip(results).map(|result| line(result) + "\n").collect()
}

/// Whether values of this type can be written down: handles, for one, cannot.
fn has_text(ty: &Type) -> bool {
    match ty {
        Type::List(list) => has_text(&list.ty()),
        Type::FixedLengthList(list) => has_text(&list.ty()),
        Type::Record(record) => record.fields().all(|field| has_text(&field.ty)),
        Type::Tuple(tuple) => tuple.types().all(|ty| has_text(&ty)),
        Type::Variant(variant) => variant.cases().filter_map(|case| case.ty).all(|ty| has_text(&ty)),
        Type::Option(option) => has_text(&option.ty()),
        Type::Result(result) => [result.ok(), result.err()].iter().flatten().all(has_text),
        Type::Map(_) | Type::Own(_) | Type::Borrow(_) => false,
        Type::Future(_) | Type::Stream(_) | Type::ErrorContext => false,
        _ => true,
    }
}
