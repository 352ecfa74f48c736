//! Files of the operating system as streams.

use std::fs;
use std::io::{Read, Write};
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tempfile::TempDir;
use wasi_host_core::conformance::stream::{Input, Output, input, output};
use wasi_host_core::fs::{
    Access, Descriptor, Elsewhere, File, FileInputStream, FileOutputStream, Offload, Open,
};
use wasi_host_core::grant::Grant;
use wasi_host_core::stream::{HostInputStream, HostOutputStream, Scratch, StreamError, Subscribe, splice};
use wasi_host_core::wait::{Wait, Waiter};
use wasi_host_native::fs::{NativeDir, NativeFile};
use wasi_host_native::wait::Poller;

struct Threads;

impl Elsewhere for Threads {
    fn run(&self, job: Box<dyn FnOnce() + Send>) {
        thread::spawn(job);
    }
}

fn hosts() -> [Option<Offload>; 3] {
    let to = Arc::new(Threads);
    [None, Some(Offload { to: to.clone(), all: false }), Some(Offload { to, all: true })]
}

fn pause(wait: Wait<'_>) {
    assert!(!matches!(wait, Wait::Future));
    Poller::default().any(&[wait], &mut [], &mut Vec::new()).unwrap();
}

fn read_all(stream: &mut dyn HostInputStream, size: usize) -> Vec<u8> {
    let (mut got, mut scratch) = (Vec::new(), Scratch::default());
    loop {
        match stream.read_with(size, &mut scratch) {
            Ok(bytes) if bytes.is_empty() => pause(stream.wait()),
            Ok(bytes) => got.extend(bytes),
            Err(StreamError::Closed) => return got,
            Err(e) => panic!("{e}"),
        }
    }
}

fn text(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i % 251) as u8).collect()
}

/// A directory and what may be opened there, on a disk if this machine has one there.
fn dir() -> (TempDir, Descriptor) {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let root =
        Descriptor::preopen(Arc::new(NativeDir::open_ambient(dir.path()).unwrap()), Grant::full().into());
    (dir, root)
}

#[test]
fn they_do_what_guests_rely_on() {
    for offload in hosts() {
        for append in [false, true] {
            output(&Poller::default(), || {
                let (dir, root) = dir();
                let file = root.open("file", Open { write: true, create: true, ..Open::default() }).unwrap();
                let stream = match append {
                    true => FileOutputStream::append(file, offload.clone()),
                    false => FileOutputStream::at(file, 0, offload.clone()),
                };
                let mut seen = fs::File::open(dir.path().join("file")).unwrap();
                Output::new(Box::new(stream.unwrap()), move || {
                    let mut new = Vec::new();
                    seen.read_to_end(&mut new).unwrap();
                    let _ = &dir;
                    new
                })
            });
        }
        input(&Poller::default(), |bytes| {
            let (dir, root) = dir();
            fs::write(dir.path().join("file"), bytes).unwrap();
            let file = root.open("file", Open { read: true, ..Open::default() }).unwrap();
            Input::whole(Box::new(FileInputStream::new(file, 0, offload.clone()).unwrap()))
        });
    }
}

#[test]
fn fifos_do_what_guests_rely_on() {
    let fifo = |dir: &TempDir| {
        let path = dir.path().join("fifo");
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, 0o600.into()).unwrap();
        // Neither end waits for the other to be opened.
        fs::OpenOptions::new().read(true).write(true).open(path).unwrap()
    };
    output(&Poller::default(), || {
        let (dir, root) = dir();
        let other = fifo(&dir);
        rustix::io::ioctl_fionbio(&other, true).unwrap();
        let file = root.open("fifo", Open { write: true, ..Open::default() }).unwrap();
        Output::new(Box::new(FileOutputStream::at(file, 0, None).unwrap()), move || {
            let mut new = Vec::new();
            // It ends with "nothing yet".
            let _ = (&other).read_to_end(&mut new);
            new
        })
        .hangs_up()
    });
    input(&Poller::default(), |bytes| {
        let (dir, root) = dir();
        let both = fifo(&dir);
        let file = root.open("fifo", Open { read: true, ..Open::default() }).unwrap();
        let mut other = fs::OpenOptions::new().write(true).open(dir.path().join("fifo")).unwrap();
        drop(both);
        other.write_all(bytes).unwrap();
        Input::fed(Box::new(FileInputStream::new(file, 0, None).unwrap()), move |bytes| {
            // Nobody may be reading any more.
            let _ = other.write_all(bytes);
        })
    });
}

#[test]
fn every_kind_of_host_reads_and_writes_the_same() {
    let (dir, root) = dir();
    let sent = text(300_000);
    fs::write(dir.path().join("from"), &sent).unwrap();
    for offload in hosts() {
        let from = root.open("from", Open { read: true, ..Open::default() }).unwrap();
        for size in [1000, 4096, usize::MAX] {
            let mut stream = FileInputStream::new(from.clone(), 7, offload.clone()).unwrap();
            assert!(read_all(&mut stream, size) == sent[7..]);
        }

        let how = Open { write: true, create: true, truncate: true, ..Open::default() };
        let to = root.open("to", how).unwrap();
        let mut src = FileInputStream::new(from, 0, offload.clone()).unwrap();
        let mut dst = FileOutputStream::at(to.clone(), 3, offload.clone()).unwrap();
        let mut scratch = Scratch::default();
        loop {
            match splice(&mut src, &mut dst, usize::MAX, &mut scratch) {
                Ok(0) if dst.check_write().unwrap() == 0 => pause(dst.wait()),
                Ok(0) => pause(src.wait()),
                Ok(_) => {}
                Err(StreamError::Closed) => break,
                Err(e) => panic!("{e}"),
            }
        }
        while dst.check_write().unwrap() == 0 {
            pause(dst.wait());
        }
        let mut end = FileOutputStream::append(to, offload).unwrap();
        end.write("end".into()).unwrap();
        while end.check_write().unwrap() == 0 {
            pause(end.wait());
        }
        let got = fs::read(dir.path().join("to")).unwrap();
        assert!(got == [b"\0\0\0", &sent[..], b"end"].concat());
    }
}

#[test]
fn skipping_needs_no_reading() {
    let (dir, root) = dir();
    // Sparse: reading all of it would take long.
    fs::File::create(dir.path().join("large")).unwrap().set_len(1 << 40).unwrap();
    let large = root.open("large", Open { read: true, ..Open::default() }).unwrap();
    let mut stream = FileInputStream::new(large, 5, None).unwrap();
    assert_eq!(stream.skip(1 << 39).unwrap(), 1 << 39);
    assert_eq!(stream.skip(usize::MAX).unwrap(), (1 << 40) - (1 << 39) - 5);
    assert!(matches!(stream.skip(1), Err(StreamError::Closed)));
}

#[test]
fn a_file_whose_size_says_nothing_is_read() {
    let file = NativeFile::from_std(fs::File::open("/proc/version").unwrap()).unwrap();
    let file = Descriptor::file(Arc::new(file), Access::READ, Grant::full().into());
    assert_eq!(file.metadata().unwrap().size, 0);
    let mut stream = FileInputStream::new(file, 0, None).unwrap();
    assert_eq!(stream.skip(6).unwrap(), 6);
    assert_eq!(read_all(&mut stream, 4096), fs::read("/proc/version").unwrap()[6..]);
}

/// Both ends of a pipe, non-blocking or as they come.
fn pipe(nonblocking: bool) -> (Descriptor, Descriptor) {
    use rustix::pipe::{PipeFlags, pipe_with};
    let flags = if nonblocking { PipeFlags::NONBLOCK } else { PipeFlags::empty() };
    let (from, to) = pipe_with(flags | PipeFlags::CLOEXEC).unwrap();
    let file = |fd| -> Arc<dyn File> { Arc::new(NativeFile::from_std(fs::File::from(fd)).unwrap()) };
    let grant = Arc::new(Grant::full());
    (
        Descriptor::file(file(from), Access::READ, grant.clone()),
        Descriptor::file(file(to), Access::WRITE, grant),
    )
}

#[test]
fn through_a_pipe() {
    let sent = text(500_000);
    for nonblocking in [false, true] {
        let (from, to) = pipe(nonblocking);
        let mut src = FileInputStream::new(from, 0, None).unwrap();
        assert_eq!(src.read(10).unwrap(), "");
        assert!(matches!(src.wait(), Wait::Readable(_)));
        let got = thread::spawn(move || {
            thread::sleep(Duration::from_millis(10));
            read_all(&mut src, 4096)
        });
        let mut dst = FileOutputStream::append(to, None).unwrap();
        let mut rest = &sent[..];
        while !rest.is_empty() {
            match dst.write_some(rest).unwrap() {
                0 => pause(dst.wait()),
                n => rest = &rest[n..],
            }
        }
        dst.flush().unwrap();
        while dst.check_write().unwrap() == 0 {
            pause(dst.wait());
        }
        drop(dst);
        assert!(got.join().unwrap() == sent);
    }
}

#[cfg(feature = "async")]
#[test]
fn awaited_on_its_own_a_pipe_wakes() {
    use wasi_host_native::runtime::in_tokio;
    let (from, to) = pipe(true);
    let mut src = FileInputStream::new(from, 0, None).unwrap();
    let writer = thread::spawn(move || {
        thread::sleep(Duration::from_millis(10));
        FileOutputStream::append(to, None).unwrap().write("hello".into()).unwrap();
    });
    assert_eq!(in_tokio(src.blocking_read(10)).unwrap(), "hello");
    assert!(in_tokio(src.blocking_read(10)).is_err());
    writer.join().unwrap();
}

#[cfg(feature = "async")]
#[tokio::test]
async fn on_the_pool_of_a_runtime() {
    use wasi_host_native::runtime::BlockingPool;
    let (dir, root) = dir();
    let sent = text(200_000);
    let pool = Some(Offload { to: Arc::new(BlockingPool), all: true });
    let how = Open { read: true, write: true, create: true, ..Open::default() };
    let file = root.open("file", how).unwrap();
    let mut dst = FileOutputStream::at(file.clone(), 0, pool.clone()).unwrap();
    dst.blocking_write_and_flush(sent.clone().into()).await.unwrap();
    assert!(fs::read(dir.path().join("file")).unwrap() == sent);
    let mut src = FileInputStream::new(file, 0, pool).unwrap();
    let mut got = Vec::new();
    while let Ok(bytes) = src.blocking_read(1 << 20).await {
        got.extend(bytes);
    }
    assert!(got == sent);
}
