//! What `wasi:sockets/ip-name-lookup` promises, with names that need no network.

mod sockets;

use sockets::*;
use std::net::IpAddr;
use wasi_host_core::limits::Limits;
use wasi_host_core::net::{Addresses, Error, Permissions};
use wasi_host_core::stream::Subscribe;
use wasi_host_core::wait::Wait;

fn all(addresses: &mut Addresses) -> Result<Vec<IpAddr>, Error> {
    let mut found = Vec::new();
    loop {
        match addresses.next_address() {
            Ok(Some(addr)) => found.push(addr),
            Ok(None) => return Ok(found),
            Err(Error::WouldBlock) => pause(addresses.wait()),
            Err(e) => return Err(e),
        }
    }
}

#[test]
fn localhost_is_looked_up() {
    let mut addresses = sockets().lookup("localhost").unwrap();
    let found = all(&mut addresses).unwrap();
    assert!(!found.is_empty());
    assert!(found.iter().all(IpAddr::is_loopback), "{found:?}");
    let mut distinct = found.clone();
    distinct.dedup();
    assert_eq!(distinct, found);
    assert_eq!(addresses.next_address(), Ok(None), "and so it stays");
    assert!(matches!(addresses.wait(), Wait::Ready));
}

#[test]
fn an_address_is_returned_as_it_is_without_a_request() {
    let mut limits = Limits::default();
    limits.lookups = 0;
    let sockets = sockets_with(everything(), &limits);
    for (text, ip) in [("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("::ffff:192.0.2.1", "192.0.2.1")] {
        let mut addresses = sockets.lookup(text).unwrap();
        assert!(matches!(addresses.wait(), Wait::Ready));
        assert_eq!(addresses.next_address(), Ok(Some(ip.parse().unwrap())));
        assert_eq!(addresses.next_address(), Ok(None));
    }
    assert_eq!(sockets.lookup("localhost").err(), Some(Error::TemporaryResolverFailure));
}

#[test]
fn what_is_no_name_is_an_invalid_argument() {
    for bad in ["", "a b", "a..b", "[::1]", "127.0.0.1:80", "a\0", "::1%lo"] {
        assert_eq!(sockets().lookup(bad).err(), Some(Error::InvalidArgument), "{bad:?}");
    }
}

#[test]
fn who_may_not_look_up_is_denied() {
    let sockets = sockets_with(Permissions { lookup: false, ..everything() }, &Limits::default());
    for name in ["localhost", "127.0.0.1", ""] {
        assert_eq!(sockets.lookup(name).err(), Some(Error::AccessDenied));
    }
}

#[test]
fn look_ups_are_counted_while_they_go_on() {
    let mut limits = Limits::default();
    limits.lookups = 2;
    let sockets = sockets_with(everything(), &limits);
    for _ in 0..100 {
        let mut two = [sockets.lookup("localhost").unwrap(), sockets.lookup("localhost").unwrap()];
        for addresses in &mut two {
            assert!(!all(addresses).unwrap().is_empty());
        }
    }
}
