//! Which functions of WASI a component calls, proved without a word of the component or of the host: at each call
//! into the host, Wasmtime gives the stack of wasm frames, and the code of the component is looked up where they
//! stand. What is found there is a `call` of an import, which has a name.
#![allow(unreachable_pub, reason = "a module of a test binary")]

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use wasmparser::{Operator, Parser, Payload, TypeRef};
use wasmtime::{CallHook, Store, WasmBacktrace};

/// The names of functions that were called, as `wasi:io/poll@0.2.12#[method]pollable.block`.
#[derive(Clone, Default)]
pub struct Called(Arc<Mutex<BTreeSet<String>>>);

impl Called {
    pub fn names(&self) -> BTreeSet<String> {
        self.0.lock().unwrap().clone()
    }

    /// Notes what is called in a store that runs nothing but this component.
    pub fn watch<T: 'static>(&self, store: &mut Store<T>, component: &[u8]) {
        let (calls, called) = (calls(component), self.0.clone());
        store.call_hook(move |store, hook| {
            if let CallHook::CallingHost = hook {
                // Between the guest's own frame and the host there may be one of the component's glue.
                let stack = WasmBacktrace::capture(&store);
                let name = stack.frames().iter().find_map(|frame| calls.get(&frame.module_offset()?));
                called.lock().unwrap().extend(name.cloned());
            }
            Ok(())
        });
    }
}

/// The places in a component's binary where a function of WASI is called, and which.
fn calls(component: &[u8]) -> HashMap<usize, String> {
    let mut found = HashMap::new();
    // The functions that each module imports; modules stand within components.
    let mut imports: Vec<Vec<String>> = Vec::new();
    for payload in Parser::new(0).parse_all(component) {
        match payload.unwrap() {
            Payload::Version { .. } => imports.push(Vec::new()),
            Payload::End(_) => drop(imports.pop()),
            Payload::ImportSection(section) => {
                for import in section.into_imports().map(Result::unwrap) {
                    if let TypeRef::Func(_) = import.ty {
                        // A function that is called as a task has its own name but for this.
                        let name = import.name.trim_start_matches("[async-lower]");
                        imports.last_mut().unwrap().push(format!("{}#{name}", import.module));
                    }
                }
            }
            Payload::CodeSectionEntry(body) => {
                let mut operators = body.get_operators_reader().unwrap();
                while !operators.eof() {
                    if let (Operator::Call { function_index }, at) = operators.read_with_offset().unwrap()
                        && let Some(name) = imports.last().unwrap().get(function_index as usize)
                        && name.starts_with("wasi:")
                    {
                        found.insert(at, name.clone());
                    }
                }
            }
            _ => {}
        }
    }
    found
}
