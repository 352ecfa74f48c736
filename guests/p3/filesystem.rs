//! `wasi:filesystem`: what files hold. Wants a writable directory. Where POSIX leaves a choice of error, so
//! do the checks; where the standard's own text names one, they want that.

#[macro_use]
mod check;
mod dir;
mod io;

use check::{Check, Failure};
use dir::{append, content, get, list, make_dir, open, put, stat_at, symlink, unlink, write, InDir, Kind};
use dir::{BOTH, CREATE, DIRECTORY, EXCLUSIVE, FOLLOW, MUTATE, NO_FOLLOW, PLAIN, READ, TRUNCATE, WRITE};
use io::{all, both, exactly, pattern, rest};
use wasip3::clocks::system_clock::Instant;
use wasip3::filesystem::preopens::get_directories;
use wasip3::filesystem::types::{Advice, Descriptor, DescriptorFlags, ErrorCode, NewTimestamp};

/// What says that a descriptor was not opened for this.
macro_rules! denied {
    ($call:expr) => {
        fails!($call, ErrorCode::BadDescriptor | ErrorCode::NotPermitted | ErrorCode::Access)
    };
}

macro_rules! too_far {
    ($call:expr) => {
        fails!($call, ErrorCode::Invalid | ErrorCode::FileTooLarge | ErrorCode::Overflow)
    };
}

async fn preopens(_: &Descriptor) -> Check {
    let (first, second) = (get_directories(), get_directories());
    holds!(!first.is_empty());
    equal!(first.len(), second.len());
    for ((one, name), (other, other_name)) in first.iter().zip(&second) {
        equal!(name, other_name);
        holds!(!name.is_empty());
        equal!(dir::kind(&one.get_type().await?), Kind::Directory);
        holds!(one.get_flags().await?.contains(MUTATE));
        holds!(one.is_same_object(other).await);
        holds!(one.handle() != other.handle());
    }
    Ok(())
}

async fn opening(dir: &Descriptor) -> Check {
    fails!(open(dir, "f", PLAIN, READ).await, ErrorCode::NoEntry);
    let file = open(dir, "f", CREATE, BOTH).await?;
    write(&file, b"text", 0).await?;
    fails!(open(dir, "f", EXCLUSIVE, BOTH).await, ErrorCode::Exist);
    equal!(content(&open(dir, "f", CREATE, BOTH).await?).await?, b"text");
    fails!(open(dir, "f", DIRECTORY, READ).await, ErrorCode::NotDirectory);
    open(dir, "f", TRUNCATE, BOTH).await?;
    equal!(file.stat().await?.size, 0);
    dir.open_at(NO_FOLLOW, "g".to_owned(), EXCLUSIVE, WRITE).await?;

    make_dir(dir, "d").await?;
    for how in [PLAIN, DIRECTORY] {
        equal!(dir::kind(&open(dir, "d", how, READ).await?.get_type().await?), Kind::Directory);
    }
    fails!(open(dir, "d", PLAIN, BOTH).await, ErrorCode::IsDirectory);
    fails!(open(dir, "d", EXCLUSIVE, BOTH).await, ErrorCode::Exist);
    fails!(open(dir, "none", DIRECTORY, READ).await, ErrorCode::NoEntry);
    Ok(())
}

async fn reading(dir: &Descriptor) -> Check {
    let bytes = pattern(100_000);
    let file = put(dir, "f", &bytes).await?;
    for offset in [0, 1, 4095, 4096, 99_999, 100_000, 100_001] {
        let want = bytes.get(offset..).unwrap_or_default();
        holds!(all(file.read_via_stream(offset as u64)).await? == want);
    }
    equal!(all(file.read_via_stream(1 << 40)).await?, b"");
    // Where no file can be, there is nothing, or it is an error to look.
    match all(file.read_via_stream(u64::MAX)).await {
        Ok(nothing) => equal!(nothing, b""),
        refused => too_far!(refused),
    }
    // The stream is of the file, not of the descriptor.
    let source = file.read_via_stream(90_000);
    drop(file);
    holds!(all(source).await? == bytes[90_000..]);
    equal!(content(&put(dir, "empty", b"").await?).await?, b"");
    Ok(())
}

async fn writing(dir: &Descriptor) -> Check {
    let file = put(dir, "f", b"0123456789").await?;
    write(&file, b"AB", 3).await?;
    equal!(content(&file).await?, b"012AB56789");
    write(&file, b"", 100).await?;
    equal!(content(&file).await?, b"012AB56789");
    write(&file, b"Z", 12).await?;
    equal!(content(&file).await?, b"012AB56789\0\0Z");
    too_far!(write(&file, b"x", u64::MAX).await);
    too_far!(write(&file, b"x", 1 << 63).await);
    equal!(content(&file).await?, b"012AB56789\0\0Z");

    let bytes = pattern(1 << 20);
    let large = put(dir, "large", &bytes).await?;
    equal!(large.stat().await?.size, 1 << 20);
    holds!(content(&large).await? == bytes);
    // The stream is of the file, not of the descriptor.
    let (mut writer, reader) = wasip3::wit_stream::new();
    let done = large.write_via_stream(reader, 1 << 20);
    drop(large);
    equal!(writer.write_all(b"the end".to_vec()).await, []);
    drop(writer);
    done.await?;
    holds!(get(dir, "large").await? == [&bytes[..], b"the end"].concat());
    Ok(())
}

/// What is appended goes to the end there is then.
async fn appending(dir: &Descriptor) -> Check {
    let file = put(dir, "f", b"").await?;
    append(&file, b"one").await?;
    write(&file, b"O", 0).await?;
    append(&file, b"two").await?;
    append(&file, b"").await?;
    file.set_size(8).await?;
    append(&file, b"three").await?;
    equal!(content(&file).await?, b"Onetwo\0\0three");

    let (a, b) = (vec![b'a'; 10_000], vec![b'b'; 10_000]);
    let (first, second) = both(append(&file, &a), append(&file, &b)).await;
    (first?, second?);
    let found = content(&file).await?;
    equal!(found.len(), 20_013);
    equal!(found.iter().filter(|byte| **byte == b'a').count(), 10_000);
    equal!(found.iter().filter(|byte| **byte == b'b').count(), 10_000);
    Ok(())
}

/// Streams of one file have positions of their own.
async fn several_streams(dir: &Descriptor) -> Check {
    let file = put(dir, "f", b"0123456789").await?;
    let ((mut first, first_done), (mut second, second_done)) =
        (file.read_via_stream(0), file.read_via_stream(5));
    equal!(exactly(&mut first, 1).await, b"0");
    equal!(exactly(&mut second, 1).await, b"5");
    equal!(exactly(&mut first, 2).await, b"12");
    write(&file, b"AB", 3).await?;
    drop(file);
    let left = rest(&mut first, 3).await;
    holds!(left == b"AB56789" || left == b"3456789"); // A host may have read ahead.
    equal!(rest(&mut second, 3).await, b"6789");
    first_done.await?;
    second_done.await?;
    Ok(())
}

/// What a descriptor was not opened for, it does not do.
async fn rights(dir: &Descriptor) -> Check {
    put(dir, "f", b"text").await?;
    let (reader, writer) = (open(dir, "f", PLAIN, READ).await?, open(dir, "f", PLAIN, WRITE).await?);
    denied!(write(&reader, b"x", 0).await);
    denied!(append(&reader, b"x").await);
    fails!(
        reader.set_size(0).await,
        ErrorCode::BadDescriptor | ErrorCode::NotPermitted | ErrorCode::Access | ErrorCode::Invalid
    );
    denied!(all(writer.read_via_stream(0)).await);
    equal!(content(&reader).await?, b"text");
    write(&writer, b"T", 0).await?;
    equal!(content(&reader).await?, b"Text");

    fails!(content(dir).await, ErrorCode::IsDirectory | ErrorCode::BadDescriptor);
    fails!(write(dir, b"x", 0).await, ErrorCode::IsDirectory | ErrorCode::BadDescriptor);
    fails!(append(dir, b"x").await, ErrorCode::IsDirectory | ErrorCode::BadDescriptor);
    fails!(list(&reader).await, ErrorCode::NotDirectory | ErrorCode::BadDescriptor);
    fails!(stat_at(&reader, "f").await, ErrorCode::NotDirectory | ErrorCode::BadDescriptor);
    fails!(make_dir(&reader, "d").await, ErrorCode::NotDirectory | ErrorCode::BadDescriptor);
    fails!(open(&reader, "f", PLAIN, READ).await, ErrorCode::NotDirectory | ErrorCode::BadDescriptor);
    Ok(())
}

async fn flags_and_types(dir: &Descriptor) -> Check {
    put(dir, "f", b"").await?;
    for flags in [READ, WRITE, BOTH] {
        let file = open(dir, "f", PLAIN, flags).await?;
        equal!(file.get_flags().await? & (MUTATE | BOTH), flags);
        equal!(dir::kind(&file.get_type().await?), Kind::File);
    }
    for flags in [READ, MUTATE] {
        let same = open(dir, ".", DIRECTORY, flags).await?;
        equal!(same.get_flags().await? & (MUTATE | BOTH), flags);
        equal!(dir::kind(&same.get_type().await?), Kind::Directory);
    }
    for sync in [DescriptorFlags::FILE_INTEGRITY_SYNC, DescriptorFlags::DATA_INTEGRITY_SYNC] {
        // A request, not a requirement.
        match open(dir, "f", PLAIN, BOTH | sync).await {
            Ok(file) => write(&file, b"synchronised", 0).await?,
            Err(error) => is!(error, ErrorCode::Unsupported),
        }
    }
    Ok(())
}

async fn set_size(dir: &Descriptor) -> Check {
    let file = put(dir, "f", b"0123456789").await?;
    file.set_size(4).await?;
    equal!(content(&file).await?, b"0123");
    file.set_size(6).await?;
    equal!(content(&file).await?, b"0123\0\0");
    file.set_size(0).await?;
    equal!(content(&file).await?, b"");
    too_far!(file.set_size(u64::MAX).await);
    fails!(dir.set_size(0).await, _);
    Ok(())
}

async fn sync(dir: &Descriptor) -> Check {
    let file = put(dir, "f", b"text").await?;
    // No effect, and no error, where the descriptor is not open for writing.
    let reader = open(dir, "f", PLAIN, READ).await?;
    for descriptor in [&file, &reader, dir] {
        descriptor.sync().await?;
        descriptor.sync_data().await?;
    }
    Ok(())
}

async fn advise(dir: &Descriptor) -> Check {
    let file = put(dir, "f", b"text").await?;
    for advice in [
        Advice::Normal,
        Advice::Sequential,
        Advice::Random,
        Advice::WillNeed,
        Advice::DontNeed,
        Advice::NoReuse,
    ] {
        file.advise(0, 4, advice).await?;
        file.advise(2, 0, advice).await?;
        file.advise(100, 1000, advice).await?;
    }
    equal!(content(&file).await?, b"text");
    Ok(())
}

async fn stat(dir: &Descriptor) -> Check {
    let file = put(dir, "f", b"12345").await?;
    symlink(dir, "f", "link").await?;
    let followed = dir.stat_at(FOLLOW, "link".to_owned()).await?;
    for found in [file.stat().await?, stat_at(dir, "f").await?, followed] {
        equal!((dir::kind(&found.type_), found.size, found.link_count), (Kind::File, 5, 1));
        holds!(found.data_modification_timestamp.is_some_and(|time| time.nanoseconds < 1_000_000_000));
    }
    let found = stat_at(dir, "link").await?;
    equal!((dir::kind(&found.type_), found.size), (Kind::Link, 1));
    equal!(dir::kind(&dir.stat().await?.type_), Kind::Directory);
    equal!(dir::kind(&stat_at(dir, ".").await?.type_), Kind::Directory);
    fails!(stat_at(dir, "none").await, ErrorCode::NoEntry);
    fails!(stat_at(dir, "f/below").await, ErrorCode::NotDirectory);
    Ok(())
}

type Times = (Option<(i64, u32)>, Option<(i64, u32)>);

async fn times_of(dir: &Descriptor, path: &str) -> Result<Times, ErrorCode> {
    let found = stat_at(dir, path).await?;
    let exactly = |time: Option<Instant>| time.map(|t| (t.seconds, t.nanoseconds));
    Ok((exactly(found.data_access_timestamp), exactly(found.data_modification_timestamp)))
}

fn at(seconds: i64, nanoseconds: u32) -> NewTimestamp {
    NewTimestamp::Timestamp(Instant { seconds, nanoseconds })
}

async fn times(dir: &Descriptor) -> Check {
    let file = put(dir, "f", b"text").await?;
    let set =
        |how, path: &str, accessed, modified| dir.set_times_at(how, path.to_owned(), accessed, modified);
    file.set_times(at(1_000_000_000, 1000), at(1_100_000_000, 999_999_000)).await?;
    equal!(times_of(dir, "f").await?, (Some((1_000_000_000, 1000)), Some((1_100_000_000, 999_999_000))));
    file.set_times(NewTimestamp::NoChange, at(0, 0)).await?;
    equal!(times_of(dir, "f").await?, (Some((1_000_000_000, 1000)), Some((0, 0))));
    set(FOLLOW, "f", at(3, 0), NewTimestamp::NoChange).await?;
    equal!(times_of(dir, "f").await?, (Some((3, 0)), Some((0, 0))));
    set(FOLLOW, "f", NewTimestamp::NoChange, NewTimestamp::Now).await?;
    let (accessed, modified) = times_of(dir, "f").await?;
    equal!(accessed, Some((3, 0)));
    holds!(modified.is_some_and(|time| time.0 > 1_577_836_800));
    dir.set_times(at(5, 0), at(6, 0)).await?;
    equal!(times_of(dir, ".").await?, (Some((5, 0)), Some((6, 0))));

    symlink(dir, "f", "link").await?;
    set(FOLLOW, "link", at(7, 0), at(8, 0)).await?;
    equal!(times_of(dir, "f").await?, (Some((7, 0)), Some((8, 0))));
    set(NO_FOLLOW, "link", at(9, 0), at(10, 0)).await?;
    equal!(times_of(dir, "link").await?, (Some((9, 0)), Some((10, 0))));
    equal!(times_of(dir, "f").await?, (Some((7, 0)), Some((8, 0))));
    fails!(set(FOLLOW, "none", at(1, 0), at(1, 0)).await, ErrorCode::NoEntry);
    fails!(file.set_times(at(0, 1_000_000_000), at(0, 0)).await, ErrorCode::Invalid);
    fails!(set(FOLLOW, "f", at(0, 0), at(0, u32::MAX)).await, ErrorCode::Invalid);
    equal!(times_of(dir, "f").await?, (Some((7, 0)), Some((8, 0))));
    Ok(())
}

/// Times before the epoch, where nanoseconds still count forwards, and times that no file has. A
/// filesystem may refuse what it cannot keep, or bring it to what it can.
async fn times_far_away(dir: &Descriptor) -> Check {
    let file = put(dir, "f", b"text").await?;
    for time in [(-1, 999_999_000), (-2, 0), (-1_000_000_000, 1000)] {
        match file.set_times(at(time.0, time.1), at(time.0, time.1)).await {
            Ok(()) => equal!(times_of(dir, "f").await?, (Some(time), Some(time))),
            Err(error) => is!(error, ErrorCode::Invalid | ErrorCode::Overflow | ErrorCode::Unsupported),
        }
    }
    for seconds in [i64::MIN, i64::MIN + 1, i64::MAX - 1, i64::MAX] {
        for nanoseconds in [0, 999_999_999] {
            match file.set_times(at(seconds, nanoseconds), NewTimestamp::NoChange).await {
                Ok(()) => holds!(times_of(dir, "f").await?.0.is_some()),
                Err(error) => is!(error, ErrorCode::Invalid | ErrorCode::Overflow),
            }
        }
    }
    Ok(())
}

/// Calls on one descriptor at once, each of which gets its own answer.
async fn all_at_once(dir: &Descriptor) -> Check {
    let file = put(dir, "f", &pattern(1000)).await?;
    let one = async |i: u64| -> Check {
        let name = format!("f{i}");
        let mine = put(dir, &name, &pattern(i as usize)).await?;
        equal!(stat_at(dir, &name).await?.size, i);
        equal!(file.stat().await?.size, 1000);
        holds!(!mine.is_same_object(&file).await);
        holds!(all(file.read_via_stream(1000 - i)).await? == pattern(1000)[1000 - i as usize..]);
        Ok(unlink(dir, &name).await?)
    };
    let checked: Vec<Check> = futures::future::join_all((0..50).map(one)).await;
    checked.into_iter().collect::<Result<(), Failure>>()
}

const CHECKS: &[(&str, InDir)] = checks![dir:
    preopens,
    opening,
    reading,
    writing,
    appending,
    several_streams,
    rights,
    flags_and_types,
    set_size,
    sync,
    advise,
    stat,
    times,
    times_far_away,
    all_at_once,
];

command!(check::run(CHECKS, dir::in_scratch));
