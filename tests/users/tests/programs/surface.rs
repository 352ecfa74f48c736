//! Every public name, with the shape that its users rely on. There is little to run: what is missing, or has another
//! shape, does not compile.

#![allow(clippy::type_complexity, reason = "the types are written out on purpose")]

use bytes::{Bytes, BytesMut};
use std::any::Any;
use std::error::Error;
use std::fmt::{Debug, Display};
use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;
use tokio::io::{DuplexStream, Empty, Sink};
use wasmtime::component::{self, Component, Resource};
use wasmtime::{AsContextMut, Engine, Store};
use wasmtime_wasi::bindings::{self, exports, sync};
use wasmtime_wasi::pipe::{
    AsyncReadStream, AsyncWriteStream, ClosedInputStream, ClosedOutputStream, MemoryInputPipe,
    MemoryOutputPipe, SinkOutputStream,
};
use wasmtime_wasi::preview1::WasiP1Ctx;
use wasmtime_wasi::runtime::{self, AbortOnDropJoinHandle};
use wasmtime_wasi::{
    add_to_linker_async, add_to_linker_sync, add_to_linker_with_options_async,
    add_to_linker_with_options_sync, async_trait, preview0, preview1, stderr, stdin, stdout, subscribe,
    thread_rng, AsyncStdinStream, AsyncStdoutStream, ClosureFuture, Deterministic, DirPerms, FileInputStream,
    FilePerms, FsError, FsResult, HostInputStream, HostMonotonicClock, HostOutputStream, HostWallClock,
    I32Exit, InputStream, IsATTY, MakeFuture, Network, OutputFile, OutputStream, Pollable, PollableFuture,
    ResourceTable, ResourceTableError, RngCore, SocketAddrUse, SocketError, SocketResult, Stderr, Stdin,
    StdinStream, Stdout, StdoutStream, StreamError, StreamResult, Subscribe, SystemTimeSpec, TrappableError,
    WasiCtx, WasiCtxBuilder, WasiImpl, WasiView,
};

fn send<T: Send>() {}
fn sync_<T: Sync>() {}
fn error<T: Error + Send + Sync + 'static>() {}
fn shown<T: Debug + Display>() {}
fn cloned<T: Clone + Debug>() {}
fn copied<T: Copy + Clone + Debug>() {}
fn flags<T: Copy + Debug + Eq + std::ops::BitOr<Output = T> + std::ops::Not<Output = T>>() {}
fn into<A, B: From<A>>() {}
fn input<T: HostInputStream + Subscribe + Send + 'static>() {}
fn output<T: HostOutputStream + Subscribe + Send + 'static>() {}
fn stdin_stream<T: StdinStream + Send + 'static>() {}
fn stdout_stream<T: StdoutStream + Send + 'static>() {}
fn view<T: WasiView>() {}
fn same<T>(_: T, _: T) {}

struct Data {
    ctx: WasiCtx,
    table: ResourceTable,
}

impl WasiView for Data {
    fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }
    fn ctx(&mut self) -> &mut WasiCtx {
        &mut self.ctx
    }
}

fn data() -> Data {
    Data { ctx: WasiCtx::builder().build(), table: ResourceTable::new() }
}

#[test]
fn contexts_and_views() {
    send::<WasiCtx>();
    send::<WasiCtxBuilder>();
    send::<WasiP1Ctx>();
    view::<Data>();
    view::<&mut Data>();
    view::<Box<Data>>();
    view::<WasiImpl<Data>>();
    view::<WasiImpl<&mut Data>>();
    view::<Box<dyn WasiView>>();
    view::<&mut dyn WasiView>();
    view::<WasiP1Ctx>();
    let _: fn() -> WasiCtxBuilder = WasiCtx::builder;
    let _: fn(&mut dyn WasiView) -> &mut ResourceTable = |v| v.table();
    let _: fn(&mut dyn WasiView) -> &mut WasiCtx = |v| v.ctx();
    let mut wrapped = WasiImpl(data());
    let _: &mut Data = &mut wrapped.0;
}

#[test]
fn the_builder() {
    type B = WasiCtxBuilder;
    let _: fn() -> B = B::new;
    let _: for<'a> fn(&'a mut B) -> &'a mut B = B::inherit_stdin;
    let _: for<'a> fn(&'a mut B) -> &'a mut B = B::inherit_stdout;
    let _: for<'a> fn(&'a mut B) -> &'a mut B = B::inherit_stderr;
    let _: for<'a> fn(&'a mut B) -> &'a mut B = B::inherit_stdio;
    let _: for<'a> fn(&'a mut B) -> &'a mut B = B::inherit_env;
    let _: for<'a> fn(&'a mut B) -> &'a mut B = B::inherit_args;
    let _: for<'a> fn(&'a mut B) -> &'a mut B = B::inherit_network;
    let _: for<'a> fn(&'a mut B, bool) -> &'a mut B = B::allow_blocking_current_thread;
    let _: for<'a> fn(&'a mut B, bool) -> &'a mut B = B::allow_ip_name_lookup;
    let _: for<'a> fn(&'a mut B, bool) -> &'a mut B = B::allow_udp;
    let _: for<'a> fn(&'a mut B, bool) -> &'a mut B = B::allow_tcp;
    let _: for<'a> fn(&'a mut B, u128) -> &'a mut B = B::insecure_random_seed;
    let _: fn(&mut B) -> WasiCtx = B::build;
    let _: fn(&mut B) -> WasiP1Ctx = B::build_p1;

    struct Clock;
    impl HostWallClock for Clock {
        fn resolution(&self) -> Duration {
            Duration::from_secs(1)
        }
        fn now(&self) -> Duration {
            Duration::ZERO
        }
    }
    impl HostMonotonicClock for Clock {
        fn resolution(&self) -> u64 {
            1
        }
        fn now(&self) -> u64 {
            0
        }
    }
    fn check(_: SocketAddr, _: SocketAddrUse) -> Pin<Box<dyn Future<Output = bool> + Send + Sync>> {
        Box::pin(async { false })
    }
    let mut builder = WasiCtxBuilder::new();
    let _: &mut WasiCtxBuilder = builder
        .stdin(stdin())
        .stdin(ClosedInputStream)
        .stdin(MemoryInputPipe::new("input"))
        .stdout(stdout())
        .stdout(SinkOutputStream)
        .stderr(stderr())
        .stderr(ClosedOutputStream)
        .env("K", String::from("V"))
        .envs(&[("A", "1")])
        .envs(&[(String::from("B"), String::from("2"))])
        .arg("zero")
        .arg(String::from("one"))
        .args(&["two"])
        .args(&[String::from("three")])
        .args(&[] as &[&str])
        .secure_random(thread_rng())
        .insecure_random(Deterministic::new(vec![1, 2, 3]))
        .insecure_random_seed(7)
        .wall_clock(Clock)
        .monotonic_clock(Clock)
        .socket_addr_check(check)
        .socket_addr_check(|_, _| Box::pin(async { true }));
    let dir: wasmtime::Result<&mut WasiCtxBuilder> =
        builder.preopened_dir(Path::new("."), String::from("/"), DirPerms::READ, FilePerms::READ);
    assert!(dir.is_ok());
    builder.build();
}

#[test]
fn permissions() {
    flags::<DirPerms>();
    flags::<FilePerms>();
    assert_eq!(DirPerms::all(), DirPerms::READ | DirPerms::MUTATE);
    assert_eq!(FilePerms::all(), FilePerms::READ | FilePerms::WRITE);
    assert!(DirPerms::empty().is_empty());
    assert!(FilePerms::all().contains(FilePerms::WRITE));
}

#[test]
fn linkers() {
    let _: fn(&mut component::Linker<Data>) -> anyhow::Result<()> = |l| Ok(add_to_linker_sync(l)?);
    let _: fn(&mut component::Linker<Data>) -> anyhow::Result<()> = |l| Ok(add_to_linker_async(l)?);
    let _: fn(&mut component::Linker<Data>, &sync::LinkOptions) -> anyhow::Result<()> =
        |l, o| Ok(add_to_linker_with_options_sync(l, o)?);
    let _: fn(&mut component::Linker<Data>, &bindings::LinkOptions) -> anyhow::Result<()> =
        |l, o| Ok(add_to_linker_with_options_async(l, o)?);
    let _: fn(&mut wasmtime::Linker<WasiP1Ctx>) -> anyhow::Result<()> = |l| {
        preview1::add_to_linker_sync(l, |t| t)?;
        preview0::add_to_linker_sync(l, |t| t)?;
        Ok(())
    };
    let _: fn(&mut wasmtime::Linker<(u8, WasiP1Ctx)>) -> anyhow::Result<()> = |l| {
        preview1::add_to_linker_async(l, |t| &mut t.1)?;
        preview0::add_to_linker_async(l, |t| &mut t.1)?;
        Ok(())
    };
    cloned::<bindings::LinkOptions>();
    cloned::<sync::LinkOptions>();
    bindings::LinkOptions::default().cli_exit_with_code(true).network_error_code(true).clocks_timezone(true);
    sync::LinkOptions::default().cli_exit_with_code(true).network_error_code(true).clocks_timezone(true);
}

#[test]
fn errors() {
    error::<I32Exit>();
    error::<StreamError>();
    error::<FsError>();
    error::<SocketError>();
    error::<ResourceTableError>();
    error::<bindings::filesystem::types::ErrorCode>();
    error::<bindings::sockets::network::ErrorCode>();
    shown::<TrappableError<bindings::filesystem::types::ErrorCode>>();
    into::<bindings::filesystem::types::ErrorCode, FsError>();
    into::<bindings::sockets::network::ErrorCode, SocketError>();
    into::<std::io::Error, FsError>();
    into::<std::io::Error, SocketError>();
    into::<ResourceTableError, FsError>();
    into::<ResourceTableError, SocketError>();
    into::<std::io::Error, bindings::filesystem::types::ErrorCode>();
    into::<std::io::Error, bindings::sockets::network::ErrorCode>();

    let I32Exit(_code) = I32Exit(0i32);
    let _: fn(&str) -> StreamError = StreamError::trap;
    let _: fn(anyhow::Error) -> StreamError = StreamError::LastOperationFailed;
    let _: fn(anyhow::Error) -> StreamError = StreamError::Trap;
    match StreamError::Closed {
        StreamError::Closed => {}
        StreamError::LastOperationFailed(e) | StreamError::Trap(e) => drop::<anyhow::Error>(e),
    }
    let _: fn(anyhow::Error) -> FsError = FsError::trap;
    let _: fn(FsError) -> anyhow::Result<bindings::filesystem::types::ErrorCode> = |e| Ok(e.downcast()?);
    let _: fn(&SocketError) -> Option<&bindings::sockets::network::ErrorCode> = SocketError::downcast_ref;
    let _: fn(FsResult<u8>) -> Result<u8, TrappableError<bindings::filesystem::types::ErrorCode>> = |r| r;
    let _: fn(SocketResult<u8>) -> Result<u8, TrappableError<bindings::sockets::network::ErrorCode>> = |r| r;
    let _: fn(StreamResult<u8>) -> Result<u8, StreamError> = |r| r;
    let _ = [ResourceTableError::NotPresent, ResourceTableError::HasChildren, ResourceTableError::WrongType];
}

/// A stream that has every method, required and provided, with its signature.
struct Every;

#[async_trait]
impl Subscribe for Every {
    async fn ready(&mut self) {}
}

#[async_trait]
impl HostInputStream for Every {
    fn read(&mut self, _size: usize) -> StreamResult<Bytes> {
        Ok(Bytes::new())
    }
    async fn blocking_read(&mut self, size: usize) -> StreamResult<Bytes> {
        self.read(size)
    }
    fn skip(&mut self, nelem: usize) -> StreamResult<usize> {
        Ok(nelem)
    }
    async fn blocking_skip(&mut self, nelem: usize) -> StreamResult<usize> {
        self.skip(nelem)
    }
    async fn cancel(&mut self) {}
}

#[async_trait]
impl HostOutputStream for Every {
    fn write(&mut self, _bytes: Bytes) -> StreamResult<()> {
        Ok(())
    }
    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }
    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(1)
    }
    async fn blocking_write_and_flush(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.write(bytes)
    }
    fn write_zeroes(&mut self, _nelem: usize) -> StreamResult<()> {
        Ok(())
    }
    async fn blocking_write_zeroes_and_flush(&mut self, nelem: usize) -> StreamResult<()> {
        self.write_zeroes(nelem)
    }
    async fn write_ready(&mut self) -> StreamResult<usize> {
        self.check_write()
    }
    async fn cancel(&mut self) {}
}

impl StdinStream for Every {
    fn stream(&self) -> Box<dyn HostInputStream> {
        Box::new(Every)
    }
    fn isatty(&self) -> bool {
        false
    }
}

impl StdoutStream for Every {
    fn stream(&self) -> Box<dyn HostOutputStream> {
        Box::new(Every)
    }
    fn isatty(&self) -> bool {
        false
    }
}

#[test]
fn streams() {
    let stream: InputStream = StdinStream::stream(&Every);
    let _: Box<dyn HostInputStream> = stream;
    let stream: OutputStream = StdoutStream::stream(&Every);
    let _: Box<dyn HostOutputStream> = stream;

    input::<MemoryInputPipe>();
    input::<ClosedInputStream>();
    input::<AsyncReadStream>();
    input::<AsyncStdinStream>();
    input::<Stdin>();
    input::<FileInputStream>();
    output::<MemoryOutputPipe>();
    output::<SinkOutputStream>();
    output::<ClosedOutputStream>();
    output::<AsyncWriteStream>();
    output::<AsyncStdoutStream>();
    stdin_stream::<MemoryInputPipe>();
    stdin_stream::<ClosedInputStream>();
    stdin_stream::<AsyncStdinStream>();
    stdin_stream::<Stdin>();
    stdout_stream::<MemoryOutputPipe>();
    stdout_stream::<SinkOutputStream>();
    stdout_stream::<ClosedOutputStream>();
    stdout_stream::<AsyncStdoutStream>();
    stdout_stream::<OutputFile>();
    stdout_stream::<Stdout>();
    stdout_stream::<Stderr>();
    cloned::<MemoryInputPipe>();
    cloned::<MemoryOutputPipe>();
    let units = (ClosedInputStream, ClosedOutputStream, SinkOutputStream);
    same(units, units);
    copied::<IsATTY>();
    copied::<SocketAddrUse>();
    let _ = [IsATTY::Yes, IsATTY::No];

    let pipe: MemoryInputPipe = MemoryInputPipe::new(vec![1, 2, 3]);
    let _ = MemoryInputPipe::new(Bytes::new());
    assert!(!pipe.is_empty());
    let _: fn(usize) -> MemoryOutputPipe = MemoryOutputPipe::new;
    let _: fn(&MemoryOutputPipe) -> Bytes = MemoryOutputPipe::contents;
    let _: fn(MemoryOutputPipe) -> Option<BytesMut> = MemoryOutputPipe::try_into_inner;
    let _: fn(DuplexStream) -> AsyncReadStream = AsyncReadStream::new;
    let _: fn(Empty) -> AsyncReadStream = AsyncReadStream::new;
    let _: fn(usize, DuplexStream) -> AsyncWriteStream = AsyncWriteStream::new;
    let _: fn(usize, Sink) -> AsyncWriteStream = AsyncWriteStream::new;
    let _: fn(AsyncReadStream) -> AsyncStdinStream = AsyncStdinStream::new;
    let _: fn(AsyncWriteStream) -> AsyncStdoutStream = AsyncStdoutStream::new;
    let _: fn(std::fs::File) -> OutputFile = OutputFile::new;
    let _: (fn() -> Stdin, fn() -> Stdout, fn() -> Stderr) = (stdin, stdout, stderr);
}

#[test]
fn pollables() {
    let _: fn(&mut ResourceTable, Resource<Every>) -> anyhow::Result<Resource<Pollable>> =
        |table, resource| Ok(subscribe(table, resource)?);
    let _: fn(&mut ResourceTable, Resource<InputStream>) -> anyhow::Result<Resource<Pollable>> =
        |table, resource| Ok(subscribe(table, resource)?);
    let _: fn(&mut ResourceTable, Resource<OutputStream>) -> anyhow::Result<Resource<Pollable>> =
        |table, resource| Ok(subscribe(table, resource)?);
    fn make(any: &mut dyn Any) -> PollableFuture<'_> {
        let _ = any.downcast_mut::<Every>();
        Box::pin(async {})
    }
    let _: MakeFuture = make;
    let _: ClosureFuture = Box::new(|| Box::pin(async {}));
    let _: fn(Pin<Box<dyn Future<Output = ()> + Send>>) -> PollableFuture<'static> = |f| f;
}

#[test]
fn clocks_and_randomness() {
    let _: fn() -> Box<dyn RngCore + Send> = thread_rng;
    let _: fn(Vec<u8>) -> Deterministic = Deterministic::new;
    let mut random = Deterministic::new(vec![1, 2]);
    let mut bytes = [0; 3];
    RngCore::fill_bytes(&mut random, &mut bytes);
    assert_eq!(bytes, [1, 2, 1]);
    fn clocks(_: Box<dyn HostWallClock + Send>, _: Box<dyn HostMonotonicClock + Send>) {}
    let _ = clocks;
    let now: SystemTimeSpec = SystemTimeSpec::SymbolicNow;
    assert!(!matches!(now, SystemTimeSpec::Absolute(_)));
}

#[test]
fn networks() {
    send::<Network>();
    let _ = [
        SocketAddrUse::TcpBind,
        SocketAddrUse::TcpConnect,
        SocketAddrUse::UdpBind,
        SocketAddrUse::UdpConnect,
        SocketAddrUse::UdpOutgoingDatagram,
    ];
}

#[test]
fn runtimes() {
    let _: fn(Pin<Box<dyn Future<Output = u8>>>) -> u8 = runtime::in_tokio;
    let _: fn(Pin<Box<dyn Future<Output = u8> + Send>>) -> AbortOnDropJoinHandle<u8> = runtime::spawn;
    let _: fn(fn() -> u8) -> AbortOnDropJoinHandle<u8> = runtime::spawn_blocking;
    let _: fn(fn() -> u8) -> u8 = |f| runtime::with_ambient_tokio_runtime(f);
    let _: fn(Pin<&mut std::future::Ready<u8>>) -> Option<u8> = runtime::poll_noop;
    into::<tokio::task::JoinHandle<u8>, AbortOnDropJoinHandle<u8>>();
    fn inner(handle: &mut AbortOnDropJoinHandle<u8>) -> &mut tokio::task::JoinHandle<u8> {
        handle
    }
    let _ = inner;
}

/// Commands, the asynchronous first.
#[test]
fn commands() {
    async fn all(
        engine: &Engine,
        store: &mut Store<Data>,
        component: &Component,
        linker: &component::Linker<Data>,
    ) -> anyhow::Result<()> {
        let pre: bindings::CommandPre<Data> = bindings::CommandPre::new(linker.instantiate_pre(component)?)?;
        let _: &component::InstancePre<Data> = pre.instance_pre();
        assert!(Engine::same(pre.engine(), engine));
        let _: bindings::CommandPre<Data> = pre.clone();
        let command: bindings::Command = pre.instantiate_async(&mut *store).await?;
        let guest: &exports::wasi::cli::run::Guest = command.wasi_cli_run();
        let _: Result<(), ()> = guest.call_run(store.as_context_mut()).await?;
        bindings::Command::instantiate_async(&mut *store, component, linker).await?;
        let instance = linker.instantiate_async(&mut *store, component).await?;
        bindings::Command::new(&mut *store, &instance)?;
        Ok(())
    }
    fn blocking(
        store: &mut Store<Data>,
        component: &Component,
        linker: &component::Linker<Data>,
    ) -> anyhow::Result<()> {
        let pre: sync::CommandPre<Data> = sync::CommandPre::new(linker.instantiate_pre(component)?)?;
        let command: sync::Command = pre.instantiate(&mut *store)?;
        let guest: &sync::exports::wasi::cli::run::Guest = command.wasi_cli_run();
        let _: Result<(), ()> = guest.call_run(store.as_context_mut())?;
        sync::Command::instantiate(&mut *store, component, linker)?;
        let instance = linker.instantiate(&mut *store, component)?;
        sync::Command::new(&mut *store, &instance)?;
        Ok(())
    }
    let _ = (all, blocking);
}

/// Every interface's trait is implemented by `WasiImpl`, in either kind where there are two.
#[test]
fn interfaces() {
    fn both<T: WasiView>()
    where
        WasiImpl<T>: bindings::cli::environment::Host
            + bindings::cli::exit::Host
            + bindings::cli::stdin::Host
            + bindings::cli::stdout::Host
            + bindings::cli::stderr::Host
            + bindings::cli::terminal_input::Host
            + bindings::cli::terminal_input::HostTerminalInput
            + bindings::cli::terminal_output::Host
            + bindings::cli::terminal_output::HostTerminalOutput
            + bindings::cli::terminal_stdin::Host
            + bindings::cli::terminal_stdout::Host
            + bindings::cli::terminal_stderr::Host
            + bindings::clocks::monotonic_clock::Host
            + bindings::clocks::wall_clock::Host
            + bindings::filesystem::preopens::Host
            + bindings::io::error::Host
            + bindings::io::error::HostError
            + bindings::random::insecure::Host
            + bindings::random::insecure_seed::Host
            + bindings::random::random::Host
            + bindings::sockets::instance_network::Host
            + bindings::sockets::ip_name_lookup::Host
            + bindings::sockets::ip_name_lookup::HostResolveAddressStream
            + bindings::sockets::network::Host
            + bindings::sockets::network::HostNetwork
            + bindings::sockets::tcp_create_socket::Host
            + bindings::sockets::udp_create_socket::Host,
    {
    }
    fn asynchronous<T: WasiView>()
    where
        WasiImpl<T>: bindings::filesystem::types::Host
            + bindings::filesystem::types::HostDescriptor
            + bindings::filesystem::types::HostDirectoryEntryStream
            + bindings::io::poll::Host
            + bindings::io::poll::HostPollable
            + bindings::io::streams::Host
            + bindings::io::streams::HostInputStream
            + bindings::io::streams::HostOutputStream
            + bindings::sockets::tcp::Host
            + bindings::sockets::tcp::HostTcpSocket
            + bindings::sockets::udp::Host
            + bindings::sockets::udp::HostUdpSocket
            + bindings::sockets::udp::HostIncomingDatagramStream
            + bindings::sockets::udp::HostOutgoingDatagramStream,
    {
    }
    fn synchronous<T: WasiView>()
    where
        WasiImpl<T>: sync::filesystem::types::Host
            + sync::filesystem::types::HostDescriptor
            + sync::filesystem::types::HostDirectoryEntryStream
            + sync::io::poll::Host
            + sync::io::poll::HostPollable
            + sync::io::streams::Host
            + sync::io::streams::HostInputStream
            + sync::io::streams::HostOutputStream
            + sync::sockets::tcp::Host
            + sync::sockets::tcp::HostTcpSocket
            + sync::sockets::udp::Host
            + sync::sockets::udp::HostUdpSocket
            + sync::sockets::udp::HostIncomingDatagramStream
            + sync::sockets::udp::HostOutgoingDatagramStream,
    {
    }
    both::<Data>();
    both::<&mut Data>();
    asynchronous::<Data>();
    asynchronous::<Box<Data>>();
    synchronous::<Data>();
    synchronous::<&mut Data>();
}

/// The bindings name the root's types, and the synchronous ones share those of interfaces that cannot block.
#[test]
fn types_of_the_bindings() {
    let _: fn(Resource<bindings::io::poll::Pollable>) -> Resource<Pollable> = |r| r;
    let _: fn(Resource<sync::io::poll::Pollable>) -> Resource<Pollable> = |r| r;
    let _: fn(Resource<bindings::io::streams::InputStream>) -> Resource<InputStream> = |r| r;
    let _: fn(Resource<sync::io::streams::OutputStream>) -> Resource<OutputStream> = |r| r;
    let _: fn(Resource<bindings::io::error::Error>) -> Resource<anyhow::Error> = |r| r;
    let _: fn(Resource<bindings::sockets::network::Network>) -> Resource<Network> = |r| r;
    let _: fn(sync::clocks::wall_clock::Datetime) -> bindings::clocks::wall_clock::Datetime = |d| d;
    let _: fn(
        Resource<sync::filesystem::types::Descriptor>,
    ) -> Resource<bindings::filesystem::types::Descriptor> = |d| d;
    let _: fn(sync::sockets::network::ErrorCode) -> bindings::sockets::network::ErrorCode = |e| e;
    let _: fn(Resource<bindings::sockets::tcp::TcpSocket>) -> Resource<sync::sockets::tcp::TcpSocket> = |s| s;
    let _: fn(Resource<bindings::sockets::udp::UdpSocket>) -> Resource<sync::sockets::udp::UdpSocket> = |s| s;

    use bindings::sockets::network::{
        IpAddress, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress,
    };
    into::<SocketAddr, IpSocketAddress>();
    into::<IpSocketAddress, SocketAddr>();
    into::<std::net::SocketAddrV4, Ipv4SocketAddress>();
    into::<std::net::SocketAddrV6, Ipv6SocketAddress>();
    into::<Ipv4SocketAddress, std::net::SocketAddrV4>();
    into::<Ipv6SocketAddress, std::net::SocketAddrV6>();
    into::<std::net::IpAddr, IpAddress>();
    let _ = [IpAddressFamily::Ipv4, IpAddressFamily::Ipv6];
    let address = Ipv4SocketAddress { port: 80, address: (127, 0, 0, 1) };
    let address = SocketAddr::from(IpSocketAddress::Ipv4(address));
    assert_eq!(address.to_string(), "127.0.0.1:80");

    use bindings::filesystem::types::{
        DescriptorFlags, DescriptorStat, DescriptorType, NewTimestamp, OpenFlags,
    };
    let _ = DescriptorFlags::READ | DescriptorFlags::WRITE | DescriptorFlags::MUTATE_DIRECTORY;
    let _ = OpenFlags::CREATE | OpenFlags::TRUNCATE;
    let datetime = bindings::clocks::wall_clock::Datetime { seconds: 1, nanoseconds: 2 };
    let stat = DescriptorStat {
        type_: DescriptorType::RegularFile,
        link_count: 1,
        size: 2,
        data_access_timestamp: Some(datetime),
        data_modification_timestamp: None,
        status_change_timestamp: None,
    };
    assert_eq!(stat.size, 2);
    let _ = [NewTimestamp::NoChange, NewTimestamp::Now, NewTimestamp::Timestamp(datetime)];
    same(bindings::sockets::tcp::ShutdownType::Both, bindings::sockets::tcp::ShutdownType::Send);
    sync_::<bindings::LinkOptions>();
}
