//! WASI 0.2 and 0.3 in one component: what goes on by means of 0.3 while a call of 0.2 waits. Wants
//! a writable directory.
//!
//! `p3_both MILLISECONDS` waits for so long by 0.2 while a timer of 0.3 for a tenth of that is set,
//! and while the host is to copy a file by streams of 0.3 alone. `p3_both MILLISECONDS by-three`
//! waits by 0.3. It prints `late N` and `copied N`: by how many microseconds the timer came too
//! late, and how many of a million bytes were copied when the wait was over.

#[macro_use]
mod check;
mod dir;
mod io;

use check::{say, Failure};
use dir::{put, root};
use io::{both, now, pattern, MILLISECOND};
use std::pin::pin;
use wasip2::clocks::monotonic_clock::subscribe_duration;
use wasip2::filesystem::{preopens, types};
use wasip3::cli::environment::get_arguments;
use wasip3::clocks::monotonic_clock::{self, wait_for, wait_until};

const LEN: usize = 1_000_000;

/// How long a file is, asked by 0.2, so that no task of 0.3 gets its turn meanwhile.
fn size(name: &str) -> Result<u64, Failure> {
    let (root, _) = preopens::get_directories().into_iter().next().expect("a directory");
    Ok(root.stat_at(types::PathFlags::empty(), name)?.size)
}

async fn wait() -> Result<(), Failure> {
    let arguments = get_arguments();
    let length = arguments.get(1).map_or(Ok(100), |length| length.parse::<u64>())? * MILLISECOND;
    let root = root();
    let (source, target) = (put(&root, "source", &pattern(LEN)).await?, put(&root, "target", b"").await?);

    let due = monotonic_clock::now() + length / 10;
    let timer = async {
        wait_until(due).await;
        monotonic_clock::now() - due
    };
    let mut timer = pin!(timer);
    holds!(now(timer.as_mut()).await.is_none());
    let (stream, read) = source.read_via_stream(0);
    let written = target.write_via_stream(stream, 0);
    let (late, copied) = if arguments.get(2).is_some_and(|how| how == "by-three") {
        let waiting = async {
            wait_for(length).await;
            size("target")
        };
        both(timer, waiting).await
    } else {
        subscribe_duration(length).block();
        let copied = size("target");
        (timer.await, copied)
    };
    let copied = copied?;
    let (written, read) = both(written, read).await;
    written?;
    read?;
    equal!(size("target")?, LEN as u64);
    drop((source, target));
    root.unlink_file_at("source".to_owned()).await?;
    root.unlink_file_at("target".to_owned()).await?;
    say(&format!("late {}\ncopied {copied}\n", late / 1000)).await;
    Ok(())
}

async fn run() -> Result<(), ()> {
    match wait().await {
        Ok(()) => Ok(()),
        Err(Failure(why)) => Err(check::complain(&why).await),
    }
}

command!(run());
