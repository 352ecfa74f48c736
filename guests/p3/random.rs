//! `wasi:random`. What a generator of sound bytes fails by chance, it fails less often than once in
//! 2^60 runs.

#[macro_use]
mod check;
mod io;

use check::{Check, Checking};
use wasip3::random::insecure::{get_insecure_random_bytes, get_insecure_random_u64};
use wasip3::random::insecure_seed::get_insecure_seed;
use wasip3::random::random::{get_random_bytes, get_random_u64};

/// A call may give fewer than it was asked for.
fn bytes(get: fn(u64) -> Vec<u8>, len: usize) -> Vec<u8> {
    let mut all = Vec::with_capacity(len);
    while all.len() < len {
        let some = get((len - all.len()) as u64);
        assert!(!some.is_empty() && some.len() <= len - all.len());
        all.extend(some);
    }
    all
}

fn bytes_are_random(get: fn(u64) -> Vec<u8>) -> Check {
    equal!(get(0), []);
    equal!(get(1).len(), 1);
    for len in [1, 7, 8, 4096, 65_537, 1 << 20] {
        let some = get(len);
        holds!(!some.is_empty() && some.len() as u64 <= len);
    }
    for without_end in [1 << 32, u64::MAX] {
        holds!(!get(without_end).is_empty());
    }
    holds!(bytes(get, 16) != bytes(get, 16));
    let bytes = bytes(get, 1 << 16);
    let mut seen = [0; 256];
    bytes.iter().for_each(|byte| seen[usize::from(*byte)] += 1);
    // 256 of each are expected; the standard deviation is 16.
    holds!(seen.iter().all(|count| (64..=512).contains(count)));
    // No stretch is left as it was.
    holds!(bytes.chunks(16).all(|chunk| chunk.iter().any(|byte| *byte != 0)));
    Ok(())
}

fn numbers_are_random(get: fn() -> u64) -> Check {
    let numbers: Vec<u64> = (0..256).map(|_| get()).collect();
    for bit in 0..64 {
        let set = numbers.iter().filter(|number| *number >> bit & 1 == 1).count();
        holds!((32..=224).contains(&set));
    }
    Ok(())
}

async fn random_bytes() -> Check {
    bytes_are_random(get_random_bytes)
}

async fn random_u64() -> Check {
    numbers_are_random(get_random_u64)
}

async fn insecure_bytes() -> Check {
    bytes_are_random(get_insecure_random_bytes)
}

async fn insecure_u64() -> Check {
    numbers_are_random(get_insecure_random_u64)
}

/// It may be the same on each call, and any value at all.
async fn seed() -> Check {
    let (first, second) = (get_insecure_seed(), get_insecure_seed());
    holds!(first != (0, 0) && second != (0, 0));
    Ok(())
}

const CHECKS: &[(&str, fn() -> Checking<'static>)] =
    checks![random_bytes, random_u64, insecure_bytes, insecure_u64, seed];

command!(check::run(CHECKS, async |_, check| check().await));
