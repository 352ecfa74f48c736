//! What is no regular file: FIFOs with and without a peer, devices, terminals, sockets, files that the host opened.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, FileType as OsType, Mode, OFlags, fcntl_getfl, mknodat};
use std::fs::File as StdFile;
use std::io::{IoSlice, IoSliceMut, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use wasi_host_core::fs::{Blocking, Dir, File, FileType, Interest, Node, Open};
use wasi_host_core::wait::Wait;
use wasi_host_core::{Errno, Result};
use wasi_host_native::fs::{NativeDir, NativeFile};

fn reading() -> Open {
    Open { read: true, follow: true, ..Open::default() }
}

fn writing() -> Open {
    Open { write: true, follow: true, ..Open::default() }
}

fn open(dir: &NativeDir, name: &str, how: Open) -> Result<Arc<dyn File>> {
    match dir.open(name, how)? {
        Node::File(file) => Ok(file),
        Node::Dir(_) => panic!("{name} is a directory"),
    }
}

fn read(file: &dyn File) -> Result<Vec<u8>> {
    let (mut one, mut two) = ([0; 2], [0; 64]);
    let n = file.read(&mut [IoSliceMut::new(&mut one), IoSliceMut::new(&mut two)])?;
    Ok([&one[..], &two[..]].concat()[..n].to_vec())
}

fn write(file: &dyn File, bytes: &[u8]) -> Result<usize> {
    file.write(&[IoSlice::new(&[]), IoSlice::new(bytes)])
}

/// Whether what the file says to wait for happens soon.
fn comes(file: &dyn File, interest: Interest, within: Duration) -> bool {
    let (fd, flags) = match file.wait(interest) {
        Wait::Readable(fd) => (fd, PollFlags::IN),
        Wait::Writable(fd) => (fd, PollFlags::OUT),
        other => panic!("{other:?}"),
    };
    poll(&mut [PollFd::new(&fd, flags)], Some(&Timespec::try_from(within).unwrap())).unwrap() > 0
}

const NOW: Duration = Duration::ZERO;
const SOON: Duration = Duration::from_secs(10);

fn fifo() -> (TempDir, NativeDir) {
    let dir = TempDir::new().unwrap();
    mknodat(CWD, dir.path().join("fifo"), OsType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    let native = NativeDir::open_ambient(dir.path()).unwrap();
    (dir, native)
}

/// The bare call would hang in `open`.
#[test]
fn a_fifo_without_a_peer_hangs_nobody() {
    for walk in [false, true] {
        let (_dir, native) = fifo();
        let native = if walk { native.without_openat2() } else { native };
        let file = open(&native, "fifo", reading()).unwrap();
        assert_eq!(file.file_type(), FileType::Fifo);
        assert!(!file.is_seekable());
        assert_eq!(file.blocking(), Blocking::Never);
        assert_eq!(read(&*file), Ok(vec![]));
        drop(file);
        assert_eq!(open(&native, "fifo", writing()).unwrap_err(), Errno::NxIo);
    }
}

#[test]
fn a_fifo_with_a_peer() {
    let (_dir, native) = fifo();
    let from = open(&native, "fifo", reading()).unwrap();
    let to = open(&native, "fifo", writing()).unwrap();
    assert_eq!(read(&*from), Err(Errno::Again));
    assert!(!comes(&*from, Interest::Read, NOW));
    assert!(comes(&*to, Interest::Write, NOW));
    assert_eq!(write(&*to, b"hello"), Ok(5));
    assert!(comes(&*from, Interest::Read, NOW));
    assert_eq!(read(&*from), Ok(b"hello".to_vec()));

    let mut sent = 0;
    let full = loop {
        match write(&*to, &[7; 5000]) {
            Ok(n) => sent += n,
            Err(e) => break e,
        }
    };
    assert_eq!(full, Errno::Again);
    assert!(sent >= 4096);
    assert!(!comes(&*to, Interest::Write, NOW));
    let mut drained = 0;
    while drained < sent {
        drained += read(&*from).unwrap().len();
    }
    assert_eq!(drained, sent);
    assert!(comes(&*to, Interest::Write, NOW));

    drop(to);
    assert!(comes(&*from, Interest::Read, NOW), "the end can be waited for");
    assert_eq!(read(&*from), Ok(vec![]));
    let to = open(&native, "fifo", writing()).unwrap();
    drop(from);
    assert_eq!(write(&*to, b"x"), Err(Errno::Pipe));
}

#[test]
fn what_has_no_position_refuses_offsets() {
    let (_dir, native) = fifo();
    let from = open(&native, "fifo", reading()).unwrap();
    let to = open(&native, "fifo", writing()).unwrap();
    write(&*to, b"x").unwrap();
    let mut byte = [0];
    assert_eq!(from.read_at(&mut [IoSliceMut::new(&mut byte)], 0), Err(Errno::SPipe));
    assert_eq!(from.try_read_at(&mut [IoSliceMut::new(&mut byte)], 0), Err(Errno::SPipe));
    assert_eq!(to.write_at(&[IoSlice::new(b"x")], 0), Err(Errno::SPipe));
    assert_eq!(to.append(&[IoSlice::new(b"x")]), Err(Errno::SPipe));
    assert_eq!(to.allocate(0, 1), Err(Errno::SPipe));
    assert_eq!(read(&*from), Ok(b"x".to_vec()));
}

#[test]
fn what_has_a_position_refuses_to_go_without() {
    let dir = TempDir::new().unwrap();
    let native = NativeDir::open_ambient(dir.path()).unwrap();
    let file = open(&native, "f", Open { create: true, read: true, ..writing() }).unwrap();
    assert!(file.is_seekable());
    assert_eq!(read(&*file), Err(Errno::SPipe));
    assert_eq!(write(&*file, b"x"), Err(Errno::SPipe));
    assert!(matches!(file.wait(Interest::Read), Wait::Ready));
}

#[test]
fn null_and_zero_have_positions() {
    let dev = NativeDir::open_ambient("/dev").unwrap();
    let both = Open { read: true, ..writing() };
    let null = open(&dev, "null", both).unwrap();
    let zero = open(&dev, "zero", both).unwrap();
    for file in [&null, &zero] {
        assert_eq!(file.file_type(), FileType::CharacterDevice);
        assert!(file.is_seekable());
        assert_eq!(file.blocking(), Blocking::Maybe, "its filesystem is in memory, it is not");
        assert_eq!(file.write_at(&[IoSlice::new(b"gone"), IoSlice::new(b"too")], 9), Ok(7));
        assert_eq!(file.append(&[IoSlice::new(b"gone")]), Ok(4));
        assert!(matches!(file.wait(Interest::Read), Wait::Ready));
    }
    let mut bytes = [1; 8];
    assert_eq!(null.read_at(&mut [IoSliceMut::new(&mut bytes)], 0), Ok(0));
    assert_eq!(zero.read_at(&mut [IoSliceMut::new(&mut bytes)], 1 << 40), Ok(8));
    assert_eq!(bytes, [0; 8]);
    assert_eq!(zero.try_read_at(&mut [IoSliceMut::new(&mut bytes)], 0), Err(Errno::Again));
}

#[test]
fn a_terminal() {
    let main =
        rustix::pty::openpt(rustix::pty::OpenptFlags::RDWR | rustix::pty::OpenptFlags::NOCTTY).unwrap();
    rustix::pty::grantpt(&main).unwrap();
    rustix::pty::unlockpt(&main).unwrap();
    let name = rustix::pty::ptsname(&main, Vec::new()).unwrap().into_string().unwrap();
    let mut main = StdFile::from(main);

    let pts = NativeDir::open_ambient("/dev/pts").unwrap();
    let name = name.strip_prefix("/dev/pts/").unwrap();
    let terminal = open(&pts, name, Open { read: true, ..writing() }).unwrap();
    assert_eq!(terminal.file_type(), FileType::CharacterDevice);
    assert!(!terminal.is_seekable());
    assert_eq!(read(&*terminal), Err(Errno::Again));
    let mut byte = [0];
    assert_eq!(terminal.read_at(&mut [IoSliceMut::new(&mut byte)], 0), Err(Errno::SPipe));

    main.write_all(b"typed\n").unwrap();
    assert!(comes(&*terminal, Interest::Read, SOON));
    assert_eq!(read(&*terminal), Ok(b"typed\n".to_vec()));
    assert!(comes(&*terminal, Interest::Write, SOON));
    assert_eq!(write(&*terminal, b"shown"), Ok(5));
    // The echo of what was typed comes first.
    let mut screen = [0; 12];
    main.read_exact(&mut screen).unwrap();
    assert_eq!(&screen, b"typed\r\nshown");

    // The host's own open of it, which would wait: its flags stay, and nobody waits.
    let path = format!("/dev/pts/{name}");
    let own = StdFile::options().read(true).write(true).open(path).unwrap();
    let own = NativeFile::from_std(own).unwrap();
    assert!(!fcntl_getfl(own.as_fd()).unwrap().contains(OFlags::NONBLOCK));
    assert_eq!(read(&own), Err(Errno::Again));
    main.write_all(b"more\n").unwrap();
    assert!(comes(&own, Interest::Read, SOON));
    assert_eq!(read(&own), Ok(b"more\n".to_vec()));
}

/// A pipe that the host made has no `O_NONBLOCK`, and does not get it: others may share it.
#[test]
fn a_pipe_of_the_host_is_asked_before_it_is_used() {
    let (from, to) = rustix::pipe::pipe().unwrap();
    let from = NativeFile::from_std(StdFile::from(from)).unwrap();
    let to = NativeFile::from_std(StdFile::from(to)).unwrap();
    for file in [&from, &to] {
        assert!(!fcntl_getfl(file.as_fd()).unwrap().contains(OFlags::NONBLOCK));
        assert!(!file.is_seekable());
        assert_eq!(file.blocking(), Blocking::Never);
    }
    assert_eq!(read(&from), Err(Errno::Again));
    let mut sent = 0;
    let full = loop {
        match write(&to, &[7; 100_000]) {
            Ok(n) => sent += n,
            Err(e) => break e,
        }
    };
    assert_eq!(full, Errno::Again);
    assert!(sent >= 4096);
    assert_eq!(read(&from).unwrap().len(), 66);
    drop(to);
    let mut rest = 0;
    loop {
        match read(&from).unwrap().len() {
            0 => break,
            n => rest += n,
        }
    }
    assert_eq!(rest, sent - 66);
}

#[test]
fn what_the_host_opened() {
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("f"), "text").unwrap();
    let file = NativeFile::from_std(StdFile::open(dir.path().join("f")).unwrap()).unwrap();
    assert_eq!(file.file_type(), FileType::RegularFile);
    assert!(file.is_seekable());
    let mut bytes = [0; 8];
    assert_eq!(file.read_at(&mut [IoSliceMut::new(&mut bytes)], 1), Ok(3));
    let error = NativeFile::from_std(StdFile::open(dir.path()).unwrap()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::IsADirectory);
}

#[test]
fn a_socket_cannot_be_opened_but_is_known() {
    let dir = TempDir::new().unwrap();
    let _listener = std::os::unix::net::UnixListener::bind(dir.path().join("s")).unwrap();
    let native = NativeDir::open_ambient(dir.path()).unwrap();
    assert_eq!(open(&native, "s", reading()).unwrap_err(), Errno::NxIo);
    let m = native.stat("s", wasi_host_core::fs::Follow::Yes).unwrap();
    assert_eq!(m.file_type, FileType::Socket);

    // One that is handed over speaks and listens as a stream.
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let file = NativeFile::from_std(StdFile::from(OwnedFd::from(theirs))).unwrap();
    assert_eq!(file.file_type(), FileType::Socket);
    (&ours).write_all(b"hello").unwrap();
    assert_eq!(read(&file), Ok(b"hello".to_vec()));
    assert_eq!(read(&file), Err(Errno::Again));
}
