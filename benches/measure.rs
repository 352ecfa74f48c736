//! Interleaved measuring: all rounds of one operation go through every host in turn, and the medians are compared,
//! so that a noisy machine is noisy for all of them.

use std::ops::RangeInclusive;
use std::time::Duration;

/// One host's way to do an operation `n` times.
pub type Run<'a> = Box<dyn FnMut(u32) -> Duration + 'a>;

/// How long and how often; `ROUNDS` and `TARGET_MS` set it.
#[derive(Clone, Copy)]
pub struct Effort {
    /// How often each is measured.
    pub rounds: usize,
    /// How long each time.
    pub target: Duration,
}

impl Effort {
    /// What the environment says.
    pub fn from_env() -> Self {
        let number = |name, default| std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default);
        Self { rounds: number("ROUNDS", 9) as usize, target: Duration::from_millis(number("TARGET_MS", 10)) }
    }
}

/// Nanoseconds for one operation of each host: the median of the rounds, each of so many operations as take the time
/// that is wanted, and as `count` allows.
pub fn interleaved(effort: Effort, count: RangeInclusive<u32>, runs: &mut [Run<'_>]) -> Vec<f64> {
    let counts: Vec<u32> = runs.iter_mut().map(|run| calibrate(effort.target, &count, run)).collect();
    let mut rounds = vec![Vec::new(); runs.len()];
    let mut order: Vec<usize> = (0..runs.len()).collect();
    for _ in 0..effort.rounds {
        for &i in &order {
            rounds[i].push(runs[i](counts[i]).as_nanos() as f64 / f64::from(counts[i]));
        }
        // Each has another before it next time: what one leaves in the caches and to the allocator is not for one alone.
        order.reverse();
        order.rotate_left(1);
    }
    rounds.into_iter().map(median).collect()
}

/// How many operations take about `target`. What happens once, or while others have the processor, does not count.
fn calibrate(target: Duration, count: &RangeInclusive<u32>, run: &mut Run<'_>) -> u32 {
    let (least, most) = (*count.start(), *count.end());
    run(1);
    let mut n = 1u32;
    loop {
        let took = run(n).min(run(n));
        if took * 6 > target || n >= most {
            let each = took.as_nanos().max(1) as f64 / f64::from(n);
            return ((target.as_nanos() as f64 / each) as u32).clamp(least, most);
        }
        n = n.saturating_mul(4).min(most);
    }
}

/// The one in the middle.
pub fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
