//! What names were found to stand for.

use std::collections::HashMap;
use std::net::IpAddr;

/// So many names, …
const NAMES: usize = 1024;

/// … with so many addresses each; of more, the best are kept.
const ADDRESSES: usize = 32;

/// Names with the addresses that they had when they were first looked up.
#[derive(Debug, Default)]
pub(super) struct Pins(HashMap<String, Vec<IpAddr>>);

impl Pins {
    pub(super) fn get(&self, name: &str) -> Option<&[IpAddr]> {
        self.0.get(name).map(Vec::as_slice)
    }

    /// Pins what a name stands for, and says what that is.
    pub(super) fn add(&mut self, name: &str, mut addrs: Vec<IpAddr>) -> &[IpAddr] {
        addrs.truncate(ADDRESSES);
        addrs.iter_mut().for_each(|ip| *ip = ip.to_canonical());
        self.0.entry(name.to_owned()).insert_entry(addrs).into_mut()
    }

    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= NAMES
    }

    pub(super) fn remove(&mut self, name: &str) -> bool {
        self.0.remove(name).is_some()
    }

    /// Keeps those names of which this is true.
    pub(super) fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.0.retain(|name, _| keep(name));
    }

    /// The names that stand for an address.
    pub(super) fn names(&self, ip: IpAddr) -> impl Iterator<Item = &str> {
        let ip = ip.to_canonical();
        self.0.iter().filter(move |(_, addrs)| addrs.contains(&ip)).map(|(name, _)| name.as_str())
    }
}
