//! `wasi:cli`.

use super::bytes::{Consumer, Producer};
use super::completion;
use crate::view::{HasWasi, WasiImpl, WasiView};
use wasi_host_bindings::p3::cli::types::ErrorCode;
use wasi_host_bindings::p3::cli::{stderr, stdin, stdout, types};
use wasi_host_core::stream::OutputStream;
use wasmtime::Result;
use wasmtime::component::{Access, FutureReader, StreamReader};

crate::cli::surroundings!(wasi_host_bindings::p3::cli, get_initial_cwd);

type Ended = FutureReader<Result<(), ErrorCode>>;

impl<T: WasiView> types::Host for WasiImpl<T> {}
impl<T: WasiView> stdin::Host for WasiImpl<T> {}
impl<T: WasiView> stdout::Host for WasiImpl<T> {}
impl<T: WasiView> stderr::Host for WasiImpl<T> {}

impl<U: 'static, T: WasiView + 'static> stdin::HostWithStore<U> for HasWasi<T> {
    fn read_via_stream(mut store: Access<'_, U, Self>) -> Result<(StreamReader<u8>, Ended)> {
        let (stream, waiting) = {
            let mut view = store.get();
            (view.ctx().stdin.stream(), view.ctx().waiting())
        };
        // It may have other readers: nothing is read that nobody has asked for.
        let (teller, ended) = completion::future(&mut store, &waiting)?;
        Ok((StreamReader::new(&mut store, Producer::new(stream, waiting, teller))?, ended))
    }
}

/// Brings what a guest writes to an output of its context.
fn write<U: 'static, T: WasiView + 'static>(
    mut store: Access<'_, U, HasWasi<T>>,
    data: StreamReader<u8>,
    to: impl FnOnce(&crate::WasiCtx) -> OutputStream,
) -> Result<Ended> {
    let (stream, waiting) = {
        let mut view = store.get();
        (to(view.ctx()), view.ctx().waiting())
    };
    let (teller, ended) = completion::future(&mut store, &waiting)?;
    data.pipe(&mut store, Consumer::new(stream, waiting, teller))?;
    Ok(ended)
}

impl<U: 'static, T: WasiView + 'static> stdout::HostWithStore<U> for HasWasi<T> {
    fn write_via_stream(store: Access<'_, U, Self>, data: StreamReader<u8>) -> Result<Ended> {
        write(store, data, |ctx| ctx.stdout.stream())
    }
}

impl<U: 'static, T: WasiView + 'static> stderr::HostWithStore<U> for HasWasi<T> {
    fn write_via_stream(store: Access<'_, U, Self>, data: StreamReader<u8>) -> Result<Ended> {
        write(store, data, |ctx| ctx.stderr.stream())
    }
}
