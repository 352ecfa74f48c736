//! What a network must do.
//!
//! Expected is what Linux does with sockets that never block. The network is otherwise idle, and nothing gets lost on it.
//!
//! # Example
//!
//! ```
//! use std::{net::Ipv4Addr, sync::Arc};
//! use wasi_host_core::conformance::net::{Subject, all};
//! use wasi_host_native::{net::NativeNetwork, wait::Poller};
//!
//! all(|| Subject {
//!     network: Arc::new(NativeNetwork),
//!     waiter: Arc::new(Poller::default()),
//!     ipv4: Some(Ipv4Addr::LOCALHOST),
//!     ipv6: None,
//!     name: "localhost".to_owned(),
//!     // Too long for any resolver to ask for it.
//!     no_name: "a".repeat(64),
//! });
//! ```

mod connect;
mod data;
mod datagrams;
mod ending;
mod here;
mod listen;
mod lookup;
mod options;
mod states;

pub use here::Here;

use crate::net::Network;
use crate::wait::Waiter;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, LazyLock};

/// A network, and what is needed to try it.
pub struct Subject {
    /// The network.
    pub network: Arc<dyn Network>,
    /// What waits for its sockets.
    pub waiter: Arc<dyn Waiter>,
    /// An address of version 4 at which sockets of this network reach each other, if it has any.
    pub ipv4: Option<Ipv4Addr>,
    /// The same of version 6.
    pub ipv6: Option<Ipv6Addr>,
    /// A name that stands for something.
    pub name: String,
    /// A name that stands for nothing.
    pub no_name: String,
}

/// A name, and a function that takes a place in a network and panics if that is not a good one.
pub type Case = (&'static str, fn(&Here));

/// Runs every case with each address on a network of its own, made by `fresh`; it may be the same each time.
///
/// # Panics
///
/// At the end, if any case failed, with the name of each and what it said.
#[track_caller]
pub fn all(mut fresh: impl FnMut() -> Subject) {
    let Subject { ipv4, ipv6, .. } = fresh();
    let addresses = [ipv4.map(IpAddr::V4), ipv6.map(IpAddr::V6)];
    assert!(addresses.iter().any(Option::is_some), "a network without addresses cannot be tried");
    let pairs = addresses.into_iter().flatten().flat_map(|ip| cases().iter().map(move |case| (ip, case)));
    super::check::run(
        "network",
        pairs.map(|(ip, (name, case))| {
            let here = Here::new(fresh(), ip);
            (format!("{name} at {ip}"), move || case(&here))
        }),
    );
}

/// Every case by name, for a harness of one's own.
pub fn cases() -> &'static [Case] {
    static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
        [
            states::CASES,
            connect::CASES,
            listen::CASES,
            data::CASES,
            ending::CASES,
            options::CASES,
            datagrams::CASES,
            lookup::CASES,
        ]
        .concat()
    });
    &CASES
}

use super::check::list;
