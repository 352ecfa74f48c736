//! Prints what may differ from one run to the next: clocks, the three generators, and what the first directory tells of
//! itself, before and after sleeping for an hour and changing it.

#[macro_use]
mod check;

use check::{say, Failure};
use std::fmt::Write as _;
use wasip2::cli::stdout::get_stdout;
use wasip2::clocks::{monotonic_clock, wall_clock};
use wasip2::filesystem::preopens::get_directories;
use wasip2::filesystem::types::{Descriptor, DescriptorFlags, OpenFlags, PathFlags};
use wasip2::io::poll::poll;
use wasip2::random::{insecure, insecure_seed, random};

const HOUR: u64 = 3_600_000_000_000;

fn clocks(out: &mut String) -> Result<(), Failure> {
    writeln!(out, "wall {:?} monotonic {}", wall_clock::now(), monotonic_clock::now())?;
    Ok(())
}

fn chance(out: &mut String) -> Result<(), Failure> {
    writeln!(out, "{:?} {:x}", random::get_random_bytes(16), random::get_random_u64())?;
    writeln!(out, "{:?} {:x}", insecure::get_insecure_random_bytes(16), insecure::get_insecure_random_u64())?;
    writeln!(out, "{:x?}", insecure_seed::insecure_seed())?;
    Ok(())
}

fn list(out: &mut String, dir: &Descriptor) -> Result<(), Failure> {
    let entries = dir.read_directory()?;
    while let Some(entry) = entries.read_directory_entry()? {
        let (stat, hash) = (
            dir.stat_at(PathFlags::empty(), &entry.name)?,
            dir.metadata_hash_at(PathFlags::empty(), &entry.name)?,
        );
        writeln!(out, "{entry:?} {stat:?} {hash:x?}")?;
    }
    writeln!(out, ". {:?} {:x?}", dir.stat()?, dir.metadata_hash()?)?;
    Ok(())
}

fn same() -> Result<(), Failure> {
    let mut out = String::new();
    let (root, _) = get_directories().into_iter().next().expect("a directory");
    clocks(&mut out)?;
    chance(&mut out)?;
    list(&mut out, &root)?;

    let (early, late) = (monotonic_clock::subscribe_duration(HOUR), monotonic_clock::subscribe_duration(2 * HOUR));
    writeln!(out, "ready {:?}", poll(&[&late, &early]))?;
    clocks(&mut out)?;
    let new = root.open_at(PathFlags::empty(), "new", OpenFlags::CREATE, DescriptorFlags::WRITE)?;
    new.write(b"text", 0)?;
    root.link_at(PathFlags::empty(), "new", &root, "newer")?;
    root.rename_at("a", &root, "z")?;
    late.block();
    clocks(&mut out)?;
    root.unlink_file_at("b")?;
    root.create_directory_at("dir/sub")?;
    list(&mut out, &root)?;
    chance(&mut out)?;
    say(get_stdout(), &out);
    Ok(())
}

command!(same().map_err(|Failure(why)| check::complain(&why)));
