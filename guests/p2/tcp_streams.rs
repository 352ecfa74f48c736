//! `wasi:sockets/tcp`: what connections carry, and how they end. This program is both ends of each,
//! on loopback.

#[macro_use]
mod check;
mod net;

use check::Check;
use net::{connected, read_exactly, write_all, FAMILIES};
use wasip2::clocks::monotonic_clock::subscribe_duration;
use wasip2::io::poll::poll;
use wasip2::io::streams::StreamError;
use wasip2::sockets::network::IpAddressFamily;
use wasip2::sockets::tcp::ShutdownType;

const SECOND: u64 = 1_000_000_000;

/// Both ends write and read at once, and neither waits for the other alone.
fn a_lot_both_ways() -> Check {
    const LEN: usize = 1 << 20;
    let (client, server) = connected(IpAddressFamily::Ipv4)?;
    let byte = |i: usize| (i * 31 + i / 255) as u8;
    let ends = [&client, &server];
    let (mut sent, mut received) = ([0; 2], [0; 2]);
    while sent != [LEN; 2] || received != [LEN; 2] {
        let mut waiting = Vec::new();
        for (i, end) in ends.iter().enumerate() {
            if sent[i] < LEN {
                let permit = (end.output.check_write()? as usize).min(LEN - sent[i]);
                let bytes: Vec<u8> = (sent[i]..sent[i] + permit).map(byte).collect();
                end.output.write(&bytes)?;
                sent[i] += permit;
            }
            if received[i] < LEN {
                for got in end.input.read(50_000)? {
                    equal!(got, byte(received[i]));
                    received[i] += 1;
                }
            }
            if sent[i] < LEN {
                waiting.push(end.output.subscribe());
            }
            if received[i] < LEN {
                waiting.push(end.input.subscribe());
            }
        }
        if !waiting.is_empty() {
            poll(&waiting.iter().collect::<Vec<_>>());
        }
    }
    Ok(())
}

/// The end of what one side sends; the other direction goes on.
fn shutting_down_sending() -> Check {
    for family in FAMILIES {
        let (client, server) = connected(family)?;
        write_all(&client.output, b"last words")?;
        client.socket.shutdown(ShutdownType::Send)?;
        client.socket.shutdown(ShutdownType::Send)?;
        fails!(client.output.check_write(), StreamError::Closed);
        fails!(client.output.blocking_write_and_flush(b"x"), StreamError::Closed);
        client.output.subscribe().block();
        equal!(read_exactly(&server.input, 100)?, b"last words");
        fails!(server.input.read(1), StreamError::Closed);
        write_all(&server.output, b"heard")?;
        equal!(read_exactly(&client.input, 5)?, b"heard");
    }
    Ok(())
}

fn shutting_down_receiving() -> Check {
    for family in FAMILIES {
        let (client, server) = connected(family)?;
        write_all(&server.output, b"discarded")?;
        client.socket.shutdown(ShutdownType::Receive)?;
        client.socket.shutdown(ShutdownType::Receive)?;
        fails!(client.input.read(1), StreamError::Closed);
        fails!(client.input.blocking_read(1), StreamError::Closed);
        client.input.subscribe().block();
        write_all(&client.output, b"still here")?;
        equal!(read_exactly(&server.input, 10)?, b"still here");
        client.socket.shutdown(ShutdownType::Both)?;
        fails!(client.output.check_write(), StreamError::Closed);
        fails!(server.input.blocking_read(1), StreamError::Closed);
    }
    Ok(())
}

/// Where nobody reads, writing comes to a stop; where somebody does again, it goes on.
fn back_pressure() -> Check {
    let (client, server) = connected(IpAddressFamily::Ipv4)?;
    let (mut sent, mut received) = (0, 0);
    let writable = client.output.subscribe();
    // Loopback holds some megabytes of what nobody reads.
    loop {
        match client.output.check_write()? {
            0 => {
                let pause = subscribe_duration(SECOND / 5);
                if !poll(&[&writable, &pause]).contains(&0) {
                    break;
                }
            }
            permit => {
                client.output.write(&vec![b'x'; permit as usize])?;
                sent += permit;
                holds!(sent < 256 << 20);
            }
        }
    }
    holds!(!writable.ready());
    while received < sent {
        received += server.input.blocking_skip(1 << 20)?;
    }
    equal!(received, sent);
    writable.block();
    holds!(client.output.check_write()? > 0);
    Ok(())
}

fn readiness() -> Check {
    let (client, server) = connected(IpAddressFamily::Ipv6)?;
    let (readable, again) = (client.input.subscribe(), client.input.subscribe());
    holds!(!readable.ready());
    equal!(client.input.read(10)?, b"");
    equal!(client.input.skip(10)?, 0);
    let pause = subscribe_duration(SECOND / 100);
    equal!(poll(&[&readable, &pause, &again]), [1]);
    write_all(&server.output, b"abc")?;
    let mut ready = poll(&[&readable, &again]);
    ready.sort_unstable();
    equal!(ready, [0, 1]);
    equal!(client.input.blocking_read(2)?, b"ab");
    readable.block();
    equal!(client.input.blocking_skip(2)?, 1);
    holds!(!readable.ready());
    Ok(())
}

/// The end comes after everything that was sent, also where the sender is gone.
fn the_other_end_is_gone() -> Check {
    let (client, server) = connected(IpAddressFamily::Ipv4)?;
    let bytes: Vec<u8> = (0..100_000).map(|i| i as u8).collect();
    write_all(&server.output, &bytes)?;
    drop(server);
    holds!(read_exactly(&client.input, 200_000)? == bytes);
    fails!(client.input.blocking_read(1), StreamError::Closed);
    // Writing fails once the other side's kernel has answered.
    for _ in 0..1000 {
        match client.output.blocking_write_and_flush(b"into the void") {
            Ok(()) => subscribe_duration(SECOND / 1000).block(),
            Err(_) => {
                fails!(client.output.check_write(), StreamError::Closed);
                return Ok(());
            }
        }
    }
    Err(check::Failure::new("writing to nobody never failed".to_owned()))
}

fn splice() -> Check {
    let (client, relay_in) = connected(IpAddressFamily::Ipv4)?;
    let (relay_out, server) = connected(IpAddressFamily::Ipv6)?;
    let text = b"through the relay".repeat(100);
    write_all(&client.output, &text)?;
    client.socket.shutdown(ShutdownType::Send)?;
    let mut moved = 0;
    while moved < 1000 {
        moved += relay_out.output.blocking_splice(&relay_in.input, 1000 - moved)?;
    }
    loop {
        match relay_out.output.splice(&relay_in.input, u64::MAX) {
            Ok(0) => drop(poll(&[&relay_in.input.subscribe(), &relay_out.output.subscribe()])),
            Ok(n) => moved += n,
            Err(StreamError::Closed) => break,
            Err(error) => return Err(error.into()),
        }
    }
    equal!(moved, text.len() as u64);
    relay_out.output.blocking_flush()?;
    relay_out.output.blocking_write_zeroes_and_flush(3)?;
    relay_out.socket.shutdown(ShutdownType::Send)?;
    holds!(read_exactly(&server.input, 5000)? == [&text[..], &[0; 3]].concat());
    Ok(())
}

const CHECKS: &[(&str, fn() -> Check)] = checks![
    a_lot_both_ways,
    shutting_down_sending,
    shutting_down_receiving,
    back_pressure,
    readiness,
    the_other_end_is_gone,
    splice,
];

command!(check::run(CHECKS, |_, check| check()));
