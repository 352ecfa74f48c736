//! How connections end.

use super::Here;
use super::here::{nothing_yet, recv_now, send_now};
use crate::Errno;
use crate::conformance::check::{equal, fails, holds, ok};
use crate::fs::Interest;
use crate::net::{Shutdown, TcpSocket};

super::list!("ending":
    one_half,
    the_end_comes_after_the_rest,
    the_end_stays,
    who_waits_is_woken,
    receiving_no_more,
    both_halves,
    a_socket_that_was_dropped,
    a_socket_that_was_dropped_with_something_unread,
    sending_to_who_has_gone,
    shut_down_by_another_thread,
);

fn one_half(here: &Here) {
    let pair = here.pair();
    ok("shutdown", pair.client.shutdown(Shutdown::Send));
    fails("send", send_now(&*pair.client, b"x"), &[Errno::Pipe]);
    equal("the end", here.try_recv(&*pair.server, 8), Ok(Vec::new()));
    here.send(&*pair.server, b"still here");
    equal("the other half", here.recv(&*pair.client, 10), b"still here".to_vec());
    nothing_yet(&*pair.client);
    ok("shutdown once more", pair.client.shutdown(Shutdown::Send));
    ok("shutdown of the other half", pair.server.shutdown(Shutdown::Send));
    equal("the other end", here.try_recv(&*pair.client, 8), Ok(Vec::new()));
}

fn the_end_comes_after_the_rest(here: &Here) {
    let pair = here.pair();
    here.send(&*pair.client, b"the rest");
    ok("shutdown", pair.client.shutdown(Shutdown::Send));
    equal("the rest", here.recv(&*pair.server, 8), b"the rest".to_vec());
    equal("the end", here.try_recv(&*pair.server, 8), Ok(Vec::new()));
}

fn the_end_stays(here: &Here) {
    let pair = here.pair();
    ok("shutdown", pair.client.shutdown(Shutdown::Send));
    for _ in 0..3 {
        equal("the end", here.try_recv(&*pair.server, 8), Ok(Vec::new()));
        holds("the end is not ready", here.is_ready(pair.server.wait(Interest::Read)));
    }
}

fn who_waits_is_woken(here: &Here) {
    let pair = here.pair();
    std::thread::scope(|threads| {
        let server = threads.spawn(|| here.try_recv(&*pair.server, 1));
        here.pause();
        ok("shutdown", pair.client.shutdown(Shutdown::Send));
        equal("the end", server.join().ok(), Some(Ok(Vec::new())));
    });
}

fn receiving_no_more(here: &Here) {
    let pair = here.pair();
    ok("shutdown", pair.server.shutdown(Shutdown::Receive));
    equal("the end", here.try_recv(&*pair.server, 8), Ok(Vec::new()));
    here.send(&*pair.server, b"still here");
    equal("the other half", here.recv(&*pair.client, 10), b"still here".to_vec());
}

fn both_halves(here: &Here) {
    let pair = here.pair();
    ok("shutdown", pair.client.shutdown(Shutdown::Both));
    equal("the end", here.try_recv(&*pair.client, 8), Ok(Vec::new()));
    fails("send", send_now(&*pair.client, b"x"), &[Errno::Pipe]);
    equal("the end on the other side", here.try_recv(&*pair.server, 8), Ok(Vec::new()));
}

fn a_socket_that_was_dropped(here: &Here) {
    let pair = here.pair();
    here.send(&*pair.client, b"last words");
    drop(pair.client);
    equal("last words", here.recv(&*pair.server, 10), b"last words".to_vec());
    equal("the end", here.try_recv(&*pair.server, 8), Ok(Vec::new()));
}

fn a_socket_that_was_dropped_with_something_unread(here: &Here) {
    let pair = here.pair();
    here.send(&*pair.server, b"unread");
    here.wait(pair.client.wait(Interest::Read));
    drop(pair.client);
    // What was not received is lost, and the peer may be told so.
    match here.try_recv(&*pair.server, 8) {
        Ok(end) => equal("the end", end, Vec::new()),
        end => fails("recv", end, &[Errno::ConnReset]),
    }
}

/// The failure of sending, which comes when the other side has said that it is no more.
fn failure(here: &Here, socket: &dyn TcpSocket) -> Option<Errno> {
    for _ in 0..1000 {
        if let Err(e) = send_now(socket, b"x") {
            return Some(e);
        }
        here.pause();
    }
    None
}

fn sending_to_who_has_gone(here: &Here) {
    let pair = here.pair();
    drop(pair.client);
    let failed = failure(here, &*pair.server);
    let expected = [Some(Errno::Pipe), Some(Errno::ConnReset)];
    holds(format_args!("send said {failed:?}"), expected.contains(&failed));
    // Once told that it was reset, it is at its end.
    let _ = recv_now(&*pair.server, 1);
    equal("the end", here.try_recv(&*pair.server, 8), Ok(Vec::new()));
    fails("send once more", send_now(&*pair.server, b"x"), &[Errno::Pipe]);
    holds("not ready", here.is_ready(pair.server.wait(Interest::Write)));
}

fn shut_down_by_another_thread(here: &Here) {
    let pair = here.pair();
    std::thread::scope(|threads| {
        let client = threads.spawn(|| here.try_recv(&*pair.client, 1));
        let listener = threads.spawn(|| here.wait(pair.listener.wait(Interest::Read)));
        here.pause();
        ok("shutdown", pair.client.shutdown(Shutdown::Both));
        equal("the end", client.join().ok(), Some(Ok(Vec::new())));
        ok("shutdown of who listens", pair.listener.shutdown(Shutdown::Both));
        holds("the listener's waiting did not end", listener.join().is_ok());
    });
}
