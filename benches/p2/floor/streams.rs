//! `wasi:io`.

use super::{Cx, Floor, Slot, kind, now, read_into, resource};
use bytes::Bytes;
use std::io;
use std::time::Duration;
use wasi_host::bindings::io::{error, streams::StreamError};
use wasmtime::Result;
use wasmtime::component::{Linker, Resource, WasmList};

type In = Resource<kind::In>;
type Out = Resource<kind::Out>;
type Pollable = Resource<kind::Pollable>;
type OfStream<R> = Result<(Result<R, StreamError>,)>;
type Writing = (Out, WasmList<u8>);

/// Bytes, none at the end; `None` if there is nothing yet.
fn read(floor: &mut Floor, from: &In, len: u64) -> Option<Bytes> {
    let len = len as usize;
    let read = match &mut floor.slots[from.rep() as usize] {
        Slot::FileIn(file, at) => {
            let read = read_into(&mut floor.scratch, len, |buf| rustix::io::pread(file, buf, *at));
            *at += read.as_ref().map_or(0, |bytes| bytes.len() as u64);
            read.map_err(Into::into)
        }
        Slot::Stdin => Ok(floor.stdin.split_to(len.min(floor.stdin.len()))),
        Slot::TcpIn(tcp) => read_into(&mut floor.scratch, len, |buf| tcp.read(buf)),
        _ => panic!("not an input stream"),
    };
    match read {
        Err(e) if e.kind() == io::ErrorKind::WouldBlock => None,
        read => Some(read.unwrap_or_default()),
    }
}

fn lower(bytes: Bytes, len: u64) -> OfStream<Bytes> {
    Ok((if bytes.is_empty() && len > 0 { Err(StreamError::Closed) } else { Ok(bytes) },))
}

/// Writes what goes at once; how much that was.
fn write(cx: &mut Cx<'_>, to: &Out, bytes: &WasmList<u8>, from: usize) -> io::Result<usize> {
    // The stream and the guest's bytes both belong to the store, so the stream is taken out of it.
    let mut slot = std::mem::replace(cx.data_mut().slot(to), Slot::Free);
    let mut stdout = std::mem::take(&mut cx.data_mut().stdout);
    let rest = &bytes.as_le_slice(&*cx)[from..];
    let written = match &mut slot {
        Slot::FileOut(file, at) => {
            rustix::io::pwrite(file, rest, *at).map_err(io::Error::from).inspect(|n| *at += *n as u64)
        }
        Slot::TcpOut(tcp) => tcp.write(rest),
        Slot::Stdout => {
            stdout.extend_from_slice(rest);
            Ok(rest.len())
        }
        _ => panic!("not an output stream"),
    };
    cx.data_mut().stdout = stdout;
    *cx.data_mut().slot(to) = slot;
    written
}

fn permit(floor: &mut Floor, to: &Out) -> u64 {
    match floor.slot(to) {
        Slot::TcpOut(tcp) if !tcp.is_writable() => 0,
        _ => 1 << 20,
    }
}

async fn write_all(mut cx: Cx<'_>, to: Out, bytes: WasmList<u8>) -> OfStream<()> {
    let mut done = 0;
    while done < bytes.len() {
        match write(&mut cx, &to, &bytes, done) {
            Ok(n) => done += n,
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => wait(&mut cx, to.rep()).await,
            Err(e) => return Err(e.into()),
        }
    }
    Ok((Ok(()),))
}

fn is_ready(floor: &Floor, pollable: &Pollable, now: u64) -> bool {
    match floor.slots[pollable.rep() as usize] {
        Slot::Clock(when) => when <= now,
        _ => true,
    }
}

/// What has to wait in a synchronous host: clocks, and datagrams. Streams of connections do so where they are read.
fn block(floor: &Floor, rep: u32) {
    match &floor.slots[rep as usize] {
        Slot::Clock(when) => {
            let now = now();
            if *when > now {
                std::thread::sleep(Duration::from_nanos(when - now));
            }
        }
        Slot::Of(rep) => {
            if let Slot::Datagrams(udp) = &floor.slots[*rep as usize] {
                udp.wait();
            }
        }
        _ => {}
    }
}

/// What has to wait in an asynchronous host.
async fn wait(cx: &mut Cx<'_>, rep: u32) {
    let floor = cx.data();
    match &floor.slots[rep as usize] {
        Slot::Clock(when) => {
            let now = now();
            if *when > now {
                tokio::time::sleep(Duration::from_nanos(when - now)).await;
            }
        }
        Slot::TcpIn(tcp) => tcp.clone().readable().await,
        Slot::TcpOut(tcp) => tcp.clone().writable().await,
        Slot::Datagrams(udp) => udp.clone().readable().await,
        _ => {}
    }
}

fn of(floor: &Floor, rep: u32) -> u32 {
    match floor.slots[rep as usize] {
        Slot::Of(rep) => rep,
        _ => rep,
    }
}

pub(super) fn add(linker: &mut Linker<Floor>, asynchronous: bool) -> Result<()> {
    linker.instance("wasi:io/error@0.2.12")?.resource(
        "error",
        wasmtime::component::ResourceType::host::<error::Error>(),
        |_, _| Ok(()),
    )?;
    let mut i = linker.instance("wasi:io/poll@0.2.12")?;
    resource::<kind::Pollable>(&mut i, "pollable")?;
    i.func_wrap("[method]pollable.ready", |cx: Cx<'_>, (p,): (Pollable,)| {
        Ok((is_ready(cx.data(), &p, now()),))
    })?;
    i.func_wrap("poll", |cx: Cx<'_>, (list,): (Vec<Pollable>,)| {
        let now = now();
        let ready = list.iter().zip(0u32..).filter(|(p, _)| is_ready(cx.data(), p, now));
        Ok((ready.map(|(_, place)| place).collect::<Vec<_>>(),))
    })?;
    let mut i = linker.instance("wasi:io/streams@0.2.12")?;
    resource::<kind::In>(&mut i, "input-stream")?;
    resource::<kind::Out>(&mut i, "output-stream")?;
    i.func_wrap("[method]input-stream.read", |mut cx: Cx<'_>, (from, len): (In, u64)| {
        match read(cx.data_mut(), &from, len) {
            None => Ok((Ok(Bytes::new()),)),
            Some(bytes) => lower(bytes, len),
        }
    })?;
    i.func_wrap("[method]input-stream.subscribe", |mut cx: Cx<'_>, (from,): (In,)| {
        Ok((cx.data_mut().push::<kind::Pollable>(Slot::Of(from.rep())),))
    })?;
    i.func_wrap("[method]output-stream.check-write", |mut cx: Cx<'_>, (to,): (Out,)| {
        Ok((Ok::<_, StreamError>(permit(cx.data_mut(), &to)),))
    })?;
    i.func_wrap("[method]output-stream.write", |mut cx: Cx<'_>, (to, bytes): Writing| -> OfStream<()> {
        let mut done = 0;
        while done < bytes.len() {
            done += write(&mut cx, &to, &bytes, done)?;
        }
        Ok((Ok(()),))
    })?;
    i.func_wrap("[method]output-stream.flush", |_: Cx<'_>, (_,): (Out,)| Ok((Ok::<_, StreamError>(()),)))?;
    i.func_wrap("[method]output-stream.subscribe", |mut cx: Cx<'_>, (to,): (Out,)| {
        Ok((cx.data_mut().push::<kind::Pollable>(Slot::Of(to.rep())),))
    })?;
    if asynchronous { awaiting(linker) } else { blocking(linker) }
}

fn blocking(linker: &mut Linker<Floor>) -> Result<()> {
    let mut i = linker.instance("wasi:io/poll@0.2.12")?;
    i.func_wrap("[method]pollable.block", |cx: Cx<'_>, (p,): (Pollable,)| {
        block(cx.data(), p.rep());
        Ok(())
    })?;
    let mut i = linker.instance("wasi:io/streams@0.2.12")?;
    i.func_wrap("[method]input-stream.blocking-read", |mut cx: Cx<'_>, (from, len): (In, u64)| {
        lower(read(cx.data_mut(), &from, len).expect("it blocks"), len)
    })?;
    i.func_wrap(
        "[method]output-stream.blocking-write-and-flush",
        |mut cx: Cx<'_>, (to, bytes): Writing| -> OfStream<()> {
            let mut done = 0;
            while done < bytes.len() {
                done += write(&mut cx, &to, &bytes, done)?;
            }
            Ok((Ok(()),))
        },
    )
}

fn awaiting(linker: &mut Linker<Floor>) -> Result<()> {
    let mut i = linker.instance("wasi:io/poll@0.2.12")?;
    i.func_wrap_async("[method]pollable.block", |mut cx: Cx<'_>, (p,): (Pollable,)| {
        Box::new(async move {
            let rep = of(cx.data(), p.rep());
            wait(&mut cx, rep).await;
            Ok(())
        })
    })?;
    let mut i = linker.instance("wasi:io/streams@0.2.12")?;
    i.func_wrap_async("[method]input-stream.blocking-read", |mut cx: Cx<'_>, (from, len): (In, u64)| {
        Box::new(async move {
            loop {
                if let Some(bytes) = read(cx.data_mut(), &from, len) {
                    return lower(bytes, len);
                }
                wait(&mut cx, from.rep()).await;
            }
        })
    })?;
    i.func_wrap_async("[method]output-stream.blocking-write-and-flush", |cx: Cx<'_>, (to, bytes): Writing| {
        Box::new(write_all(cx, to, bytes))
    })
}
