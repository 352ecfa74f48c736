//! What a guest is given before it begins.

use super::codec::{Codec, fields};
use super::log::{Damaged, Reader};
use wasi_host_core::fs::Access;
use wasi_host_core::grant::{DirPerms, FilePerms};
use wasi_host_core::limits::Limits;

/// What a context has that is no capability, and how many it has of those. It stands at the beginning of a log.
///
/// Whoever makes contexts names every field, here and below, so that the compiler finds one that is forgotten: for that it
/// is not `#[non_exhaustive]`. A field more is another form of logs, too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Setup {
    /// The arguments of the program, its name first.
    pub args: Vec<String>,
    /// Its environment, in order.
    pub env: Vec<(String, String)>,
    /// The directory in which its relative paths begin.
    pub initial_cwd: Option<String>,
    /// What it was given of filesystems, in order.
    pub preopens: Vec<Preopen>,
    /// How many sockets it was given that listen.
    pub listeners: u64,
    /// What of the network it may use.
    pub network: NetworkUse,
    /// How much of the host it may use.
    pub limits: Limits,
    /// Whether the clock on its wall is the system's.
    pub system_time: bool,
    /// What it seeds its hash tables with.
    pub insecure_random_seed: u128,
}

/// A directory or file that was given to the guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preopen {
    /// Its name.
    pub name: String,
    /// Whether it is a directory.
    pub is_dir: bool,
    /// What may be done in it, …
    pub dir: DirPerms,
    /// … and with the files in it.
    pub file: FilePerms,
    /// What it was opened for.
    pub access: Access,
    /// How much of the host may be used by it.
    pub limits: Limits,
}

/// What of the network a guest may use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NetworkUse {
    /// Whether it may use TCP.
    pub tcp: bool,
    /// Whether it may use UDP.
    pub udp: bool,
    /// Whether it may look names up.
    pub lookup: bool,
    /// Whether the check of its addresses knows the answer, so that nobody waits for it.
    pub check_knows: bool,
}

fields!(Setup: args env initial_cwd preopens listeners network limits system_time insecure_random_seed);
fields!(Preopen: name is_dir dir file access limits);
fields!(NetworkUse: tcp udp lookup check_knows);

/// Flags stand as their bits.
macro_rules! flags {
    ($($type:ident)*) => { $(
        impl Codec for $type {
            fn put(&self, to: &mut Vec<u8>) {
                self.bits().put(to);
            }

            fn get(from: &mut Reader) -> Result<Self, Damaged> {
                Self::from_bits(Codec::get(from)?).ok_or(Damaged)
            }
        }
    )* };
}

flags!(DirPerms FilePerms Access);

/// Limits may come to be more: those that are known stand in this order.
macro_rules! limits {
    ($($field:ident)*) => {
        impl Codec for Limits {
            fn put(&self, to: &mut Vec<u8>) {
                $( self.$field.put(to); )*
            }

            fn get(from: &mut Reader) -> Result<Self, Damaged> {
                let mut limits = Self::default();
                $( limits.$field = Codec::get(from)?; )*
                Ok(limits)
            }
        }
    };
}

limits!(descriptors path random subscriptions hostcall sockets lookups file_size);

#[cfg(test)]
mod tests {
    use super::super::log::Writer;
    use super::super::sink::Shared;
    use super::*;

    #[test]
    fn every_field_is_read_as_it_was_written() {
        let mut limits = Limits::default();
        (limits.descriptors, limits.path, limits.random, limits.subscriptions) = (1, 2, 3, 4);
        (limits.hostcall, limits.sockets, limits.lookups, limits.file_size) = (5, 6, 7, 8);
        let lines = |limits: &Limits| format!("{limits:#?}").lines().map(str::to_owned).collect::<Vec<_>>();
        for (line, default) in lines(&limits).iter().zip(lines(&Limits::default())) {
            assert!(!line.contains(':') || *line != default, "{line} is to have another value in this test");
        }
        let preopen = Preopen {
            name: "/".to_owned(),
            is_dir: true,
            dir: DirPerms::READ,
            file: FilePerms::WRITE,
            access: Access::WRITE,
            limits: limits.clone(),
        };
        let setup = Setup {
            args: vec!["program".to_owned(), String::new()],
            env: vec![("KEY".to_owned(), "value".to_owned())],
            initial_cwd: Some("/cwd".to_owned()),
            preopens: vec![preopen],
            listeners: u64::MAX,
            network: NetworkUse { tcp: true, udp: false, lookup: true, check_knows: true },
            limits,
            system_time: true,
            insecure_random_seed: u128::MAX - 1,
        };
        let udp = NetworkUse { udp: true, ..NetworkUse::default() };
        for setup in [Setup { network: udp, ..setup.clone() }, setup] {
            let sink = Shared::default();
            let mut writer = Writer::new(Box::new(sink.clone()));
            writer.add(|to| setup.put(to));
            writer.finish().unwrap();
            let mut reader = Reader::open(sink.contents(), false).unwrap();
            let read = Setup::get(&mut reader).unwrap();
            assert!(reader.is_empty());
            assert_eq!(format!("{read:?}"), format!("{setup:?}"));
        }
    }
}
