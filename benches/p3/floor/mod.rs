//! The floor: functions written by hand that do the one system call and little else. No rights, no limits, few error
//! codes, no read-ahead, and a file is read on the calling thread.

mod bytes;
mod files;
mod sockets;

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use rustix::fd::OwnedFd;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use wasi_host::p3::bindings::cli;
use wasmtime::component::{
    Accessor, FutureReader, Linker, LinkerInstance, Lower, Resource, ResourceType, StreamReader,
};
use wasmtime::{AsContextMut, Engine, Result, StoreContextMut};

/// What stands behind a handle.
enum Slot {
    Free,
    File(Arc<OwnedFd>),
    Tcp(Option<Arc<tokio::net::TcpStream>>),
    Udp(Arc<tokio::net::UdpSocket>),
}

/// The floor's state.
pub(crate) struct Floor {
    slots: Vec<Slot>,
    free: Vec<u32>,
    dir: Arc<OwnedFd>,
    env: Vec<(String, String)>,
    stdin: ::bytes::Bytes,
    stdout: Arc<Mutex<Vec<u8>>>,
    random: ChaCha12Rng,
}

impl Floor {
    pub(crate) fn new(dir: &str, env: &[(String, String)], stdin: ::bytes::Bytes) -> Self {
        let mut seed = [0; 32];
        rustix::rand::getrandom(&mut seed, rustix::rand::GetRandomFlags::empty()).expect("a seed");
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            dir: Arc::new(std::fs::File::open(dir).expect("the directory").into()),
            env: env.to_vec(),
            stdin,
            stdout: Arc::default(),
            random: ChaCha12Rng::from_seed(seed),
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

type Cx<'a> = StoreContextMut<'a, Floor>;

/// What types of resources are called here.
mod kind {
    pub(super) enum Descriptor {}
    pub(super) enum Tcp {}
    pub(super) enum Udp {}
}

fn resource<R: 'static>(of: &mut LinkerInstance<'_, Floor>, name: &str) -> Result<()> {
    of.resource(name, ResourceType::host::<R>(), |mut cx, rep| {
        let floor = cx.data_mut();
        floor.slots[rep as usize] = Slot::Free;
        floor.free.push(rep);
        Ok(())
    })
}

/// That a stream has ended well, whenever it is asked for.
fn ended<E>(cx: &mut Cx<'_>) -> Result<FutureReader<Result<(), E>>>
where
    E: Send + Sync + 'static,
    Result<(), E>: Lower + wasmtime::component::Lift,
{
    FutureReader::new(cx.as_context_mut(), async { wasmtime::error::Ok(Ok(())) })
}

fn now() -> u64 {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    t.tv_sec as u64 * 1_000_000_000 + t.tv_nsec as u64
}

/// The functions that the measured guest imports.
pub(crate) fn linker(engine: &Engine) -> Result<Linker<Floor>> {
    let mut linker = Linker::new(engine);
    let mut of = linker.instance("wasi:clocks/monotonic-clock@0.3.2")?;
    of.func_wrap("now", |_: Cx<'_>, ()| Ok((now(),)))?;
    of.func_wrap_concurrent("wait-for", |_: &Accessor<Floor>, (span,): (u64,)| {
        Box::pin(async move {
            if span > 0 {
                tokio::time::sleep(Duration::from_nanos(span)).await;
            }
            Ok(())
        })
    })?;
    let mut of = linker.instance("wasi:random/random@0.3.2")?;
    of.func_wrap("get-random-bytes", |mut cx: Cx<'_>, (len,): (u64,)| {
        let mut buf = vec![0; len as usize];
        cx.data_mut().random.fill_bytes(&mut buf);
        Ok((buf,))
    })?;
    of.func_wrap("get-random-u64", |mut cx: Cx<'_>, ()| Ok((cx.data_mut().random.next_u64(),)))?;
    let mut of = linker.instance("wasi:cli/environment@0.3.2")?;
    of.func_wrap("get-environment", |cx: Cx<'_>, ()| Ok((cx.data().env.clone(),)))?;
    linker.instance("wasi:cli/types@0.3.2")?;
    let mut of = linker.instance("wasi:cli/stdin@0.3.2")?;
    of.func_wrap("read-via-stream", |mut cx: Cx<'_>, ()| {
        let source = bytes::Source::Memory(cx.data().stdin.clone());
        let stream = StreamReader::new(cx.as_context_mut(), source)?;
        Ok(((stream, ended::<cli::types::ErrorCode>(&mut cx)?),))
    })?;
    let mut of = linker.instance("wasi:cli/stdout@0.3.2")?;
    of.func_wrap("write-via-stream", |mut cx: Cx<'_>, (data,): (StreamReader<u8>,)| {
        let sink = bytes::Sink::Memory(cx.data().stdout.clone());
        data.pipe(cx.as_context_mut(), sink)?;
        Ok((ended::<cli::types::ErrorCode>(&mut cx)?,))
    })?;
    files::add(&mut linker)?;
    sockets::add(&mut linker)?;
    Ok(linker)
}
