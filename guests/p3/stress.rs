//! Much at a time, and much one after the other: `p3_stress ACTION N`. Wants a writable directory
//! and loopback. An action ends with `done` if all went well. Where N things are done one after the
//! other it prints `at I` ten times on the way, so that the host can look what it holds by then.
//!
//! `tasks`: N tasks at once, of files, connections, listings and clocks; `timers`: N waits at once;
//! `reads`, `writes`, `files`, `input`, `waits`, `datagrams`: N operations that are given up, on a
//! connection (both ways), on files (both ways), on stdin, on a clock, on a UDP socket; `halves`:
//! N streams of a file and as many listings that nobody reads to the end; `connections`: N of them.

#[macro_use]
mod check;
mod dir;
mod io;
mod net;

use check::{say, Check, Checking, Failure};
use dir::{content, list, open, put, remove, root, CREATE, DIRECTORY, MUTATE, PLAIN, READ, WRITE};
use futures::stream::{FuturesUnordered, StreamExt};
use io::{all, both, exactly, now, pattern, read, rest, try_read, try_write, MILLISECOND, SECOND};
use net::{connected, loopback, End, Listener};
use std::future::IntoFuture;
use std::pin::pin;
use wasip3::cli::environment::get_arguments;
use wasip3::cli::stdin;
use wasip3::clocks::monotonic_clock::{self, wait_for, wait_until};
use wasip3::filesystem::types::Descriptor;
use wasip3::sockets::types::IpAddressFamily::Ipv4;
use wasip3::sockets::types::{IpSocketAddress, TcpSocket, UdpSocket};
use wasip3::wit_bindgen::StreamResult;
use wasip3::wit_stream;

/// Tells how far it is, ten times on the way to `n`.
async fn at(i: usize, n: usize) {
    if i % (n / 10).max(1) == 0 {
        say(&format!("at {i}\n")).await;
    }
}

async fn own_file(dir: &Descriptor, i: usize) -> Check {
    let (name, bytes) = (format!("own-{i}"), pattern(4000 + i));
    let file = put(dir, &name, &bytes).await?;
    holds!(content(&file).await? == bytes);
    Ok(dir.unlink_file_at(name).await?)
}

async fn shared_file(file: &Descriptor, i: usize) -> Check {
    let offset = i * 31 % 60_000;
    let (mut stream, done) = file.read_via_stream(offset as u64);
    let bytes = exactly(&mut stream, 3000).await;
    holds!(bytes == pattern(65_536)[offset..offset + 3000]);
    drop(stream);
    Ok(done.await?)
}

async fn clock(i: usize) -> Check {
    for _ in 0..3 {
        let until = monotonic_clock::now() + i as u64 % 17 * MILLISECOND;
        wait_until(until).await;
        holds!(monotonic_clock::now() >= until);
    }
    Ok(())
}

async fn caller(to: IpSocketAddress, i: usize) -> Check {
    let socket = TcpSocket::create(Ipv4)?;
    socket.connect(to).await?;
    let mut end = End::new(socket);
    for len in [1, 100, 2000 + i] {
        let bytes = pattern(len);
        holds!(end.write(&bytes).await);
        holds!(exactly(&mut end.input, len).await == bytes);
    }
    drop(end.output);
    equal!(rest(&mut end.input, 10).await, b"");
    end.sent.await?;
    Ok(end.received.await?)
}

/// Every other connection is echoed by the host alone: what it receives is what it sends.
async fn echo(mut listener: Listener, count: usize) -> Check {
    let mut going = FuturesUnordered::new();
    for i in 0..count {
        let socket = listener.accept().await;
        going.push(async move {
            if i % 2 == 0 {
                let (incoming, received) = socket.receive();
                let (sent, received) = both(socket.send(incoming), received).await;
                sent?;
                return Ok(received?);
            }
            let End { mut input, mut output, sent, .. } = End::new(socket);
            loop {
                let (result, bytes) = read(&mut input, 1000).await;
                equal!(output.write_all(bytes).await, []);
                if result == StreamResult::Dropped {
                    drop(output);
                    return Ok(sent.await?);
                }
            }
        });
    }
    while let Some(ended) = going.next().await {
        ended?;
    }
    Ok(())
}

async fn tasks(n: usize) -> Check {
    let (root, listener) = (root(), Listener::new(Ipv4)?);
    remove(&root, "stress").await?;
    root.create_directory_at("stress".to_owned()).await?;
    let dir = open(&root, "stress", DIRECTORY, MUTATE).await?;
    let file = put(&dir, "shared", &pattern(65_536)).await?;
    let (dir, file, to) = (&dir, &file, listener.address());
    let going: FuturesUnordered<Checking<'_>> = FuturesUnordered::new();
    for i in 0..n {
        going.push(match i % 10 {
            0 => Box::pin(caller(to, i)),
            1 => Box::pin(own_file(dir, i)),
            2..=4 => Box::pin(shared_file(file, i)),
            5 => Box::pin(async { Ok(drop(list(dir).await?)) }),
            _ => Box::pin(clock(i)),
        });
    }
    going.push(Box::pin(echo(listener, n.div_ceil(10))));
    let ended: Vec<Check> = going.collect().await;
    equal!(ended.len(), n + 1);
    ended.into_iter().collect::<Check>()?;
    equal!(list(dir).await?.len(), 1);
    Ok(remove(&root, "stress").await?)
}

async fn timers(n: usize) -> Check {
    let start = monotonic_clock::now();
    let mut going: FuturesUnordered<_> = (0..n as u64)
        .map(|i| async move {
            let time = i * 7919 % 100 * MILLISECOND / 2;
            wait_for(time).await;
            (time, monotonic_clock::now())
        })
        .collect();
    let mut ended = 0;
    while let Some((time, end)) = going.next().await {
        holds!(end >= start + time);
        ended += 1;
    }
    equal!(ended, n);
    Ok(())
}

async fn reads(n: usize) -> Check {
    let (mut client, mut server) = connected(Ipv4).await?;
    let mut given_up = 0;
    for i in 0..n {
        let (result, bytes) = try_read(&mut client.input, 1 + i % 5000, 0).await;
        given_up += usize::from(result == StreamResult::Cancelled);
        equal!(bytes, []);
        if i % 10 == 0 {
            holds!(server.write(&i.to_le_bytes()).await);
            equal!(exactly(&mut client.input, 4).await, (i as u32).to_le_bytes());
        }
        at(i, n).await;
    }
    equal!(given_up, n);
    Ok(())
}

async fn writes(n: usize) -> Check {
    let (mut client, mut server) = connected(Ipv4).await?;
    let mut taken = 0;
    // Where nobody reads there is no room at some point, whatever the kernel makes of it.
    for pause in [0, 200 * MILLISECOND] {
        wait_for(pause).await;
        loop {
            match try_write(&mut client.output, vec![b'x'; 1 << 16], 0).await.1 {
                0 => break,
                count => taken += count,
            }
        }
    }
    for i in 0..n {
        taken += try_write(&mut client.output, vec![b'x'; 1 + i % 100], 0).await.1;
        at(i, n).await;
    }
    drop(client.output);
    equal!(rest(&mut server.input, 1 << 16).await.len(), taken);
    Ok(client.sent.await?)
}

async fn files(n: usize) -> Check {
    let (root, bytes) = (root(), pattern(1 << 20));
    let (source, target) = (put(&root, "source", &bytes).await?, put(&root, "target", b"").await?);
    root.unlink_file_at("source".to_owned()).await?;
    root.unlink_file_at("target".to_owned()).await?;
    let ((mut stream, _), mut had) = (source.read_via_stream(0), 0);
    let (mut writer, reader) = wit_stream::new();
    let (mut written, mut taken) = (target.write_via_stream(reader, 0), 0);
    for i in 0..n {
        let (result, some) = try_read(&mut stream, 1 + i * 37 % 5000, 0).await;
        holds!(some == bytes[had..had + some.len()]);
        had += some.len();
        if result == StreamResult::Dropped {
            equal!(had, bytes.len());
            ((stream, _), had) = (source.read_via_stream(0), 0);
        }
        let piece = &bytes[taken..(taken + 1 + i * 41 % 5000).min(bytes.len())];
        taken += try_write(&mut writer, piece.to_vec(), 0).await.1;
        if taken == bytes.len() {
            drop(writer);
            written.await?;
            let reader;
            (writer, reader) = wit_stream::new();
            (written, taken) = (target.write_via_stream(reader, 0), 0);
        }
        at(i, n).await;
    }
    drop(writer);
    written.await?;
    let found = all(target.read_via_stream(0)).await?;
    holds!(found.len() >= taken && bytes.starts_with(&found));
    Ok(())
}

async fn input(n: usize) -> Check {
    let (mut stream, done) = stdin::read_via_stream();
    for i in 0..n {
        let (result, some) = try_read(&mut stream, 1 + i % 5000, 0).await;
        holds!(result != StreamResult::Dropped);
        holds!(some.iter().all(|byte| *byte == b'x'));
        at(i, n).await;
    }
    drop(stream);
    Ok(done.await?)
}

async fn waits(n: usize) -> Check {
    for i in 0..n {
        holds!(now(pin!(wait_for(3600 * SECOND + i as u64))).await.is_none());
        at(i, n).await;
    }
    Ok(())
}

async fn datagrams(n: usize) -> Check {
    let socket = UdpSocket::create(Ipv4)?;
    socket.bind(loopback(Ipv4, 0))?;
    let own = socket.get_local_address()?;
    for i in 0..n {
        holds!(now(pin!(socket.receive())).await.is_none());
        if i % 10 == 0 {
            socket.send(i.to_le_bytes().to_vec(), Some(own)).await?;
            equal!(socket.receive().await?.0, i.to_le_bytes());
        }
        at(i, n).await;
    }
    Ok(())
}

async fn halves(n: usize) -> Check {
    let root = root();
    remove(&root, "halves").await?;
    root.create_directory_at("halves".to_owned()).await?;
    let dir = open(&root, "halves", DIRECTORY, MUTATE).await?;
    put(&dir, "f", &pattern(100_000)).await?;
    for i in 0..99 {
        open(&dir, &format!("f{i}"), CREATE, WRITE).await?;
    }
    for i in 0..n {
        let file = open(&dir, "f", PLAIN, READ).await?;
        let ((mut stream, read), (mut entries, listed)) = (file.read_via_stream(0), dir.read_directory());
        equal!(exactly(&mut stream, 50_000).await.len(), 50_000);
        equal!(entries.read(Vec::with_capacity(1 + i % 50)).await.1.is_empty(), false);
        // In any order, and with or without asking how it ended.
        match i % 4 {
            0 => drop((stream, entries, read, listed, file)),
            1 => drop((listed, read, file, entries, stream)),
            2 => {
                drop((file, stream, entries));
                read.await?;
                listed.await?;
            }
            _ => {
                let mut asking = pin!(both(read, listed.into_future()));
                holds!(now(asking.as_mut()).await.is_none());
                drop((stream, entries));
                let (read, listed) = asking.await;
                (read?, listed?);
            }
        }
        at(i, n).await;
    }
    drop(dir);
    Ok(remove(&root, "halves").await?)
}

async fn connections(n: usize) -> Check {
    let mut listener = Listener::new(Ipv4)?;
    for i in 0..n {
        let client = TcpSocket::create(Ipv4)?;
        client.connect(listener.address()).await?;
        let (mut client, mut server) = (End::new(client), End::new(listener.accept().await));
        holds!(server.write(b"hello").await);
        equal!(exactly(&mut client.input, 4).await, b"hell");
        // Something is left unread: so the kernel forgets the connection at once, and its port is free.
        drop(client);
        drop(server);
        at(i, n).await;
    }
    Ok(())
}

const ACTIONS: &[(&str, fn(usize) -> Checking<'static>)] = checks![n:
    tasks,
    timers,
    reads,
    writes,
    files,
    input,
    waits,
    datagrams,
    halves,
    connections,
];

async fn run() -> Result<(), ()> {
    let arguments = get_arguments();
    let action = arguments.get(1).and_then(|wanted| ACTIONS.iter().find(|(name, _)| name == wanted));
    let n = arguments.get(2).and_then(|n| n.parse().ok());
    let (Some((_, action)), Some(n)) = (action, n) else {
        check::complain(&format!("what is to be done is not clear from {arguments:?}")).await;
        return Err(());
    };
    match action(n).await {
        Ok(()) => say("done\n").await,
        Err(Failure(why)) => {
            check::complain(&why).await;
            return Err(());
        }
    }
    Ok(())
}

command!(run());
