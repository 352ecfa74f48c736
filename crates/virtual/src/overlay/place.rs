//! A directory as guests see it, whatever trees have a part in it.
//!
//! There is one of these for each directory that is open or was looked at of late, and for those above it: so it is known where it is now, and
//! which trees show in it, however it was moved and copied. It holds nothing open.

use super::layers::{Found, Layers, UPPER, join, stored};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::SystemTime;
use wasi_host_core::fs::Metadata;
use wasi_host_core::time::SetTime;
use wasi_host_core::{Errno, Result};

/// How deep directories may lie. Trees are asked by whole paths: so deep and not much deeper that is quick.
pub(super) const DEEPEST: usize = 1000;

pub(super) struct Place {
    pub(super) number: u64,
    state: Mutex<State>,
}

struct State {
    /// The directory that it is in, and its name there.
    at: Option<(Arc<Place>, Box<str>)>,
    /// The trees that show in it, the topmost first; none once it was removed.
    layers: Vec<usize>,
    inside: HashMap<Box<str>, Weak<Place>>,
    /// What it was when it was removed.
    last: Option<Metadata>,
}

impl Place {
    pub(super) fn new(number: u64, at: Option<(Arc<Self>, Box<str>)>, layers: Vec<usize>) -> Self {
        Self { number, state: Mutex::new(State { at, layers, inside: HashMap::new(), last: None }) }
    }

    /// Whether it lies too deep to have directories in it.
    pub(super) fn is_deepest(&self) -> bool {
        let mut depth = 0;
        let mut next = self.at();
        while let Some((above, _)) = next {
            depth += 1;
            next = above.at();
        }
        depth >= DEEPEST
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The directory that it is in, and its name there.
    pub(super) fn at(&self) -> Option<(Arc<Self>, Box<str>)> {
        self.state().at.clone()
    }

    /// The trees that show in it; `NoEnt` once it was removed.
    pub(super) fn layers(&self) -> Result<Vec<usize>> {
        let layers = self.state().layers.clone();
        if layers.is_empty() { Err(Errno::NoEnt) } else { Ok(layers) }
    }

    /// What it was when it was removed.
    pub(super) fn last(&self) -> Option<Metadata> {
        self.state().last
    }

    /// Its path in all trees that have it.
    pub(super) fn path(&self) -> String {
        let mut names = Vec::new();
        let mut next = self.at();
        while let Some((above, name)) = next {
            next = above.at();
            names.push(stored(&name).into_owned());
        }
        if names.is_empty() {
            return String::from(".");
        }
        names.reverse();
        names.join("/")
    }

    /// The directory of this name, if it is known.
    pub(super) fn known(&self, name: &str) -> Option<Arc<Self>> {
        self.state().inside.get(name).and_then(Weak::upgrade)
    }

    /// The directory that was found at this name, and whether it was not known.
    pub(super) fn enter(self: &Arc<Self>, name: &str, found: Found, layers: &Layers) -> (Arc<Self>, bool) {
        let m = found.metadata;
        let number = layers.number(found.layer, m.dev, m.ino);
        let mut state = self.state();
        if let Some(known) = state.inside.get(name).and_then(Weak::upgrade) {
            return (known, false);
        }
        let new = Arc::new(Self::new(number, Some((self.clone(), name.into())), found.dirs));
        state.inside.insert(name.into(), Arc::downgrade(&new));
        (new, true)
    }

    /// Whether it is `other` or somewhere below it.
    pub(super) fn is_within(self: &Arc<Self>, other: &Arc<Self>) -> bool {
        let mut at = Some(self.clone());
        while let Some(place) = at {
            if Arc::ptr_eq(&place, other) {
                return true;
            }
            at = place.at().map(|(above, _)| above);
        }
        false
    }

    /// The upper tree has it, too, from now on.
    pub(super) fn copied_up(&self) {
        self.state().layers.insert(0, UPPER);
    }

    /// The upper tree alone has it from now on.
    pub(super) fn only_upper(&self) {
        self.state().layers = vec![UPPER];
    }

    /// It was removed.
    pub(super) fn remove(&self, last: Metadata) {
        let at = {
            let mut state = self.state();
            state.layers.clear();
            state.last = Some(last);
            state.at.take()
        };
        if let Some((above, name)) = at {
            above.state().inside.remove(&*name);
        }
    }

    /// Sets the times of one that was removed: no tree has it any more.
    pub(super) fn set_last_times(&self, accessed: SetTime, modified: SetTime) {
        if let Some(last) = &mut self.state().last {
            let now = SystemTime::now().into();
            for (time, new) in [(&mut last.accessed, accessed), (&mut last.modified, modified)] {
                match new {
                    SetTime::Keep => {}
                    SetTime::Now => *time = now,
                    SetTime::At(new) => *time = new,
                }
            }
            last.changed = now;
        }
    }

    /// It was moved.
    pub(super) fn move_to(self: &Arc<Self>, above: &Arc<Self>, name: &str) {
        let before = self.state().at.replace((above.clone(), name.into()));
        if let Some((before, name)) = before {
            before.state().inside.remove(&*name);
        }
        above.state().inside.insert(name.into(), Arc::downgrade(self));
    }

    fn forget(&self, name: &str) {
        let mut state = self.state();
        if state.inside.get(name).is_some_and(|place| place.strong_count() == 0) {
            state.inside.remove(name);
        }
    }

    /// The path of a name in it.
    pub(super) fn join(&self, name: &str) -> String {
        join(&self.path(), name)
    }
}

impl Drop for Place {
    /// Lets go of those above one after the other, not each within the other: a guest may go deep.
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        let mut at = state.at.take();
        while let Some((above, name)) = at {
            above.forget(&name);
            at = Arc::into_inner(above).and_then(|mut above| {
                above.state.get_mut().unwrap_or_else(PoisonError::into_inner).at.take()
            });
        }
    }
}
