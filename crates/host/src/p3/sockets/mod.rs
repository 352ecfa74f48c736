//! `wasi:sockets`. What may be done in which state, and with which address, is said at the core's door.

mod connections;
mod lookup;
mod tcp;
mod udp;

use crate::view::{WasiImpl, WasiView};
use wasi_host_bindings::p3::SocketError;
use wasi_host_bindings::p3::sockets::types::{self, ErrorCode};

impl<T: WasiView> types::Host for WasiImpl<T> {
    fn convert_error_code(&mut self, e: SocketError) -> wasmtime::Result<ErrorCode> {
        e.downcast()
    }
}
