//! A filesystem of one's own: the rows of a table as files.
//!
//! [`Rows`] is the whole backend, two traits of ordinary Rust of `wasi-host-core`. The test at the end proves it with the public
//! suite; `main` lets a program read it.
//!
//! ```text
//! cargo run --example custom-fs
//! ```

use std::io::{IoSliceMut, Read};
use std::sync::Arc;
use wasi_host_core::fs::walk::{Shape, Tree, lookup};
use wasi_host_core::fs::{Dir, DirEntry, Entries, File, FileType, Follow, Metadata, Node, Open};
use wasi_host_core::{Errno, Result, time::Timestamp};

/// Keys, in which `/` separates parts, what is there, and its text; in the order of the keys. And which of them this is.
#[derive(Clone)]
struct Rows(Arc<Vec<(String, FileType, String)>>, usize);

impl Tree for Rows {
    type Node = usize;
    fn child(&self, group: &usize, name: &str) -> Result<Option<usize>> {
        let key = format!("{}/{name}", self.0[*group].0);
        Ok(self.0.binary_search_by(|(other, ..)| other.cmp(&key)).ok())
    }
    fn shape<'a>(&'a self, row: &'a usize) -> Shape<'a> {
        match &self.0[*row] {
            (_, FileType::Directory, _) => Shape::Dir,
            (_, FileType::SymbolicLink, target) => Shape::Link(target.into()),
            _ => Shape::Leaf,
        }
    }
}

impl Rows {
    fn find(&self, path: &str, follow: Follow) -> Result<Option<Self>> {
        Ok(lookup(self, &self.1, path, follow)?.1.map(|row| Self(self.0.clone(), row)))
    }
}

impl Dir for Rows {
    fn open(&self, path: &str, how: Open) -> Result<Node> {
        let found = self.find(path, how.follow())?.map(|row| (row.clone(), self.0[row.1].1));
        let row = Arc::new(how.to_read_alone(found)?);
        Ok(if self.0[row.1].1 == FileType::Directory { Node::Dir(row) } else { Node::File(row) })
    }
    fn stat(&self, path: &str, follow: Follow) -> Result<Metadata> {
        Dir::metadata(&self.find(path, follow)?.ok_or(Errno::NoEnt)?)
    }
    fn metadata(&self) -> Result<Metadata> {
        let ((_, file_type, text), time) = (&self.0[self.1], Timestamp::default());
        let (file_type, ino, size) = (*file_type, self.1 as u64 + 1, text.len() as u64);
        Ok(Metadata { file_type, dev: 1, ino, nlink: 1, size, accessed: time, modified: time, changed: time })
    }
    fn read_link(&self, path: &str) -> Result<String> {
        let row = self.find(path, Follow::No)?.ok_or(Errno::NoEnt)?;
        let (_, file_type, target) = &self.0[row.1];
        if *file_type == FileType::SymbolicLink { Ok(target.clone()) } else { Err(Errno::Inval) }
    }
    fn entries(&self) -> Result<Entries> {
        let group = format!("{}/", self.0[self.1].0);
        let named =
            |(row, (key, ..)): (usize, &(String, _, _))| Some((row, key.strip_prefix(&group)?.to_owned()));
        let below = self.0.iter().enumerate().filter_map(named).filter(|(_, name)| !name.contains('/'));
        let all = [".", ".."].map(|dot| (self.1, dot.to_owned())).into_iter().chain(below);
        let entry = |(row, name): (usize, String)| {
            Ok(DirEntry { name, file_type: self.0[row].1, ino: row as u64 + 1 })
        };
        Ok(Box::new(all.map(entry).collect::<Vec<_>>().into_iter()))
    }
}

impl File for Rows {
    fn read_at(&self, bufs: &mut [IoSliceMut<'_>], offset: u64) -> Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|start| self.0[self.1].2.as_bytes().get(start..));
        rest.unwrap_or_default().read_vectored(bufs).map_err(|_| Errno::Io)
    }
    fn metadata(&self) -> Result<Metadata> {
        Dir::metadata(self)
    }
}

impl FromIterator<(String, FileType, String)> for Rows {
    /// The one that holds all comes first, with an empty key.
    fn from_iter<I: IntoIterator<Item = (String, FileType, String)>>(rows: I) -> Self {
        let rows = rows.into_iter().map(|(key, file_type, text)| (format!("/{key}"), file_type, text));
        let mut rows: Vec<_> = rows.chain([(String::new(), FileType::Directory, String::new())]).collect();
        rows.sort_by(|a, b| a.0.cmp(&b.0));
        Self(Arc::new(rows), 0)
    }
}

fn main() -> wasmtime::Result<()> {
    use wasi_host::{DirPerms, FilePerms, WasiCtxBuilder, p1};
    let notes = ["water the plants\n", "feed the cat\n"];
    let rows = notes.iter().zip(1..);
    let rows: Rows =
        rows.map(|(text, n)| (format!("{n}.txt"), FileType::RegularFile, (*text).into())).collect();

    let engine = wasmtime::Engine::default();
    let module = wasmtime::Module::from_file(&engine, "guests/prebuilt/notes.wasm")?;
    let mut linker = wasmtime::Linker::new(&engine);
    p1::add_to_linker_sync(&mut linker, |ctx| ctx)?;
    let ctx = WasiCtxBuilder::new()
        .args(&["notes", "list"])
        .inherit_stdio()
        .preopened(rows, "/notes", DirPerms::READ, FilePerms::READ)
        .build_p1();
    let mut store = wasmtime::Store::new(&engine, ctx);
    let instance = linker.instantiate(&mut store, &module)?;
    instance.get_typed_func::<(), ()>(&mut store, "_start")?.call(&mut store, ())
}

#[cfg(test)]
mod tests {
    use super::{Arc, FileType, Rows};
    use wasi_host_core::conformance::fs::{Kind, TREE, read_only};

    #[test]
    fn it_is_a_filesystem() {
        let row = |(key, kind): &(&str, Kind)| match kind {
            Kind::Dir => (String::from(*key), FileType::Directory, String::new()),
            Kind::File(text) => ((*key).into(), FileType::RegularFile, (*text).into()),
            Kind::Link(target) => ((*key).into(), FileType::SymbolicLink, (*target).into()),
        };
        read_only(|| Arc::new(TREE.iter().map(row).collect::<Rows>()));
    }
}
