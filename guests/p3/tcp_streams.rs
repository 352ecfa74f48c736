//! `wasi:sockets`, TCP: what connections carry, and how they end. This program is both ends of
//! each, on loopback.

#[macro_use]
mod check;
mod io;
mod net;

use check::{Check, Checking, Failure};
use futures::future::join_all;
use io::{both, exactly, moved, pattern, read, rest, try_write, MILLISECOND};
use net::{connected, sockets, End, FAMILIES};
use wasip3::clocks::monotonic_clock::wait_for;
use wasip3::sockets::types::{ErrorCode, IpAddressFamily};
use wasip3::wit_bindgen::StreamResult;
use wasip3::wit_stream;

/// Sends this, closes, and gives all that came meanwhile.
async fn exchange(end: End, bytes: &[u8]) -> Result<Vec<u8>, Failure> {
    let End { mut input, received, mut output, sent, socket: _socket } = end;
    let sending = async {
        let left = output.write_all(bytes.to_vec()).await;
        drop(output);
        (left, sent.await)
    };
    let ((left, sent), all) = both(sending, rest(&mut input, 50_000)).await;
    equal!(left.len(), 0);
    sent?;
    received.await?;
    Ok(all)
}

/// Both ends write and read at once, and neither waits for the other alone.
async fn a_lot_both_ways() -> Check {
    for family in FAMILIES {
        let (client, server) = connected(family).await?;
        let (there, back) = (pattern(1 << 20), pattern(3 << 20));
        let (at_client, at_server) = both(exchange(client, &there), exchange(server, &back)).await;
        holds!(at_server? == there);
        holds!(at_client? == back);
    }
    Ok(())
}

async fn piece_by_piece() -> Check {
    let (mut client, mut server) = connected(IpAddressFamily::Ipv6).await?;
    for i in 0..500u32 {
        let bytes = pattern(i as usize % 97 + 1);
        holds!(client.write(&bytes).await);
        equal!(exactly(&mut server.input, bytes.len()).await, bytes);
        holds!(server.write(&i.to_le_bytes()).await);
        equal!(exactly(&mut client.input, 4).await, i.to_le_bytes());
    }
    Ok(())
}

/// The end of what one side sends; the other direction goes on.
async fn the_end_of_sending() -> Check {
    for family in FAMILIES {
        let (mut client, mut server) = connected(family).await?;
        holds!(client.write(b"last words").await);
        drop(client.output);
        client.sent.await?;
        equal!(rest(&mut server.input, 3).await, b"last words");
        server.received.await?;
        holds!(server.output.write_all(b"heard".to_vec()).await.is_empty());
        equal!(exactly(&mut client.input, 5).await, b"heard");
        drop(server.output);
        server.sent.await?;
        equal!(rest(&mut client.input, 100).await, b"");
        client.received.await?;
    }
    Ok(())
}

/// Who does not read any more says so by dropping the stream; the other direction goes on.
async fn the_end_of_receiving() -> Check {
    for family in FAMILIES {
        let (mut client, mut server) = connected(family).await?;
        holds!(server.write(b"discarded").await);
        drop(client.input);
        client.received.await?;
        holds!(client.output.write_all(b"still here".to_vec()).await.is_empty());
        equal!(exactly(&mut server.input, 10).await, b"still here");
        drop(client.output);
        client.sent.await?;
        equal!(rest(&mut server.input, 100).await, b"");
        server.received.await?;
    }
    Ok(())
}

/// A socket has one stream for each direction, ever.
async fn once_only() -> Check {
    let (client, server) = sockets(IpAddressFamily::Ipv4).await?;
    let (mut client, mut server) = (End::new(client), End::new(server));
    for _ in 0..2 {
        let (stream, done) = client.socket.receive();
        equal!(stream.collect().await, []);
        fails!(done.await, ErrorCode::InvalidState);
        let (mut writer, reader) = wit_stream::new();
        let done = client.socket.send(reader);
        equal!(writer.write(b"x".to_vec()).await.0, StreamResult::Dropped);
        fails!(done.await, ErrorCode::InvalidState);
    }
    holds!(client.write(b"the first").await && server.write(b"goes on").await);
    equal!(exactly(&mut server.input, 9).await, b"the first");
    equal!(exactly(&mut client.input, 7).await, b"goes on");
    Ok(())
}

/// The streams are of the connection, not of the handle.
async fn without_the_socket() -> Check {
    for family in FAMILIES {
        let (mut client, mut server) = connected(family).await?;
        drop((client.socket, server.socket));
        holds!(client.output.write_all(b"question".to_vec()).await.is_empty());
        equal!(exactly(&mut server.input, 8).await, b"question");
        holds!(server.output.write_all(b"answer".to_vec()).await.is_empty());
        equal!(exactly(&mut client.input, 6).await, b"answer");
    }
    Ok(())
}

/// What was written arrives, although who wrote it is gone and waited for nothing.
async fn left_behind() -> Check {
    for len in [1, 5000, 1 << 20] {
        let (mut client, mut server) = connected(IpAddressFamily::Ipv4).await?;
        let bytes = pattern(len);
        let writing = async {
            let taken = client.write(&bytes).await;
            drop(client);
            taken
        };
        let (taken, received) = both(writing, rest(&mut server.input, 9000)).await;
        holds!(taken);
        holds!(received == bytes);
        server.received.await?;
    }
    Ok(())
}

/// Where nobody reads, writing comes to a stop; where somebody does again, it goes on.
async fn back_pressure() -> Check {
    let (mut client, mut server) = connected(IpAddressFamily::Ipv4).await?;
    let mut sent = 0;
    // Loopback holds some megabytes of what nobody reads.
    loop {
        let (result, count) = try_write(&mut client.output, pattern(1 << 18), 200 * MILLISECOND).await;
        holds!(moved(result, count));
        sent += count;
        holds!(sent < 256 << 20);
        if count == 0 {
            break;
        }
    }
    let mut received = 0;
    while received < sent {
        let (result, bytes) = read(&mut server.input, (1 << 16).min(sent - received)).await;
        equal!(result, StreamResult::Complete(bytes.len()));
        received += bytes.len();
    }
    equal!(received, sent);
    holds!(client.write(b"and on").await);
    equal!(exactly(&mut server.input, 6).await, b"and on");
    Ok(())
}

/// The end comes after everything that was sent, and writing to nobody fails once the other side's
/// kernel has answered.
async fn the_other_end_is_gone() -> Check {
    let (mut client, mut server) = connected(IpAddressFamily::Ipv4).await?;
    let bytes = pattern(100_000);
    let writing = async {
        let taken = server.write(&bytes).await;
        drop(server);
        taken
    };
    let (taken, received) = both(writing, rest(&mut client.input, 4096)).await;
    holds!(taken);
    holds!(received == bytes);
    client.received.await?;
    for _ in 0..1000 {
        if !client.output.write_all(b"into the void".to_vec()).await.is_empty() {
            fails!(client.sent.await, ErrorCode::ConnectionBroken | ErrorCode::ConnectionReset);
            return Ok(());
        }
        wait_for(MILLISECOND).await;
    }
    Err(Failure::new("writing to nobody never failed".to_owned()))
}

/// A connection whose other end went while there was something for it to read.
async fn reset() -> Check {
    for family in FAMILIES {
        let (client, server) = sockets(family).await?;
        let mut client = End::new(client);
        holds!(client.write(b"unread").await);
        wait_for(50 * MILLISECOND).await;
        drop(server);
        equal!(rest(&mut client.input, 10).await, b"");
        fails!(client.received.await, ErrorCode::ConnectionReset);
    }
    Ok(())
}

/// Fifty connections, each of which carries its own.
async fn many_at_once() -> Check {
    let one = async |i: usize| -> Check {
        let family = FAMILIES[i % 2];
        let (client, server) = connected(family).await?;
        let (there, back) = (vec![i as u8; 1000 * i], vec![!i as u8; 70_000]);
        let (at_client, at_server) = both(exchange(client, &there), exchange(server, &back)).await;
        holds!(at_server? == there);
        holds!(at_client? == back);
        Ok(())
    };
    join_all((0..50).map(one)).await.into_iter().collect()
}

const CHECKS: &[(&str, fn() -> Checking<'static>)] = checks![
    a_lot_both_ways,
    piece_by_piece,
    the_end_of_sending,
    the_end_of_receiving,
    once_only,
    without_the_socket,
    left_behind,
    back_pressure,
    the_other_end_is_gone,
    reset,
    many_at_once,
];

command!(check::run(CHECKS, async |_, check| check().await));
