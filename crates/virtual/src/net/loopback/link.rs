//! What lies between two hosts.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What it takes to get from one host to another. The default is nothing: what is sent is there.
///
/// What a host sends to 127.0.0.1 or ::1 goes over no link.
///
/// ```
/// use std::time::Duration;
/// use wasi_host_virtual::net::{Link, Loopback};
///
/// let net = Loopback::new();
/// net.set_link(Link { latency: Duration::from_millis(20), loss: 0.01, ..Link::default() });
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Link {
    /// How long everything is on its way.
    pub latency: Duration,
    /// What part of all that is sent gets lost, from 0 to 1. A datagram is gone then; what belongs to a connection is sent
    /// again, which takes its time, and a connection from which nothing gets through any more fails with `TimedOut`.
    pub loss: f64,
    /// How many bytes each host can send in a second; `None` for any number. Datagrams for which a host would need more
    /// than a second get lost.
    pub bandwidth: Option<u64>,
    /// What decides which ones get lost: two networks that are used in the same way, by one thread, lose the same.
    pub seed: u64,
}

/// How long a host waits before it first sends again what got lost, in nanoseconds; each time after that it is twice as
/// long, up to sixteen times.
const PATIENCE: u64 = 100_000_000;

/// How often it tries, in all: for a quarter of a minute.
pub(super) const TRIES: u32 = 12;

/// How far a host's sending may lag behind its guests', in nanoseconds.
const LAG: u64 = 1_000_000_000;

/// What headers take of the bandwidth, in bytes.
const HEADERS: u64 = 40;

/// How long to wait after having tried so often.
pub(super) fn patience(tries: u32) -> u64 {
    PATIENCE << tries.min(4)
}

/// A host's end of its links.
#[derive(Debug, Default)]
pub(super) struct Uplink {
    /// When it has sent all that it was given.
    free_at: AtomicU64,
    /// How often chance was asked.
    asked: AtomicU64,
    /// Tells this host's chances from those of others.
    salt: u64,
}

impl Uplink {
    pub(super) fn new(salt: u64) -> Self {
        Self { salt, ..Self::default() }
    }

    /// When a datagram of so many bytes arrives, if it does.
    pub(super) fn datagram(&self, link: &Link, now: u64, len: usize) -> Option<u64> {
        if link.bandwidth.is_some() && self.free_at.load(Ordering::Relaxed) > now.saturating_add(LAG) {
            return None;
        }
        let sent = self.transmit(link, now, len);
        (!self.loses(link)).then(|| sent.saturating_add(nanoseconds(link.latency)))
    }

    /// When a segment of so many bytes arrives, having been sent as often as it takes; `None` if that is too often.
    pub(super) fn segment(&self, link: &Link, now: u64, len: usize) -> Option<u64> {
        let mut sent = self.transmit(link, now, len);
        for tries in 0..TRIES {
            if !self.loses(link) {
                return Some(sent.saturating_add(nanoseconds(link.latency)));
            }
            sent = sent.saturating_add(patience(tries));
        }
        None
    }

    /// When the last of so many bytes has left.
    fn transmit(&self, link: &Link, now: u64, len: usize) -> u64 {
        let Some(bandwidth) = link.bandwidth else { return now };
        let bytes = u128::from(len as u64 + HEADERS);
        let takes = u64::try_from(bytes * 1_000_000_000 / u128::from(bandwidth.max(1))).unwrap_or(u64::MAX);
        let after = |free: u64| free.max(now).saturating_add(takes);
        let before =
            self.free_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |free| Some(after(free)));
        after(before.unwrap_or_else(|free| free))
    }

    fn loses(&self, link: &Link) -> bool {
        if link.loss <= 0.0 {
            return false;
        }
        let n = self.asked.fetch_add(1, Ordering::Relaxed);
        let chance = mix(link.seed ^ mix(self.salt)).wrapping_add(n.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        // The upper 53 bits are as many as a float holds.
        ((mix(chance) >> 11) as f64) < link.loss * (1u64 << 53) as f64
    }
}

pub(super) fn nanoseconds(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

/// The finisher of SplitMix64: every bit of the outcome depends on every bit of `x`.
fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(link: &Link, uplink: &Uplink) -> Vec<bool> {
        (0..10_000).map(|_| uplink.datagram(link, 0, 1).is_none()).collect()
    }

    #[test]
    fn as_many_get_lost_as_was_said_and_the_same_ones_each_time() {
        for loss in [0.0, 0.01, 0.3, 0.9, 1.0] {
            let link = Link { loss, seed: 7, ..Link::default() };
            let first = lost(&link, &Uplink::new(1));
            let part = first.iter().filter(|lost| **lost).count() as f64 / 10_000.0;
            assert!((part - loss).abs() < 0.02, "{part} of {loss}");
            assert_eq!(first, lost(&link, &Uplink::new(1)));
            if loss == 0.3 {
                assert_ne!(first, lost(&link, &Uplink::new(2)));
                assert_ne!(first, lost(&Link { seed: 8, ..link }, &Uplink::new(1)));
            }
        }
    }

    #[test]
    fn what_is_absurd_is_no_danger() {
        for bandwidth in [Some(0), Some(1), Some(u64::MAX), None] {
            for loss in [f64::NAN, f64::INFINITY, -1.0, 0.5] {
                let link = Link { latency: Duration::MAX, loss, bandwidth, seed: u64::MAX };
                let uplink = Uplink::new(u64::MAX);
                for _ in 0..100 {
                    uplink.datagram(&link, u64::MAX, 65_507);
                    uplink.segment(&link, u64::MAX - 1, usize::MAX >> 1);
                }
            }
        }
    }

    #[test]
    fn bytes_take_the_time_that_the_bandwidth_gives_them() {
        let link = Link { bandwidth: Some(1000), ..Link::default() };
        let uplink = Uplink::new(0);
        assert_eq!(uplink.segment(&link, 0, 460), Some(500_000_000));
        assert_eq!(uplink.segment(&link, 0, 960), Some(1_500_000_000));
        // More than a second behind.
        assert_eq!(uplink.datagram(&link, 0, 1), None);
        assert_eq!(uplink.datagram(&link, 2_000_000_000, 60), Some(2_100_000_000));
    }
}
