//! `wasi:sockets/ip-name-lookup`: literal addresses and `localhost`, for which nobody is asked.

#[macro_use]
mod check;
mod io;

use check::{Check, Checking, Failure};
use futures::future::join_all;
use io::{now, MILLISECOND};
use std::pin::pin;
use wasip3::clocks::monotonic_clock::wait_for;
use wasip3::sockets::ip_name_lookup::{resolve_addresses, ErrorCode};
use wasip3::sockets::types::IpAddress;

async fn all(name: &str) -> Result<Vec<String>, ErrorCode> {
    let addresses = resolve_addresses(name.to_owned()).await?;
    assert!(!addresses.is_empty(), "a lookup without a result is an error");
    Ok(addresses.iter().map(|address| format!("{address:?}")).collect())
}

async fn addresses() -> Check {
    let v4 = |a, b, c, d| format!("{:?}", IpAddress::Ipv4((a, b, c, d)));
    equal!(all("127.0.0.1").await?, [v4(127, 0, 0, 1)]);
    equal!(all("192.0.2.1").await?, [v4(192, 0, 2, 1)]);
    equal!(all("::1").await?, [format!("{:?}", IpAddress::Ipv6((0, 0, 0, 0, 0, 0, 0, 1)))]);
    equal!(
        all("2001:db8::ff00:42").await?,
        [format!("{:?}", IpAddress::Ipv6((0x2001, 0xdb8, 0, 0, 0, 0, 0xff00, 0x42)))]
    );
    Ok(())
}

/// These are never given.
async fn mapped_addresses() -> Check {
    if let Ok(found) = resolve_addresses("::ffff:127.0.0.1".to_owned()).await {
        holds!(!found.iter().any(|one| matches!(one, IpAddress::Ipv6((0, 0, 0, 0, 0, 0xffff, _, _)))));
    }
    Ok(())
}

async fn localhost() -> Check {
    let found = all("localhost").await?;
    let loopback = [IpAddress::Ipv4((127, 0, 0, 1)), IpAddress::Ipv6((0, 0, 0, 0, 0, 0, 0, 1))];
    let loopback = loopback.map(|address| format!("{address:?}"));
    holds!(found.iter().all(|address| loopback.contains(address)));
    Ok(())
}

/// Each lookup is its own.
async fn several_at_once() -> Check {
    for found in join_all(["localhost", "127.0.0.1", "localhost", "::1"].map(all)).await {
        found?;
    }
    Ok(())
}

/// Nobody has to wait for what was asked for. A host may refuse more at a time than it likes, but
/// what was dropped does not count for ever.
async fn dropped_before_it_is_answered() -> Check {
    for _ in 0..50 {
        if let Some(result) = now(pin!(all("localhost"))).await {
            match result {
                Err(ErrorCode::TemporaryResolverFailure) => {}
                result => drop(result?),
            }
        }
    }
    for _ in 0..1000 {
        match all("localhost").await {
            Err(ErrorCode::TemporaryResolverFailure) => wait_for(10 * MILLISECOND).await,
            result => return Ok(drop(result?)),
        }
    }
    Err(Failure::new("no name was looked up any more".to_owned()))
}

async fn names_that_are_none() -> Check {
    for name in ["", " ", "a b", "127.0.0.1:80", "localhost:80", "http://localhost", "a/b", "[::1", "a\0b"] {
        fails!(all(name).await, ErrorCode::InvalidArgument);
    }
    let (name, label) = ("long.".repeat(100), "n".repeat(64));
    for long in [name, label + ".localhost"] {
        fails!(all(&long).await, ErrorCode::InvalidArgument | ErrorCode::NameUnresolvable);
    }
    Ok(())
}

const CHECKS: &[(&str, fn() -> Checking<'static>)] = checks![
    addresses,
    mapped_addresses,
    localhost,
    several_at_once,
    dropped_before_it_is_answered,
    names_that_are_none,
];

command!(check::run(CHECKS, async |_, check| check().await));
