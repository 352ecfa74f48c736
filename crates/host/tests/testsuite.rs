//! The public WASI test suite by the asynchronous linker, where `WASI_TESTSUITE` names a checkout of
//! `WebAssembly/wasi-testsuite`, branch `prod/testsuite-base`. `make testsuite` runs it by the command, too.

use serde_json::Value;
use std::path::{Path, PathBuf};
use wasi_host::p1::{self, WasiP1Ctx};
use wasi_host::pipe::{MemoryInputPipe, MemoryOutputPipe};
use wasi_host::{DirPerms, FilePerms, I32Exit, WasiCtxBuilder};
use wasmtime::{Engine, Linker, Module, Store};

/// The programs built for WASI 0.1.
fn programs(suite: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for language in ["assemblyscript", "c", "rust"] {
        let dir = suite.join("tests").join(language).join("testsuite/wasm32-wasip1");
        let entries = std::fs::read_dir(&dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
        let paths = entries.map(|e| e.unwrap().path());
        found.extend(paths.filter(|p| p.extension().is_some_and(|e| e == "wasm")));
    }
    found.sort();
    found
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (path, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if path.is_dir() {
            copy(&path, &to);
        } else {
            std::fs::copy(path, to).unwrap();
        }
    }
}

/// Runs one program as its description says; what was not as expected.
async fn run(engine: &Engine, program: &Path) -> Result<(), String> {
    let description = std::fs::read_to_string(program.with_extension("json")).unwrap_or("{}".into());
    let config: Value = serde_json::from_str(&description).map_err(|e| e.to_string())?;
    let (stdout, stderr) = (MemoryOutputPipe::new(1 << 20), MemoryOutputPipe::new(1 << 20));
    let mut builder = WasiCtxBuilder::new();
    builder.stdin(MemoryInputPipe::new("")).stdout(stdout.clone()).stderr(stderr.clone());
    builder.arg(program.file_name().unwrap().to_str().unwrap());
    for arg in config["args"].as_array().into_iter().flatten() {
        builder.arg(arg.as_str().unwrap());
    }
    for (key, value) in config["env"].as_object().into_iter().flatten() {
        builder.env(key, value.as_str().unwrap());
    }
    let scratch = tempfile::tempdir().unwrap();
    if let Some(root) = config["root"].as_str() {
        copy(&program.parent().unwrap().join(root), scratch.path());
        builder.preopened_dir(scratch.path(), "/", DirPerms::all(), FilePerms::all()).unwrap();
    }
    let mut linker = Linker::<WasiP1Ctx>::new(engine);
    p1::add_to_linker_async(&mut linker, |ctx| ctx).unwrap();
    let mut store = Store::new(engine, builder.build_p1());
    let module = Module::from_file(engine, program).map_err(|e| format!("{e:?}"))?;
    let instance = linker.instantiate_async(&mut store, &module).await.map_err(|e| format!("{e:?}"))?;
    let start = instance.get_typed_func::<(), ()>(&mut store, "_start").map_err(|e| format!("{e:?}"))?;
    let status = match start.call_async(&mut store, ()).await {
        Ok(()) => 0,
        Err(e) => e.downcast_ref::<I32Exit>().ok_or_else(|| format!("{e:?}"))?.0,
    };
    let said = String::from_utf8_lossy(&stderr.contents()).into_owned();
    if i64::from(status) != config["exit_code"].as_i64().unwrap_or(0) {
        return Err(format!("status {status}: {said}"));
    }
    match config["stdout"].as_str() {
        Some(expected) if stdout.contents() != expected => Err(format!("printed {:?}", stdout.contents())),
        _ => Ok(()),
    }
}

#[test]
fn by_the_asynchronous_linker() {
    let Some(suite) = std::env::var_os("WASI_TESTSUITE") else {
        println!("not run: WASI_TESTSUITE names no checkout");
        return;
    };
    let programs = programs(Path::new(&suite));
    assert_eq!(programs.len(), 72, "programs for WASI 0.1");
    let engine = Engine::default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let failed: Vec<String> = programs
        .iter()
        .filter_map(|program| {
            let failure = runtime.block_on(run(&engine, program)).err()?;
            Some(format!("{}: {failure}", program.display()))
        })
        .collect();
    assert!(failed.is_empty(), "{} of 72 failed:\n{}", failed.len(), failed.join("\n"));
}
