//! The standard streams of a process, as a child of this one has them.

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::OFlags;
use rustix::io::{read, write};
use rustix::pipe::{PipeFlags, pipe_with};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};
use wasi_host_core::Errno;
use wasi_host_core::stdio::{StdinStream, StdoutStream};
use wasi_host_core::stream::{StreamError, read_into};
use wasi_host_core::wait::{Wait, Waiter};
use wasi_host_native::stdio::{stderr, stdin, stdout};
use wasi_host_native::wait::Poller;

/// What no test that works ever waits for.
const LONG: Duration = Duration::from_secs(60);
const ROLE: &str = "WASI_HOST_STDIO_ROLE";

/// This program again, in another role. It speaks through standard error; standard output is the test harness's too.
fn child(role: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "the_child", "--nocapture"]).env(ROLE, role);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// What the child said, when it has ended well.
fn said(mut child: Child) -> String {
    let end = Instant::now() + LONG;
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > end {
            child.kill().unwrap();
        }
        sleep(Duration::from_millis(5));
    }
    let out = child.wait_with_output().unwrap();
    let said = String::from_utf8(out.stderr).unwrap();
    assert!(out.status.success(), "{:?}: {said}", out.status);
    said
}

/// Neither end goes to a child that was not given it: it would keep the pipe open.
fn pipe() -> rustix::io::Result<(OwnedFd, OwnedFd)> {
    pipe_with(PipeFlags::CLOEXEC)
}

fn is_nonblocking(fd: impl AsFd) -> bool {
    rustix::fs::fcntl_getfl(fd).unwrap().contains(OFlags::NONBLOCK)
}

fn pause(wait: Wait<'_>) {
    Poller::default().any(&[wait], &mut [], &mut Vec::new()).unwrap();
}

#[test]
fn the_child() {
    match std::env::var(ROLE).as_deref() {
        Err(_) => return,
        Ok("copy") => copy(),
        Ok("three bytes") => three_bytes(),
        Ok("two threads") => two_threads(),
        #[cfg(feature = "async")]
        Ok("two tasks") => two_tasks(),
        Ok("write until it fails") => write_until_it_fails(),
        Ok("write") => write_all(),
        Ok("terminals") => {
            eprint!("{} {} {}", stdin().isatty(), stdout().isatty(), stderr().isatty());
        }
        Ok(role) => panic!("{role}?"),
    }
    std::process::exit(0);
}

/// Says what it reads.
fn copy() {
    let mut stream = stdin().stream();
    let mut buffer = [0; 1000];
    let mut out = stderr().stream();
    loop {
        match read_into(&mut *stream, &mut buffer).unwrap() {
            None => pause(stream.wait()),
            Some(0) => break,
            Some(n) => {
                let mut bytes = &buffer[..n];
                while !bytes.is_empty() {
                    match out.write_some(bytes).unwrap() {
                        0 => pause(out.wait()),
                        n => bytes = &bytes[n..],
                    }
                }
            }
        }
    }
}

#[test]
fn input_from_a_pipe_whose_flags_stay() {
    let (r, w) = pipe().unwrap();
    let same_file = r.try_clone().unwrap();
    let child = child("copy").stdin(Stdio::from(r)).spawn().unwrap();
    for part in [&b"one "[..], b"two ", b"three"] {
        sleep(Duration::from_millis(20));
        write(&w, part).unwrap();
        assert!(!is_nonblocking(&same_file));
    }
    drop(w);
    assert_eq!(said(child), "one two three");
    assert!(!is_nonblocking(&same_file));
}

#[test]
fn input_from_a_file_goes_on_where_it_stands() {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"skipped and read").unwrap();
    file.seek(SeekFrom::Start(8)).unwrap();
    let same_file = file.try_clone().unwrap();
    assert_eq!(said(child("copy").stdin(Stdio::from(file)).spawn().unwrap()), "and read");
    assert!(!is_nonblocking(same_file));
}

#[test]
fn input_from_nothing() {
    assert_eq!(said(child("copy").stdin(Stdio::null()).spawn().unwrap()), "");
    // A shell closes it; what then becomes of it, the child's own start decides.
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "exec \"$0\" --exact the_child --nocapture 0<&-"])
        .arg(std::env::current_exe().unwrap());
    shell.env(ROLE, "copy").stdout(Stdio::null()).stderr(Stdio::piped());
    assert_eq!(said(shell.spawn().unwrap()), "");
}

#[test]
fn input_from_a_socket() {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let child = child("copy").stdin(Stdio::from(OwnedFd::from(theirs))).spawn().unwrap();
    sleep(Duration::from_millis(20));
    write(&ours, b"hello").unwrap();
    drop(ours);
    assert_eq!(said(child), "hello");
}

/// The two ends of a new terminal.
fn terminal() -> (OwnedFd, File) {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let slave = rustix::fs::open(name.as_c_str(), OFlags::RDWR | OFlags::NOCTTY, rustix::fs::Mode::empty());
    (master, File::from(slave.unwrap()))
}

#[test]
fn input_from_a_terminal_whose_flags_stay() {
    let (master, slave) = terminal();
    let same_file = slave.try_clone().unwrap();
    let child = child("copy").stdin(Stdio::from(slave)).spawn().unwrap();
    for line in [&b"one\n"[..], b"two\n"] {
        sleep(Duration::from_millis(20));
        write(&master, line).unwrap();
        assert!(!is_nonblocking(&same_file));
    }
    // Control-D, at the beginning of a line.
    write(&master, &[4]).unwrap();
    assert_eq!(said(child), "one\ntwo\n");
    assert!(!is_nonblocking(same_file));
}

#[test]
fn what_is_a_terminal() {
    let (_master, slave) = terminal();
    let mut command = child("terminals");
    command.stdin(Stdio::from(slave.try_clone().unwrap())).stdout(Stdio::from(slave));
    assert_eq!(said(command.spawn().unwrap()), "true true false");
    assert_eq!(said(child("terminals").spawn().unwrap()), "false false false");
}

/// Reads three bytes, in three ways, and leaves the others.
fn three_bytes() {
    let mut stream = stdin().stream();
    pause(stream.wait());
    assert_eq!(stream.read(0).unwrap(), "");
    assert_eq!(stream.read_into(&mut []).unwrap(), 0);
    eprint!("{}", String::from_utf8_lossy(&stream.read(1).unwrap()));
    let mut byte = [0];
    assert_eq!(stdin().stream().read_into(&mut byte).unwrap(), 1);
    assert_eq!(stream.skip(1).unwrap(), 1);
    eprint!("{}", char::from(byte[0]));
}

#[test]
fn no_more_is_read_than_was_asked_for() {
    let (r, w) = pipe().unwrap();
    let same_file = r.try_clone().unwrap();
    write(&w, b"12345").unwrap();
    assert_eq!(said(child("three bytes").stdin(Stdio::from(r)).spawn().unwrap()), "12");
    let mut rest = [0; 8];
    assert_eq!(read(same_file, &mut rest), Ok(2));
    assert_eq!(&rest[..2], b"45");
}

/// Each tries all the time. Who blocked would wait for a byte that comes only when both have stopped.
fn two_threads() {
    static TAKEN: AtomicUsize = AtomicUsize::new(0);
    let reader = || {
        let mut stream = stdin().stream();
        let mut byte = [0];
        let mut idle = 0;
        while idle < 2000 {
            let n = stream.read_into(&mut byte).unwrap();
            TAKEN.fetch_add(n, Ordering::Relaxed);
            idle = if TAKEN.load(Ordering::Relaxed) < 3000 { 0 } else { idle + 1 };
        }
    };
    thread::scope(|s| {
        s.spawn(reader);
        s.spawn(reader);
    });
    eprint!("{}", TAKEN.load(Ordering::Relaxed));
}

#[test]
fn threads_that_share_input_do_not_block_each_other() {
    let (r, w) = pipe().unwrap();
    let child = child("two threads").stdin(Stdio::from(r)).spawn().unwrap();
    for n in 0..3000 {
        write(&w, b"x").unwrap();
        if n % 100 == 0 {
            sleep(Duration::from_millis(1));
        }
    }
    assert_eq!(said(child), "3000");
    drop(w);
}

/// Two stores on one thread: if one blocked, the other's clock would stop.
#[cfg(feature = "async")]
fn two_tasks() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let reader = || async {
        let mut stream = stdin().stream();
        let mut taken = 0;
        loop {
            match stream.blocking_read(1).await {
                Ok(bytes) => taken += bytes.len(),
                Err(StreamError::Closed) => return taken,
                Err(e) => panic!("{e}"),
            }
        }
    };
    let taken = runtime.block_on(async {
        let begin = Instant::now();
        let clock = tokio::spawn(async {
            let mut ticks = 0;
            loop {
                tokio::time::sleep(Duration::from_millis(10)).await;
                ticks += 1;
                if ticks == 20 {
                    eprint!("tick ");
                }
            }
        });
        let (a, b) = (tokio::spawn(reader()), tokio::spawn(reader()));
        let taken = a.await.unwrap() + b.await.unwrap();
        assert!(begin.elapsed() < LONG);
        clock.abort();
        taken
    });
    eprint!("{taken}");
}

#[cfg(feature = "async")]
#[test]
fn tasks_that_share_input_do_not_block_each_other() {
    let (r, w) = pipe().unwrap();
    let same_file = r.try_clone().unwrap();
    let mut child = child("two tasks").stdin(Stdio::from(r)).spawn().unwrap();
    for _ in 0..100 {
        write(&w, b"x").unwrap();
        sleep(Duration::from_millis(1));
    }
    // Nothing comes; the clock of the child's only thread goes on, and the end comes only when it has said so.
    let mut tick = [0; 5];
    child.stderr.as_mut().unwrap().read_exact(&mut tick).unwrap();
    assert!(!is_nonblocking(&same_file));
    write(&w, &[b'x'; 400]).unwrap();
    drop(w);
    assert_eq!(said(child), "500");
    assert_eq!(&tick, b"tick ");
}

fn write_until_it_fails() {
    let mut stream = stdout().stream();
    let failure = loop {
        match stream.write_some(&[b'x'; 100]) {
            Ok(0) => pause(stream.wait()),
            Ok(_) => {}
            Err(e) => break e,
        }
    };
    assert_eq!(failure.number().unwrap(), Errno::Pipe);
    assert!(matches!(stream.check_write().and_then(|_| stream.write_from(b"x")), Err(StreamError::Closed)));
    eprint!("broken");
}

#[test]
fn output_that_nobody_reads_any_more() {
    let mut child = child("write until it fails").stdout(Stdio::piped()).spawn().unwrap();
    let mut some = [0; 20_000];
    child.stdout.take().unwrap().read_exact(&mut some).unwrap();
    assert_eq!(said(child), "broken");
}

/// Fills the pipe as far as it may, says so, then writes the rest of a mebibyte.
fn write_all() {
    let mut stream = stdout().stream();
    let mut left = 1 << 20;
    let mut full = false;
    while left > 0 {
        let permit = stream.check_write().unwrap().min(left);
        assert!(permit <= 4096, "{permit}");
        if permit == 0 {
            if !full {
                eprint!("full ");
                full = true;
            }
            pause(stream.wait());
        }
        stream.write_from(&vec![b'.'; permit]).unwrap();
        left -= permit;
    }
    stream.flush().unwrap();
    drop(stream);
    eprint!("done");
}

#[test]
fn output_into_a_pipe_never_blocks_and_loses_nothing() {
    for nonblocking in [false, true] {
        let (r, w) = pipe().unwrap();
        let same_file = w.try_clone().unwrap();
        if nonblocking {
            rustix::fs::fcntl_setfl(&w, OFlags::NONBLOCK | OFlags::WRONLY).unwrap();
        }
        let mut command = child("write");
        let mut child = command.stdout(Stdio::from(w)).spawn().unwrap();
        // The command keeps a copy of the pipe's end.
        drop(command);
        let mut full = [0; 5];
        child.stderr.as_mut().unwrap().read_exact(&mut full).unwrap();
        assert_eq!(&full, b"full ");
        assert_eq!(is_nonblocking(&same_file), nonblocking);
        drop(same_file);
        let mut all = Vec::new();
        File::from(r).read_to_end(&mut all).unwrap();
        assert_eq!(all.iter().filter(|&&b| b == b'.').count(), 1 << 20);
        assert_eq!(said(child), "done");
    }
}
