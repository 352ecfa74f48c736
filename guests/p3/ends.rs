//! How streams end, what their futures tell, and to whom they may be given: those of files, standard
//! input and output, and connections. Wants a writable directory and loopback.

#[macro_use]
mod check;
mod dir;
mod io;
mod net;

use check::{Check, Failure};
use dir::{append, content, get, list, open, put, InDir, PLAIN, READ, WRITE};
use futures::future::join_all;
use io::{all, both, drain, exactly, now, pattern, read, rest, within, MILLISECOND};
use net::{connected, sockets};
use std::future::IntoFuture;
use std::pin::pin;
use wasip3::cli::{stdin, stdout};
use wasip3::clocks::monotonic_clock::wait_for;
use wasip3::filesystem::types::{Descriptor, ErrorCode};
use wasip3::sockets::types::IpAddressFamily::Ipv4;
use wasip3::wit_bindgen::StreamResult;
use wasip3::wit_stream;

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
