//! The functions that a component exports, and their names.

use crate::exports;
use anyhow::{Result, bail};
use std::path::Path;
use wasmtime::component::types::{ComponentFunc, ComponentItem};
use wasmtime::component::wasm_wave::wasm::DisplayFunc;
use wasmtime::component::{Component, ComponentExportIndex};

/// A function that a component exports, by itself or in an interface.
pub(crate) struct Export {
    /// The interface; where instances lie in instances, all their names.
    interface: Option<String>,
    function: String,
    pub(crate) ty: ComponentFunc,
    pub(crate) index: ComponentExportIndex,
}

impl Export {
    /// Every function of a component.
    pub(crate) fn all(component: &Component) -> Vec<Self> {
        let mut all = Vec::new();
        let names = |names: &mut dyn Iterator<Item = &str>| names.map(str::to_owned).collect::<Vec<_>>();
        let ty = component.component_type();
        let engine = component.engine();
        let roots = names(&mut ty.exports(engine).map(|(name, _)| name));
        // Of each: the names of the instances that it lies in, their index, and its own.
        let mut left: Vec<_> = roots.into_iter().rev().map(|name| (None, None, name)).collect();
        while let Some((interface, within, name)) = left.pop() {
            match component.get_export(within.as_ref(), name.as_str()) {
                Some((ComponentItem::ComponentFunc(ty), index)) => {
                    all.push(Self { interface, function: name, ty, index });
                }
                Some((ComponentItem::ComponentInstance(ty), index)) => {
                    let interface: String = interface.map_or(name.clone(), |outer| format!("{outer}#{name}"));
                    let inner = names(&mut ty.exports(engine).map(|(name, _)| name));
                    let inner = inner.into_iter().rev();
                    left.extend(inner.map(|name| (Some(interface.clone()), Some(index), name)));
                }
                _ => {}
            }
        }
        all
    }

    /// A function of an interface, of that version or a compatible one.
    pub(crate) fn of(component: &Component, interface: &str, function: &str) -> Option<Self> {
        let (_, within) = component.get_export(None, interface)?;
        match component.get_export(Some(&within), function)? {
            (ComponentItem::ComponentFunc(ty), index) => {
                Some(Self { interface: Some(interface.to_owned()), function: function.to_owned(), ty, index })
            }
            _ => None,
        }
    }

    /// The function that `wanted` names: `function`, `interface#function` or `interface.function`, where the
    /// interface may be without its version, or without its package too.
    ///
    /// # Errors
    ///
    /// If there is none, or more than one.
    pub(crate) fn find(all: Vec<Self>, wanted: &str, file: &Path) -> Result<Self> {
        let file = file.display();
        let others = listed(&all);
        let (mut exact, mut meant) = (None, Vec::new());
        for export in all {
            if export.name() == wanted {
                exact = Some(export);
            } else if export.may_be_called(wanted) {
                meant.push(export);
            }
        }
        match (exact, meant.len()) {
            (Some(export), _) => Ok(export),
            (None, 0) => bail!("{file}: there is no function `{wanted}` to invoke; {others}"),
            (None, 1) => Ok(meant.remove(0)),
            (None, _) => {
                let meant = meant.iter().map(|export| format!("`{}`", export.name())).collect::<Vec<_>>();
                bail!("{file}: `{wanted}` may be {}; give the whole name", meant.join(" or "))
            }
        }
    }

    /// The whole name: `ns:package/interface@version#function`.
    pub(crate) fn name(&self) -> String {
        match &self.interface {
            Some(interface) => format!("{interface}#{}", self.function),
            None => self.function.clone(),
        }
    }

    fn may_be_called(&self, wanted: &str) -> bool {
        let Some(interface) = &self.interface else { return false };
        let unversioned = interface.split('@').next().unwrap_or_default();
        let short = unversioned.rsplit('/').next().unwrap_or_default();
        match wanted.strip_suffix(&self.function) {
            Some("") => true,
            Some(before) => before
                .strip_suffix(['#', '.'])
                .is_some_and(|before| [interface, unversioned, short].contains(&before)),
            None => false,
        }
    }

    /// `name(parameter: type) -> type`
    pub(crate) fn signature(&self) -> String {
        let ty = DisplayFunc(self.ty.clone()).to_string();
        format!("{}{}", self.name(), ty.strip_prefix("func").unwrap_or(&ty))
    }
}

/// Says which functions there are.
pub(crate) fn listed(all: &[Export]) -> String {
    exports::listed(all.iter().map(Export::signature))
}
