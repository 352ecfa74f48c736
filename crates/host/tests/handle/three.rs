//! WASI 0.3.

use crate::guest::{State, b};
use crate::{builder, fifo, tree};
use std::net::{TcpListener, TcpStream};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use wasi_host::fs::Descriptor;
use wasi_host::limits::Limits;
use wasi_host::p3::bindings::filesystem::preopens::Host as _;
use wasi_host::p3::bindings::filesystem::types::{
    Advice, DescriptorFlags, ErrorCode as FsCode, HostDescriptorWithStore as Files, NewTimestamp, OpenFlags,
    PathFlags,
};
use wasi_host::p3::bindings::sockets::ip_name_lookup::{self, ErrorCode as LookupCode};
use wasi_host::p3::bindings::sockets::types::{
    ErrorCode, HostTcpSocket, HostTcpSocketWithStore as Tcp, HostUdpSocket, HostUdpSocketWithStore as Udp,
    IpAddressFamily, IpSocketAddress,
};
use wasi_host::p3::bindings::{FsResult, SocketResult};
use wasi_host::{DirPerms, FilePerms, Handle, HasWasi, ResourceTable, WasiCtxBuilder, WasiImpl};
use wasi_host_virtual::memory::MemoryFs;
use wasmtime::component::{
    Accessor, FutureConsumer, FutureReader, Lift, Resource, Source, StreamConsumer, StreamReader,
    StreamResult,
};
use wasmtime::{Config, Engine, Store, StoreContextMut};

type Wasi = HasWasi<State>;
type Host = Accessor<State, Wasi>;
type Fd = Resource<Descriptor>;

/// Plays a guest, for a minute at most.
async fn play(builder: &mut WasiCtxBuilder, script: impl AsyncFnOnce(&Host, Handle)) {
    let engine = Engine::new(Config::new().wasm_component_model_async(true)).unwrap();
    let ctx = builder.build();
    let handle = ctx.handle();
    let mut store = Store::new(&engine, State { ctx, table: ResourceTable::new() });
    let played = store.run_concurrent(async |store| {
        script(&store.with_getter::<Wasi>(|state| WasiImpl(state)), handle).await;
    });
    tokio::time::timeout(Duration::from_secs(60), played).await.expect("it hangs").unwrap();
}

fn fs<T>(result: FsResult<T>) -> Result<T, FsCode> {
    result.map_err(|e| e.downcast().expect("an error code"))
}

fn net<T>(result: SocketResult<T>) -> Result<T, ErrorCode> {
    result.map_err(|e| e.downcast().expect("an error code"))
}

fn directories(store: &Host) -> Vec<(Fd, String)> {
    store.with(|mut store| store.get().get_directories().unwrap())
}

async fn open(store: &Host, dir: &Fd, path: &str, how: OpenFlags) -> Result<Fd, FsCode> {
    let flags = DescriptorFlags::READ;
    fs(Wasi::open_at(store, b(dir), PathFlags::empty(), path.into(), how, flags).await)
}

/// What a stream gives, until it ends.
struct Taken<T>(mpsc::UnboundedSender<Vec<T>>);

impl<D, T: Lift + Send + 'static> StreamConsumer<D> for Taken<T> {
    type Item = T;

    fn poll_consume(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        store: StoreContextMut<'_, D>,
        mut source: Source<'_, T>,
        _: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        let mut items = Vec::with_capacity(64);
        source.read(store, &mut items)?;
        let _ = self.0.send(items);
        Poll::Ready(Ok(StreamResult::Completed))
    }
}

/// What a future gives.
struct Told<T>(Option<oneshot::Sender<T>>);

impl<D, T: Lift + Send + 'static> FutureConsumer<D> for Told<T> {
    type Item = T;

    fn poll_consume(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        store: StoreContextMut<'_, D>,
        mut source: Source<'_, T>,
        _: bool,
    ) -> Poll<wasmtime::Result<()>> {
        let mut told = None;
        source.read(store, &mut told)?;
        if let (Some(teller), Some(told)) = (self.0.take(), told) {
            let _ = teller.send(told);
        }
        Poll::Ready(Ok(()))
    }
}

fn items<T: Lift + Send + 'static>(store: &Host, stream: StreamReader<T>) -> mpsc::UnboundedReceiver<Vec<T>> {
    let (sender, receiver) = mpsc::unbounded_channel();
    store.with(|store| stream.pipe(store, Taken(sender)).unwrap());
    receiver
}

fn outcome<T: Lift + Send + 'static>(store: &Host, future: FutureReader<T>) -> oneshot::Receiver<T> {
    let (sender, receiver) = oneshot::channel();
    store.with(|store| future.pipe(store, Told(Some(sender))).unwrap());
    receiver
}

/// All that is to come of a stream, until it ends.
async fn rest<T>(mut items: mpsc::UnboundedReceiver<Vec<T>>) -> Vec<T> {
    let mut all = Vec::new();
    while let Some(some) = items.recv().await {
        all.extend(some);
    }
    all
}

#[tokio::test]
async fn what_was_revoked_is_a_bad_descriptor() {
    play(&mut builder(&tree()), async |store, handle| {
        let top = directories(store).remove(0).0;
        let file = open(store, &top, "file", OpenFlags::empty()).await.unwrap();
        let dir = open(store, &top, "dir", OpenFlags::DIRECTORY).await.unwrap();
        assert!(handle.revoke_preopen("/a"));
        let path = || "file".to_owned();
        let (at, now) = (PathFlags::empty, || NewTimestamp::Now);
        for fd in [&top, &dir, &file] {
            for (what, said) in [
                ("advise", fs(Wasi::advise(store, b(fd), 0, 0, Advice::Normal).await)),
                ("create-directory-at", fs(Wasi::create_directory_at(store, b(fd), path()).await)),
                ("get-flags", fs(Wasi::get_flags(store, b(fd)).await).map(drop)),
                ("get-type", fs(Wasi::get_type(store, b(fd)).await).map(drop)),
                ("link-at", fs(Wasi::link_at(store, b(fd), at(), path(), b(fd), path()).await)),
                ("metadata-hash", fs(Wasi::metadata_hash(store, b(fd)).await).map(drop)),
                ("readlink-at", fs(Wasi::readlink_at(store, b(fd), path()).await).map(drop)),
                ("remove-directory-at", fs(Wasi::remove_directory_at(store, b(fd), path()).await)),
                ("rename-at", fs(Wasi::rename_at(store, b(fd), path(), b(fd), path()).await)),
                ("set-size", fs(Wasi::set_size(store, b(fd), 1).await)),
                ("set-times", fs(Wasi::set_times(store, b(fd), now(), now()).await)),
                ("stat", fs(Wasi::stat(store, b(fd)).await).map(drop)),
                ("stat-at", fs(Wasi::stat_at(store, b(fd), at(), path()).await).map(drop)),
                ("symlink-at", fs(Wasi::symlink_at(store, b(fd), path(), path()).await)),
                ("sync", fs(Wasi::sync(store, b(fd)).await)),
                ("sync-data", fs(Wasi::sync_data(store, b(fd)).await)),
                ("unlink-file-at", fs(Wasi::unlink_file_at(store, b(fd), path()).await)),
                ("open-at", open(store, fd, "file", OpenFlags::empty()).await.map(drop)),
            ] {
                assert!(matches!(said, Err(FsCode::BadDescriptor)), "{what}: {said:?}");
            }
            let (stream, ended) =
                store.with(|store| <Wasi as Files<State>>::read_via_stream(store, b(fd), 0)).unwrap();
            assert!(rest(items(store, stream)).await.is_empty());
            assert!(matches!(outcome(store, ended).await.unwrap(), Err(FsCode::BadDescriptor)));
            let (stream, ended) =
                store.with(|store| <Wasi as Files<State>>::read_directory(store, b(fd))).unwrap();
            assert!(rest(items(store, stream)).await.is_empty());
            assert!(matches!(outcome(store, ended).await.unwrap(), Err(FsCode::BadDescriptor)));
        }
        let others = directories(store);
        assert_eq!(others.iter().map(|(_, name)| &**name).collect::<Vec<_>>(), ["/b"]);
        assert!(open(store, &others[0].0, "file", OpenFlags::empty()).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn a_stream_that_waits_ends_and_its_future_says_why() {
    let disk = fifo();
    let mut b2 = WasiCtxBuilder::new();
    b2.preopened_dir(disk.path(), "/", DirPerms::all(), FilePerms::all()).unwrap();
    play(&mut b2, async |store, handle| {
        let top = directories(store).remove(0).0;
        let fd = open(store, &top, "fifo", OpenFlags::empty()).await.unwrap();
        let mut writer = std::fs::File::options().write(true).open(disk.path().join("fifo")).unwrap();
        let (stream, ended) =
            store.with(|store| <Wasi as Files<State>>::read_via_stream(store, b(&fd), 0)).unwrap();
        let (mut stream, ended) = (items(store, stream), outcome(store, ended));
        std::io::Write::write_all(&mut writer, b"so far").unwrap();
        assert_eq!(stream.recv().await.unwrap(), b"so far");
        let changed = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(30));
            assert!(handle.revoke_preopen("/"));
        });
        assert!(rest(stream).await.is_empty());
        assert!(matches!(ended.await.unwrap(), Err(FsCode::BadDescriptor)));
        changed.join().unwrap();
    })
    .await;
}

fn address(addr: std::net::SocketAddr) -> IpSocketAddress {
    addr.into()
}

#[tokio::test]
async fn so_do_those_of_sockets() {
    let mut b2 = WasiCtxBuilder::new();
    b2.inherit_network().allow_ip_name_lookup(true);
    play(&mut b2, async |store, handle| {
        let v4 = IpAddressFamily::Ipv4;
        let there = TcpListener::bind("127.0.0.1:0").unwrap();
        let to = there.local_addr().unwrap();
        let socket = store.with(|mut s| net(HostTcpSocket::create(&mut s.get(), v4))).unwrap();
        net(<Wasi as Tcp<State>>::connect(store, b(&socket), address(to)).await).unwrap();
        let (mut peer, _) = there.accept().unwrap();
        let (input, ended) = store.with(|store| <Wasi as Tcp<State>>::receive(store, b(&socket))).unwrap();
        let (input, ended) = (items(store, input), outcome(store, ended));

        let listener = store.with(|mut s| net(HostTcpSocket::create(&mut s.get(), v4))).unwrap();
        let connections = store.with(|store| {
            // It asks nobody, so it does not wait.
            let listening = std::pin::pin!(<Wasi as Tcp<State>>::listen(store, b(&listener)));
            match listening.poll(&mut Context::from_waker(std::task::Waker::noop())) {
                Poll::Ready(listening) => net(listening).unwrap(),
                Poll::Pending => panic!("nobody is asked"),
            }
        });
        let at =
            store.with(|mut s| net(HostTcpSocket::get_local_address(&mut s.get(), b(&listener)))).unwrap();
        let at: std::net::SocketAddr = at.into();
        let mut connections = items(store, connections);
        let _caller = TcpStream::connect(("127.0.0.1", at.port())).unwrap();
        assert_eq!(connections.recv().await.unwrap().len(), 1);

        let udp: Resource<wasi_host::net::Udp> =
            store.with(|mut s| net(HostUdpSocket::create(&mut s.get(), v4))).unwrap();
        let any = address("127.0.0.1:0".parse().unwrap());
        let checked = store.with(|mut s| {
            let mut view = s.get();
            let binding = std::pin::pin!(HostUdpSocket::bind(&mut view, b(&udp), any));
            match binding.poll(&mut Context::from_waker(std::task::Waker::noop())) {
                Poll::Ready(bound) => net(bound),
                Poll::Pending => panic!("nobody is asked"),
            }
        });
        checked.unwrap();

        let changed = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(30));
            assert!(handle.revoke_network());
        });
        let received = <Wasi as Udp<State>>::receive(store, b(&udp)).await;
        assert!(matches!(net(received), Err(ErrorCode::InvalidState)));
        changed.join().unwrap();
        assert!(rest(input).await.is_empty());
        // The connection's end may be seen before it is told why.
        assert!(matches!(ended.await.unwrap(), Ok(()) | Err(ErrorCode::ConnectionAborted)));
        assert!(rest(connections).await.is_empty());
        assert_eq!(std::io::Read::read(&mut peer, &mut [0; 8]).unwrap(), 0);
        let remote = store.with(|mut s| net(HostTcpSocket::get_remote_address(&mut s.get(), b(&socket))));
        assert!(matches!(remote, Err(ErrorCode::InvalidState)));
        let made = store.with(|mut s| net(HostTcpSocket::create(&mut s.get(), v4)).map(drop));
        assert!(matches!(made, Err(ErrorCode::AccessDenied)));
        let found =
            <Wasi as ip_name_lookup::HostWithStore<State>>::resolve_addresses(store, "localhost".into());
        assert!(matches!(found.await.map_err(|e| e.downcast().unwrap()), Err(LookupCode::AccessDenied)));
    })
    .await;
}

#[tokio::test]
async fn directories_and_limits_change() {
    let more = MemoryFs::new();
    more.write("new", "here").unwrap();
    play(&mut builder(&tree()), async |store, handle| {
        assert!(handle.add_preopen(more.root(), "/new", DirPerms::READ, FilePerms::READ));
        let new = directories(store).remove(2);
        assert_eq!(new.1, "/new");
        let file = open(store, &new.0, "new", OpenFlags::empty()).await.unwrap();
        assert_eq!(fs(Wasi::stat(store, b(&file)).await).unwrap().size, 4);
        let mut limits = Limits::default();
        limits.descriptors = 1;
        assert!(handle.set_limits(limits));
        let refused = open(store, &new.0, "new", OpenFlags::empty()).await;
        assert!(matches!(refused, Err(FsCode::InsufficientMemory)), "{refused:?}");
        assert!(fs(Wasi::stat(store, b(&file)).await).is_ok());
        assert!(handle.set_limits(Limits::default()));
        assert!(open(store, &new.0, "new", OpenFlags::empty()).await.is_ok());
        use wasi_host::p3::bindings::random::random::Host as _;
        let random = |len| store.with(|mut s| s.get().get_random_bytes(len).unwrap().len());
        assert_eq!(random(100), 100);
        let mut limits = Limits::default();
        limits.random = 8;
        assert!(handle.set_limits(limits));
        assert_eq!(random(100), 8);
    })
    .await;
}
