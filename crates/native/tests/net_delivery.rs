//! Streams of connections: permits, and that bytes accepted are delivered.

mod sockets;

use sockets::*;
use std::thread;
use wasi_host_core::net::{Drained, Shutdown, Sockets, TcpInput, TcpOutput, Undelivered};
use wasi_host_core::stream::{HostInputStream, HostOutputStream, StreamError, Subscribe};
use wasi_host_core::wait::{Wait, Waiter};
use wasi_host_core::{Errno, stream};
use wasi_host_native::wait::Poller;

/// Bytes that tell where they belong.
fn pattern(n: usize, from: usize) -> Vec<u8> {
    (from..from + n).map(|i| (i % 251) as u8).collect()
}

/// Writes until some of it is left over, which needs that nobody reads; how much was accepted.
fn fill(output: &mut TcpOutput) -> usize {
    let mut accepted = 0;
    loop {
        assert!(accepted < 256 << 20, "somebody reads");
        match output.check_write().unwrap() {
            0 => return accepted,
            n => {
                output.write_from(&pattern(n, accepted)).unwrap();
                accepted += n;
            }
        }
    }
}

/// Receives all until the end.
fn received(mut input: TcpInput) -> Vec<u8> {
    let mut all = Vec::new();
    while let Some(bytes) = read(&mut input) {
        all.extend(bytes);
    }
    all
}

/// What a host does when the guest is gone.
fn deliver(undelivered: &Undelivered) {
    while !undelivered.is_empty() {
        let pending = undelivered.pending();
        let waits: Vec<Wait<'_>> = pending.iter().map(|o| o.wait()).collect();
        let mut ended = Vec::new();
        Poller::default().any(&waits, &mut [], &mut ended).unwrap();
        for event in ended {
            assert_ne!(pending[event.index].drain(), Drained::Failed);
        }
    }
}

#[test]
fn what_was_accepted_arrives_though_stream_and_socket_are_dropped() {
    let sockets = sockets();
    let (mut a, b) = pair(&sockets);
    let accepted = fill(&mut a.output);
    assert!(!sockets.undelivered().is_empty());
    drop(a);
    let reader = thread::spawn(|| received(b.input));
    deliver(sockets.undelivered());
    assert!(sockets.undelivered().pending().is_empty());
    assert!(reader.join().unwrap() == pattern(accepted, 0), "and then the end");
}

#[test]
fn a_shutdown_is_carried_out_after_what_was_accepted() {
    let sockets = sockets();
    let (mut a, b) = pair(&sockets);
    let accepted = fill(&mut a.output);
    a.socket.shutdown(Shutdown::Send).unwrap();
    assert!(matches!(a.output.check_write(), Err(StreamError::Closed)));
    let reader = thread::spawn(|| received(b.input));
    deliver(sockets.undelivered());
    assert!(reader.join().unwrap() == pattern(accepted, 0));
    assert_eq!(a.socket.remote_address(), b.socket.local_address(), "it is open still");
}

#[test]
fn while_something_is_left_nothing_is_permitted() {
    let sockets = sockets();
    let (mut a, mut b) = pair(&sockets);
    let mut accepted = fill(&mut a.output);
    assert_eq!(a.output.check_write().unwrap(), 0);
    assert!(!is_ready(a.output.wait()));
    assert_eq!(a.output.write_some(b"x").unwrap(), 0);
    a.output.flush().unwrap();
    let mut all = Vec::new();
    while all.len() < accepted {
        all.extend(read(&mut b.input).unwrap());
        if accepted < 8 << 20 && is_ready(a.output.wait()) {
            accepted += match a.output.check_write().unwrap() {
                0 => 0,
                n => {
                    a.output.write_from(&pattern(n, accepted)).unwrap();
                    n
                }
            };
        }
    }
    assert!(all == pattern(accepted, 0));
    // The last of it went with the last look.
    while a.output.check_write().unwrap() == 0 {
        pause(a.output.wait());
    }
    assert!(sockets.undelivered().is_empty());
    assert!(is_ready(a.output.wait()));
}

#[test]
fn a_failure_in_the_background_is_told_once_and_then_the_stream_is_closed() {
    let sockets = sockets();
    let (mut a, b) = pair(&sockets);
    fill(&mut a.output);
    // Dropped with bytes unread, so that the other side is reset.
    drop(b);
    let pending = sockets.undelivered().pending();
    assert_eq!(pending.len(), 1);
    pause(pending[0].wait());
    assert_eq!(pending[0].drain(), Drained::Failed);
    assert!(sockets.undelivered().is_empty());
    assert!(is_ready(a.output.wait()));
    let Err(StreamError::LastOperationFailed(e)) = a.output.check_write() else { panic!("not told") };
    assert_eq!(stream::errno(&e), Errno::ConnReset);
    assert!(matches!(a.output.check_write(), Err(StreamError::Closed)));
    assert!(matches!(a.output.write_some(b"x"), Err(StreamError::Closed)));
    a.socket.shutdown(Shutdown::Both).unwrap();
}

#[test]
fn the_end_of_a_stream_waits_for_what_was_accepted() {
    let sockets = sockets();
    let (mut a, b) = pair(&sockets);
    let accepted = fill(&mut a.output);
    a.output.end().unwrap();
    assert_eq!(a.output.check_write().unwrap(), 0);
    a.output.flush().unwrap();
    assert!(!is_ready(a.output.wait()));
    assert!(matches!(a.output.write_from(b"x"), Err(StreamError::Trap(_))));
    let reader = thread::spawn(|| received(b.input));
    deliver(sockets.undelivered());
    assert!(reader.join().unwrap() == pattern(accepted, 0), "and then a FIN");
    assert!(is_ready(a.output.wait()));
    for _ in 0..2 {
        assert!(matches!(a.output.check_write(), Err(StreamError::Closed)));
        a.output.end().unwrap();
    }
}

#[test]
fn a_stream_with_nothing_left_ends_at_once_and_in_one_direction() {
    let sockets = sockets();
    let (mut a, mut b) = pair(&sockets);
    write(&mut a.output, b"last");
    a.output.end().unwrap();
    assert!(matches!(a.output.check_write(), Err(StreamError::Closed)));
    assert!(matches!(a.output.write_some(b"x"), Err(StreamError::Closed)));
    assert_eq!(read(&mut b.input).unwrap(), b"last");
    assert_eq!(read(&mut b.input), None);
    write(&mut b.output, b"back");
    assert_eq!(read(&mut a.input).unwrap(), b"back");
    // Whatever else ends it again.
    a.socket.shutdown(Shutdown::Send).unwrap();
    b.socket.shutdown(Shutdown::Send).unwrap();
    b.output.end().unwrap();
    assert!(matches!(b.output.check_write(), Err(StreamError::Closed)));
}

#[test]
fn a_connection_that_failed_before_its_end_says_so_once() {
    for left in [true, false] {
        let sockets = sockets();
        let (mut a, b) = pair(&sockets);
        if left {
            fill(&mut a.output);
        } else {
            write(&mut a.output, b"unread");
            pause(b.input.wait());
        }
        // Dropped with bytes unread, so that the other side is reset.
        drop(b);
        pause(a.input.wait());
        a.output.end().unwrap();
        let Err(StreamError::LastOperationFailed(e)) = a.output.check_write() else { panic!("not told") };
        assert_eq!(stream::errno(&e), Errno::ConnReset, "bytes left: {left}");
        assert!(matches!(a.output.check_write(), Err(StreamError::Closed)));
        a.output.end().unwrap();
        assert!(matches!(a.output.check_write(), Err(StreamError::Closed)));
    }
}

#[test]
fn an_input_may_end_its_direction_with_itself() {
    let sockets = sockets();
    let (a, mut b) = pair(&sockets);
    let Connection { mut socket, input, mut output } = a;
    write(&mut b.output, b"unread");
    drop(input.end_on_drop());
    write(&mut output, b"still");
    assert_eq!(read(&mut b.input).unwrap(), b"still");
    socket.shutdown(Shutdown::Receive).unwrap();
    output.end().unwrap();
    assert_eq!(read(&mut b.input), None);
}

#[test]
fn a_write_beyond_the_permit_is_a_trap() {
    let sockets = sockets();
    let (mut a, mut b) = pair(&sockets);
    assert!(matches!(a.output.write_from(b"x"), Err(StreamError::Trap(_))), "never asked");
    let permit = a.output.check_write().unwrap();
    let trap = a.output.write_from(&vec![0; permit + 1]);
    assert!(matches!(trap, Err(StreamError::Trap(_))));
    a.output.write_from(&vec![1; permit - 1]).unwrap();
    a.output.write_from(&[1]).unwrap();
    assert!(matches!(a.output.write_from(b"x"), Err(StreamError::Trap(_))), "used up");
    let mut n = 0;
    while n < permit {
        n += read(&mut b.input).unwrap().len();
    }
    assert_eq!(n, permit);
}

#[test]
fn a_permit_of_which_the_system_takes_a_part_still_covers_the_rest() {
    let sockets = sockets();
    let (mut a, b) = pair(&sockets);
    // Zeroes go in parts under one permit.
    let mut accepted = 0;
    while sockets.undelivered().is_empty() {
        assert!(accepted < 256 << 20, "somebody reads");
        let n = a.output.check_write().unwrap();
        a.output.write_zeroes(n).unwrap();
        accepted += n;
    }
    drop(a);
    let reader = thread::spawn(|| received(b.input));
    deliver(sockets.undelivered());
    assert_eq!(reader.join().unwrap().len(), accepted);
}

#[test]
fn writing_some_leaves_nothing_over_and_waits_for_room() {
    let sockets = sockets();
    let (mut a, mut b) = pair(&sockets);
    let mut sent = 0;
    loop {
        match a.output.write_some(&pattern(100_000, sent)).unwrap() {
            0 => break,
            n => sent += n,
        }
    }
    assert!(sockets.undelivered().is_empty());
    assert!(!is_ready(a.output.wait()));
    let mut n = 0;
    while n < sent {
        n += read(&mut b.input).unwrap().len();
    }
    pause(a.output.wait());
    assert_eq!(a.output.write_some(b"more").unwrap(), 4);
}

#[test]
fn the_end_and_what_is_not_there_yet() {
    let sockets = sockets();
    let (mut a, mut b) = pair(&sockets);
    let mut dst = [0; 4];
    assert_eq!(b.input.read_into(&mut dst).unwrap(), 0, "not yet");
    assert_eq!(b.input.read(0).unwrap(), "");
    write(&mut a.output, b"bytes");
    pause(b.input.wait());
    assert_eq!(b.input.read_into(&mut dst).unwrap(), 4);
    assert_eq!(&dst, b"byte");
    assert_eq!(b.input.read(usize::MAX).unwrap(), "s");
    drop(a);
    pause(b.input.wait());
    for _ in 0..2 {
        assert!(matches!(b.input.read_into(&mut dst), Err(StreamError::Closed)));
        assert!(is_ready(b.input.wait()));
    }
}

#[test]
fn what_is_left_when_the_context_goes_is_let_go() {
    fn descriptors() -> usize {
        std::fs::read_dir("/proc/self/fd").unwrap().count()
    }
    // In a process of its own nothing else opens any.
    if std::env::var_os("ALONE").is_none() {
        let name = "what_is_left_when_the_context_goes_is_let_go";
        let exe = std::env::current_exe().unwrap();
        let status =
            std::process::Command::new(exe).args(["--exact", name]).env("ALONE", "1").status().unwrap();
        assert!(status.success());
        return;
    }
    let before = descriptors();
    let sockets: Sockets = sockets();
    let (mut a, b) = pair(&sockets);
    fill(&mut a.output);
    let list = sockets.undelivered().clone();
    drop((a, b, sockets));
    assert_eq!(descriptors(), before + 1, "the one with bytes left");
    drop(list);
    assert_eq!(descriptors(), before);
}

#[cfg(feature = "async")]
#[tokio::test(flavor = "multi_thread")]
async fn an_asynchronous_host_drains_in_a_task() {
    let sockets = sockets();
    let (mut a, b) = pair(&sockets);
    let list = sockets.undelivered().clone();
    let task = tokio::spawn(async move {
        loop {
            let watch = list.watch();
            let pending = list.pending();
            let mut waits: Vec<Wait<'_>> = pending.iter().map(|o| o.wait()).collect();
            waits.push(Wait::Notify(watch));
            Poller::default().any_async(&waits, &mut [], &mut Vec::new()).await.unwrap();
            for outgoing in &pending {
                outgoing.drain();
            }
        }
    });
    let reader = tokio::task::spawn_blocking(|| received(b.input));
    let all = pattern(8 << 20, 0);
    for part in all.chunks(50_000) {
        while a.output.check_write().unwrap() == 0 {
            a.output.ready().await;
        }
        a.output.write_from(part).unwrap();
    }
    drop(a);
    assert!(reader.await.unwrap() == all);
    assert!(sockets.undelivered().is_empty());
    task.abort();
}
