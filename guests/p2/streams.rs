//! `wasi:io/streams` and `wasi:io/error`, with streams of files. Wants a writable directory.

#[macro_use]
mod check;
mod dir;

use check::{Check, Failure};
use dir::{content, get, put};
use wasip2::filesystem::types::{filesystem_error_code, Descriptor, ErrorCode};
use wasip2::io::streams::{InputStream, OutputStream, StreamError};

/// Bytes that tell where they stand.
fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 7 + i / 251) as u8).collect()
}

/// What is left in a stream, read without blocking calls, in pieces of up to `len`.
fn rest(stream: &InputStream, len: u64) -> Result<Vec<u8>, Failure> {
    let (pollable, mut all) = (stream.subscribe(), Vec::new());
    loop {
        match stream.read(len) {
            Ok(bytes) if bytes.is_empty() => pollable.block(),
            Ok(bytes) => {
                holds!(bytes.len() as u64 <= len);
                all.extend(bytes);
            }
            Err(StreamError::Closed) => return Ok(all),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Waits until the stream takes something; how much.
fn permit(stream: &OutputStream) -> Result<u64, StreamError> {
    loop {
        match stream.check_write()? {
            0 => stream.subscribe().block(),
            permit => return Ok(permit),
        }
    }
}

/// Writes everything without blocking calls, then waits for a flush.
fn write_all(stream: &OutputStream, mut bytes: &[u8]) -> Result<(), StreamError> {
    while !bytes.is_empty() {
        let (now, later) = bytes.split_at(bytes.len().min(permit(stream)? as usize));
        stream.write(now)?;
        bytes = later;
    }
    stream.flush()?;
    permit(stream).map(drop)
}

fn read(dir: &Descriptor) -> Check {
    let bytes = pattern(100_000);
    let file = put(dir, "f", &bytes)?;
    for len in [1000, 4096, 1 << 20, u64::MAX] {
        let stream = file.read_via_stream(0)?;
        equal!(stream.read(0)?, b"");
        holds!(rest(&stream, len)? == bytes);
        // The end lasts for as long as the file does not grow.
        for _ in 0..2 {
            fails!(stream.read(1), StreamError::Closed);
            fails!(stream.blocking_read(1), StreamError::Closed);
            fails!(stream.skip(1), StreamError::Closed);
            fails!(stream.blocking_skip(1), StreamError::Closed);
        }
        stream.subscribe().block();
    }
    Ok(())
}

fn blocking_read(dir: &Descriptor) -> Check {
    let bytes = pattern(10_000);
    let stream = put(dir, "f", &bytes)?.read_via_stream(0)?;
    let mut all = Vec::new();
    equal!(stream.blocking_read(0)?, b"");
    loop {
        match stream.blocking_read(999) {
            Ok(piece) => {
                holds!(!piece.is_empty() && piece.len() <= 999);
                all.extend(piece);
            }
            Err(StreamError::Closed) => break,
            Err(error) => return Err(error.into()),
        }
    }
    holds!(all == bytes);
    let stream = dir.open_at(dir::FOLLOW, "f", dir::PLAIN, dir::READ)?.read_via_stream(9_000)?;
    let piece = stream.blocking_read(u64::MAX)?;
    holds!(!piece.is_empty() && bytes[9_000..].starts_with(&piece));
    Ok(())
}

fn skip(dir: &Descriptor) -> Check {
    let bytes = pattern(10_000);
    let file = put(dir, "f", &bytes)?;
    let stream = file.read_via_stream(0)?;
    equal!(stream.skip(0)?, 0);
    let mut at = 0;
    while at < 1000 {
        let skipped = stream.skip(1000 - at)?;
        holds!(skipped <= 1000 - at);
        at += skipped;
        if skipped == 0 {
            stream.subscribe().block();
        }
    }
    while at < 2000 {
        let skipped = stream.blocking_skip(2000 - at)?;
        holds!(0 < skipped && skipped <= 2000 - at);
        at += skipped;
    }
    holds!(rest(&stream, 512)? == bytes[2000..]);

    let (stream, mut skipped) = (file.read_via_stream(9_990)?, 0);
    loop {
        match stream.blocking_skip(u64::MAX) {
            Ok(n) => skipped += n,
            Err(StreamError::Closed) => break,
            Err(error) => return Err(error.into()),
        }
    }
    equal!(skipped, 10);
    Ok(())
}

fn where_streams_begin(dir: &Descriptor) -> Check {
    let file = put(dir, "f", b"0123456789")?;
    equal!(rest(&file.read_via_stream(7)?, 100)?, b"789");
    for offset in [10, 11, 1 << 40] {
        fails!(file.read_via_stream(offset)?.blocking_read(1), StreamError::Closed);
    }
    let (first, second) = (file.read_via_stream(0)?, file.read_via_stream(5)?);
    equal!(first.blocking_read(1)?, b"0");
    equal!(second.blocking_read(1)?, b"5");
    equal!(first.blocking_read(2)?, b"12");
    drop(file);
    equal!(rest(&first, 3)?, b"3456789");
    equal!(rest(&second, 3)?, b"6789");
    Ok(())
}

fn write(dir: &Descriptor) -> Check {
    let bytes = pattern(300_000);
    let file = put(dir, "f", b"")?;
    let stream = file.write_via_stream(0)?;
    write_all(&stream, &bytes)?;
    holds!(content(&file)? == bytes);
    permit(&stream)?;
    stream.write(b"")?;
    stream.blocking_flush()?;
    equal!(file.stat()?.size, 300_000);
    Ok(())
}

fn blocking_write(dir: &Descriptor) -> Check {
    let bytes = pattern(3 * 4096 + 5);
    let file = put(dir, "f", b"..")?;
    let stream = file.write_via_stream(2)?;
    stream.blocking_write_and_flush(b"")?;
    for piece in bytes.chunks(4096) {
        stream.blocking_write_and_flush(piece)?;
    }
    holds!(content(&file)? == [b"..", &bytes[..]].concat());
    Ok(())
}

/// Streams of one file have positions of their own; what is appended goes to the end there is then.
fn several_writers(dir: &Descriptor) -> Check {
    let file = put(dir, "f", b"0123456789")?;
    let (first, second, end) =
        (file.write_via_stream(0)?, file.write_via_stream(5)?, file.append_via_stream()?);
    first.blocking_write_and_flush(b"ab")?;
    end.blocking_write_and_flush(b"X")?;
    second.blocking_write_and_flush(b"fg")?;
    first.blocking_write_and_flush(b"c")?;
    equal!(content(&file)?, b"abc34fg789X");
    file.set_size(13)?;
    end.blocking_write_and_flush(b"YZ")?;
    equal!(content(&file)?, b"abc34fg789X\0\0YZ");
    let beyond = file.write_via_stream(17)?;
    drop(file);
    beyond.blocking_write_and_flush(b"!")?;
    equal!(get(dir, "f")?, b"abc34fg789X\0\0YZ\0\0!");
    Ok(())
}

fn zeroes(dir: &Descriptor) -> Check {
    let file = put(dir, "f", &[b'x'; 20_000])?;
    let stream = file.write_via_stream(1)?;
    let mut left = 10_000;
    while left > 0 {
        let now = permit(&stream)?.min(left);
        stream.write_zeroes(now)?;
        left -= now;
    }
    stream.blocking_flush()?;
    stream.blocking_write_zeroes_and_flush(4096)?;
    stream.blocking_write_zeroes_and_flush(0)?;
    stream.blocking_write_zeroes_and_flush(1)?;
    let mut want = vec![b'x'; 20_000];
    want[1..][..14_097].fill(0);
    holds!(content(&file)? == want);
    Ok(())
}

fn splice(dir: &Descriptor) -> Check {
    let bytes = pattern(200_000);
    let source = put(dir, "from", &bytes)?.read_via_stream(0)?;
    let target = put(dir, "to", b"")?.write_via_stream(0)?;
    let (readable, mut moved) = (source.subscribe(), 0);
    equal!(target.splice(&source, 0)?, 0);
    loop {
        permit(&target)?;
        readable.block();
        match target.splice(&source, 7000) {
            Ok(n) => {
                holds!(n <= 7000);
                moved += n;
            }
            Err(StreamError::Closed) => break,
            Err(error) => return Err(error.into()),
        }
    }
    equal!(moved, 200_000);
    // The end of the source does not close the target.
    target.blocking_write_and_flush(b"end")?;
    holds!(get(dir, "to")? == [&bytes[..], b"end"].concat());
    Ok(())
}

fn blocking_splice(dir: &Descriptor) -> Check {
    let bytes = pattern(50_000);
    let source = put(dir, "from", &bytes)?.read_via_stream(10)?;
    let target = put(dir, "to", b"")?.append_via_stream()?;
    let mut moved = 0;
    loop {
        match target.blocking_splice(&source, u64::MAX) {
            Ok(n) => {
                holds!(n > 0);
                moved += n;
            }
            Err(StreamError::Closed) => break,
            Err(error) => return Err(error.into()),
        }
    }
    equal!(moved, 49_990);
    target.blocking_flush()?;
    holds!(get(dir, "to")? == bytes[10..]);
    Ok(())
}

/// A failed operation says why, once; then the stream is closed. No file is so long that anything
/// could stand at its 2^63rd byte.
fn errors(dir: &Descriptor) -> Check {
    let stream = put(dir, "f", b"")?.write_via_stream(1 << 63)?;
    let error = match stream.blocking_write_and_flush(b"x") {
        Err(StreamError::LastOperationFailed(error)) => error,
        other => return Err(Failure::new(format!("expected last-operation-failed, got {other:?}"))),
    };
    holds!(!error.to_debug_string().is_empty());
    let code = filesystem_error_code(&error);
    holds!(matches!(code, Some(ErrorCode::Invalid | ErrorCode::FileTooLarge | ErrorCode::Overflow)));
    equal!(filesystem_error_code(&error), code);
    let pollable = stream.subscribe();
    pollable.block();
    holds!(pollable.ready());
    let source = put(dir, "source", b"source")?.read_via_stream(0)?;
    fails!(stream.check_write(), StreamError::Closed);
    fails!(stream.blocking_write_and_flush(b"x"), StreamError::Closed);
    fails!(stream.blocking_write_zeroes_and_flush(1), StreamError::Closed);
    fails!(stream.splice(&source, 1), StreamError::Closed);
    fails!(stream.blocking_splice(&source, 1), StreamError::Closed);
    fails!(stream.flush(), StreamError::Closed);
    fails!(stream.blocking_flush(), StreamError::Closed);
    equal!(rest(&source, 10)?, b"source");
    // The error outlives the stream.
    drop((pollable, stream));
    equal!(filesystem_error_code(&error), code);
    Ok(())
}

/// A pollable says ready exactly when there is something to do; files always have.
fn pollables(dir: &Descriptor) -> Check {
    let file = put(dir, "f", b"content")?;
    let (input, output) = (file.read_via_stream(0)?, file.append_via_stream()?);
    let (readable, again, writable) = (input.subscribe(), input.subscribe(), output.subscribe());
    for pollable in [&readable, &again, &writable] {
        pollable.block();
        holds!(pollable.ready());
    }
    holds!(output.check_write()? > 0);
    drop(readable);
    equal!(input.read(100)?, b"content");
    drop(again);
    Ok(())
}

const CHECKS: &[(&str, fn(&Descriptor) -> Check)] = checks![
    read,
    blocking_read,
    skip,
    where_streams_begin,
    write,
    blocking_write,
    several_writers,
    zeroes,
    splice,
    blocking_splice,
    errors,
    pollables,
];

command!(check::run(CHECKS, dir::in_scratch));
