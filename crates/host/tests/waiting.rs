//! Waiting: for time, streams, files and sockets, and being interrupted.

mod support;

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::time::{Duration, Instant};
use support::*;
use wasi_host::wait::Wait;
use wasi_host::{
    DirPerms, FilePerms, HostInputStream, InputStream, Interrupted, StdinStream, StreamResult, Subscribe,
    WasiCtxBuilder, async_trait,
};

/// A subscription to a clock, in the layout of 0.1.
fn clock(g: &mut Guest, at: u64, userdata: u64, id: u32, timeout: u64, absolute: bool) {
    let mut record = [0; 48];
    record[..8].copy_from_slice(&userdata.to_le_bytes());
    record[16..20].copy_from_slice(&id.to_le_bytes());
    record[24..32].copy_from_slice(&timeout.to_le_bytes());
    record[40] = u8::from(absolute);
    g.write(at, &record);
}

/// A subscription to a descriptor.
fn descriptor(g: &mut Guest, at: u64, userdata: u64, tag: u8, fd: u32) {
    let mut record = [0; 48];
    record[..8].copy_from_slice(&userdata.to_le_bytes());
    record[8] = tag;
    record[16..20].copy_from_slice(&fd.to_le_bytes());
    g.write(at, &record);
}

/// What a poll of `n` subscriptions at 0 brings: userdata, error, type.
fn poll(g: &mut Guest, n: u64) -> Vec<(u64, u16, u8)> {
    g.ok("poll_oneoff", &[0, 8192, n, 2048]);
    let event = |i| {
        let record = g.read(8192 + i * 32, 32);
        let userdata = u64::from_le_bytes(record[..8].try_into().unwrap());
        (userdata, u16::from_le_bytes([record[8], record[9]]), record[10])
    };
    (0..u64::from(g.u32(2048))).map(event).collect()
}

#[test]
fn clocks() {
    for kind in KINDS {
        let mut g = Guest::new(kind, WasiCtxBuilder::new().build_p1());
        assert_eq!(g.call("poll_oneoff", &[0, 8192, 0, 2048]), INVAL);
        assert_eq!(g.call("poll_oneoff", &[0, 8192, 100_000, 2048]), INVAL);
        clock(&mut g, 0, 7, 1, 20_000_000, false);
        clock(&mut g, 48, 8, 1, 3_600_000_000_000, false);
        let begin = Instant::now();
        assert_eq!(poll(&mut g, 2), [(7, 0, 0)]);
        assert!(begin.elapsed() >= Duration::from_millis(20));
        // A time of day that is over, and one that comes.
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        clock(&mut g, 0, 1, 0, 5, true);
        clock(&mut g, 48, 2, 0, (now + Duration::from_secs(3600)).as_nanos() as u64, true);
        assert_eq!(poll(&mut g, 2), [(1, 0, 0)]);
        clock(&mut g, 0, 3, 0, (now + Duration::from_millis(40)).as_nanos() as u64, true);
        assert_eq!(poll(&mut g, 1), [(3, 0, 0)]);
        let after = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        assert!(after >= now + Duration::from_millis(40));
        // What is wrong with one stands in its event; the others are served.
        clock(&mut g, 0, 1, 9, 0, false);
        clock(&mut g, 48, 2, 2, 0, false);
        descriptor(&mut g, 96, 3, 1, 99);
        clock(&mut g, 144, 4, 1, 0, false);
        assert_eq!(poll(&mut g, 4), [(1, 28, 0), (2, 58, 0), (3, 8, 1), (4, 0, 0)]);
        // A tag and flags that do not exist.
        g.write(8, &[3]);
        assert_eq!(g.call("poll_oneoff", &[0, 8192, 1, 2048]), INVAL);
        clock(&mut g, 0, 1, 1, 0, false);
        g.write(40, &[2]);
        assert_eq!(g.call("poll_oneoff", &[0, 8192, 1, 2048]), INVAL);
    }
}

#[test]
fn the_unstable_clock_subscription_has_an_identifier() {
    for kind in KINDS {
        let mut g = Guest::unstable(kind, WasiCtxBuilder::new().build_p1());
        let mut record = [0; 112];
        for (i, timeout) in [3_600_000_000_000u64, 1000].into_iter().enumerate() {
            let r = &mut record[i * 56..][..56];
            r[0] = i as u8 + 1;
            r[16..24].copy_from_slice(&u64::MAX.to_le_bytes());
            r[24] = 1;
            r[32..40].copy_from_slice(&timeout.to_le_bytes());
        }
        g.write(0, &record);
        assert_eq!(poll(&mut g, 2), [(2, 0, 0)]);
    }
}

#[test]
fn a_short_sleep_is_short() {
    for kind in KINDS {
        let mut g = Guest::new(kind, WasiCtxBuilder::new().build_p1());
        clock(&mut g, 0, 1, 1, 1000, false);
        let mut times: Vec<Duration> = (0..200)
            .map(|_| {
                let begin = Instant::now();
                poll(&mut g, 1);
                begin.elapsed()
            })
            .collect();
        times.sort();
        // Tokio's own timer would take a millisecond at least.
        assert!(times[20] < Duration::from_micros(800), "{kind:?}: {:?}", times[20]);
    }
}

/// Input that comes when it comes, by a future of its own.
struct Slow {
    millis: u64,
    ready: bool,
}

#[async_trait]
impl Subscribe for Slow {
    async fn ready(&mut self) {
        tokio::time::sleep(Duration::from_millis(self.millis)).await;
        self.ready = true;
    }
}

impl HostInputStream for Slow {
    fn read(&mut self, size: usize) -> StreamResult<bytes::Bytes> {
        let was = std::mem::take(&mut self.ready);
        Ok(bytes::Bytes::from_static(if was { &b"slow"[..size.min(4)] } else { b"" }))
    }
}

struct SlowInput(u64);

impl StdinStream for SlowInput {
    fn stream(&self) -> InputStream {
        Box::new(Slow { millis: self.0, ready: false })
    }
    fn isatty(&self) -> bool {
        true
    }
}

#[test]
fn a_users_stream_is_waited_for() {
    for kind in KINDS {
        let mut g = Guest::new(kind, WasiCtxBuilder::new().stdin(SlowInput(30)).build_p1());
        assert_eq!(g.fd_read(0, 9).unwrap(), b"slow");
        descriptor(&mut g, 0, 1, 1, 0);
        clock(&mut g, 48, 2, 1, 10_000_000, false);
        descriptor(&mut g, 96, 3, 1, 0);
        assert_eq!(poll(&mut g, 3), [(2, 0, 0)]);
        clock(&mut g, 48, 2, 1, 3_600_000_000_000, false);
        assert_eq!(poll(&mut g, 3), [(1, 0, 1), (3, 0, 1)]);
        g.ok("fd_fdstat_set_flags", &[0, NONBLOCK]);
        assert_eq!(g.fd_read(0, 9).unwrap(), b"slow");
        assert_eq!(g.fd_read(0, 9), Err(AGAIN));
    }
}

#[test]
fn a_synchronous_host_works_inside_a_task() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut g = Guest::new(Kind::Sync, WasiCtxBuilder::new().stdin(SlowInput(5)).build_p1());
        assert_eq!(g.fd_read(0, 9).unwrap(), b"slow");
        clock(&mut g, 0, 1, 1, 1_000_000, false);
        assert_eq!(poll(&mut g, 1), [(1, 0, 0)]);
    });
}

/// A guest with a directory that holds a FIFO, and the FIFO's path.
fn with_fifo(kind: Kind) -> (Guest, tempfile::TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let mut b = WasiCtxBuilder::new();
    b.preopened_dir(dir.path(), "/", DirPerms::all(), FilePerms::all()).unwrap();
    (Guest::new(kind, b.build_p1()), dir, fifo)
}

#[test]
fn a_fifo_is_waited_for() {
    for kind in KINDS {
        let (mut g, _dir, fifo) = with_fifo(kind);
        let fd = g.open(3, "fifo", 0, READ, 0) as u64;
        assert_eq!(g.fd_read(fd, 9).unwrap(), b"", "nobody writes: the end, and no hanging");
        assert_eq!(g.call("fd_seek", &[fd, 0, 0, 0]), 70);
        assert_eq!(g.call("fd_pread", &[fd, 4096, 1, 0, 0]), 70);
        let mut writer = std::fs::File::options().write(true).open(&fifo).unwrap();
        descriptor(&mut g, 0, 1, 1, fd as u32);
        clock(&mut g, 48, 2, 1, 10_000_000, false);
        assert_eq!(poll(&mut g, 2), [(2, 0, 0)], "nothing yet");
        let later = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(30));
            writer.write_all(b"now").unwrap();
            writer
        });
        assert_eq!(g.fd_read(fd, 9).unwrap(), b"now");
        let mut writer = later.join().unwrap();
        g.ok("fd_fdstat_set_flags", &[fd, NONBLOCK]);
        assert_eq!(g.fd_read(fd, 9), Err(AGAIN));
        writer.write_all(b"more").unwrap();
        assert_eq!(poll(&mut g, 1), [(1, 0, 1)]);
        assert_eq!(g.fd_read(fd, 9).unwrap(), b"more");
        drop(writer);
        assert_eq!(poll(&mut g, 1), [(1, 0, 1)]);
        assert_eq!(g.read(8192 + 24, 1), [1], "hung up");
    }
}

#[test]
fn a_full_fifo_is_waited_for() {
    for kind in KINDS {
        let (mut g, _dir, fifo) = with_fifo(kind);
        let mut reader = std::fs::File::options().read(true).custom_flags(0o4000).open(&fifo).unwrap();
        let fd = g.open(3, "fifo", 0, WRITE, NONBLOCK) as u64;
        while g.fd_write(fd, &[1; 4096]) > 0 {}
        assert_eq!(g.fd_write(fd, &[1; 4096]), -i64::from(AGAIN));
        g.ok("fd_fdstat_set_flags", &[fd, 0]);
        let later = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(30));
            std::io::Read::read_exact(&mut reader, &mut [0; 8192]).unwrap();
            reader
        });
        assert!(g.fd_write(fd, &[1; 4096]) > 0);
        drop(later.join().unwrap());
        // A process that another test is just starting may hold the reader's end for a moment.
        let mut last = 1;
        for _ in 0..1000 {
            last = g.fd_write(fd, b"x");
            if last < 0 {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(last, -64, "nobody reads any more");
    }
}

#[test]
fn an_interrupt_ends_every_wait() {
    for kind in KINDS {
        let (mut g, _dir, fifo) = with_fifo(kind);
        let _writer = std::fs::File::options().read(true).write(true).open(&fifo).unwrap();
        let fd = g.open(3, "fifo", 0, READ, 0) as u64;
        clock(&mut g, 0, 1, 1, u64::MAX, false);
        descriptor(&mut g, 48, 1, 1, fd as u32);
        g.iovecs(4096, &[(8192, 9)]);
        for (name, args) in [
            ("poll_oneoff", [0, 8192, 1, 2048]),
            ("poll_oneoff", [48, 8192, 1, 2048]),
            ("fd_read", [fd, 4096, 1, 2048]),
        ] {
            g.interrupt.clear();
            let interrupt = g.interrupt.clone();
            let begin = Instant::now();
            let thread = std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(20));
                interrupt.interrupt();
            });
            let error = g.try_call(name, &args).unwrap_err();
            assert!(error.is::<Interrupted>(), "{name}: {error:?}");
            assert!(begin.elapsed() < Duration::from_secs(5), "{name}");
            thread.join().unwrap();
            // It stays until it is cleared.
            assert!(g.try_call(name, &args).is_err());
        }
    }
}

#[test]
fn a_clock_driven_by_hand_is_slept_by() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};
    use wasi_host::wait::Notify;

    #[derive(Clone, Default)]
    struct Manual(Arc<(AtomicU64, Notify)>);
    impl wasi_host::HostMonotonicClock for Manual {
        fn resolution(&self) -> u64 {
            1
        }
        fn now(&self) -> u64 {
            self.0.0.load(Ordering::SeqCst)
        }
        fn wait_until(&self, when: u64) -> Wait<'_> {
            let watch = self.0.1.watch();
            if self.now() >= when { Wait::Ready } else { Wait::Notify(watch) }
        }
    }
    for kind in KINDS {
        let time = Manual::default();
        let mut g = Guest::new(kind, WasiCtxBuilder::new().monotonic_clock(time.clone()).build_p1());
        // Absolute: the hand may be quicker than the guest.
        clock(&mut g, 0, 1, 1, 1_000_000_000_000, true);
        let hand = std::thread::spawn(move || {
            for _ in 0..10 {
                std::thread::sleep(Duration::from_millis(2));
                time.0.0.fetch_add(100_000_000_000, Ordering::SeqCst);
                time.0.1.notify();
            }
        });
        let begin = Instant::now();
        assert_eq!(poll(&mut g, 1), [(1, 0, 0)]);
        assert!(begin.elapsed() < Duration::from_secs(60), "a thousand seconds by the clock, not by ours");
        hand.join().unwrap();
    }
}

/// Output that takes a little at a time, and now and then nothing.
#[derive(Clone, Default)]
struct Grudging {
    taken: std::sync::Arc<std::sync::Mutex<Vec<u8>>>,
    calls: std::sync::Arc<std::sync::atomic::AtomicUsize>,
}

#[async_trait]
impl Subscribe for Grudging {
    async fn ready(&mut self) {}

    fn wait(&self) -> Wait<'_> {
        Wait::Ready
    }
}

impl wasi_host::HostOutputStream for Grudging {
    /// Promises more than it then takes.
    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(1000)
    }

    fn write(&mut self, bytes: bytes::Bytes) -> StreamResult<()> {
        self.taken.lock().unwrap().extend_from_slice(&bytes);
        Ok(())
    }

    fn write_some(&mut self, src: &[u8]) -> StreamResult<usize> {
        let calls = self.calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let n = if calls.is_multiple_of(2) { src.len().min(3) } else { 0 };
        self.taken.lock().unwrap().extend_from_slice(&src[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }
}

impl wasi_host::StdoutStream for Grudging {
    fn stream(&self) -> wasi_host::OutputStream {
        Box::new(self.clone())
    }

    fn isatty(&self) -> bool {
        false
    }
}

#[test]
fn no_byte_is_written_twice_or_lost() {
    for kind in KINDS {
        let out = Grudging::default();
        let mut g = Guest::new(kind, WasiCtxBuilder::new().stdout(out.clone()).build_p1());
        let text = b"every byte arrives once, in order";
        let mut sent = 0;
        while sent < text.len() {
            let rest = &text[sent..];
            g.write(8192, rest);
            let half = rest.len() as u64 / 2;
            g.iovecs(4096, &[(8192, half), (8192 + half, rest.len() as u64 - half)]);
            g.ok("fd_write", &[1, 4096, 2, 2048]);
            sent += g.u32(2048) as usize;
        }
        assert_eq!(*out.taken.lock().unwrap(), text, "{kind:?}");
    }
}

#[test]
fn streams_are_polled_in_the_direction_they_have() {
    for kind in KINDS {
        let mut g = Guest::new(kind, WasiCtxBuilder::new().build_p1());
        for (fd, tag, errno) in [(0, 1, 0), (0, 2, 8), (1, 1, 8), (1, 2, 0), (2, 2, 0)] {
            descriptor(&mut g, 0, 9, tag, fd);
            assert_eq!(poll(&mut g, 1), [(9, errno, tag)], "{fd} for {tag}");
        }
    }
}

#[test]
fn a_call_may_be_dropped_while_it_waits() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (_, _dir, fifo) = with_fifo(Kind::Sync);
    let writer = std::fs::File::options().read(true).write(true).open(&fifo).unwrap();
    let engine = wasmtime::Engine::default();
    let mut linker = wasmtime::Linker::new(&engine);
    wasi_host::p1::add_to_linker_async(&mut linker, |c| c).unwrap();
    let mut b = WasiCtxBuilder::new();
    b.preopened_dir(fifo.parent().unwrap(), "/", DirPerms::all(), FilePerms::all()).unwrap();
    let module = wasmtime::Module::new(&engine, proxy("wasi_snapshot_preview1")).unwrap();
    let of_the_fifo = |e: std::io::Result<std::fs::DirEntry>| {
        std::fs::read_link(e.unwrap().path()).is_ok_and(|target| target == fifo)
    };
    let open_files = || std::fs::read_dir("/proc/self/fd").unwrap().map(of_the_fifo).filter(|of| *of).count();
    runtime.block_on(async {
        let mut store = wasmtime::Store::new(&engine, b.build_p1());
        let instance = linker.instantiate_async(&mut store, &module).await.unwrap();
        let memory = instance.get_memory(&mut store, "memory").unwrap();
        memory.write(&mut store, 0, b"\x00\x20\x00\x00\x09\x00\x00\x00fifo").unwrap();
        type Open = (u32, u32, u32, u32, u32, u64, u64, u32, u32);
        let open = instance.get_typed_func::<Open, u32>(&mut store, "path_open").unwrap();
        let opened = open.call_async(&mut store, (3, 0, 8, 4, 0, READ, 0, 0, 64)).await.unwrap();
        assert_eq!(opened, 0);
        let read = instance.get_typed_func::<(u32, u32, u32, u32), u32>(&mut store, "fd_read").unwrap();
        let before = open_files();
        let call = read.call_async(&mut store, (4, 0, 1, 64));
        assert!(tokio::time::timeout(Duration::from_millis(20), call).await.is_err());
        assert_eq!(open_files(), before, "nothing is left behind");
        (&writer).write_all(b"later").unwrap();
        assert_eq!(read.call_async(&mut store, (4, 0, 1, 64)).await.unwrap(), 0);
        assert_eq!(memory.data(&store)[0x2000..0x2005], *b"later");
    });
}
