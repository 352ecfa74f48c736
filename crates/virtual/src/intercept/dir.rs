//! A directory with something around each operation.

use super::file::HookedFile;
use super::{Hook, about, attempt, done, run};
use crate::call::{Answer, Call};
use std::any::Any;
use std::sync::Arc;
use wasi_host_core::fs::{Blocking, Dir, Entries, Follow, Metadata, Node, Open};
use wasi_host_core::time::SetTime;
use wasi_host_core::{Errno, Result};

/// As much as is kept of the path by which something was opened, in bytes: a guest may open directories below one
/// another for ever.
const LONGEST: usize = 4096;

pub(super) struct HookedDir<H> {
    inner: Arc<dyn Dir>,
    hook: Arc<H>,
    on: String,
}

impl<H: Hook> HookedDir<H> {
    pub(super) fn new(inner: Arc<dyn Dir>, hook: Arc<H>, on: String) -> Self {
        Self { inner, hook, on }
    }

    fn run<T>(
        &self,
        call: Call<'_>,
        op: impl FnOnce(&dyn Dir) -> Result<T>,
        answer: impl FnOnce(&T) -> Answer<'_>,
    ) -> Result<T> {
        run(&*self.hook, &self.on, &call, |_| op(&*self.inner), answer)
    }

    fn other<'d>(&self, to: &'d dyn Dir) -> Result<&'d Self> {
        let to: Option<&Self> = (to as &dyn Any).downcast_ref();
        to.filter(|to| Arc::ptr_eq(&self.hook, &to.hook)).ok_or(Errno::XDev)
    }

    fn opened(&self, path: &str, node: Node) -> Node {
        let (hook, on) = (self.hook.clone(), below(&self.on, path));
        match node {
            Node::Dir(inner) => Node::Dir(Arc::new(Self { inner, hook, on })),
            Node::File(inner) => Node::File(Arc::new(HookedFile::new(inner, hook, on))),
        }
    }
}

fn kind(node: &Node) -> Answer<'_> {
    match node {
        Node::File(_) => Answer::File,
        Node::Dir(_) => Answer::Dir,
    }
}

/// The end of the path of what was opened there.
fn below(on: &str, path: &str) -> String {
    let all = if on.is_empty() { path.to_owned() } else { format!("{on}/{path}") };
    match all.len().checked_sub(LONGEST) {
        None | Some(0) => all,
        Some(excess) => {
            let cut = (excess..).find(|i| all.is_char_boundary(*i)).unwrap_or(all.len());
            format!("…{}", &all[cut..])
        }
    }
}

#[deny(clippy::missing_trait_methods)]
impl<H: Hook> Dir for HookedDir<H> {
    fn open(&self, path: &str, how: Open) -> Result<Node> {
        let node = self.run(Call::Open { path, how }, |dir| dir.open(path, how), kind)?;
        Ok(self.opened(path, node))
    }

    fn stat(&self, path: &str, follow: Follow) -> Result<Metadata> {
        self.run(Call::Stat { path, follow }, |dir| dir.stat(path, follow), about)
    }

    fn metadata(&self) -> Result<Metadata> {
        self.run(Call::Metadata, |dir| dir.metadata(), about)
    }

    fn entries(&self) -> Result<Entries> {
        self.run(Call::Entries, |dir| dir.entries(), done)
    }

    fn read_link(&self, path: &str) -> Result<String> {
        self.run(Call::ReadLink { path }, |dir| dir.read_link(path), |target| Answer::Target(target))
    }

    fn create_dir(&self, path: &str) -> Result<()> {
        self.run(Call::CreateDir { path }, |dir| dir.create_dir(path), done)
    }

    fn symlink(&self, target: &str, path: &str) -> Result<()> {
        self.run(Call::Symlink { target, path }, |dir| dir.symlink(target, path), done)
    }

    fn hard_link(&self, path: &str, follow: Follow, to: &dyn Dir, to_path: &str) -> Result<()> {
        let to = self.other(to);
        let call = Call::HardLink { path, follow, to: to.map_or("", |to| &to.on), to_path };
        self.run(call, |dir| dir.hard_link(path, follow, &*to?.inner, to_path), done)
    }

    fn rename(&self, path: &str, to: &dyn Dir, to_path: &str) -> Result<()> {
        let to = self.other(to);
        let call = Call::Rename { path, to: to.map_or("", |to| &to.on), to_path };
        self.run(call, |dir| dir.rename(path, &*to?.inner, to_path), done)
    }

    fn unlink(&self, path: &str) -> Result<()> {
        self.run(Call::Unlink { path }, |dir| dir.unlink(path), done)
    }

    fn remove_dir(&self, path: &str) -> Result<()> {
        self.run(Call::RemoveDir { path }, |dir| dir.remove_dir(path), done)
    }

    fn set_times(&self, path: &str, follow: Follow, accessed: SetTime, modified: SetTime) -> Result<()> {
        let call = Call::SetTimesAt { path, follow, accessed, modified };
        self.run(call, |dir| dir.set_times(path, follow, accessed, modified), done)
    }

    fn sync(&self, data_only: bool) -> Result<()> {
        self.run(Call::Sync { data_only }, |dir| dir.sync(data_only), done)
    }

    fn blocking(&self) -> Blocking {
        self.hook.blocking(self.inner.blocking())
    }

    fn try_open(&self, path: &str, how: Open) -> Result<Node> {
        if self.blocking() == Blocking::Never {
            return self.open(path, how);
        }
        let call = Call::Open { path, how };
        let node = attempt(&*self.hook, &self.on, &call, || self.inner.try_open(path, how), kind)?;
        Ok(self.opened(path, node))
    }

    fn try_stat(&self, path: &str, follow: Follow) -> Result<Metadata> {
        if self.blocking() == Blocking::Never {
            return self.stat(path, follow);
        }
        let call = Call::Stat { path, follow };
        attempt(&*self.hook, &self.on, &call, || self.inner.try_stat(path, follow), about)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_kept_up_to_a_length() {
        assert_eq!(below("", "a/b"), "a/b");
        assert_eq!(below("a/b", "c"), "a/b/c");
        let long = below(&"ä".repeat(2000), &"x".repeat(97));
        assert!(long.starts_with("…ä") && long.ends_with("äx") | long.ends_with('x'), "{long}");
        let mut on = String::new();
        for _ in 0..10_000 {
            on = below(&on, "日本");
            assert!(on.len() <= LONGEST + 3);
        }
    }
}
