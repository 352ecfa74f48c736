//! A directory `root`, filled as a test wants it, with secrets beside it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// What to make, by name, parents first. `{}` in a link stands for the directory that holds `root`.
#[derive(Clone, Debug)]
pub enum Entry {
    File(String),
    Dir(String),
    Link(String, String),
}

/// Kept in memory, so that thousands are made quickly.
pub struct Tree {
    dir: TempDir,
    /// What was inside at first, and outside.
    inside: Vec<Numbers>,
    outside: Vec<Numbers>,
}

/// The time that `set_times` sets, in seconds; nothing else has it.
pub const MARK: i64 = 12_345;

impl Tree {
    pub fn new(entries: &[Entry]) -> Self {
        let dir = TempDir::new_in("/dev/shm").unwrap();
        let above = dir.path();
        fs::write(above.join("secret"), "secret").unwrap();
        fs::create_dir(above.join("secret_dir")).unwrap();
        fs::write(above.join("secret_dir/inside"), "inside").unwrap();
        let root = above.join("root");
        fs::create_dir(&root).unwrap();
        for entry in entries {
            match entry {
                Entry::File(name) => fs::write(root.join(name), name).unwrap(),
                Entry::Dir(name) => fs::create_dir(root.join(name)).unwrap(),
                Entry::Link(name, target) => {
                    symlink(target.replace("{}", above.to_str().unwrap()), root.join(name)).unwrap();
                }
            }
        }
        let (inside, outside) = (numbers(&root), numbers_outside(above));
        Self { dir, inside, outside }
    }

    pub fn root(&self) -> PathBuf {
        self.dir.path().join("root")
    }

    pub fn open(&self) -> fs::File {
        fs::File::open(self.root()).unwrap()
    }

    pub fn inside_has_changed(&self) -> bool {
        numbers(&self.root()) != self.inside
    }

    pub fn outside_has_changed(&self) -> bool {
        numbers_outside(self.dir.path()) != self.outside
    }

    /// All that is in `root`, comparable between trees.
    pub fn inside(&self) -> Vec<String> {
        let mut lines = Vec::new();
        each(&self.root(), "", &mut |name, path, m| {
            let content = if m.is_file() { fs::read_to_string(path).unwrap() } else { String::new() };
            let target = if m.is_symlink() { self.general(path) } else { String::new() };
            let marked = [m.atime(), m.mtime()].contains(&MARK);
            let kind = m.mode() & 0o170_000;
            lines.push(format!("{name} {kind:o} nlink {} {content:?} {target:?} {marked}", m.nlink()));
        });
        lines.sort();
        lines
    }

    /// The names that an inode has in `root`; `None` if it is not there.
    pub fn names_of(&self, ino: u64) -> Option<String> {
        let mut found = BTreeMap::<u64, Vec<String>>::new();
        each(&self.root(), "", &mut |name, _, m| found.entry(m.ino()).or_default().push(name.to_owned()));
        let names = found.get_mut(&ino)?;
        names.sort();
        Some(names.join(" = "))
    }

    /// The content of a link without what differs between trees.
    fn general(&self, link: &Path) -> String {
        fs::read_link(link).unwrap().to_string_lossy().replace(self.dir.path().to_str().unwrap(), "{}")
    }
}

/// What any change to a file or to a directory's names changes, and the content of what is small.
type Numbers = (String, [i64; 7], String);

fn numbers(path: &Path) -> Vec<Numbers> {
    let mut all = Vec::new();
    each(path, "", &mut |name, path, m| all.push(numbers_of(name, path, m)));
    all
}

fn numbers_of(name: &str, path: &Path, m: &fs::Metadata) -> Numbers {
    let content = if m.is_file() { fs::read_to_string(path).unwrap() } else { String::new() };
    let (ino, nlink, len) = (m.ino() as i64, m.nlink() as i64, m.len() as i64);
    let numbers = [ino, nlink, len, m.mtime(), m.mtime_nsec(), m.ctime(), m.ctime_nsec()];
    (name.to_owned(), numbers, content)
}

fn numbers_outside(above: &Path) -> Vec<Numbers> {
    let m = fs::symlink_metadata(above).unwrap();
    let mut all = vec![numbers_of("", above, &m)];
    for name in names(above).filter(|name| name != "root") {
        all.push((name.clone(), [0; 7], String::new()));
        all.extend(numbers(&above.join(name)));
    }
    all
}

fn names(dir: &Path) -> impl Iterator<Item = String> {
    let mut names: Vec<_> =
        fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names.into_iter()
}

fn each(path: &Path, name: &str, visit: &mut dyn FnMut(&str, &Path, &fs::Metadata)) {
    let m = fs::symlink_metadata(path).unwrap();
    visit(name, path, &m);
    if m.is_dir() {
        for child in names(path) {
            each(&path.join(&child), &format!("{name}/{child}"), visit);
        }
    }
}
