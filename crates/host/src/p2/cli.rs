//! `wasi:cli`.

use crate::view::{WasiImpl, WasiView};
use wasi_host_bindings::p2::cli::{stderr, stdin, stdout};
use wasi_host_core::stream::{InputStream, OutputStream};
use wasmtime::Result;
use wasmtime::component::Resource;

crate::cli::surroundings!(wasi_host_bindings::p2::cli, initial_cwd);

impl<T: WasiView> stdin::Host for WasiImpl<T> {
    fn get_stdin(&mut self) -> Result<Resource<InputStream>> {
        let stream = self.ctx().stdin.stream();
        Ok(self.table().push(stream)?)
    }
}

impl<T: WasiView> stdout::Host for WasiImpl<T> {
    fn get_stdout(&mut self) -> Result<Resource<OutputStream>> {
        let stream = self.ctx().stdout.stream();
        Ok(self.table().push(stream)?)
    }
}

impl<T: WasiView> stderr::Host for WasiImpl<T> {
    fn get_stderr(&mut self) -> Result<Resource<OutputStream>> {
        let stream = self.ctx().stderr.stream();
        Ok(self.table().push(stream)?)
    }
}
