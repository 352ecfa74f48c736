//! `wasi:sockets/ip-name-lookup`: literal addresses and `localhost`, for which nobody is asked.

#[macro_use]
mod check;

use check::{Check, Failure};
use wasip2::clocks::monotonic_clock::subscribe_duration;
use wasip2::sockets::instance_network::instance_network;
use wasip2::sockets::ip_name_lookup::{resolve_addresses, ResolveAddressStream};
use wasip2::sockets::network::{ErrorCode, IpAddress};

/// The next address, however long that takes.
fn next(stream: &ResolveAddressStream) -> Result<Option<IpAddress>, ErrorCode> {
    let pollable = stream.subscribe();
    loop {
        match stream.resolve_next_address() {
            Err(ErrorCode::WouldBlock) => pollable.block(),
            result => return result,
        }
    }
}

fn all(name: &str) -> Result<Vec<String>, ErrorCode> {
    let stream = resolve_addresses(&instance_network(), name)?;
    let mut addresses = Vec::new();
    while let Some(address) = next(&stream)? {
        addresses.push(format!("{address:?}"));
    }
    // The end lasts.
    assert!(next(&stream)?.is_none() && stream.subscribe().ready());
    Ok(addresses)
}

fn addresses() -> Check {
    let v4 = |a, b, c, d| format!("{:?}", IpAddress::Ipv4((a, b, c, d)));
    equal!(all("127.0.0.1")?, [v4(127, 0, 0, 1)]);
    equal!(all("192.0.2.1")?, [v4(192, 0, 2, 1)]);
    equal!(all("::1")?, [format!("{:?}", IpAddress::Ipv6((0, 0, 0, 0, 0, 0, 0, 1)))]);
    equal!(
        all("2001:db8::ff00:42")?,
        [format!("{:?}", IpAddress::Ipv6((0x2001, 0xdb8, 0, 0, 0, 0, 0xff00, 0x42)))]
    );
    Ok(())
}

fn localhost() -> Check {
    let found = all("localhost")?;
    holds!(!found.is_empty());
    let loopback = [IpAddress::Ipv4((127, 0, 0, 1)), IpAddress::Ipv6((0, 0, 0, 0, 0, 0, 0, 1))];
    let loopback = loopback.map(|address| format!("{address:?}"));
    holds!(found.iter().all(|address| loopback.contains(address)));
    Ok(())
}

/// Each lookup is its own.
fn several_at_once() -> Check {
    let network = instance_network();
    let streams = ["localhost", "127.0.0.1", "localhost"].map(|name| resolve_addresses(&network, name));
    for stream in streams {
        holds!(next(&stream?)?.is_some());
    }
    Ok(())
}

/// Nobody has to wait for what was asked for. A host may refuse more at a time than it likes, but
/// what was dropped does not count for ever.
fn dropped_before_it_is_answered() -> Check {
    let network = instance_network();
    for _ in 0..50 {
        match resolve_addresses(&network, "localhost") {
            Err(ErrorCode::TemporaryResolverFailure) => {}
            stream => drop(stream?),
        }
    }
    for _ in 0..1000 {
        match resolve_addresses(&network, "localhost") {
            Err(ErrorCode::TemporaryResolverFailure) => subscribe_duration(10_000_000).block(),
            stream => {
                holds!(next(&stream?)?.is_some());
                return Ok(());
            }
        }
    }
    Err(Failure::new("no name was looked up any more".to_owned()))
}

fn names_that_are_none() -> Check {
    let network = instance_network();
    for name in ["", " ", "a b", "127.0.0.1:80", "localhost:80", "http://localhost", "a/b", "[::1", "a\0b"] {
        fails!(resolve_addresses(&network, name), ErrorCode::InvalidArgument);
    }
    let (name, label) = ("long.".repeat(100), "n".repeat(64));
    for long in [name, label + ".localhost"] {
        fails!(all(&long), ErrorCode::InvalidArgument | ErrorCode::NameUnresolvable);
    }
    Ok(())
}

const CHECKS: &[(&str, fn() -> Check)] =
    checks![addresses, localhost, several_at_once, dropped_before_it_is_answered, names_that_are_none];

command!(check::run(CHECKS, |_, check| check()));
