//! `wasi:clocks`, but for what is unstable there.

#[macro_use]
mod check;

use check::Check;
use wasip2::clocks::{monotonic_clock, wall_clock};
use wasip2::io::poll::poll;

const MILLISECOND: u64 = 1_000_000;

fn monotonic() -> Check {
    let mut last = monotonic_clock::now();
    for _ in 0..1000 {
        let now = monotonic_clock::now();
        holds!(now >= last);
        last = now;
    }
    let resolution = monotonic_clock::resolution();
    holds!(resolution > 0);
    equal!(monotonic_clock::resolution(), resolution);
    Ok(())
}

/// The clock itself says that time passed while a wait went on.
fn waits_as_long_as_told() -> Check {
    let start = monotonic_clock::now();
    monotonic_clock::subscribe_duration(20 * MILLISECOND).block();
    let middle = monotonic_clock::now();
    holds!(middle >= start + 20 * MILLISECOND);
    monotonic_clock::subscribe_instant(middle + 20 * MILLISECOND).block();
    holds!(monotonic_clock::now() >= middle + 20 * MILLISECOND);
    Ok(())
}

fn not_ready_before_its_time() -> Check {
    let when = monotonic_clock::now() + 200 * MILLISECOND;
    let (instant, duration) =
        (monotonic_clock::subscribe_instant(when), monotonic_clock::subscribe_duration(200 * MILLISECOND));
    let ready = instant.ready() || duration.ready();
    holds!(!ready || monotonic_clock::now() >= when);
    Ok(())
}

/// What is over is ready at once, and stays so.
fn the_past() -> Check {
    let now = monotonic_clock::now();
    for pollable in [
        monotonic_clock::subscribe_instant(now),
        monotonic_clock::subscribe_instant(0),
        monotonic_clock::subscribe_duration(0),
    ] {
        holds!(pollable.ready());
        pollable.block();
        holds!(pollable.ready());
        equal!(poll(&[&pollable]), [0]);
    }
    Ok(())
}

/// The end of time does not wrap around.
fn the_far_future() -> Check {
    let instant = monotonic_clock::subscribe_instant(u64::MAX);
    let duration = monotonic_clock::subscribe_duration(u64::MAX);
    let soon = monotonic_clock::subscribe_duration(MILLISECOND);
    holds!(!instant.ready() && !duration.ready());
    equal!(poll(&[&instant, &duration, &soon]), [2]);
    holds!(!instant.ready() && !duration.ready());
    Ok(())
}

fn a_wait_can_be_repeated() -> Check {
    let pollable = monotonic_clock::subscribe_duration(5 * MILLISECOND);
    pollable.block();
    let after = monotonic_clock::now();
    for _ in 0..100 {
        pollable.block();
        holds!(pollable.ready());
    }
    holds!(monotonic_clock::now() >= after);
    Ok(())
}

fn wall() -> Check {
    let (now, resolution) = (wall_clock::now(), wall_clock::resolution());
    holds!(now.nanoseconds < 1_000_000_000 && resolution.nanoseconds < 1_000_000_000);
    holds!(resolution.seconds > 0 || resolution.nanoseconds > 0);
    // Seconds since 1970: this program was written in a later year than 2020.
    holds!(now.seconds > 1_577_836_800);
    Ok(())
}

/// The two clocks tell of the same time passing. A wall clock may be set meanwhile: hence the width.
fn both_clocks_go() -> Check {
    let before = wall_clock::now();
    monotonic_clock::subscribe_duration(20 * MILLISECOND).block();
    let after = wall_clock::now();
    let nanoseconds = |t: wall_clock::Datetime| t.seconds * 1_000_000_000 + u64::from(t.nanoseconds);
    holds!(nanoseconds(after) - nanoseconds(before) >= 10 * MILLISECOND);
    Ok(())
}

/// Who looks at a clock again and again sees it go on.
fn busy() -> Check {
    let start = monotonic_clock::now();
    while monotonic_clock::now() < start + MILLISECOND {}
    let begin = wall_clock::now();
    let nanoseconds = |t: wall_clock::Datetime| (t.seconds, t.nanoseconds);
    while nanoseconds(wall_clock::now()) == nanoseconds(begin) {}
    let later = monotonic_clock::subscribe_duration(MILLISECOND);
    while !later.ready() {}
    Ok(())
}

const CHECKS: &[(&str, fn() -> Check)] = checks![
    monotonic,
    waits_as_long_as_told,
    not_ready_before_its_time,
    the_past,
    the_far_future,
    a_wait_can_be_repeated,
    wall,
    both_clocks_go,
    busy,
];

command!(check::run(CHECKS, |_, check| check()));
