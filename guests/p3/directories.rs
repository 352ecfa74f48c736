//! `wasi:filesystem`: what directories hold. Wants a writable one. Where POSIX leaves a choice of error, so
//! do the checks; where the standard's own text names one, they want that.

#[macro_use]
mod check;
mod dir;
mod io;

use check::Check;
use dir::{content, get, link, list, make_dir, open, put, read_link, remove_dir, rename, stat_at};
use dir::{symlink, unlink, write, InDir, Kind};
use dir::{BOTH, CREATE, DIRECTORY, FOLLOW, MUTATE, NO_FOLLOW, PLAIN, READ, TRUNCATE, WRITE};
use wasip3::filesystem::types::{Descriptor, ErrorCode, MetadataHashValue, NewTimestamp};
use wasip3::wit_bindgen::StreamResult;

fn pair(hash: MetadataHashValue) -> (u64, u64) {
    (hash.lower, hash.upper)
}

async fn paths(dir: &Descriptor) -> Check {
    make_dir(dir, "a").await?;
    make_dir(dir, "a/b").await?;
    put(dir, "a/b/f", b"deep").await?;
    for path in ["a/b/f", "./a/./b/f", "a//b/f", "a/../a/b/f", "a/b/../b/f", "a/b/../../a/b/f"] {
        equal!(get(dir, path).await?, b"deep");
    }
    for path in [".", "a/..", "a/b/../..", "./", "a/../"] {
        holds!(open(dir, path, DIRECTORY, READ).await?.is_same_object(dir).await);
    }
    let now = || NewTimestamp::Now;
    for path in ["..", "../", "/", "/a", "a/../..", "../scratch-paths", "a/b/../../../a", "/tmp"] {
        let out = || path.to_owned();
        fails!(dir.stat_at(FOLLOW, out()).await, ErrorCode::NotPermitted);
        fails!(open(dir, path, PLAIN, READ).await, ErrorCode::NotPermitted);
        fails!(make_dir(dir, path).await, ErrorCode::NotPermitted);
        fails!(remove_dir(dir, path).await, ErrorCode::NotPermitted);
        fails!(unlink(dir, path).await, ErrorCode::NotPermitted);
        fails!(read_link(dir, path).await, ErrorCode::NotPermitted);
        fails!(symlink(dir, "a", path).await, ErrorCode::NotPermitted);
        fails!(link(dir, path, dir, "x").await, ErrorCode::NotPermitted);
        fails!(link(dir, "a/b/f", dir, path).await, ErrorCode::NotPermitted);
        fails!(rename(dir, path, dir, "x").await, ErrorCode::NotPermitted);
        fails!(rename(dir, "a", dir, path).await, ErrorCode::NotPermitted);
        fails!(dir.set_times_at(FOLLOW, out(), now(), now()).await, ErrorCode::NotPermitted);
        fails!(dir.metadata_hash_at(FOLLOW, out()).await, ErrorCode::NotPermitted);
    }
    fails!(get(dir, "").await, ErrorCode::NoEntry);
    fails!(make_dir(dir, "").await, ErrorCode::NoEntry);
    fails!(get(dir, "none/../a/b/f").await, ErrorCode::NoEntry);
    fails!(get(dir, "a/b/f/").await, ErrorCode::NotDirectory);
    fails!(get(dir, "a/b/f/g").await, ErrorCode::NotDirectory);
    fails!(get(dir, "a/b/f/..").await, ErrorCode::NotDirectory);
    fails!(get(dir, &"n".repeat(256)).await, ErrorCode::NameTooLong);
    fails!(get(dir, "a\0b").await, ErrorCode::Invalid | ErrorCode::IllegalByteSequence);
    for name in ["n".repeat(255), "Grüße, 世界\n".to_owned()] {
        put(dir, &name, b"a name is a text").await?;
        equal!(get(dir, &name).await?, b"a name is a text");
    }
    Ok(())
}

/// A directory that was not opened for it changes nothing, nor does what is opened through it.
async fn read_only(dir: &Descriptor) -> Check {
    put(dir, "f", b"text").await?;
    put(dir, "g", b"text").await?;
    make_dir(dir, "d").await?;
    symlink(dir, "f", "l").await?;
    let reader = open(dir, ".", DIRECTORY, READ).await?;
    equal!(reader.get_flags().await? & MUTATE, READ);
    fails!(open(&reader, ".", DIRECTORY, MUTATE).await, ErrorCode::ReadOnly);
    fails!(open(&reader, "f", PLAIN, WRITE).await, ErrorCode::ReadOnly);
    fails!(open(&reader, "f", PLAIN, BOTH).await, ErrorCode::ReadOnly);
    fails!(open(&reader, "f", TRUNCATE, READ).await, ErrorCode::ReadOnly);
    fails!(open(&reader, "new", CREATE, READ).await, ErrorCode::ReadOnly);
    fails!(make_dir(&reader, "new").await, ErrorCode::ReadOnly);
    fails!(remove_dir(&reader, "d").await, ErrorCode::ReadOnly);
    fails!(unlink(&reader, "g").await, ErrorCode::ReadOnly);
    fails!(symlink(&reader, "f", "new").await, ErrorCode::ReadOnly);
    fails!(link(&reader, "f", dir, "new").await, ErrorCode::ReadOnly);
    fails!(link(dir, "f", &reader, "new").await, ErrorCode::ReadOnly);
    fails!(rename(&reader, "f", dir, "new").await, ErrorCode::ReadOnly);
    fails!(rename(dir, "f", &reader, "new").await, ErrorCode::ReadOnly);
    let now = || NewTimestamp::Now;
    fails!(reader.set_times_at(FOLLOW, "f".to_owned(), now(), now()).await, ErrorCode::ReadOnly);
    fails!(reader.set_times(now(), now()).await, ErrorCode::ReadOnly);

    equal!(get(&reader, "l").await?, b"text");
    equal!(read_link(&reader, "l").await?, "f");
    equal!(list(&reader).await?.len(), 4);
    equal!(stat_at(&reader, "f").await?.size, 4);
    let below = open(&reader, "d", DIRECTORY, READ).await?;
    fails!(make_dir(&below, "new").await, ErrorCode::ReadOnly);
    equal!(list(dir).await?.len(), 4);
    Ok(())
}

async fn hard_links(dir: &Descriptor) -> Check {
    let file = put(dir, "f", b"text").await?;
    make_dir(dir, "d").await?;
    let below = open(dir, "d", DIRECTORY, MUTATE).await?;
    link(dir, "f", dir, "g").await?;
    link(dir, "g", &below, "h").await?;
    equal!(file.stat().await?.link_count, 3);
    write(&file, b"T", 0).await?;
    equal!(get(&below, "h").await?, b"Text");
    fails!(link(dir, "none", dir, "x").await, ErrorCode::NoEntry);
    fails!(link(dir, "f", dir, "g").await, ErrorCode::Exist);
    fails!(link(dir, "d", dir, "x").await, ErrorCode::NotPermitted);
    fails!(link(dir, "f", dir, "none/x").await, ErrorCode::NoEntry);
    unlink(dir, "f").await?;
    equal!(file.stat().await?.link_count, 2);
    equal!(get(dir, "g").await?, b"Text");
    Ok(())
}

async fn symlinks(dir: &Descriptor) -> Check {
    put(dir, "f", b"text").await?;
    make_dir(dir, "d").await?;
    put(dir, "d/g", b"below").await?;
    for (target, name) in
        [("f", "l"), ("d", "to-d"), ("../f", "d/up"), ("none", "dangling"), ("loop", "loop")]
    {
        symlink(dir, target, name).await?;
        equal!(read_link(dir, name).await?, target);
        let found = stat_at(dir, name).await?;
        equal!((dir::kind(&found.type_), found.size), (Kind::Link, target.len() as u64));
    }
    for path in ["l", "d/up", "to-d/up", "to-d/../f"] {
        equal!(get(dir, path).await?, b"text");
    }
    equal!(get(dir, "to-d/g").await?, b"below");
    let not_followed = async |path: &str, how| dir.open_at(NO_FOLLOW, path.to_owned(), how, READ).await;
    fails!(not_followed("l", PLAIN).await, ErrorCode::Loop);
    fails!(not_followed("to-d", DIRECTORY).await, ErrorCode::Loop | ErrorCode::NotDirectory);
    fails!(get(dir, "dangling").await, ErrorCode::NoEntry);
    fails!(get(dir, "loop").await, ErrorCode::Loop);
    fails!(dir.stat_at(FOLLOW, "loop".to_owned()).await, ErrorCode::Loop);
    fails!(read_link(dir, "f").await, ErrorCode::Invalid);
    fails!(read_link(dir, "none").await, ErrorCode::NoEntry);
    fails!(symlink(dir, "f", "l").await, ErrorCode::Exist);
    fails!(symlink(dir, "/absolute", "x").await, ErrorCode::NotPermitted);
    symlink(dir, "..", "out").await?;
    fails!(open(dir, "out", PLAIN, READ).await, ErrorCode::NotPermitted);
    fails!(stat_at(dir, "out/x").await, ErrorCode::NotPermitted);
    unlink(dir, "l").await?;
    equal!(get(dir, "f").await?, b"text");
    fails!(remove_dir(dir, "to-d").await, ErrorCode::NotDirectory);
    unlink(dir, "to-d").await?;
    equal!(list(dir).await?.len(), 5);
    Ok(())
}

async fn removing(dir: &Descriptor) -> Check {
    let file = put(dir, "f", b"text").await?;
    make_dir(dir, "d").await?;
    put(dir, "d/f", b"").await?;
    fails!(make_dir(dir, "d").await, ErrorCode::Exist);
    fails!(make_dir(dir, "f").await, ErrorCode::Exist);
    fails!(make_dir(dir, "none/d").await, ErrorCode::NoEntry);
    fails!(make_dir(dir, "f/d").await, ErrorCode::NotDirectory);
    fails!(unlink(dir, "d").await, ErrorCode::IsDirectory | ErrorCode::Access | ErrorCode::NotPermitted);
    fails!(unlink(dir, "none").await, ErrorCode::NoEntry);
    fails!(remove_dir(dir, "f").await, ErrorCode::NotDirectory);
    fails!(remove_dir(dir, "none").await, ErrorCode::NoEntry);
    fails!(remove_dir(dir, "d").await, ErrorCode::NotEmpty);
    unlink(dir, "d/f").await?;
    remove_dir(dir, "d").await?;
    unlink(dir, "f").await?;
    fails!(stat_at(dir, "f").await, ErrorCode::NoEntry);
    equal!(list(dir).await?, []);
    // What is open lives on without a name.
    equal!(content(&file).await?, b"text");
    equal!(file.stat().await?.link_count, 0);
    Ok(())
}

async fn renaming(dir: &Descriptor) -> Check {
    put(dir, "f", b"f").await?;
    put(dir, "g", b"g").await?;
    for name in ["d", "empty", "full", "full/inner"] {
        make_dir(dir, name).await?;
    }
    let full = open(dir, "full", DIRECTORY, MUTATE).await?;
    rename(dir, "f", dir, "new").await?;
    rename(dir, "new", &full, "moved").await?;
    equal!(get(&full, "moved").await?, b"f");
    fails!(stat_at(dir, "new").await, ErrorCode::NoEntry);
    rename(&full, "moved", dir, "g").await?;
    equal!(get(dir, "g").await?, b"f");
    rename(dir, "g", dir, "g").await?;
    rename(dir, "d", dir, "empty").await?;
    fails!(stat_at(dir, "d").await, ErrorCode::NoEntry);
    fails!(rename(dir, "empty", dir, "full").await, ErrorCode::NotEmpty | ErrorCode::Exist);
    fails!(rename(dir, "g", dir, "empty").await, ErrorCode::IsDirectory);
    fails!(rename(dir, "empty", dir, "g").await, ErrorCode::NotDirectory);
    fails!(rename(dir, "full", dir, "full/inner/x").await, ErrorCode::Invalid);
    fails!(rename(dir, "none", dir, "x").await, ErrorCode::NoEntry);
    fails!(rename(dir, "g", dir, "none/x").await, ErrorCode::NoEntry);
    let names: Vec<String> = list(dir).await?.into_iter().map(|(name, _)| name).collect();
    equal!(names, ["empty", "full", "g"]);
    Ok(())
}

/// With room for one entry, for a few, and for more than there are.
async fn listing(dir: &Descriptor) -> Check {
    let mut want = vec![("d".to_owned(), Kind::Directory), ("l".to_owned(), Kind::Link)];
    make_dir(dir, "d").await?;
    symlink(dir, "none", "l").await?;
    for i in 0..300 {
        let name = format!("file-{i:03}-{}", "n".repeat(i % 50));
        open(dir, &name, CREATE, WRITE).await?;
        want.push((name, Kind::File));
    }
    want.sort();
    for room in [1, 7, 1000] {
        let ((mut stream, done), mut found) = (dir.read_directory(), Vec::new());
        loop {
            let (result, entries) = stream.read(Vec::with_capacity(room)).await;
            holds!(entries.len() <= room);
            found.extend(entries.into_iter().map(|entry| (entry.name, dir::kind(&entry.type_))));
            if result == StreamResult::Dropped {
                break;
            }
        }
        done.await?;
        found.sort();
        holds!(found == want);
    }
    Ok(())
}

/// Listings do not interfere with each other, nor does it matter what becomes of the descriptor.
async fn several_listings(dir: &Descriptor) -> Check {
    for i in 0..100 {
        open(dir, &format!("f{i}"), CREATE, WRITE).await?;
    }
    let (mut first, mut second) = (dir.read_directory(), dir.read_directory());
    for _ in 0..100 {
        holds!(first.0.next().await.is_some() && second.0.next().await.is_some());
    }
    holds!(first.0.next().await.is_none() && second.0.next().await.is_none());
    first.1.await?;
    second.1.await?;

    let same = open(dir, ".", DIRECTORY, READ).await?;
    let (stream, done) = same.read_directory();
    drop(same);
    equal!(stream.collect().await.len(), 100);
    done.await?;
    // Nobody has to read all of it.
    let (mut stream, done) = dir.read_directory();
    holds!(stream.next().await.is_some());
    drop(stream);
    done.await?;
    let (stream, done) = dir.read_directory();
    drop(done);
    equal!(stream.collect().await.len(), 100);
    Ok(())
}

async fn identity(dir: &Descriptor) -> Check {
    let (file, other) = (put(dir, "f", b"text").await?, put(dir, "g", b"text").await?);
    link(dir, "f", dir, "linked").await?;
    symlink(dir, "f", "sym").await?;
    holds!(file.is_same_object(&file).await);
    for path in ["f", "linked", "sym"] {
        holds!(file.is_same_object(&open(dir, path, PLAIN, READ).await?).await);
    }
    holds!(!file.is_same_object(&other).await);
    holds!(!file.is_same_object(dir).await);

    let hash_at = async |how, path: &str| dir.metadata_hash_at(how, path.to_owned()).await.map(pair);
    let hash = pair(file.metadata_hash().await?);
    equal!(pair(file.metadata_hash().await?), hash);
    for path in ["f", "linked", "sym"] {
        equal!(hash_at(FOLLOW, path).await?, hash);
    }
    holds!(hash_at(NO_FOLLOW, "sym").await? != hash);
    holds!(pair(other.metadata_hash().await?) != hash);
    equal!(hash_at(FOLLOW, ".").await?, pair(dir.metadata_hash().await?));
    fails!(hash_at(FOLLOW, "none").await, ErrorCode::NoEntry);
    Ok(())
}

const CHECKS: &[(&str, InDir)] = checks![dir:
    paths,
    read_only,
    hard_links,
    symlinks,
    removing,
    renaming,
    listing,
    several_listings,
    identity,
];

command!(check::run(CHECKS, dir::in_scratch));
