//! Prints what may differ from one run to the next: clocks, the three generators, and what the first directory tells of
//! itself, before and after three tasks have slept for hours and changed it.

#[macro_use]
mod check;
mod io;

use check::{complain, say, Failure};
use futures::future::join3;
use io::SECOND;
use std::cell::RefCell;
use std::fmt::Write as _;
use wasip3::clocks::{monotonic_clock, system_clock};
use wasip3::filesystem::preopens::get_directories;
use wasip3::filesystem::types::{Descriptor, DescriptorFlags, OpenFlags, PathFlags};
use wasip3::random::{insecure, insecure_seed, random};

const HOUR: u64 = 3600 * SECOND;

fn clocks(out: &mut String) -> Result<(), Failure> {
    writeln!(out, "system {:?} monotonic {}", system_clock::now(), monotonic_clock::now())?;
    Ok(())
}

fn chance(out: &mut String) -> Result<(), Failure> {
    writeln!(out, "{:?} {:x}", random::get_random_bytes(16), random::get_random_u64())?;
    writeln!(out, "{:?} {:x}", insecure::get_insecure_random_bytes(16), insecure::get_insecure_random_u64())?;
    writeln!(out, "{:x?}", insecure_seed::get_insecure_seed())?;
    Ok(())
}

async fn list(out: &mut String, dir: &Descriptor) -> Result<(), Failure> {
    let (entries, done) = dir.read_directory();
    let entries = entries.collect().await;
    done.await?;
    for entry in entries {
        let stat = dir.stat_at(PathFlags::empty(), entry.name.clone()).await?;
        let hash = dir.metadata_hash_at(PathFlags::empty(), entry.name.clone()).await?;
        writeln!(out, "{entry:?} {stat:?} {hash:x?}")?;
    }
    writeln!(out, ". {:?} {:x?}", dir.stat().await?, dir.metadata_hash().await?)?;
    Ok(())
}

/// Sleeps, and says when it woke; several of these at once.
async fn sleeper(out: &RefCell<String>, root: &Descriptor, hours: u64) -> Result<(), Failure> {
    for round in 0..3 {
        monotonic_clock::wait_for(hours * HOUR).await;
        let mut line = format!("{hours} hours, round {round}: ");
        clocks(&mut line)?;
        let name = format!("by {hours} in {round}");
        let how = DescriptorFlags::WRITE;
        drop(root.open_at(PathFlags::empty(), name, OpenFlags::CREATE, how).await?);
        out.borrow_mut().push_str(&line);
    }
    Ok(())
}

async fn same() -> Result<(), Failure> {
    let mut out = String::new();
    let (root, _) = get_directories().into_iter().next().expect("a directory");
    clocks(&mut out)?;
    chance(&mut out)?;
    list(&mut out, &root).await?;
    let told = RefCell::new(out);
    let (five, two, three) =
        join3(sleeper(&told, &root, 5), sleeper(&told, &root, 2), sleeper(&told, &root, 3)).await;
    (five?, two?, three?);
    let mut out = told.into_inner();
    root.unlink_file_at("b".into()).await?;
    root.create_directory_at("dir/sub".into()).await?;
    list(&mut out, &root).await?;
    chance(&mut out)?;
    say(&out).await;
    Ok(())
}

command!(async {
    match same().await {
        Ok(()) => Ok(()),
        Err(Failure(why)) => {
            complain(&why).await;
            Err(())
        }
    }
});
