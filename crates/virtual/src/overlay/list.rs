//! The names in a directory, of all trees that show in it.

use super::layers::{UPPER, join, shown};
use super::place::Place;
use super::tree::{Entry, Tree};
use std::sync::Arc;
use wasi_host_core::Result;
use wasi_host_core::fs::{DirEntry, Entries, FileType};

/// Each name once, where the lowest tree has it that does: those trees stay as they are, so that whatever is copied up
/// meanwhile, no name is missed. No list of names is kept. Whoever asks for the next one holds the tree's lock.
pub(super) struct Names {
    place: Arc<Place>,
    /// Where it was when this began: there the lower trees still have it.
    path: String,
    dots: Vec<DirEntry>,
    /// The trees that are still to be listed, the lowest last.
    layers: Vec<usize>,
    /// Those that were listed.
    listed: Vec<usize>,
    now: Option<Layer>,
    merged: bool,
}

struct Layer {
    number: usize,
    dev: u64,
    entries: Entries,
}

impl Names {
    pub(super) fn new(tree: &Tree, place: &Arc<Place>) -> Result<Self> {
        let layers = place.layers()?;
        let dot = |name: &str, ino| DirEntry { name: name.into(), file_type: FileType::Directory, ino };
        let above = place.at().map_or(place.number, |(above, _)| above.number);
        let dots = vec![dot("..", above), dot(".", place.number)];
        let merged = layers.len() > 1;
        let (place, path) = (place.clone(), place.path());
        let mut new = Self { place, path, dots, layers, listed: Vec::new(), now: None, merged };
        new.next_layer(tree)?;
        Ok(new)
    }

    /// Begins with the next tree, if there is one.
    fn next_layer(&mut self, tree: &Tree) -> Result<()> {
        if let Some(layer) = self.now.take() {
            self.listed.push(layer.number);
        }
        let Some(number) = self.layers.pop() else { return Ok(()) };
        let path = if number == UPPER { &self.place.path() } else { &self.path };
        let dir = tree.layers.open_dir(number, path)?;
        self.now = Some(Layer { number, dev: dir.metadata()?.dev, entries: dir.entries()? });
        Ok(())
    }

    pub(super) fn next(&mut self, tree: &Tree) -> Option<Result<DirEntry>> {
        if let Some(dot) = self.dots.pop() {
            return Some(Ok(dot));
        }
        loop {
            let entry = match self.now.as_mut()?.entries.next() {
                Some(entry) => entry,
                None => match self.next_layer(tree) {
                    Ok(()) => continue,
                    Err(e) => {
                        (self.now, self.layers) = (None, Vec::new());
                        return Some(Err(e));
                    }
                },
            };
            match entry.and_then(|entry| self.shown(tree, entry)) {
                Ok(None) => {}
                Ok(Some(entry)) => return Some(Ok(entry)),
                Err(e) => return Some(Err(e)),
            }
        }
    }

    /// What shows of an entry of the tree that is being listed.
    fn shown(&self, tree: &Tree, entry: DirEntry) -> Result<Option<DirEntry>> {
        let Some(layer) = &self.now else { return Ok(None) };
        let name = match shown(&entry.name) {
            None => return Ok(None),
            Some(name) if matches!(&*name, "." | "..") => return Ok(None),
            Some(name) => name.into_owned(),
        };
        if !self.merged {
            let ino = tree.layers.number(layer.number, layer.dev, entry.ino);
            return Ok(Some(DirEntry { name, ino, ..entry }));
        }
        let path = join(&self.path, &name);
        for below in &self.listed {
            if tree.layers.stat(*below, &path)?.is_some() {
                return Ok(None);
            }
        }
        let (file_type, ino) = match tree.lookup(&self.place, &name)? {
            None => return Ok(None),
            Some(Entry::Dir(dir)) => (FileType::Directory, dir.number),
            Some(Entry::Leaf(leaf)) => (leaf.metadata.file_type, leaf.number),
        };
        Ok(Some(DirEntry { name, file_type, ino }))
    }
}

/// What a guest has of it.
pub(super) struct List {
    pub(super) tree: Arc<Tree>,
    pub(super) names: Names,
}

impl Iterator for List {
    type Item = Result<DirEntry>;

    fn next(&mut self) -> Option<Self::Item> {
        let _lock = self.tree.read();
        self.names.next(&self.tree)
    }
}
