//! What the component model says of streams and futures, as it shows with those of files, standard
//! input and output, and connections. Wants a writable directory and loopback.

#[macro_use]
mod check;
mod dir;
mod io;
mod net;

use check::{Check, Failure};
use dir::{append, content, get, list, open, put, InDir, BOTH, CREATE, PLAIN, READ, TRUNCATE, WRITE};
use futures::future::join_all;
use io::{all, both, drain, exactly, now, pattern, read, rest, within, MILLISECOND};
use net::{connected, sockets, End};
use std::future::IntoFuture;
use std::pin::pin;
use wasip3::cli::{stdin, stdout};
use wasip3::clocks::monotonic_clock::wait_for;
use wasip3::filesystem::types::{Descriptor, ErrorCode};
use wasip3::sockets::types::IpAddressFamily::Ipv4;
use wasip3::wit_bindgen::{StreamReader, StreamResult, StreamWriter};
use wasip3::wit_stream;

/// Reads with this room if there is something at once, and gives up otherwise: how that ended, and
/// what was read all the same.
async fn try_read(stream: &mut StreamReader<u8>, room: usize) -> (StreamResult, Vec<u8>) {
    let mut reading = pin!(stream.read(Vec::with_capacity(room)));
    match now(reading.as_mut()).await {
        Some(done) => done,
        None => reading.cancel(),
    }
}

/// Likewise for a write, within this time: how much was taken.
async fn try_write(stream: &mut StreamWriter<u8>, bytes: Vec<u8>, time: u64) -> (StreamResult, usize) {
    let len = bytes.len();
    let mut writing = pin!(stream.write(bytes));
    let (result, left) = match now(writing.as_mut()).await {
        Some(done) => done,
        None if time == 0 => writing.cancel(),
        None => match within(time, writing.as_mut()).await {
            Some(done) => done,
            None => writing.cancel(),
        },
    };
    (result, len - left.remaining())
}

/// What an operation says that moved this much, and was not given up when it had moved nothing.
fn moved(result: StreamResult, count: usize) -> bool {
    match result {
        StreamResult::Complete(n) => n == count,
        StreamResult::Cancelled => count == 0,
        StreamResult::Dropped => false,
    }
}

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
        let (result, bytes) = try_read(&mut client.input, 0).await;
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
            let (result, early) = try_read(&mut client.input, room).await;
            holds!(moved(result, 0) && early.is_empty());
        }
        holds!(server.write(&bytes).await);
        let mut received = Vec::new();
        while received.len() < bytes.len() {
            let (result, some) = try_read(&mut client.input, 1 + i % 7).await;
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
        let (result, some) = try_read(&mut stream, 1 + i * 37 % 5000).await;
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
            let mut reading = pin!(server.input.read(Vec::with_capacity(1 + i * 31 % 400)));
            let (result, some) = match within(i as u64 * 104_729 % 7 * MILLISECOND / 10, reading.as_mut()).await {
                Some(done) => done,
                None => reading.cancel(),
            };
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
        if try_read(&mut stream, room).await.0 == StreamResult::Dropped {
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

/// Who does not want to read on drops the stream, at any point, and that is no error.
async fn dropped_readers(dir: &Descriptor) -> Check {
    let file = put(dir, "f", &pattern(100_000)).await?;
    for read_before in [None, Some(0), Some(1), Some(5000), Some(99_999)] {
        let (mut stream, done) = file.read_via_stream(0);
        if let Some(len) = read_before {
            equal!(exactly(&mut stream, len).await.len(), len);
        }
        drop(stream);
        done.await?;
        let (mut entries, done) = dir.read_directory();
        if read_before.is_some_and(|len| len > 0) {
            equal!(entries.next().await.map(|entry| entry.name), Some("f".to_owned()));
        }
        drop(entries);
        done.await?;
        let (mut client, mut server) = connected(Ipv4).await?;
        if let Some(len) = read_before {
            let (taken, received) = both(server.write(&pattern(len)), exactly(&mut client.input, len)).await;
            holds!(taken && received.len() == len);
        }
        drop(client.input);
        client.received.await?;
    }
    // While a read was waiting.
    let (mut client, _server) = connected(Ipv4).await?;
    holds!(now(pin!(client.input.next())).await.is_none());
    drop(client.input);
    client.received.await?;
    let (stream, done) = stdin::read_via_stream();
    drop(stream);
    done.await?;
    Ok(())
}

/// The end of what is written is known after everything that was written is where it should be.
async fn dropped_writers(dir: &Descriptor) -> Check {
    let bytes = pattern(300_000);
    let file = put(dir, "f", b"").await?;
    for _ in 0..3 {
        file.set_size(0).await?;
        let (mut writer, reader) = wit_stream::new();
        let done = file.write_via_stream(reader, 0);
        equal!(writer.write_all(bytes.clone()).await.len(), 0);
        holds!(now(pin!(done.into_future())).await.is_none());
        drop(writer);
        wait_for(MILLISECOND).await;
    }
    file.set_size(0).await?;
    drain(bytes.clone(), |stream| file.write_via_stream(stream, 0)).await?;
    equal!(file.stat().await?.size, 300_000);
    append(&file, &bytes).await?;
    equal!(file.stat().await?.size, 600_000);
    // Before it was given away.
    let (writer, reader) = wit_stream::new();
    drop(writer);
    file.write_via_stream(reader, 0).await?;
    let (writer, reader) = wit_stream::new();
    drop(writer);
    stdout::write_via_stream(reader).await?;
    let (client, server) = sockets(Ipv4).await?;
    let (writer, reader) = wit_stream::new();
    drop(writer);
    client.send(reader).await?;
    equal!(all(server.receive()).await?, b"");
    Ok(())
}

/// A write may begin before anybody has the other end.
async fn written_before_it_is_given(dir: &Descriptor) -> Check {
    let file = put(dir, "f", b"").await?;
    let bytes = pattern(100_000);
    let (mut writer, reader) = wit_stream::new();
    let mut writing = Box::pin(writer.write_all(bytes.clone()));
    holds!(now(writing.as_mut()).await.is_none());
    let done = file.write_via_stream(reader, 0);
    equal!(writing.await.len(), 0);
    drop(writer);
    done.await?;
    holds!(content(&file).await? == bytes);
    Ok(())
}

/// What cannot be read ends at once, and what cannot be written is not taken for long; why is told
/// in the end.
async fn errors(dir: &Descriptor) -> Check {
    put(dir, "f", b"content").await?;
    let (reader, writer) = (open(dir, "f", PLAIN, READ).await?, open(dir, "f", PLAIN, WRITE).await?);
    for source in [writer.read_via_stream(0), dir.read_via_stream(0)] {
        let (mut stream, done) = source;
        equal!(read(&mut stream, 10).await, (StreamResult::Dropped, vec![]));
        fails!(done.await, _);
    }
    let (entries, done) = reader.read_directory();
    holds!(entries.collect().await.is_empty());
    fails!(done.await, ErrorCode::NotDirectory | ErrorCode::BadDescriptor);

    for (target, offset) in [(&reader, 0), (dir, 0), (&writer, u64::MAX), (&writer, 1 << 63)] {
        let (mut stream, given) = wit_stream::new();
        let done = target.write_via_stream(given, offset);
        let mut taken = 0;
        while stream.write_all(b"x".to_vec()).await.is_empty() {
            taken += 1;
            holds!(taken < 1000);
        }
        fails!(done.await, _);
    }
    let (mut stream, given) = wit_stream::new();
    let done = reader.append_via_stream(given);
    while stream.write_all(b"x".to_vec()).await.is_empty() {}
    fails!(done.await, ErrorCode::BadDescriptor | ErrorCode::NotPermitted | ErrorCode::Access);
    equal!(get(dir, "f").await?, b"content");
    Ok(())
}

/// Streams of one descriptor, many at a time, and each at its own place.
async fn many_of_one(dir: &Descriptor) -> Check {
    let bytes = pattern(50_000);
    let file = put(dir, "f", &bytes).await?;
    let mut sources: Vec<_> = (0..100).map(|i| file.read_via_stream(i * 500)).collect();
    let mut found = vec![Vec::new(); sources.len()];
    for round in 0..4 {
        for (i, (stream, _)) in sources.iter_mut().enumerate() {
            found[i].extend(exactly(stream, 1 + i * round % 90).await);
        }
    }
    for (i, (mut stream, done)) in sources.into_iter().enumerate() {
        found[i].extend(rest(&mut stream, 10_000).await);
        done.await?;
        holds!(found[i] == bytes[i * 500..]);
    }

    let reads = (0..100).map(|i| all(file.read_via_stream(i * 500)));
    for (i, got) in join_all(reads).await.into_iter().enumerate() {
        holds!(got? == bytes[i * 500..]);
    }
    let copy = put(dir, "copy", b"").await?;
    let writes = (0..).zip(bytes.chunks(500)).map(|(i, piece)| dir::write(&copy, piece, i * 500));
    for done in join_all(writes).await {
        done?;
    }
    holds!(content(&copy).await? == bytes);
    Ok(())
}

/// Nobody has to ask how it ended.
async fn futures_nobody_awaits(dir: &Descriptor) -> Check {
    let bytes = pattern(100_000);
    let file = put(dir, "f", &bytes).await?;
    let (mut stream, done) = file.read_via_stream(0);
    drop(done);
    holds!(rest(&mut stream, 3000).await == bytes);
    let (mut stream, done) = file.read_via_stream(0);
    equal!(exactly(&mut stream, 10).await, bytes[..10]);
    drop(done);
    holds!(rest(&mut stream, 3000).await == bytes[10..]);
    drop(file.read_via_stream(0));

    let (mut writer, reader) = wit_stream::new();
    drop(file.write_via_stream(reader, 100_000));
    equal!(writer.write_all(bytes.clone()).await.len(), 0);
    drop(writer);
    for _ in 0..300 {
        if file.stat().await?.size == 200_000 {
            holds!(content(&file).await? == bytes.repeat(2));
            return Ok(());
        }
        wait_for(10 * MILLISECOND).await;
    }
    Err(Failure::new("what was written never arrived".to_owned()))
}

/// Somebody may ask before anything was read, and nothing is known then.
async fn futures_awaited_first(dir: &Descriptor) -> Check {
    let bytes = pattern(100_000);
    let file = put(dir, "f", &bytes).await?;
    let (mut stream, done) = file.read_via_stream(0);
    let mut done = pin!(done.into_future());
    holds!(within(5 * MILLISECOND, done.as_mut()).await.is_none());
    holds!(rest(&mut stream, 3000).await == bytes);
    done.await?;

    let (mut stream, done) = file.read_via_stream(0);
    let (end, found) = both(done, rest(&mut stream, 1 << 20)).await;
    end?;
    holds!(found == bytes);
    let (entries, done) = dir.read_directory();
    let (end, found) = both(done, entries.collect()).await;
    end?;
    equal!(found.len(), 1);
    // Given up, it can be asked again.
    let (mut stream, done) = file.read_via_stream(0);
    let mut asking = Box::pin(done.into_future());
    holds!(now(asking.as_mut()).await.is_none());
    let done = match asking.as_mut().cancel() {
        Err(done) => done,
        Ok(early) => return Err(Failure::new(format!("known before it happened: {early:?}"))),
    };
    rest(&mut stream, 1 << 20).await;
    done.await?;
    Ok(())
}

/// A stream that the host gave goes to the host again, and this program sees nothing of it.
async fn from_host_to_host(dir: &Descriptor) -> Check {
    for len in [0, 1, 5000, (1 << 20) + 3] {
        let bytes = pattern(len);
        let (source, target) = (put(dir, "f", &bytes).await?, put(dir, "g", b"").await?);
        let (stream, read) = source.read_via_stream(0);
        let (written, read) = both(target.write_via_stream(stream, 5), read).await;
        written?;
        read?;
        holds!(get(dir, "g").await? == if len == 0 { vec![] } else { [&[0; 5], &bytes[..]].concat() });

        target.set_size(0).await?;
        let (client, server) = sockets(Ipv4).await?;
        let (stream, read) = source.read_via_stream(0);
        let sending = both(client.send(stream), read);
        let (incoming, received) = server.receive();
        let receiving = both(target.write_via_stream(incoming, 0), received);
        let ((sent, read), (written, received)) = both(sending, receiving).await;
        sent?;
        read?;
        written?;
        received?;
        holds!(get(dir, "g").await? == bytes);
    }
    // What was read before is not given again.
    let (source, target) = (put(dir, "f", b"0123456789").await?, put(dir, "g", b"").await?);
    let (mut stream, read) = source.read_via_stream(0);
    equal!(exactly(&mut stream, 4).await, b"0123");
    target.write_via_stream(stream, 0).await?;
    read.await?;
    equal!(content(&target).await?, b"456789");
    equal!(list(dir).await?.len(), 2);
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
    dropped_readers,
    dropped_writers,
    written_before_it_is_given,
    errors,
    many_of_one,
    futures_nobody_awaits,
    futures_awaited_first,
    from_host_to_host,
];

command!(check::run(CHECKS, dir::in_scratch));
