//! `wasi:filesystem`. Wants a writable directory. Where POSIX leaves a choice of error, so do the
//! checks; where the standard's own text names one, they want that.

#[macro_use]
mod check;
mod dir;

use check::Check;
use dir::{content, get, list, put};
use dir::{BOTH, CREATE, DIRECTORY, EXCLUSIVE, FOLLOW, MUTATE, NO_FOLLOW, PLAIN, READ, TRUNCATE, WRITE};
use wasip2::clocks::wall_clock::Datetime;
use wasip2::filesystem::preopens::get_directories;
use wasip2::filesystem::types::{
    Advice, Descriptor, DescriptorFlags, DescriptorType, ErrorCode, MetadataHashValue, NewTimestamp,
};

fn pair(hash: MetadataHashValue) -> (u64, u64) {
    (hash.lower, hash.upper)
}

fn preopens(_: &Descriptor) -> Check {
    let (first, second) = (get_directories(), get_directories());
    holds!(!first.is_empty());
    equal!(first.len(), second.len());
    for ((one, name), (other, other_name)) in first.iter().zip(&second) {
        equal!(name, other_name);
        holds!(!name.is_empty());
        equal!(one.get_type()?, DescriptorType::Directory);
        holds!(one.get_flags()?.contains(MUTATE));
        holds!(one.is_same_object(other));
        holds!(one.handle() != other.handle());
    }
    Ok(())
}

fn open(dir: &Descriptor) -> Check {
    fails!(dir.open_at(FOLLOW, "f", PLAIN, READ), ErrorCode::NoEntry);
    let file = dir.open_at(FOLLOW, "f", CREATE, BOTH)?;
    equal!(file.write(b"text", 0)?, 4);
    fails!(dir.open_at(FOLLOW, "f", EXCLUSIVE, BOTH), ErrorCode::Exist);
    equal!(content(&dir.open_at(FOLLOW, "f", CREATE, BOTH)?)?, b"text");
    fails!(dir.open_at(FOLLOW, "f", DIRECTORY, READ), ErrorCode::NotDirectory);
    dir.open_at(FOLLOW, "f", TRUNCATE, BOTH)?;
    equal!(file.stat()?.size, 0);
    dir.open_at(NO_FOLLOW, "g", EXCLUSIVE, WRITE)?;

    dir.create_directory_at("d")?;
    equal!(dir.open_at(FOLLOW, "d", PLAIN, READ)?.get_type()?, DescriptorType::Directory);
    equal!(dir.open_at(FOLLOW, "d", DIRECTORY, READ)?.get_type()?, DescriptorType::Directory);
    fails!(dir.open_at(FOLLOW, "d", PLAIN, BOTH), ErrorCode::IsDirectory);
    fails!(dir.open_at(FOLLOW, "d", EXCLUSIVE, BOTH), ErrorCode::Exist);
    fails!(dir.open_at(FOLLOW, "none", DIRECTORY, READ), ErrorCode::NoEntry);
    Ok(())
}

fn paths(dir: &Descriptor) -> Check {
    dir.create_directory_at("a")?;
    dir.create_directory_at("a/b")?;
    put(dir, "a/b/f", b"deep")?;
    for path in ["a/b/f", "./a/./b/f", "a//b/f", "a/../a/b/f", "a/b/../b/f", "a/b/../../a/b/f"] {
        equal!(get(dir, path)?, b"deep");
    }
    for path in [".", "a/..", "a/b/../..", "./", "a/../"] {
        holds!(dir.open_at(FOLLOW, path, DIRECTORY, READ)?.is_same_object(dir));
    }
    for path in ["..", "../", "/", "/a", "a/../..", "../scratch-paths", "a/b/../../../a", "/tmp"] {
        fails!(dir.stat_at(FOLLOW, path), ErrorCode::NotPermitted);
        fails!(dir.open_at(FOLLOW, path, PLAIN, READ), ErrorCode::NotPermitted);
        fails!(dir.create_directory_at(path), ErrorCode::NotPermitted);
        fails!(dir.unlink_file_at(path), ErrorCode::NotPermitted);
        fails!(dir.readlink_at(path), ErrorCode::NotPermitted);
        fails!(dir.rename_at("a", dir, path), ErrorCode::NotPermitted);
    }
    fails!(get(dir, ""), ErrorCode::NoEntry);
    fails!(get(dir, "none/../a/b/f"), ErrorCode::NoEntry);
    fails!(get(dir, "a/b/f/"), ErrorCode::NotDirectory);
    fails!(get(dir, "a/b/f/g"), ErrorCode::NotDirectory);
    fails!(get(dir, "a/b/f/.."), ErrorCode::NotDirectory);
    fails!(get(dir, &"n".repeat(256)), ErrorCode::NameTooLong);
    fails!(get(dir, "a\0b"), ErrorCode::Invalid | ErrorCode::IllegalByteSequence);
    put(dir, &"n".repeat(255), b"long")?;
    equal!(get(dir, &"n".repeat(255))?, b"long");
    put(dir, "Grüße, 世界\n", b"names are text")?;
    equal!(get(dir, "Grüße, 世界\n")?, b"names are text");
    Ok(())
}

fn read_and_write(dir: &Descriptor) -> Check {
    let file = put(dir, "f", b"0123456789")?;
    equal!(file.read(4, 0)?.0, b"0123");
    equal!(file.read(4, 8)?.0, b"89");
    equal!(file.read(0, 0)?.0, b"");
    for offset in [10, 11, 1 << 40] {
        equal!(file.read(1, offset)?, (vec![], true));
    }
    let (bytes, end) = file.read(u64::MAX, 5)?;
    holds!(!bytes.is_empty() && b"56789".starts_with(&bytes));
    holds!(!end || bytes.len() == 5);

    equal!(file.write(b"AB", 3)?, 2);
    equal!(file.write(b"", 100)?, 0);
    equal!(content(&file)?, b"012AB56789");
    equal!(file.write(b"Z", 12)?, 1);
    equal!(content(&file)?, b"012AB56789\0\0Z");
    fails!(file.write(b"x", u64::MAX), ErrorCode::Invalid | ErrorCode::FileTooLarge | ErrorCode::Overflow);
    let large: Vec<u8> = (0..1 << 20).map(|i| (i >> 9) as u8).collect();
    put(dir, "large", &large)?;
    holds!(get(dir, "large")? == large);
    Ok(())
}

/// What a descriptor was not opened for, it does not do.
fn rights(dir: &Descriptor) -> Check {
    put(dir, "f", b"text")?;
    let (reader, writer) = (dir.open_at(FOLLOW, "f", PLAIN, READ)?, dir.open_at(FOLLOW, "f", PLAIN, WRITE)?);
    let denied = |result: Result<(), ErrorCode>| {
        matches!(result, Err(ErrorCode::BadDescriptor | ErrorCode::NotPermitted | ErrorCode::Access))
    };
    holds!(denied(reader.write(b"x", 0).map(drop)));
    // A stream may come and then fail.
    for stream in [reader.write_via_stream(0), reader.append_via_stream()] {
        match stream {
            Ok(stream) => holds!(stream.blocking_write_and_flush(b"x").is_err()),
            Err(error) => holds!(denied(Err(error))),
        }
    }
    holds!(reader.set_size(0).is_err());
    holds!(denied(writer.read(1, 0).map(drop)));
    match writer.read_via_stream(0) {
        Ok(stream) => holds!(stream.blocking_read(1).is_err()),
        Err(error) => holds!(denied(Err(error))),
    }
    equal!(reader.read(10, 0)?.0, b"text");
    equal!(writer.write(b"T", 0)?, 1);
    equal!(content(&reader)?, b"Text");

    for call in [Descriptor::read_via_stream, |d: &Descriptor, n| d.read(1, n).map(|_| unreachable!())] {
        fails!(call(dir, 0), ErrorCode::IsDirectory | ErrorCode::BadDescriptor);
    }
    fails!(dir.write(b"x", 0), ErrorCode::IsDirectory | ErrorCode::BadDescriptor);
    fails!(dir.write_via_stream(0), ErrorCode::IsDirectory | ErrorCode::BadDescriptor);
    fails!(dir.append_via_stream(), ErrorCode::IsDirectory | ErrorCode::BadDescriptor);
    fails!(reader.read_directory(), ErrorCode::NotDirectory | ErrorCode::BadDescriptor);
    fails!(reader.stat_at(FOLLOW, "f"), ErrorCode::NotDirectory | ErrorCode::BadDescriptor);
    fails!(reader.open_at(FOLLOW, "f", PLAIN, READ), ErrorCode::NotDirectory | ErrorCode::BadDescriptor);
    Ok(())
}

fn flags_and_types(dir: &Descriptor) -> Check {
    put(dir, "f", b"")?;
    for flags in [READ, WRITE, BOTH] {
        let file = dir.open_at(FOLLOW, "f", PLAIN, flags)?;
        equal!(file.get_flags()? & (MUTATE | BOTH), flags);
        equal!(file.get_type()?, DescriptorType::RegularFile);
    }
    equal!(dir.get_flags()? & (MUTATE | BOTH), MUTATE);
    equal!(dir.get_type()?, DescriptorType::Directory);
    for sync in [DescriptorFlags::FILE_INTEGRITY_SYNC, DescriptorFlags::DATA_INTEGRITY_SYNC] {
        // A request, not a requirement.
        match dir.open_at(FOLLOW, "f", PLAIN, BOTH | sync) {
            Ok(file) => equal!(file.write(b"synchronised", 0)?, 12),
            Err(error) => equal!(error, ErrorCode::Unsupported),
        }
    }
    Ok(())
}

fn set_size(dir: &Descriptor) -> Check {
    let file = put(dir, "f", b"0123456789")?;
    file.set_size(4)?;
    equal!(content(&file)?, b"0123");
    file.set_size(6)?;
    equal!(content(&file)?, b"0123\0\0");
    file.set_size(0)?;
    equal!(file.read(1, 0)?, (vec![], true));
    fails!(file.set_size(u64::MAX), ErrorCode::Invalid | ErrorCode::FileTooLarge | ErrorCode::Overflow);
    holds!(dir.set_size(0).is_err());
    Ok(())
}

fn sync(dir: &Descriptor) -> Check {
    let file = put(dir, "f", b"text")?;
    file.sync()?;
    file.sync_data()?;
    // No effect, and no error, where the descriptor is not open for writing.
    let reader = dir.open_at(FOLLOW, "f", PLAIN, READ)?;
    reader.sync()?;
    reader.sync_data()?;
    dir.sync()?;
    dir.sync_data()?;
    Ok(())
}

fn advise(dir: &Descriptor) -> Check {
    let file = put(dir, "f", b"text")?;
    for advice in [
        Advice::Normal,
        Advice::Sequential,
        Advice::Random,
        Advice::WillNeed,
        Advice::DontNeed,
        Advice::NoReuse,
    ] {
        file.advise(0, 4, advice)?;
        file.advise(2, 0, advice)?;
        file.advise(100, 1000, advice)?;
    }
    equal!(content(&file)?, b"text");
    Ok(())
}

fn stat(dir: &Descriptor) -> Check {
    let file = put(dir, "f", b"12345")?;
    dir.symlink_at("f", "link")?;
    for found in [file.stat()?, dir.stat_at(NO_FOLLOW, "f")?, dir.stat_at(FOLLOW, "link")?] {
        equal!((found.type_, found.size, found.link_count), (DescriptorType::RegularFile, 5, 1));
        holds!(found.data_modification_timestamp.is_some_and(|time| time.nanoseconds < 1_000_000_000));
    }
    let link = dir.stat_at(NO_FOLLOW, "link")?;
    equal!((link.type_, link.size), (DescriptorType::SymbolicLink, 1));
    equal!(dir.stat()?.type_, DescriptorType::Directory);
    equal!(dir.stat_at(NO_FOLLOW, ".")?.type_, DescriptorType::Directory);
    fails!(dir.stat_at(FOLLOW, "none"), ErrorCode::NoEntry);
    fails!(dir.stat_at(FOLLOW, "f/below"), ErrorCode::NotDirectory);
    Ok(())
}

fn times(dir: &Descriptor) -> Check {
    let file = put(dir, "f", b"text")?;
    let at = |seconds, nanoseconds| NewTimestamp::Timestamp(Datetime { seconds, nanoseconds });
    let of = |path| -> Result<_, ErrorCode> {
        let found = dir.stat_at(NO_FOLLOW, path)?;
        let exactly = |time: Option<Datetime>| time.map(|t| (t.seconds, t.nanoseconds));
        Ok((exactly(found.data_access_timestamp), exactly(found.data_modification_timestamp)))
    };
    file.set_times(at(1_000_000_000, 1000), at(1_100_000_000, 999_999_000))?;
    equal!(of("f")?, (Some((1_000_000_000, 1000)), Some((1_100_000_000, 999_999_000))));
    file.set_times(NewTimestamp::NoChange, at(0, 0))?;
    equal!(of("f")?, (Some((1_000_000_000, 1000)), Some((0, 0))));
    dir.set_times_at(FOLLOW, "f", at(3, 0), NewTimestamp::NoChange)?;
    equal!(of("f")?, (Some((3, 0)), Some((0, 0))));
    dir.set_times_at(FOLLOW, "f", NewTimestamp::NoChange, NewTimestamp::Now)?;
    let (accessed, modified) = of("f")?;
    equal!(accessed, Some((3, 0)));
    holds!(modified.is_some_and(|time| time.0 > 1_577_836_800));
    dir.set_times(at(5, 0), at(6, 0))?;
    equal!(of(".")?, (Some((5, 0)), Some((6, 0))));

    dir.symlink_at("f", "link")?;
    dir.set_times_at(FOLLOW, "link", at(7, 0), at(8, 0))?;
    equal!(of("f")?, (Some((7, 0)), Some((8, 0))));
    dir.set_times_at(NO_FOLLOW, "link", at(9, 0), at(10, 0))?;
    equal!(of("link")?, (Some((9, 0)), Some((10, 0))));
    equal!(of("f")?, (Some((7, 0)), Some((8, 0))));
    fails!(dir.set_times_at(FOLLOW, "none", at(1, 0), at(1, 0)), ErrorCode::NoEntry);
    fails!(file.set_times(at(0, 1_000_000_000), at(0, 0)), ErrorCode::Invalid);
    fails!(dir.set_times_at(FOLLOW, "f", at(0, 0), at(0, u32::MAX)), ErrorCode::Invalid);
    fails!(file.set_times(at(u64::MAX, 0), at(0, 0)), ErrorCode::Invalid | ErrorCode::Overflow);
    equal!(of("f")?, (Some((7, 0)), Some((8, 0))));
    Ok(())
}

fn hard_links(dir: &Descriptor) -> Check {
    let file = put(dir, "f", b"text")?;
    dir.create_directory_at("d")?;
    let below = dir.open_at(FOLLOW, "d", DIRECTORY, MUTATE)?;
    dir.link_at(NO_FOLLOW, "f", dir, "g")?;
    dir.link_at(NO_FOLLOW, "g", &below, "h")?;
    equal!(file.stat()?.link_count, 3);
    file.write(b"T", 0)?;
    equal!(get(&below, "h")?, b"Text");
    fails!(dir.link_at(NO_FOLLOW, "none", dir, "x"), ErrorCode::NoEntry);
    fails!(dir.link_at(NO_FOLLOW, "f", dir, "g"), ErrorCode::Exist);
    fails!(dir.link_at(NO_FOLLOW, "d", dir, "x"), ErrorCode::NotPermitted);
    fails!(dir.link_at(NO_FOLLOW, "f", dir, "none/x"), ErrorCode::NoEntry);
    fails!(dir.link_at(NO_FOLLOW, "../x", dir, "x"), ErrorCode::NotPermitted);
    fails!(dir.link_at(NO_FOLLOW, "f", dir, "../x"), ErrorCode::NotPermitted);
    dir.unlink_file_at("f")?;
    equal!(file.stat()?.link_count, 2);
    equal!(get(dir, "g")?, b"Text");
    Ok(())
}

fn symlinks(dir: &Descriptor) -> Check {
    put(dir, "f", b"text")?;
    dir.create_directory_at("d")?;
    put(dir, "d/g", b"below")?;
    for (target, name) in
        [("f", "l"), ("d", "to-d"), ("../f", "d/up"), ("none", "dangling"), ("loop", "loop")]
    {
        dir.symlink_at(target, name)?;
        equal!(dir.readlink_at(name)?, target);
        let found = dir.stat_at(NO_FOLLOW, name)?;
        equal!((found.type_, found.size), (DescriptorType::SymbolicLink, target.len() as u64));
    }
    for path in ["l", "d/up", "to-d/up", "to-d/../f"] {
        equal!(get(dir, path)?, b"text");
    }
    equal!(get(dir, "to-d/g")?, b"below");
    equal!(dir.stat_at(FOLLOW, "l")?.type_, DescriptorType::RegularFile);
    fails!(dir.open_at(NO_FOLLOW, "l", PLAIN, READ), ErrorCode::Loop);
    fails!(dir.open_at(NO_FOLLOW, "to-d", DIRECTORY, READ), ErrorCode::Loop | ErrorCode::NotDirectory);
    fails!(get(dir, "dangling"), ErrorCode::NoEntry);
    fails!(get(dir, "loop"), ErrorCode::Loop);
    fails!(dir.stat_at(FOLLOW, "loop"), ErrorCode::Loop);
    fails!(dir.readlink_at("f"), ErrorCode::Invalid);
    fails!(dir.readlink_at("none"), ErrorCode::NoEntry);
    fails!(dir.symlink_at("f", "l"), ErrorCode::Exist);
    fails!(dir.symlink_at("/absolute", "x"), ErrorCode::NotPermitted);
    fails!(dir.symlink_at("f", "../x"), ErrorCode::NotPermitted);
    dir.symlink_at("..", "out")?;
    fails!(dir.open_at(FOLLOW, "out", PLAIN, READ), ErrorCode::NotPermitted);
    fails!(dir.stat_at(NO_FOLLOW, "out/x"), ErrorCode::NotPermitted);
    dir.unlink_file_at("l")?;
    equal!(get(dir, "f")?, b"text");
    fails!(dir.remove_directory_at("to-d"), ErrorCode::NotDirectory);
    dir.unlink_file_at("to-d")?;
    equal!(list(dir)?.len(), 5);
    Ok(())
}

fn remove(dir: &Descriptor) -> Check {
    let file = put(dir, "f", b"text")?;
    dir.create_directory_at("d")?;
    put(dir, "d/f", b"")?;
    fails!(dir.create_directory_at("d"), ErrorCode::Exist);
    fails!(dir.create_directory_at("f"), ErrorCode::Exist);
    fails!(dir.create_directory_at("none/d"), ErrorCode::NoEntry);
    fails!(dir.create_directory_at("f/d"), ErrorCode::NotDirectory);
    fails!(dir.unlink_file_at("d"), ErrorCode::IsDirectory);
    fails!(dir.unlink_file_at("none"), ErrorCode::NoEntry);
    fails!(dir.remove_directory_at("f"), ErrorCode::NotDirectory);
    fails!(dir.remove_directory_at("none"), ErrorCode::NoEntry);
    fails!(dir.remove_directory_at("d"), ErrorCode::NotEmpty);
    dir.unlink_file_at("d/f")?;
    dir.remove_directory_at("d")?;
    dir.unlink_file_at("f")?;
    fails!(dir.stat_at(FOLLOW, "f"), ErrorCode::NoEntry);
    equal!(list(dir)?, []);
    // What is open lives on without a name.
    equal!(content(&file)?, b"text");
    equal!(file.stat()?.link_count, 0);
    Ok(())
}

fn rename(dir: &Descriptor) -> Check {
    put(dir, "f", b"f")?;
    put(dir, "g", b"g")?;
    for name in ["d", "empty", "full", "full/inner"] {
        dir.create_directory_at(name)?;
    }
    let full = dir.open_at(FOLLOW, "full", DIRECTORY, MUTATE)?;
    dir.rename_at("f", dir, "new")?;
    dir.rename_at("new", &full, "moved")?;
    equal!(get(&full, "moved")?, b"f");
    fails!(dir.stat_at(FOLLOW, "new"), ErrorCode::NoEntry);
    full.rename_at("moved", dir, "g")?;
    equal!(get(dir, "g")?, b"f");
    dir.rename_at("g", dir, "g")?;
    dir.rename_at("d", dir, "empty")?;
    fails!(dir.stat_at(FOLLOW, "d"), ErrorCode::NoEntry);
    fails!(dir.rename_at("empty", dir, "full"), ErrorCode::NotEmpty | ErrorCode::Exist);
    fails!(dir.rename_at("g", dir, "empty"), ErrorCode::IsDirectory);
    fails!(dir.rename_at("empty", dir, "g"), ErrorCode::NotDirectory);
    fails!(dir.rename_at("full", dir, "full/inner/x"), ErrorCode::Invalid);
    fails!(dir.rename_at("none", dir, "x"), ErrorCode::NoEntry);
    fails!(dir.rename_at("g", dir, "none/x"), ErrorCode::NoEntry);
    let names: Vec<String> = list(dir)?.into_iter().map(|(name, _)| name).collect();
    equal!(names, ["empty", "full", "g"]);
    Ok(())
}

fn read_directory(dir: &Descriptor) -> Check {
    let mut want =
        vec![("d".to_owned(), DescriptorType::Directory), ("l".to_owned(), DescriptorType::SymbolicLink)];
    dir.create_directory_at("d")?;
    dir.symlink_at("none", "l")?;
    for i in 0..300 {
        let name = format!("file-{i:03}-{}", "n".repeat(i % 50));
        put(dir, &name, b"")?;
        want.push((name, DescriptorType::RegularFile));
    }
    want.sort();
    holds!(list(dir)? == want);

    let (first, second) = (dir.read_directory()?, dir.read_directory()?);
    let mut counts = (0, 0);
    while first.read_directory_entry()?.is_some() {
        counts.0 += 1;
        counts.1 += usize::from(second.read_directory_entry()?.is_some());
    }
    equal!(counts, (302, 302));
    for stream in [&first, &second] {
        holds!(stream.read_directory_entry()?.is_none());
        holds!(stream.read_directory_entry()?.is_none());
    }
    let below = dir.open_at(FOLLOW, "d", DIRECTORY, READ)?;
    let stream = below.read_directory()?;
    drop(below);
    holds!(stream.read_directory_entry()?.is_none());
    Ok(())
}

fn identity(dir: &Descriptor) -> Check {
    let (file, other) = (put(dir, "f", b"text")?, put(dir, "g", b"text")?);
    dir.link_at(NO_FOLLOW, "f", dir, "linked")?;
    dir.symlink_at("f", "sym")?;
    let open = |path| dir.open_at(FOLLOW, path, PLAIN, READ);
    holds!(file.is_same_object(&file));
    holds!(file.is_same_object(&open("f")?));
    holds!(file.is_same_object(&open("linked")?));
    holds!(file.is_same_object(&open("sym")?));
    holds!(!file.is_same_object(&other));
    holds!(!file.is_same_object(dir));

    let hash = pair(file.metadata_hash()?);
    equal!(pair(file.metadata_hash()?), hash);
    for path in ["f", "linked", "sym"] {
        equal!(pair(dir.metadata_hash_at(FOLLOW, path)?), hash);
    }
    holds!(pair(dir.metadata_hash_at(NO_FOLLOW, "sym")?) != hash);
    holds!(pair(other.metadata_hash()?) != hash);
    equal!(pair(dir.metadata_hash_at(FOLLOW, ".")?), pair(dir.metadata_hash()?));
    fails!(dir.metadata_hash_at(FOLLOW, "none"), ErrorCode::NoEntry);
    Ok(())
}

const CHECKS: &[(&str, fn(&Descriptor) -> Check)] = checks![
    preopens,
    open,
    paths,
    read_and_write,
    rights,
    flags_and_types,
    set_size,
    sync,
    advise,
    stat,
    times,
    hard_links,
    symlinks,
    remove,
    rename,
    read_directory,
    identity,
];

command!(check::run(CHECKS, dir::in_scratch));
