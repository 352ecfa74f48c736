//! What the component model says of reading and writing, as it shows with streams of files, standard
//! input and output, and connections: without room, in any size, and given up. Wants a writable
//! directory and loopback.

#[macro_use]
mod check;
mod dir;
mod io;
mod net;

use check::{Check, Failure};
use dir::{content, open, put, InDir, BOTH, CREATE, PLAIN, READ, TRUNCATE};
use io::{both, exactly, moved, pattern, read, rest, try_read, try_write, within, MILLISECOND};
use net::{connected, End};
use wasip3::cli::{stdin, stdout};
use wasip3::clocks::monotonic_clock::wait_for;
use wasip3::filesystem::types::Descriptor;
use wasip3::sockets::types::IpAddressFamily::Ipv4;
use wasip3::wit_bindgen::StreamResult;
use wasip3::wit_stream;

/// Writes until the other end takes no more; how much it took.
async fn fill(end: &mut End) -> Result<usize, Failure> {
    let (mut taken, mut size) = (0, 1 << 18);
    loop {
        let (result, count) = try_write(&mut end.output, vec![b'x'; size], 100 * MILLISECOND).await;
        holds!(moved(result, count));
        taken += count;
        holds!(taken < 256 << 20);
        match count {
            0 if size == 1 => return Ok(taken),
            0 => size = 1,
            _ => {}
        }
    }
}

/// A read without room tells that there is something, and takes nothing.
async fn reads_without_room(dir: &Descriptor) -> Check {
    let (mut stream, done) = put(dir, "f", b"content").await?.read_via_stream(0);
    for _ in 0..50 {
        equal!(read(&mut stream, 0).await, (StreamResult::Complete(0), vec![]));
    }
    equal!(rest(&mut stream, 3).await, b"content");
    done.await?;

    let (mut client, mut server) = connected(Ipv4).await?;
    let writing = async {
        wait_for(10 * MILLISECOND).await;
        server.write(b"content").await
    };
    // It may have waited for the content, or not.
    let (read_nothing, taken) = both(read(&mut client.input, 0), writing).await;
    equal!(read_nothing, (StreamResult::Complete(0), vec![]));
    holds!(taken);
    for _ in 0..50 {
        equal!(read(&mut client.input, 0).await, (StreamResult::Complete(0), vec![]));
    }
    equal!(exactly(&mut client.input, 7).await, b"content");
    // Given up, it leaves everything as it was.
    for _ in 0..50 {
        let (result, bytes) = try_read(&mut client.input, 0, 0).await;
        holds!(moved(result, 0) && bytes.is_empty());
    }
    holds!(server.write(b"more").await);
    equal!(exactly(&mut client.input, 4).await, b"more");
    Ok(())
}

/// At the end there is nothing to wait for.
async fn reads_without_room_at_the_end(dir: &Descriptor) -> Check {
    let (client, mut server) = connected(Ipv4).await?;
    drop(client);
    let file = put(dir, "f", b"").await?;
    let mut empty = file.read_via_stream(0).0;
    for stream in [&mut empty, &mut server.input] {
        if read(stream, 0).await.0 != StreamResult::Dropped {
            equal!(rest(stream, 10).await, b"");
        }
    }
    let mut entries = open(dir, ".", PLAIN, READ).await?.read_directory().0;
    equal!(entries.read(Vec::new()).await.1.len(), 0);
    equal!(entries.collect().await.len(), 1);
    let (mut input, done) = stdin::read_via_stream();
    if read(&mut input, 0).await.0 != StreamResult::Dropped {
        rest(&mut input, 10).await;
    }
    done.await?;
    Ok(())
}

async fn writes_of_nothing(dir: &Descriptor) -> Check {
    let file = put(dir, "f", b"").await?;
    let (mut client, mut server) = connected(Ipv4).await?;
    let (mut to_file, reader) = wit_stream::new();
    let written = file.write_via_stream(reader, 0);
    let (mut to_stdout, reader) = wit_stream::new();
    let told = stdout::write_via_stream(reader);
    for stream in [&mut to_file, &mut client.output, &mut to_stdout] {
        for _ in 0..50 {
            equal!(stream.write(vec![]).await.0, StreamResult::Complete(0));
        }
    }
    holds!(client.write(b"something").await);
    equal!(exactly(&mut server.input, 9).await, b"something");
    equal!(to_file.write_all(b"something".to_vec()).await, []);
    for stream in [&mut to_file, &mut client.output] {
        equal!(stream.write(vec![]).await.0, StreamResult::Complete(0));
    }
    drop((to_file, to_stdout));
    written.await?;
    told.await?;
    equal!(content(&file).await?, b"something");
    Ok(())
}

/// Where nobody reads, it waits for room, or not; room there is when somebody reads.
async fn writes_of_nothing_to_who_is_full(_: &Descriptor) -> Check {
    let (mut client, mut server) = connected(Ipv4).await?;
    let sent = fill(&mut client).await?;
    let mut nothing = Box::pin(client.output.write(vec![]));
    let early = within(20 * MILLISECOND, nothing.as_mut()).await;
    let received = exactly(&mut server.input, sent).await;
    holds!(received.len() == sent && received.iter().all(|byte| *byte == b'x'));
    let (result, _) = match early {
        Some(done) => done,
        None => nothing.as_mut().await,
    };
    drop(nothing);
    equal!(result, StreamResult::Complete(0));
    holds!(client.write(b"and on").await);
    equal!(exactly(&mut server.input, 6).await, b"and on");
    Ok(())
}

/// The end comes with the last bytes or after them, and takes none of them away.
async fn ends_inside_a_buffer(dir: &Descriptor) -> Check {
    for len in [1, 2, 4095, 4096, 4097, 8191, 65_536, 100_000] {
        let bytes = pattern(len);
        let file = put(dir, "f", &bytes).await?;
        for room in [1000, 4096, 65_536, 1 << 20] {
            let (mut stream, done) = file.read_via_stream(0);
            holds!(rest(&mut stream, room).await == bytes);
            done.await?;

            let (mut client, mut server) = connected(Ipv4).await?;
            let sending = async {
                let taken = client.write(&bytes).await;
                drop(client.output);
                taken
            };
            let (taken, received) = both(sending, rest(&mut server.input, room)).await;
            holds!(taken && received == bytes);
            server.received.await?;
        }
    }
    Ok(())
}

async fn buffers_of_any_size(dir: &Descriptor) -> Check {
    for (room, len) in [(1, 5000), (4096, 1 << 20), (1 << 20, 3 << 20)] {
        let bytes = pattern(len);
        let file = open(dir, "f", CREATE | TRUNCATE, BOTH).await?;
        let (mut writer, reader) = wit_stream::new();
        let written = file.write_via_stream(reader, 0);
        for piece in bytes.chunks(room) {
            equal!(writer.write_all(piece.to_vec()).await.len(), 0);
        }
        drop(writer);
        written.await?;
        equal!(file.stat().await?.size, len as u64);
        let (mut stream, done) = file.read_via_stream(0);
        holds!(rest(&mut stream, room).await == bytes);
        done.await?;

        let (mut client, mut server) = connected(Ipv4).await?;
        let sending = async {
            for piece in bytes.chunks(room) {
                client.write(piece).await;
            }
            drop(client.output);
            client.sent.await
        };
        let (sent, received) = both(sending, rest(&mut server.input, room)).await;
        sent?;
        holds!(received == bytes);
    }
    Ok(())
}

/// A read that was given up took nothing, or says what.
async fn reads_given_up(dir: &Descriptor) -> Check {
    let (mut client, mut server) = connected(Ipv4).await?;
    for i in 0..300 {
        let bytes = pattern(i % 50 + 1);
        for room in [1, 1 + i % 7, 70_000] {
            let (result, early) = try_read(&mut client.input, room, 0).await;
            holds!(moved(result, 0) && early.is_empty());
        }
        holds!(server.write(&bytes).await);
        let mut received = Vec::new();
        while received.len() < bytes.len() {
            let (result, some) = try_read(&mut client.input, 1 + i % 7, 0).await;
            holds!(moved(result, some.len()));
            if result == StreamResult::Cancelled {
                received.extend(read(&mut client.input, 1 + i % 11).await.1);
            }
            received.extend(some);
        }
        equal!(received, bytes);
    }

    let bytes = pattern(100_000);
    let (mut stream, done) = put(dir, "f", &bytes).await?.read_via_stream(0);
    let mut received = Vec::new();
    for i in 0.. {
        let (result, some) = try_read(&mut stream, 1 + i * 37 % 5000, 0).await;
        received.extend(some);
        if result == StreamResult::Dropped {
            break;
        }
        // Who always gives up need not get anywhere.
        let (result, some) = read(&mut stream, 100).await;
        received.extend(some);
        if result == StreamResult::Dropped {
            break;
        }
    }
    holds!(received == bytes);
    done.await?;
    Ok(())
}

/// Bytes come at any time, and reads are given up at any time.
async fn reads_given_up_in_between(_: &Descriptor) -> Check {
    let (mut client, mut server) = connected(Ipv4).await?;
    let bytes = pattern(60_000);
    let sending = async {
        for (i, piece) in bytes.chunks(300).enumerate() {
            client.write(piece).await;
            wait_for(i as u64 * 7919 % 11 * MILLISECOND / 5).await;
        }
        drop(client.output);
        client.sent.await
    };
    let receiving = async {
        let mut received = Vec::new();
        for i in 0.. {
            let time = i as u64 * 104_729 % 7 * MILLISECOND / 10;
            let (result, some) = try_read(&mut server.input, 1 + i * 31 % 400, time).await;
            received.extend(some);
            if result == StreamResult::Dropped {
                break;
            }
        }
        received
    };
    let (sent, received) = both(sending, receiving).await;
    sent?;
    holds!(received == bytes);
    Ok(())
}

async fn reads_of_input_given_up(_: &Descriptor) -> Check {
    let (mut stream, done) = stdin::read_via_stream();
    for room in [0, 1, 10] {
        if try_read(&mut stream, room, 0).await.0 == StreamResult::Dropped {
            return Ok(done.await?);
        }
    }
    rest(&mut stream, 1000).await;
    done.await?;
    Ok(())
}

/// What was taken of a write that was given up arrives, and nothing else.
async fn writes_given_up(dir: &Descriptor) -> Check {
    let file = put(dir, "f", b"").await?;
    let (mut writer, reader) = wit_stream::new();
    let written = file.write_via_stream(reader, 0);
    let mut want = Vec::new();
    for i in 0..300 {
        let piece = pattern(i * 37 % 5000);
        let (result, count) = try_write(&mut writer, piece.clone(), 0).await;
        holds!(moved(result, count));
        want.extend_from_slice(&piece[..count]);
    }
    drop(writer);
    written.await?;
    holds!(content(&file).await? == want);

    let (mut client, mut server) = connected(Ipv4).await?;
    let sent = fill(&mut client).await?;
    let mut more = 0;
    for i in 0..300 {
        let (result, count) = try_write(&mut client.output, vec![b'y'; i], 0).await;
        holds!(moved(result, count));
        more += count;
    }
    drop(client.output);
    let received = rest(&mut server.input, 1 << 20).await;
    equal!(received.len(), sent + more);
    let (first, second) = received.split_at(sent);
    holds!(first.iter().all(|byte| *byte == b'x') && second.iter().all(|byte| *byte == b'y'));
    client.sent.await?;
    server.received.await?;
    Ok(())
}

const CHECKS: &[(&str, InDir)] = checks![dir:
    reads_without_room,
    reads_without_room_at_the_end,
    writes_of_nothing,
    writes_of_nothing_to_who_is_full,
    ends_inside_a_buffer,
    buffers_of_any_size,
    reads_given_up,
    reads_given_up_in_between,
    reads_of_input_given_up,
    writes_given_up,
];

command!(check::run(CHECKS, dir::in_scratch));
