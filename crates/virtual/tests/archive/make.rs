//! Archives as these tests want them, sound or not.

use std::io::Write;
use tar::{Builder, EntryType, Header};
use wasi_host_core::conformance::fs::{Kind, TREE};

/// A tar archive, member by member.
pub(crate) struct Tar(Builder<Vec<u8>>);

impl Tar {
    pub(crate) fn new() -> Self {
        Self(Builder::new(Vec::new()))
    }

    /// A member of any name and any sort. The crate's own way refuses bad names.
    pub(crate) fn raw(mut self, name: &[u8], kind: EntryType, link: &str, content: &[u8]) -> Self {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_mtime(1_000_000_000);
        header.set_size(content.len() as u64);
        header.as_old_mut().name[..name.len()].copy_from_slice(name);
        header.set_link_name_literal(link).unwrap();
        header.set_cksum();
        self.0.append(&header, content).unwrap();
        self
    }

    pub(crate) fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        self.raw(name.as_bytes(), EntryType::Regular, "", content.as_ref())
    }

    pub(crate) fn dir(self, name: &str) -> Self {
        self.raw(name.as_bytes(), EntryType::Directory, "", b"")
    }

    pub(crate) fn link(self, name: &str, to: &str) -> Self {
        self.raw(name.as_bytes(), EntryType::Symlink, to, b"")
    }

    pub(crate) fn hard_link(self, name: &str, to: &str) -> Self {
        self.raw(name.as_bytes(), EntryType::Link, to, b"")
    }

    /// With names of any length, as GNU writes them.
    pub(crate) fn long(mut self, name: &str, content: &[u8]) -> Self {
        let mut header = Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        self.0.append_data(&mut header, name, content).unwrap();
        self
    }

    /// What the next member has beside its header, as POSIX writes it.
    pub(crate) fn pax<'a>(mut self, extensions: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        self.0.append_pax_extensions(extensions).unwrap();
        self
    }

    pub(crate) fn end(self) -> Vec<u8> {
        self.0.into_inner().unwrap()
    }
}

/// The tree of the suite.
pub(crate) fn tar_of_tree() -> Vec<u8> {
    let add = |tar: Tar, (path, kind): &(&str, Kind)| match kind {
        Kind::Dir => tar.dir(path),
        Kind::File(text) => tar.file(path, text),
        Kind::Link(to) => tar.link(path, to),
    };
    TREE.iter().fold(Tar::new(), add).end()
}

/// A member of a zip archive. What is not said is as it should be.
#[derive(Clone, Default)]
pub(crate) struct Member {
    pub(crate) name: Vec<u8>,
    pub(crate) content: Vec<u8>,
    pub(crate) deflated: bool,
    /// The type as Unix has it, in the upper bits.
    pub(crate) mode: u32,
    pub(crate) flags: u16,
    pub(crate) method: Option<u16>,
    pub(crate) size: Option<u32>,
    pub(crate) stored: Option<u32>,
    pub(crate) header: Option<u32>,
    pub(crate) crc: Option<u32>,
    pub(crate) extra: Vec<u8>,
}

impl Member {
    pub(crate) fn file(name: &str, content: impl AsRef<[u8]>) -> Self {
        Self { name: name.into(), content: content.as_ref().to_vec(), ..Self::default() }
    }

    pub(crate) fn deflated(name: &str, content: impl AsRef<[u8]>) -> Self {
        Self { deflated: true, ..Self::file(name, content) }
    }

    pub(crate) fn link(name: &str, to: &str) -> Self {
        Self { mode: 0o120_777, ..Self::file(name, to) }
    }
}

pub(crate) fn zip(members: &[Member]) -> Vec<u8> {
    let (mut all, mut directory) = (Vec::new(), Vec::new());
    for m in members {
        let mut sum = flate2::Crc::new();
        sum.update(&m.content);
        let data = match m.deflated {
            false => m.content.clone(),
            true => {
                let mut deflater =
                    flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
                deflater.write_all(&m.content).unwrap();
                deflater.finish().unwrap()
            }
        };
        let method = m.method.unwrap_or(if m.deflated { 8 } else { 0 });
        let mut common = Vec::new();
        common.extend(m.flags.to_le_bytes());
        common.extend(method.to_le_bytes());
        common.extend([0, 0x6C, 0x51, 0x54]);
        common.extend(m.crc.unwrap_or(sum.sum()).to_le_bytes());
        common.extend(m.stored.unwrap_or(data.len() as u32).to_le_bytes());
        common.extend(m.size.unwrap_or(m.content.len() as u32).to_le_bytes());
        common.extend((m.name.len() as u16).to_le_bytes());
        directory.extend(b"PK\x01\x02\x14\x03\x14\x00");
        directory.extend(&common);
        directory.extend((m.extra.len() as u16).to_le_bytes());
        directory.extend([0; 6]);
        directory.extend((m.mode << 16).to_le_bytes());
        directory.extend(m.header.unwrap_or(all.len() as u32).to_le_bytes());
        directory.extend(&m.name);
        directory.extend(&m.extra);
        all.extend(b"PK\x03\x04\x14\x00");
        all.extend(&common);
        // A few bytes of its own between the name and the data, as some write them.
        all.extend(4_u16.to_le_bytes());
        all.extend(&m.name);
        all.extend([0xFE, 0xCA, 0, 0]);
        all.extend(&data);
    }
    let start = all.len() as u32;
    all.extend(&directory);
    end(&mut all, members.len() as u16, directory.len() as u32, start);
    all
}

pub(crate) fn end(all: &mut Vec<u8>, entries: u16, size: u32, start: u32) {
    all.extend(b"PK\x05\x06\0\0\0\0");
    all.extend(entries.to_le_bytes());
    all.extend(entries.to_le_bytes());
    all.extend(size.to_le_bytes());
    all.extend(start.to_le_bytes());
    all.extend([0; 2]);
}

/// The tree of the suite.
pub(crate) fn zip_of_tree(deflated: bool) -> Vec<u8> {
    let add = |(path, kind): &(&str, Kind)| match kind {
        Kind::Dir => Member::file(&format!("{path}/"), ""),
        Kind::File(text) => Member { deflated, ..Member::file(path, text) },
        Kind::Link(to) => Member { deflated, ..Member::link(path, to) },
    };
    zip(&TREE.iter().map(add).collect::<Vec<_>>())
}
