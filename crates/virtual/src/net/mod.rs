//! Networks that are not the operating system's, and what may be laid over any network.
//!
//! * [`Loopback`]: hosts that reach each other without leaving the process, by addresses and names of their own, over
//!   links as slow and as lossy as one wants.
//! * [`Rules`]: any network, of which only what is allowed may be reached.
//! * [`Resolver`]: other names for any network.
//! * [`Denied`]: a network that is there and refuses everything.
//!
//! Two guests that speak to each other, each on a host of its own:
//!
//! ```
//! use std::io::{IoSlice, IoSliceMut};
//! use wasi_host_core::fs::Interest;
//! use wasi_host_core::net::{Family, Network};
//! use wasi_host_core::wait::Waiter;
//! use wasi_host_native::wait::Poller;
//! use wasi_host_virtual::net::Loopback;
//!
//! let net = Loopback::new();
//! let db = net.host(["10.0.0.5".parse()?])?.named("db.internal");
//! let web = net.host(["10.0.0.6".parse()?])?;
//!
//! let listener = db.tcp(Family::Ipv4)?;
//! listener.bind("0.0.0.0:5432".parse()?)?;
//! listener.listen(16)?;
//!
//! let client = web.tcp(Family::Ipv4)?;
//! client.connect("10.0.0.5:5432".parse()?)?;
//! client.send(&[IoSlice::new(b"select 1")])?;
//!
//! // Whatever says "not yet" says also what to wait for.
//! Poller::default().any(&[listener.wait(Interest::Read)], &mut [], &mut Vec::new())?;
//! let (server, from) = listener.accept()?;
//! let mut query = [0; 8];
//! server.recv(&mut [IoSliceMut::new(&mut query)], false)?;
//! assert_eq!((&query, from.ip()), (b"select 1", "10.0.0.6".parse()?));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod denied;
mod found;
mod loopback;
mod resolver;
mod rules;

pub use denied::Denied;
pub use loopback::{Host, Link, Loopback};
pub use resolver::Resolver;
pub use rules::{Rule, RuleId, Rules};

use std::borrow::Cow;

/// A name as it is compared with others: in lower case, without a dot at the end.
fn canonical(name: &str) -> Cow<'_, str> {
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.bytes().any(|b| b.is_ascii_uppercase()) { name.to_ascii_lowercase().into() } else { name.into() }
}
