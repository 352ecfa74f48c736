//! `wasi:cli`.

use super::bytes::{Consumer, Producer};
use super::completion;
use crate::ctx::WasiCtx;
use crate::view::{HasWasi, WasiImpl, WasiView};
use crate::waiting::Waiting;
use std::sync::Arc;
use wasi_host_bindings::p3::cli::types::ErrorCode;
use wasi_host_bindings::p3::cli::{stderr, stdin, stdout, types};
use wasi_host_core::Errno;
use wasi_host_core::slots::Slot;
use wasi_host_core::stream::OutputStream;
use wasmtime::component::{Access, StreamReader};

crate::cli::surroundings!(wasi_host_bindings::p3::cli, get_initial_cwd);

type Ended = completion::Ended<ErrorCode>;

impl<T: WasiView> types::Host for WasiImpl<T> {}
impl<T: WasiView> stdin::Host for WasiImpl<T> {}
impl<T: WasiView> stdout::Host for WasiImpl<T> {}
impl<T: WasiView> stderr::Host for WasiImpl<T> {}

/// A stream of the context's, how that waits, and a place for it: each may wait with a descriptor of its own.
type Opened<S> = (S, Arc<Waiting>, Result<Slot, Errno>);

fn open<U: 'static, T: WasiView + 'static, S>(
    store: &mut Access<'_, U, HasWasi<T>>,
    stream: impl FnOnce(&WasiCtx) -> S,
) -> Opened<S> {
    let mut view = store.get();
    let ctx = view.ctx();
    (stream(ctx), ctx.waiting(), ctx.slot())
}

impl<U: 'static, T: WasiView + 'static> stdin::HostWithStore<U> for HasWasi<T> {
    fn read_via_stream(mut store: Access<'_, U, Self>) -> wasmtime::Result<(StreamReader<u8>, Ended)> {
        let (stream, waiting, slot) = open(&mut store, |ctx| ctx.stdin.stream());
        match slot {
            Ok(slot) => {
                let (teller, ended) = completion::future(&mut store, &waiting)?;
                // It may have other readers: nothing is read that nobody has asked for.
                let producer = Producer::new(stream, waiting, teller).holding(slot);
                Ok((StreamReader::new(&mut store, producer)?, ended))
            }
            Err(e) => completion::no_source(store, e.into()),
        }
    }
}

/// Brings what a guest writes to an output of its context.
fn write<U: 'static, T: WasiView + 'static>(
    mut store: Access<'_, U, HasWasi<T>>,
    data: StreamReader<u8>,
    to: impl FnOnce(&WasiCtx) -> OutputStream,
) -> wasmtime::Result<Ended> {
    let (stream, waiting, slot) = open(&mut store, to);
    match slot {
        Ok(slot) => {
            let (teller, ended) = completion::future(&mut store, &waiting)?;
            data.pipe(&mut store, Consumer::new(stream, waiting, teller).holding(slot))?;
            Ok(ended)
        }
        Err(e) => completion::no_sink(store, data, e.into()),
    }
}

impl<U: 'static, T: WasiView + 'static> stdout::HostWithStore<U> for HasWasi<T> {
    fn write_via_stream(store: Access<'_, U, Self>, data: StreamReader<u8>) -> wasmtime::Result<Ended> {
        write(store, data, |ctx| ctx.stdout.stream())
    }
}

impl<U: 'static, T: WasiView + 'static> stderr::HostWithStore<U> for HasWasi<T> {
    fn write_via_stream(store: Access<'_, U, Self>, data: StreamReader<u8>) -> wasmtime::Result<Ended> {
        write(store, data, |ctx| ctx.stderr.stream())
    }
}
