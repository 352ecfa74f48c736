//! The floor: functions written by hand that do the one system call and little else. No rights, no limits, few error
//! codes: what nobody can undercut without `unsafe`, and nobody should ship.

mod files;
mod sockets;
mod streams;

use bytes::Bytes;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use rustix::fd::OwnedFd;
use std::net::SocketAddr;
use std::sync::Arc;
use wasmtime::component::{Linker, LinkerInstance, Resource, ResourceType};
use wasmtime::{Engine, Result, StoreContextMut};

/// What stands behind a handle.
enum Slot {
    Free,
    Dir(Arc<OwnedFd>),
    File(Arc<OwnedFd>),
    Listing(Box<rustix::fs::Dir>),
    FileIn(Arc<OwnedFd>, u64),
    FileOut(Arc<OwnedFd>, u64),
    Stdin,
    Stdout,
    Clock(u64),
    /// Waits for what another handle stands for.
    Of(u32),
    Network,
    Tcp(Option<SocketAddr>),
    TcpIn(Arc<sockets::Tcp>),
    TcpOut(Arc<sockets::Tcp>),
    Udp,
    Datagrams(Arc<sockets::Udp>),
}

/// The floor's state.
pub(crate) struct Floor {
    slots: Vec<Slot>,
    free: Vec<u32>,
    dir: Arc<OwnedFd>,
    env: Vec<(String, String)>,
    stdin: Bytes,
    stdout: Vec<u8>,
    random: ChaCha12Rng,
    scratch: Bytes,
}

impl Floor {
    pub(crate) fn new(dir: &str, env: &[(String, String)], stdin: Bytes) -> Self {
        let mut seed = [0; 32];
        rustix::rand::getrandom(&mut seed, rustix::rand::GetRandomFlags::empty()).expect("a seed");
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            dir: Arc::new(std::fs::File::open(dir).expect("the directory").into()),
            env: env.to_vec(),
            stdin,
            stdout: Vec::new(),
            random: ChaCha12Rng::from_seed(seed),
            scratch: Bytes::new(),
        }
    }

    fn push<R: 'static>(&mut self, slot: Slot) -> Resource<R> {
        let rep = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::Free);
            self.slots.len() as u32 - 1
        });
        self.slots[rep as usize] = slot;
        Resource::new_own(rep)
    }

    fn slot<R: 'static>(&mut self, of: &Resource<R>) -> &mut Slot {
        &mut self.slots[of.rep() as usize]
    }
}

/// Bytes that `read` puts into a buffer which is used again once nobody holds what it gave.
fn read_into<E>(
    scratch: &mut Bytes,
    len: usize,
    read: impl FnOnce(&mut [u8]) -> Result<usize, E>,
) -> Result<Bytes, E> {
    let mut own = std::mem::take(scratch).try_into_mut().unwrap_or_default();
    if own.len() < len {
        own.resize(len, 0);
    }
    let n = read(&mut own[..len]);
    *scratch = own.freeze();
    Ok(scratch.slice(..n?))
}

type Cx<'a> = StoreContextMut<'a, Floor>;

/// What types of resources are called here.
mod kind {
    pub(super) enum Descriptor {}
    pub(super) enum Listing {}
    pub(super) enum In {}
    pub(super) enum Out {}
    pub(super) enum Pollable {}
    pub(super) enum Network {}
    pub(super) enum Tcp {}
    pub(super) enum Udp {}
    pub(super) enum Incoming {}
    pub(super) enum Outgoing {}
}

fn resource<R: 'static>(of: &mut LinkerInstance<'_, Floor>, name: &str) -> Result<()> {
    of.resource(name, ResourceType::host::<R>(), |mut cx, rep| {
        let floor = cx.data_mut();
        floor.slots[rep as usize] = Slot::Free;
        floor.free.push(rep);
        Ok(())
    })
}

fn now() -> u64 {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    t.tv_sec as u64 * 1_000_000_000 + t.tv_nsec as u64
}

/// The functions that the measured guest imports. What it has to await is asynchronous if so wanted, and no more.
pub(crate) fn linker(engine: &Engine, asynchronous: bool) -> Result<Linker<Floor>> {
    let mut linker = Linker::new(engine);
    let l = &mut linker;
    let mut of = l.instance("wasi:clocks/monotonic-clock@0.2.12")?;
    of.func_wrap("now", |_: Cx<'_>, ()| Ok((now(),)))?;
    of.func_wrap("subscribe-duration", |mut cx: Cx<'_>, (after,): (u64,)| {
        Ok((cx.data_mut().push::<kind::Pollable>(Slot::Clock(now() + after)),))
    })?;
    let mut of = l.instance("wasi:random/random@0.2.12")?;
    of.func_wrap("get-random-u64", |mut cx: Cx<'_>, ()| Ok((cx.data_mut().random.next_u64(),)))?;
    of.func_wrap("get-random-bytes", |mut cx: Cx<'_>, (len,): (u64,)| {
        let floor = cx.data_mut();
        let random = &mut floor.random;
        Ok((read_into(&mut floor.scratch, len as usize, |buf| {
            random.fill_bytes(buf);
            Ok::<_, wasmtime::Error>(buf.len())
        })?,))
    })?;
    let mut of = l.instance("wasi:cli/environment@0.2.12")?;
    of.func_wrap("get-environment", |cx: Cx<'_>, ()| Ok((cx.data().env.clone(),)))?;
    let mut of = l.instance("wasi:cli/stdin@0.2.12")?;
    of.func_wrap("get-stdin", |mut cx: Cx<'_>, ()| Ok((cx.data_mut().push::<kind::In>(Slot::Stdin),)))?;
    let mut of = l.instance("wasi:cli/stdout@0.2.12")?;
    of.func_wrap("get-stdout", |mut cx: Cx<'_>, ()| Ok((cx.data_mut().push::<kind::Out>(Slot::Stdout),)))?;
    files::add(l)?;
    streams::add(l, asynchronous)?;
    sockets::add(l, asynchronous)?;
    Ok(linker)
}
