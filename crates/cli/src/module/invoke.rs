//! `--invoke`: arguments out of text, results into text.

use crate::exports::listed;
use anyhow::{Context, Result, anyhow, bail};
use wasmtime::{FuncType, Module, Val, ValType};

/// The arguments for `function`, read by its type.
pub(crate) fn arguments(function: &str, ty: &FuncType, texts: &[String]) -> Result<Vec<Val>> {
    let signature = || format!("{function}{}", signature(ty));
    let count = ty.params().len();
    if texts.len() != count {
        bail!("`{}` takes {count} argument{}, {} given", signature(), plural(count), texts.len());
    }
    ty.params()
        .zip(texts)
        .enumerate()
        .map(|(index, (ty, text))| {
            value(&ty, text).with_context(|| format!("argument {} of `{}`", index + 1, signature()))
        })
        .collect()
}

fn value(ty: &ValType, text: &str) -> Result<Val> {
    let wrong = |kind| anyhow!("`{text}` is no {kind}");
    Ok(match ty {
        ValType::I32 => {
            let n = integer(text).ok_or_else(|| wrong("integer"))?;
            let n = i32::try_from(n).or_else(|_| u32::try_from(n).map(u32::cast_signed));
            Val::I32(n.map_err(|_| wrong("integer of 32 bits"))?)
        }
        ValType::I64 => {
            let n = integer(text).ok_or_else(|| wrong("integer"))?;
            let n = i64::try_from(n).or_else(|_| u64::try_from(n).map(u64::cast_signed));
            Val::I64(n.map_err(|_| wrong("integer of 64 bits"))?)
        }
        ValType::F32 => Val::F32(text.parse::<f32>().map_err(|_| wrong("number"))?.to_bits()),
        ValType::F64 => Val::F64(text.parse::<f64>().map_err(|_| wrong("number"))?.to_bits()),
        ValType::V128 => {
            let n = match hexadecimal(text) {
                Some(digits) => u128::from_str_radix(digits, 16).ok(),
                None => text.parse().ok(),
            };
            Val::V128(n.ok_or_else(|| wrong("vector of 128 bits; write it as 0x and 32 digits"))?.into())
        }
        ValType::Ref(_) => bail!("values of type `{ty}` cannot be given on the command line"),
    })
}

fn integer(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    // A second sign is none of a number's: `--1`, `0x-1`.
    let radix = |digits: &str, radix| match digits.starts_with(['+', '-']) {
        true => None,
        false => i128::from_str_radix(digits, radix).ok(),
    };
    let n = match hexadecimal(digits) {
        Some(digits) => radix(digits, 16)?,
        None => radix(digits, 10)?,
    };
    Some(if negative { -n } else { n })
}

fn hexadecimal(text: &str) -> Option<&str> {
    text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))
}

/// Room for the results of a function, for a call to fill.
pub(crate) fn results(ty: &FuncType) -> Vec<Val> {
    vec![Val::null_func_ref(); ty.results().len()]
}

/// The results as text, each in a line.
pub(crate) fn text(results: &[Val]) -> String {
    let line = |result: &Val| match result {
        Val::I32(n) => format!("{n}\n"),
        Val::I64(n) => format!("{n}\n"),
        Val::F32(bits) => format!("{}\n", f32::from_bits(*bits)),
        Val::F64(bits) => format!("{}\n", f64::from_bits(*bits)),
        Val::V128(bits) => format!("{}\n", bits.as_u128()),
        Val::FuncRef(r) => reference("funcref", r.is_none()),
        Val::ExternRef(r) => reference("externref", r.is_none()),
        Val::AnyRef(r) => reference("anyref", r.is_none()),
        Val::ExnRef(r) => reference("exnref", r.is_none()),
        Val::ContRef(r) => reference("contref", r.is_none()),
    };
    results.iter().map(line).collect()
}

fn reference(kind: &str, null: bool) -> String {
    format!("<{}{kind}>\n", if null { "null " } else { "" })
}

/// `(i32, i64) -> f32`
fn signature(ty: &FuncType) -> String {
    let list = |types: Vec<ValType>| types.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let params = list(ty.params().collect());
    let results: Vec<ValType> = ty.results().collect();
    match results.len() {
        0 => format!("({params})"),
        1 => format!("({params}) -> {}", results[0]),
        _ => format!("({params}) -> ({})", list(results)),
    }
}

/// What can be called in a module, for those who asked for something else.
pub(crate) fn callable(module: &Module) -> String {
    listed(
        module
            .exports()
            .filter_map(|export| Some(format!("{}{}", export.name(), signature(export.ty().func()?)))),
    )
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(ty: ValType, text: &str) -> Option<String> {
        value(&ty, text).ok().map(|value| match value {
            Val::I32(n) => n.to_string(),
            Val::I64(n) => n.to_string(),
            Val::F32(bits) => f32::from_bits(bits).to_string(),
            Val::F64(bits) => f64::from_bits(bits).to_string(),
            Val::V128(bits) => format!("{:x}", bits.as_u128()),
            other => format!("{other:?}"),
        })
    }

    #[test]
    fn integers_are_read_signed_unsigned_and_in_hexadecimal() {
        for (text, expected) in [
            ("0", Some("0")),
            ("-1", Some("-1")),
            ("4294967295", Some("-1")),
            ("0xffffffff", Some("-1")),
            ("-0x80000000", Some("-2147483648")),
            ("-2147483649", None),
            ("4294967296", None),
            ("--1", None),
            ("0x-1", None),
            ("-+1", None),
            ("1.0", None),
            ("", None),
        ] {
            assert_eq!(read(ValType::I32, text).as_deref(), expected, "{text}");
        }
        assert_eq!(read(ValType::I64, "18446744073709551615").as_deref(), Some("-1"));
        assert_eq!(read(ValType::I64, "18446744073709551616"), None);
    }

    #[test]
    fn floats_and_vectors() {
        assert_eq!(read(ValType::F32, "1.5").as_deref(), Some("1.5"));
        assert_eq!(read(ValType::F64, "-inf").as_deref(), Some("-inf"));
        assert_eq!(read(ValType::F64, "one"), None);
        let hex = "0x000102030405060708090a0b0c0d0e0f";
        assert_eq!(read(ValType::V128, hex).as_deref(), Some("102030405060708090a0b0c0d0e0f"));
        assert_eq!(read(ValType::V128, "0x1000102030405060708090a0b0c0d0e0f0"), None);
        assert_eq!(read(ValType::FUNCREF, "0"), None);
    }
}
