//! A guest that never stops asking. What it makes the host hold is bounded by its limits, and ends with errors and traps.
//! A binary of its own with one test, because it counts what the whole process has.

#[path = "p2_sockets/guest.rs"]
mod guest;

use guest::*;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};
use wasi_host::bindings::cli::{stdin, stdout};
use wasi_host::bindings::clocks::monotonic_clock;
use wasi_host::bindings::filesystem::preopens::Host as _;
use wasi_host::bindings::filesystem::types as files;
use wasi_host::bindings::sockets::network::{ErrorCode, IpAddressFamily};
use wasi_host::bindings::sync;
use wasi_host::fs::Descriptor;
use wasi_host::limits::Limits;
use wasi_host::pipe::{AsyncWriteStream, MemoryOutputPipe};
use wasi_host::{
    AsyncStdoutStream, BlockingPolicy, DirPerms, FilePerms, OutputFile, OutputStream, StreamError,
    WasiCtxBuilder, WasiImpl,
};
use wasmtime::component::Resource;

const MIB: usize = 1 << 20;

/// Bytes of memory that this process has in use.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// What `flood` leaves in use is no more than `most` bytes.
fn bounded(what: &str, most: usize, flood: impl FnOnce()) {
    let (before, begin) = (resident(), Instant::now());
    flood();
    let more = resident().saturating_sub(before);
    println!("{what}: {} KiB, {:?}", more >> 10, begin.elapsed());
    assert!(more <= most, "{what}: {more} bytes");
}

fn limited(descriptors: usize) -> Limits {
    let mut limits = Limits::default();
    limits.descriptors = descriptors;
    limits
}

fn preopened(dir: &tempfile::TempDir, policy: BlockingPolicy) -> WasiCtxBuilder {
    let mut builder = open();
    builder.blocking(policy).limits(limited(64));
    builder.preopened_dir(dir.path(), "/", DirPerms::all(), FilePerms::all()).unwrap();
    builder
}

type Fd = Resource<Descriptor>;

fn root(g: &mut Guest) -> Fd {
    WasiImpl(&mut g.state).get_directories().unwrap().remove(0).0
}

fn open_file(g: &mut Guest, root: &Fd, name: &str) -> Result<Fd, files::ErrorCode> {
    macro_rules! open {
        ($types:path, $end:expr) => {{
            use $types as t;
            let write = if name == "." { t::DescriptorFlags::empty() } else { t::DescriptorFlags::WRITE };
            let mut view = WasiImpl(&mut g.state);
            $end(t::HostDescriptor::open_at(
                &mut view,
                b(root),
                t::PathFlags::empty(),
                name.into(),
                t::OpenFlags::empty(),
                t::DescriptorFlags::READ | write,
            ))
        }};
    }
    let opened = match &g.runtime {
        None => open!(wasi_host::bindings::sync::filesystem::types, |opened| opened),
        Some(runtime) => open!(wasi_host::bindings::filesystem::types, |at| runtime.block_on(at)),
    };
    opened.map_err(|e| e.downcast().unwrap())
}

/// A function of a descriptor that never waits, of the output that fits.
macro_rules! fs {
    ($guest:expr, $f:ident ( $($arg:expr),* )) => {{
        let guest: &mut Guest = $guest;
        let mut view = WasiImpl(&mut guest.state);
        match &guest.runtime {
            None => sync::filesystem::types::HostDescriptor::$f(&mut view, $($arg),*),
            Some(runtime) => {
                let _entered = runtime.enter();
                files::HostDescriptor::$f(&mut view, $($arg),*)
            }
        }
    }};
}

const POLICIES: [BlockingPolicy; 3] =
    [BlockingPolicy::Adaptive, BlockingPolicy::Inline, BlockingPolicy::Offload];

/// What is dropped keeps nothing open, and what keeps something open counts.
fn files_that_only_a_stream_or_listing_holds() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("file"), vec![7; 100_000]).unwrap();
    for (kind, policy) in KINDS.into_iter().flat_map(|kind| POLICIES.map(|policy| (kind, policy))) {
        for how in 0..4 {
            let g = &mut Guest::new(kind, &mut preopened(&dir, policy));
            let root = root(g);
            let (before, mut made) = (descriptors(), 0);
            let refused = loop {
                let fd = match open_file(g, &root, if how == 3 { "." } else { "file" }) {
                    Ok(fd) => fd,
                    Err(e) => break e,
                };
                let done = match how {
                    0 => fs!(g, read_via_stream(b(&fd), 0)).map(|stream| {
                        let _ = g.state.table.get_mut(&stream).unwrap().read(65536);
                    }),
                    1 => fs!(g, write_via_stream(b(&fd), 0)).map(drop),
                    2 => fs!(g, append_via_stream(b(&fd))).map(drop),
                    _ => wait!(g, filesystem::types => HostDescriptor::read_directory(b(&fd))).map(drop),
                };
                fs!(g, drop(fd)).unwrap();
                if let Err(e) = done {
                    break e.downcast().unwrap();
                }
                made += 1;
                assert!(made <= 64, "{kind:?} {policy:?} {how}: {} open", descriptors() - before);
            };
            assert_eq!(refused, files::ErrorCode::InsufficientMemory);
            let more = descriptors() - before;
            assert!(more <= 80, "{kind:?} {policy:?} {how}: {more} descriptors");
        }
    }
}

/// Streams of one file, each with a read under way or read and never taken.
fn reads_that_nobody_takes() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("file"), vec![7; 100_000]).unwrap();
    for policy in POLICIES {
        let g = &mut Guest::new(Kind::Async, &mut preopened(&dir, policy));
        let root = root(g);
        let fd = open_file(g, &root, "file").unwrap();
        bounded("reads that nobody takes", 16 * MIB, || {
            let refused = (0..4096).find_map(|_| match fs!(g, read_via_stream(b(&fd), 0)) {
                Ok(stream) => {
                    let _entered = g.runtime.as_ref().unwrap().enter();
                    let _ = g.state.table.get_mut(&stream).unwrap().read(65536);
                    None
                }
                Err(e) => Some(e.downcast().unwrap()),
            });
            std::thread::sleep(Duration::from_millis(50));
            assert_eq!(refused, Some(files::ErrorCode::InsufficientMemory));
        });
    }
}

fn get_stdout(g: &mut Guest) -> Resource<OutputStream> {
    stdout::Host::get_stdout(&mut WasiImpl(&mut g.state)).unwrap()
}

/// Streams that are dropped while their work waits for a thread: it counts until it is done.
fn reads_that_nobody_waits_for() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("file"), vec![7; 100_000]).unwrap();
    let g = &mut Guest::new(Kind::Async, &mut preopened(&dir, BlockingPolicy::Offload));
    let (root, mut busy) = (root(g), tokio::runtime::Builder::new_multi_thread());
    let fd = open_file(g, &root, "file").unwrap();
    g.runtime = Some(busy.worker_threads(1).max_blocking_threads(1).enable_all().build().unwrap());
    let (done, until) = std::sync::mpsc::channel::<()>();
    g.runtime.as_ref().unwrap().spawn_blocking(move || until.recv());
    let made = (0..4096).take_while(|_| {
        let Ok(stream) = fs!(g, read_via_stream(b(&fd), 0)) else { return false };
        let _entered = g.runtime.as_ref().unwrap().enter();
        assert!(g.state.table.get_mut(&stream).unwrap().read(65536).unwrap().is_empty());
        g.state.table.delete(stream).unwrap();
        true
    });
    // With the directory and the file they are 64.
    assert_eq!(made.count(), 62);
    drop(done);
    let begin = Instant::now();
    while fs!(g, read_via_stream(b(&fd), 0)).is_err() {
        assert!(begin.elapsed() < Duration::from_secs(20), "what is done counts no longer");
    }
}

/// Whatever it is that ends the writing without a permit, and whether it is a trap.
fn write_on(g: &mut Guest, to: &Resource<OutputStream>, times: usize, bytes: &'static [u8]) -> Option<bool> {
    (0..times).find_map(|_| match g.state.table.get_mut(to).unwrap().write_from(bytes) {
        Ok(()) => None,
        Err(e) => Some(matches!(e, StreamError::Trap(_))),
    })
}

/// Standard output that nobody reads any more.
fn a_full_pipe() -> std::thread::JoinHandle<()> {
    let (reader, writer) = std::io::pipe().unwrap();
    let writer: OwnedFd = writer.into();
    let mut builder = WasiCtxBuilder::new();
    builder.stdout(OutputFile::new(std::fs::File::from(writer)));
    let mut guest = Guest::new(Kind::Sync, &mut builder);
    let g = &mut guest;
    let one = get_stdout(g);
    bounded("writes without a permit", 8 * MIB, || {
        assert_eq!(write_on(g, &one, 100_000, &[0; 4096]), Some(true));
    });
    bounded("a full pipe by many streams", 8 * MIB, || {
        for _ in 0..10_000 {
            let stream = get_stdout(g);
            if write_on(g, &stream, 1, &[0; 4096]).is_some() {
                break;
            }
        }
    });
    // What was accepted is given a while, but not each piece by itself.
    std::thread::spawn(move || {
        let begin = Instant::now();
        drop(guest);
        assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
        drop(reader);
    })
}

/// Many streams of one output, each permitted something before any has written.
fn permits_that_are_hoarded() {
    let (ours, theirs) = tokio::io::duplex(1);
    let mut builder = WasiCtxBuilder::new();
    builder.stdout(AsyncStdoutStream::new(AsyncWriteStream::new(4096, ours)));
    let g = &mut Guest::new(Kind::Async, &mut builder);
    bounded("permits that are hoarded", 24 * MIB, || {
        let streams: Vec<_> = (0..10_000).map(|_| get_stdout(g)).collect();
        for stream in &streams {
            let _ = g.state.table.get_mut(stream).unwrap().check_write();
        }
        for stream in &streams {
            let _ = write_on(g, stream, 1, &[0; 4096]);
        }
    });
    drop(theirs);
}

/// Writes of nothing are nothing.
fn writes_of_nothing() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("file"), "").unwrap();
    let outside = std::net::TcpListener::bind(V4).unwrap();
    for (kind, policy) in KINDS.into_iter().flat_map(|kind| POLICIES.map(|policy| (kind, policy))) {
        let (_ours, theirs) = tokio::io::duplex(1);
        let mut builder = preopened(&dir, policy);
        builder.stdout(AsyncStdoutStream::new(AsyncWriteStream::new(4096, theirs)));
        builder.stderr(MemoryOutputPipe::new(1));
        let g = &mut Guest::new(kind, &mut builder);
        let root = root(g);
        let fd = open_file(g, &root, "file").unwrap();
        let file = fs!(g, write_via_stream(b(&fd), 0)).unwrap();
        let end = fs!(g, append_via_stream(b(&fd))).unwrap();
        let tcp = g.connect(outside.local_addr().unwrap()).unwrap();
        let stderr = wasi_host::bindings::cli::stderr::Host::get_stderr(&mut WasiImpl(&mut g.state)).unwrap();
        let all = [file, end, tcp.output, get_stdout(g), stderr];
        bounded("writes of nothing", 4 * MIB, || {
            for stream in &all {
                assert_eq!(write_on(g, stream, 50_000, &[]), None);
                let entered = g.runtime.as_ref().map(|runtime| runtime.enter());
                for _ in 0..10_000 {
                    let stream = g.state.table.get_mut(stream).unwrap();
                    let _ = stream.write_zeroes(0);
                    let _ = stream.flush();
                }
                drop(entered);
            }
        });
    }
}

/// A table holds what its embedder lets it, and then no more.
fn handles() {
    const MOST: usize = 200_000;
    let mut builder = WasiCtxBuilder::new();
    builder.preopened_dir(".", "/", DirPerms::READ, FilePerms::READ).unwrap();
    let g = &mut Guest::new(Kind::Sync, &mut builder);
    let mut flood = |what: &str, each: usize, make: &mut dyn FnMut(&mut Guest) -> bool| {
        g.state.table.set_max_capacity(MOST);
        // An entry of the table, and what stands behind it.
        bounded(what, MOST * each, || assert!((0..=MOST).any(|_| !make(g)), "{what}: no end"));
        g.state.table = wasi_host::ResourceTable::new();
    };
    flood("pollables", 400, &mut |g| {
        monotonic_clock::Host::subscribe_duration(&mut WasiImpl(&mut g.state), u64::MAX).is_ok()
    });
    flood("inputs", 400, &mut |g| stdin::Host::get_stdin(&mut WasiImpl(&mut g.state)).is_ok());
    flood("outputs", 400, &mut |g| stdout::Host::get_stdout(&mut WasiImpl(&mut g.state)).is_ok());
    flood("directories", 400, &mut |g| WasiImpl(&mut g.state).get_directories().is_ok());
    // Each with a backtrace, if `RUST_BACKTRACE` asks for them.
    flood("failures", 4096, &mut |g| {
        let e = StreamError::LastOperationFailed(std::io::Error::from_raw_os_error(5).into());
        sync::io::streams::Host::convert_stream_error(&mut WasiImpl(&mut g.state), e).is_ok()
    });
}

fn sockets() {
    let mut limits = Limits::default();
    limits.sockets = 32;
    for kind in KINDS {
        let g = &mut Guest::new(kind, open().limits(limits.clone()).allow_ip_name_lookup(true));
        let before = descriptors();
        let outside = std::net::TcpListener::bind(V4).unwrap();
        let mut held = Vec::new();
        loop {
            let socket = code(wasi_host::bindings::sockets::tcp_create_socket::Host::create_tcp_socket(
                &mut WasiImpl(&mut g.state),
                IpAddressFamily::Ipv4,
            ));
            match socket {
                Ok(socket) => held.push(socket),
                Err(e) => {
                    assert_eq!(e, ErrorCode::NewSocketLimit);
                    break;
                }
            }
        }
        assert_eq!(held.len(), 32);
        g.drop_tcp(held.pop().unwrap());
        drop(held);
        // Looked up and dropped at once.
        for _ in 0..10_000 {
            match g.look_up("localhost") {
                Ok(addresses) => {
                    use wasi_host::bindings::sockets::ip_name_lookup::HostResolveAddressStream as H;
                    H::drop(&mut WasiImpl(&mut g.state), addresses).unwrap();
                }
                Err(e) => assert_eq!(e, ErrorCode::TemporaryResolverFailure),
            }
        }
        assert!(std::fs::read_dir("/proc/self/task").unwrap().count() < 100);
        drop(outside);
        std::mem::take(&mut g.state.table);
        let begin = Instant::now();
        while descriptors() > before + 4 {
            assert!(begin.elapsed() < Duration::from_secs(20), "{} descriptors", descriptors() - before);
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// As many connections as there may be, each with as much undelivered as it may.
fn undelivered() {
    let mut limits = Limits::default();
    limits.sockets = 64;
    for kind in KINDS {
        let outside = std::net::TcpListener::bind(V4).unwrap();
        let mut builder = open();
        builder.limits(limits.clone()).delivery_deadline(Duration::from_millis(50));
        let mut g = Guest::new(kind, &mut builder);
        let mut peers = Vec::new();
        bounded("undelivered", 64 * (128 << 10) + 16 * MIB, || {
            for _ in 0..64 {
                let c = g.connect(outside.local_addr().unwrap()).unwrap();
                peers.push(outside.accept().unwrap().0);
                while write_on(&mut g, &c.output, 1, &[0; 65536]).is_none() {
                    let _ = g.state.table.get_mut(&c.output).unwrap().check_write();
                }
                while let Ok(1..) = g.state.table.get_mut(&c.output).unwrap().check_write() {
                    assert_eq!(write_on(&mut g, &c.output, 1, &[0; 65536]), None);
                }
                g.drop_connection(c);
            }
        });
        // What is still to be delivered counts, though nobody holds it.
        let socket = wasi_host::bindings::sockets::tcp_create_socket::Host::create_tcp_socket(
            &mut WasiImpl(&mut g.state),
            IpAddressFamily::Ipv4,
        );
        assert_eq!(code(socket).err(), Some(ErrorCode::NewSocketLimit));
        let begin = Instant::now();
        drop(g);
        assert!(begin.elapsed() < Duration::from_secs(5));
        let mut some = [0; 10];
        peers[0].read_exact(&mut some).unwrap();
    }
}

#[test]
fn all_floods() {
    // Those that leave most to the allocator come last: what it kept would hide what others take.
    permits_that_are_hoarded();
    let full_pipe = a_full_pipe();
    files_that_only_a_stream_or_listing_holds();
    reads_that_nobody_takes();
    reads_that_nobody_waits_for();
    sockets();
    undelivered();
    writes_of_nothing();
    handles();
    full_pipe.join().unwrap();
}
