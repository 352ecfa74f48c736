//! `wasi:io/poll`: lists of any length and kind.

#[macro_use]
mod check;

use check::Check;
use wasip2::cli::stdout::get_stdout;
use wasip2::clocks::monotonic_clock::{now, subscribe_duration, subscribe_instant};
use wasip2::io::poll::{poll, Pollable};

const MILLISECOND: u64 = 1_000_000;

fn never() -> Pollable {
    subscribe_instant(u64::MAX)
}

/// What `poll` gives: indices of the list, in no order that the standard names, each once.
fn sorted(list: &[&Pollable]) -> Vec<u32> {
    let mut ready = poll(list);
    ready.sort_unstable();
    ready
}

fn ready() -> Check {
    holds!(subscribe_duration(0).ready());
    holds!(!never().ready());
    Ok(())
}

fn block() -> Check {
    subscribe_duration(0).block();
    let start = now();
    subscribe_duration(10 * MILLISECOND).block();
    holds!(now() >= start + 10 * MILLISECOND);
    Ok(())
}

fn one_of_one() -> Check {
    equal!(poll(&[&subscribe_duration(0)]), [0]);
    equal!(poll(&[&subscribe_duration(5 * MILLISECOND)]), [0]);
    Ok(())
}

/// Waits until the first is ready, and names only what is.
fn the_first_of_several() -> Check {
    let (never, late, soon) =
        (never(), subscribe_duration(3_600_000 * MILLISECOND), subscribe_duration(5 * MILLISECOND));
    equal!(poll(&[&never, &late, &soon]), [2]);
    equal!(poll(&[&soon, &late, &never]), [0]);
    equal!(poll(&[&late, &soon, &never]), [1]);
    Ok(())
}

/// All that are ready when something is.
fn all_that_are_ready() -> Check {
    let (never, past, over) = (never(), subscribe_instant(0), subscribe_duration(0));
    equal!(sorted(&[&past, &never, &over]), [0, 2]);
    Ok(())
}

fn the_same_one_twice() -> Check {
    let (never, past) = (never(), subscribe_instant(0));
    equal!(sorted(&[&past, &never, &past]), [0, 2]);
    let soon = subscribe_duration(2 * MILLISECOND);
    equal!(sorted(&[&soon, &never, &never, &soon]), [0, 3]);
    Ok(())
}

fn a_long_list() -> Check {
    let mut pollables: Vec<Pollable> = (0..1000).map(|_| never()).collect();
    pollables[17] = subscribe_duration(2 * MILLISECOND);
    equal!(poll(&pollables.iter().collect::<Vec<_>>()), [17]);
    for index in [3, 500, 999] {
        pollables[index] = subscribe_instant(0);
    }
    equal!(sorted(&pollables.iter().collect::<Vec<_>>()), [3, 17, 500, 999]);
    Ok(())
}

/// A pollable may go while others of the same kind stay.
fn dropping_some() -> Check {
    let mut pollables: Vec<Pollable> = (0..100).map(|_| subscribe_duration(MILLISECOND)).collect();
    poll(&pollables.iter().collect::<Vec<_>>());
    pollables.truncate(10);
    pollables.iter().for_each(Pollable::block);
    equal!(sorted(&pollables.iter().collect::<Vec<_>>()).len(), 10);
    Ok(())
}

fn streams_and_clocks() -> Check {
    let stdout = get_stdout();
    let (first, second, never) = (stdout.subscribe(), stdout.subscribe(), never());
    first.block();
    equal!(sorted(&[&first, &never, &second]), [0, 2]);
    Ok(())
}

const CHECKS: &[(&str, fn() -> Check)] = checks![
    ready,
    block,
    one_of_one,
    the_first_of_several,
    all_that_are_ready,
    the_same_one_twice,
    a_long_list,
    dropping_some,
    streams_and_clocks,
];

command!(check::run(CHECKS, |_, check| check()));
