//! What the program does with files, line by line.

use super::join;
use anyhow::{Context, Result};
use std::fmt::Write as _;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Once};
use wasi_host::fs::{Dir, FileType, Follow, Open};
use wasi_host_virtual::call::{Answer, Call};
use wasi_host_virtual::trace::{Event, Trace};

/// Where the lines go; clones are the same place.
#[derive(Clone)]
pub(super) struct Lines {
    /// Standard error without it.
    file: Option<Arc<File>>,
    incomplete: Arc<Once>,
}

impl Lines {
    pub(super) fn to(path: Option<&Path>) -> Result<Self> {
        let file = path.map(|path| {
            let file = File::create(path).with_context(|| format!("--trace-fs={}", path.display()))?;
            anyhow::Ok(Arc::new(file))
        });
        Ok(Self { file: file.transpose()?, incomplete: Arc::new(Once::new()) })
    }

    /// Writes one line, at once: it must be there however the program ends.
    pub(super) fn line(&self, text: &str) {
        let line = format!("{text}\n");
        match &self.file {
            // That nobody reads them is no error.
            None => drop(std::io::stderr().write_all(line.as_bytes())),
            Some(file) => {
                if let Err(error) = (&**file).write_all(line.as_bytes()) {
                    self.incomplete.call_once(|| crate::outcome::report(&"--trace-fs", &error));
                }
            }
        }
    }

    /// `dir`, with a line for each operation on it. The program knows it as `guest`.
    pub(super) fn around(&self, dir: Arc<dyn Dir>, guest: &str) -> Arc<dyn Dir> {
        let (lines, guest) = (self.clone(), guest.to_owned());
        Trace::new(dir, move |event| lines.line(&told(&guest, event))).root()
    }
}

fn told(guest: &str, event: &Event<'_>) -> String {
    let on = join(guest, event.on);
    let below = |path: &str| join(&on, path);
    let name = event.call.name();
    let mut text = match event.call {
        Call::Open { path, how } => format!("{name} {:?}{}", below(path), asked(how)),
        Call::Stat { path, follow } | Call::SetTimesAt { path, follow, .. } => {
            format!("{name} {:?}{}", below(path), if follow == Follow::No { " itself" } else { "" })
        }
        Call::ReadLink { path }
        | Call::CreateDir { path }
        | Call::Unlink { path }
        | Call::RemoveDir { path } => format!("{name} {:?}", below(path)),
        Call::Symlink { target, path } => format!("{name} {:?} to {target:?}", below(path)),
        Call::HardLink { path, to, to_path, .. } | Call::Rename { path, to, to_path } => {
            format!("{name} {:?} to {:?}", below(path), join(&join(guest, to), to_path))
        }
        Call::ReadAt { offset, len } | Call::WriteAt { offset, len } | Call::Allocate { offset, len } => {
            format!("{name} {on:?} {len} at {offset}")
        }
        Call::Append { len } | Call::Read { len } | Call::Write { len } | Call::SetLen { len } => {
            format!("{name} {on:?} {len}")
        }
        _ => format!("{name} {on:?}"),
    };
    // Writing to a string cannot fail.
    let _ = match event.result {
        Ok(Answer::Done) => write!(text, " = done"),
        Ok(Answer::File) => write!(text, " = file"),
        Ok(Answer::Dir) => write!(text, " = directory"),
        Ok(Answer::Bytes(bytes)) => write!(text, " = {bytes}"),
        Ok(Answer::Metadata(m)) => match m.file_type {
            FileType::Directory => write!(text, " = directory"),
            FileType::RegularFile => write!(text, " = file of {} bytes", m.size),
            other => write!(text, " = {other:?}"),
        },
        Ok(Answer::Target(target)) => write!(text, " = {target:?}"),
        Ok(other) => write!(text, " = {other:?}"),
        Err(error) => write!(text, " failed: {error}"),
    };
    text
}

/// What was asked for with an open.
fn asked(how: Open) -> String {
    let words = [
        (how.read, " read"),
        (how.write, " write"),
        (how.create, " create"),
        (how.exclusive, " exclusive"),
        (how.truncate, " truncate"),
        (how.directory, " directory"),
    ];
    words.into_iter().filter_map(|(asked, word)| asked.then_some(word)).collect()
}
