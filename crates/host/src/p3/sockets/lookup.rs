//! `wasi:sockets/ip-name-lookup`.

use crate::mode::Awaits;
use crate::view::{HasWasi, WasiImpl, WasiView};
use wasi_host_bindings::p3::sockets::ip_name_lookup::{self, ErrorCode};
use wasi_host_bindings::p3::sockets::types::IpAddress;
use wasi_host_bindings::p3::{LookupError, LookupResult};
use wasi_host_core::net::Error;
use wasmtime::component::Accessor;

impl<T: WasiView> ip_name_lookup::Host for WasiImpl<T> {
    fn convert_error_code(&mut self, e: LookupError) -> wasmtime::Result<ErrorCode> {
        e.downcast()
    }
}

impl<U: 'static, T: WasiView + 'static> ip_name_lookup::HostWithStore<U> for HasWasi<T> {
    async fn resolve_addresses(store: &Accessor<U, Self>, name: String) -> LookupResult<Vec<IpAddress>> {
        let (mut found, waiting) = store.with(|mut store| {
            let mut view = store.get();
            let found = view.ctx().sockets().lookup(&name)?;
            Ok::<_, Error>((found, view.ctx().waiting()))
        })?;
        let mut addresses = Vec::new();
        loop {
            match found.next_address() {
                Ok(Some(addr)) => addresses.push(addr.into()),
                Ok(None) => return Ok(addresses),
                Err(Error::WouldBlock) => waiting.pause_for_stream::<Awaits, _>(&mut found).await?,
                Err(e) => return Err(e.into()),
            }
        }
    }
}
