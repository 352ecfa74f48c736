//! A directory beside a secret, every call that takes a path, and whom to ask what the outcome ought to be.

#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of this")]

mod call;
mod tree;

pub use call::{Call, Seen};
pub use tree::{Entry, Tree};

use wasi_host_core::Errno;
use wasi_host_core::fs::Follow;
use wasi_host_native::fs::NativeDir;

/// What came of a call.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What it saw, by the names that this has inside.
    pub result: Result<String, Errno>,
    /// What the inside is like afterwards, if it has changed.
    pub changed: Option<Vec<String>>,
}

/// Trees of one making, one for each way of doing a call. They are made anew when a call has changed them.
pub struct Bench {
    make: Box<dyn Fn() -> Tree>,
    kernel: Tree,
    walk: Tree,
    raw: Tree,
    cap: Tree,
}

impl Bench {
    pub fn new(make: impl Fn() -> Tree + 'static) -> Self {
        Self { kernel: make(), walk: make(), raw: make(), cap: make(), make: Box::new(make) }
    }

    /// Does `call` by `openat2` and by the walk, and says what is wrong unless
    ///
    /// * nothing outside changed or was seen;
    /// * both came to the same;
    /// * a call that was refused for leading outside is refused by `cap-primitives`, too;
    /// * any other call came to what the bare system call comes to.
    ///
    /// That calls which failed have changed nothing is left to [`unchanged`](Self::unchanged).
    pub fn check(&mut self, call: &Call) -> Result<(), String> {
        let make = &self.make;
        let by_kernel = confined(&mut self.kernel, make, call, |t| {
            call.on_native(&NativeDir::open_ambient(t.root()).unwrap())
        })?;
        let by_walk = confined(&mut self.walk, make, call, |t| {
            call.on_native(&NativeDir::open_ambient(t.root()).unwrap().without_openat2())
        })?;
        if by_kernel != by_walk {
            return Err(format!("openat2 {by_kernel:?}, the walk {by_walk:?}"));
        }
        if by_kernel.result == Err(Errno::NotCapable) {
            let oracle = confined(&mut self.cap, make, call, |t| call.on_cap(&t.open()))?;
            // It does not see the slash behind a link that is not to be followed, and shows the link.
            let shows_link = matches!(call, Call::Stat(path, Follow::No) if path.contains('/'));
            if oracle.result.is_ok() && !shows_link {
                return Err(format!("openat2 {by_kernel:?}, cap-primitives {oracle:?}"));
            }
            return Ok(());
        }
        // Only what stays inside may be left to the bare kernel.
        let oracle = confined(&mut self.raw, make, call, |t| call.on_raw(&t.open()))?;
        if by_kernel != oracle {
            return Err(format!("openat2 {by_kernel:?}, bare system call {oracle:?}"));
        }
        Ok(())
    }

    /// Whether all trees are as they were made: after calls that failed or only looked.
    pub fn unchanged(&self) -> bool {
        [&self.kernel, &self.walk, &self.raw, &self.cap]
            .iter()
            .all(|tree| !tree.inside_has_changed() && !tree.outside_has_changed())
    }
}

fn confined(
    tree: &mut Tree,
    make: &dyn Fn() -> Tree,
    call: &Call,
    act: impl FnOnce(&Tree) -> Result<Seen, Errno>,
) -> Result<Outcome, String> {
    let result = match act(tree) {
        Ok(Seen::Nothing) => Ok(String::new()),
        Ok(Seen::Target(target)) => Ok(target),
        Ok(Seen::Object(ino)) => Ok(tree.names_of(ino).ok_or("saw what is outside")?),
        Err(e) => Err(e),
    };
    if result.is_err() || call.only_looks() {
        return Ok(Outcome { result, changed: None });
    }
    if tree.outside_has_changed() {
        return Err("changed what is outside".into());
    }
    let changed = tree.inside_has_changed().then(|| tree.inside());
    if changed.is_some() {
        *tree = make();
    }
    Ok(Outcome { result, changed })
}
