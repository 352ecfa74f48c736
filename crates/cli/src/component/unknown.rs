//! Imports that nothing here provides: they trap when they are called.
//!
//! The linker's own `define_unknown_imports_as_traps` is not for this. It does not ask whether a compatible version
//! is there, so that its traps hide WASI from every program built for another release; and what an interface takes
//! over from another, such as a stream of `wasi:io`, it makes a resource of its own.

use super::Guest;
use wasmtime::Engine;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker, LinkerInstance, ResourceType};

/// A resource that there is none of.
enum Unknown {}

/// Whether an import can be there and trap. Nothing can stand for a module or a component that is not there.
pub(super) fn can_trap(engine: &Engine, item: &ComponentItem) -> bool {
    match item {
        ComponentItem::Module(_) | ComponentItem::Component(_) => false,
        ComponentItem::ComponentInstance(ty) => {
            ty.exports(engine).all(|(_, item)| can_trap(engine, &item.ty))
        }
        _ => true,
    }
}

/// Adds to a linker all that it lacks for a component, functions that trap and resources that nothing makes. What is
/// there stays, and what cannot trap stays missing.
///
/// `known_as` gives the name by which the linker knows an import, which may be another version of it.
pub(super) fn trap(linker: &mut Linker<Guest>, component: &Component, known_as: impl Fn(&str) -> String) {
    let mut traps = Traps { engine: component.engine(), resources: Vec::new() };
    for (name, import) in component.component_type().imports(component.engine()) {
        traps.define(&mut linker.root(), &known_as(name), name, &import.ty);
    }
}

struct Traps<'a> {
    engine: &'a Engine,
    /// Those that an import before has brought. An interface that takes one over needs none of its own.
    resources: Vec<ResourceType>,
}

impl Traps<'_> {
    /// Adds an item that is called `shown` when it traps, with all that is in it.
    fn define(
        &mut self,
        linker: &mut LinkerInstance<'_, Guest>,
        name: &str,
        shown: &str,
        item: &ComponentItem,
    ) {
        // A linker refuses what it has already; should it refuse anything else, the instantiation tells what is missing.
        let _ = match item {
            ComponentItem::ComponentInstance(ty) => linker.instance(name).map(|mut within| {
                for (name, item) in ty.exports(self.engine) {
                    self.define(&mut within, name, &format!("{shown}#{name}"), &item.ty);
                }
            }),
            ComponentItem::ComponentFunc(ty) => {
                let shown = shown.to_owned();
                let trap = move || {
                    wasmtime::format_err!("the program called `{shown}`, which nothing here provides")
                };
                if ty.async_() {
                    linker.func_new_concurrent(name, move |_, _, _, _| {
                        let error = trap();
                        Box::pin(async { Err(error) })
                    })
                } else {
                    linker.func_new(name, move |_, _, _, _| Err(trap()))
                }
            }
            ComponentItem::Resource(ty) if !self.resources.contains(ty) => {
                self.resources.push(*ty);
                linker.resource(name, ResourceType::host::<Unknown>(), |_, _| Ok(()))
            }
            _ => Ok(()),
        };
    }
}
