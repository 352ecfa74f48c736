//! A look-up whose outcome is pinned.

use super::Shared;
use std::net::IpAddr;
use std::sync::Arc;
use wasi_host_core::net::{Error, Lookup};
use wasi_host_core::wait::Wait;

pub(super) struct Pinning {
    pub(super) rules: Arc<Shared>,
    pub(super) inner: Box<dyn Lookup>,
    pub(super) name: String,
}

impl Lookup for Pinning {
    fn addresses(&mut self) -> Result<Vec<IpAddr>, Error> {
        let found = self.inner.addresses()?;
        self.rules.pin(&self.name, found)
    }

    fn wait(&self) -> Wait<'_> {
        self.inner.wait()
    }
}
