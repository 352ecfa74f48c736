//! `wasi:random`. What a generator of sound bytes fails by chance, it fails less often than once in
//! 2^60 runs.

#[macro_use]
mod check;

use check::Check;
use wasip2::random::insecure::{get_insecure_random_bytes, get_insecure_random_u64};
use wasip2::random::insecure_seed::insecure_seed;
use wasip2::random::random::{get_random_bytes, get_random_u64};

fn bytes_are_random(get: fn(u64) -> Vec<u8>) -> Check {
    for len in [0, 1, 7, 8, 4096, 65_537, 1 << 20] {
        equal!(get(len).len() as u64, len);
    }
    holds!(get(16) != get(16));
    let bytes = get(1 << 16);
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

fn random_bytes() -> Check {
    bytes_are_random(get_random_bytes)
}

fn random_u64() -> Check {
    numbers_are_random(get_random_u64)
}

fn insecure_bytes() -> Check {
    bytes_are_random(get_insecure_random_bytes)
}

fn insecure_u64() -> Check {
    numbers_are_random(get_insecure_random_u64)
}

/// It may be the same on each call, and any value at all.
fn seed() -> Check {
    let (first, second) = (insecure_seed(), insecure_seed());
    holds!(first != (0, 0) && second != (0, 0));
    Ok(())
}

const CHECKS: &[(&str, fn() -> Check)] =
    checks![random_bytes, random_u64, insecure_bytes, insecure_u64, seed];

command!(check::run(CHECKS, |_, check| check()));
