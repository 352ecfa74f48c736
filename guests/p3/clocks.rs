//! `wasi:clocks`, but for what is unstable there.

#[macro_use]
mod check;
mod io;

use check::{Check, Checking};
use futures::future::join_all;
use io::{both, now, within, MILLISECOND, SECOND};
use std::pin::pin;
use wasip3::clocks::monotonic_clock::{self, wait_for, wait_until};
use wasip3::clocks::system_clock;

async fn monotonic() -> Check {
    let mut last = monotonic_clock::now();
    for _ in 0..1000 {
        let now = monotonic_clock::now();
        holds!(now >= last);
        last = now;
    }
    let resolution = monotonic_clock::get_resolution();
    holds!(resolution > 0);
    equal!(monotonic_clock::get_resolution(), resolution);
    Ok(())
}

/// The clock itself says that time passed while a wait went on.
async fn waits_as_long_as_told() -> Check {
    for time in [1, 1000, MILLISECOND, 20 * MILLISECOND] {
        let start = monotonic_clock::now();
        wait_for(time).await;
        let middle = monotonic_clock::now();
        holds!(middle >= start + time);
        wait_until(middle + time).await;
        holds!(monotonic_clock::now() >= middle + time);
    }
    Ok(())
}

/// What is over does not wait.
async fn the_past() -> Check {
    let now = monotonic_clock::now();
    wait_until(0).await;
    wait_until(now).await;
    for _ in 0..1000 {
        wait_for(0).await;
    }
    Ok(())
}

/// The end of time does not wrap around, and nobody has to wait for it.
async fn the_far_future() -> Check {
    for when in [u64::MAX, u64::MAX - 1, u64::MAX / 2, monotonic_clock::now() + 3600 * SECOND] {
        let (mut until, mut length) = (pin!(wait_until(when)), pin!(wait_for(when)));
        equal!(now(until.as_mut()).await, None);
        equal!(now(length.as_mut()).await, None);
        equal!(within(2 * MILLISECOND, until).await, None);
        equal!(within(2 * MILLISECOND, length).await, None);
    }
    Ok(())
}

/// Each of many ends at its own time, whatever the order they began in.
async fn many_at_once() -> Check {
    let start = monotonic_clock::now();
    let times = (0..300).map(|i| (i * 7919 % 100) * MILLISECOND / 4);
    let late = join_all(times.map(|time| async move {
        both(wait_for(time), wait_until(start + time)).await;
        (time, monotonic_clock::now())
    }));
    holds!(late.await.iter().all(|(time, end)| *end >= start + time));
    // One after the other they would have taken more than seven seconds, on any machine.
    holds!(monotonic_clock::now() - start < 6 * SECOND);
    Ok(())
}

/// A wait that was given up leaves the others alone.
async fn given_up() -> Check {
    let start = monotonic_clock::now();
    let mut kept = pin!(wait_for(30 * MILLISECOND));
    equal!(now(kept.as_mut()).await, None);
    for time in [1, MILLISECOND, 30 * MILLISECOND, SECOND] {
        for _ in 0..50 {
            let _ = now(pin!(wait_for(time))).await;
        }
    }
    kept.await;
    holds!(monotonic_clock::now() >= start + 30 * MILLISECOND);
    Ok(())
}

async fn system() -> Check {
    let (now, resolution) = (system_clock::now(), system_clock::get_resolution());
    holds!(now.nanoseconds < 1_000_000_000);
    holds!(resolution > 0);
    equal!(system_clock::get_resolution(), resolution);
    // Seconds since 1970: this program was written in a later year than 2020.
    holds!(now.seconds > 1_577_836_800);
    Ok(())
}

/// The two clocks tell of the same time passing. A system clock may be set meanwhile: hence the width.
async fn both_clocks_go() -> Check {
    let nanoseconds =
        |t: system_clock::Instant| i128::from(t.seconds) * 1_000_000_000 + i128::from(t.nanoseconds);
    let before = nanoseconds(system_clock::now());
    wait_for(20 * MILLISECOND).await;
    holds!(nanoseconds(system_clock::now()) - before >= 10_000_000);
    Ok(())
}

/// Who looks at a clock again and again sees it go on.
async fn busy() -> Check {
    let start = monotonic_clock::now();
    while monotonic_clock::now() < start + MILLISECOND {}
    let nanoseconds = |t: system_clock::Instant| (t.seconds, t.nanoseconds);
    let begin = nanoseconds(system_clock::now());
    while nanoseconds(system_clock::now()) == begin {}
    Ok(())
}

const CHECKS: &[(&str, fn() -> Checking<'static>)] = checks![
    monotonic,
    waits_as_long_as_told,
    the_past,
    the_far_future,
    many_at_once,
    given_up,
    system,
    both_clocks_go,
    busy,
];

command!(check::run(CHECKS, async |_, check| check().await));
