//! Bytes that go to and fro.

use super::Here;
use super::here::{nothing_yet, pattern, send_now};
use crate::Errno;
use crate::conformance::check::{equal, fails, holds, ok};
use crate::fs::Interest;
use std::io::{IoSlice, IoSliceMut};

super::list!("data":
    both_ways,
    in_pieces,
    into_several_buffers,
    nothing_is_sent_at_once,
    peeking,
    who_waits_is_woken,
    a_peer_that_does_not_receive,
    a_lot_between_two_threads,
);

/// More than any network holds for one connection.
const TOO_MUCH: usize = 64 << 20;

fn both_ways(here: &Here) {
    let pair = here.pair();
    nothing_yet(&*pair.client);
    nothing_yet(&*pair.server);
    here.send(&*pair.client, b"ping");
    equal("the question", here.recv(&*pair.server, 4), b"ping".to_vec());
    here.send(&*pair.server, b"pong");
    equal("the answer", here.recv(&*pair.client, 4), b"pong".to_vec());
    nothing_yet(&*pair.client);
    nothing_yet(&*pair.server);
}

fn in_pieces(here: &Here) {
    let pair = here.pair();
    for piece in [&b"ab"[..], b"c", b"def"] {
        here.send(&*pair.client, piece);
    }
    equal("the first", here.recv(&*pair.server, 1), b"a".to_vec());
    equal("the others", here.recv(&*pair.server, 5), b"bcdef".to_vec());
}

fn into_several_buffers(here: &Here) {
    let pair = here.pair();
    let sent = pair.client.send(&[IoSlice::new(b"abc"), IoSlice::new(b""), IoSlice::new(b"def")]);
    let sent = ok("send", sent);
    holds("nothing was sent", (1..=6).contains(&sent));
    here.send(&*pair.client, &b"abcdef"[sent..]);
    here.wait(pair.server.wait(Interest::Read));
    let (mut first, mut second) = ([0; 2], [0; 10]);
    let n = pair.server.recv(&mut [IoSliceMut::new(&mut first), IoSliceMut::new(&mut second)], false);
    let n = ok("recv", n);
    let mut got = [&first[..n.min(2)], &second[..n.saturating_sub(2)]].concat();
    got.extend(here.recv(&*pair.server, 6 - n));
    equal("all of it", got, b"abcdef".to_vec());
}

fn nothing_is_sent_at_once(here: &Here) {
    let pair = here.pair();
    equal("send of nothing", send_now(&*pair.client, b""), Ok(0));
    nothing_yet(&*pair.server);
}

fn peeking(here: &Here) {
    let pair = here.pair();
    here.send(&*pair.client, b"look");
    here.wait(pair.server.wait(Interest::Read));
    for _ in 0..3 {
        let mut bytes = [0; 2];
        equal("peek", pair.server.recv(&mut [IoSliceMut::new(&mut bytes)], true), Ok(2));
        equal("what is seen", bytes, *b"lo");
        holds("it is not ready any more", here.is_ready(pair.server.wait(Interest::Read)));
    }
    equal("what is received", here.recv(&*pair.server, 4), b"look".to_vec());
    let mut bytes = [0; 2];
    let peeked = pair.server.recv(&mut [IoSliceMut::new(&mut bytes)], true);
    fails("peek at nothing", peeked, &[Errno::Again]);
}

fn who_waits_is_woken(here: &Here) {
    let pair = here.pair();
    std::thread::scope(|threads| {
        let server = threads.spawn(|| here.recv(&*pair.server, 5));
        here.pause();
        here.send(&*pair.client, b"hello");
        equal("what came", server.join().ok(), Some(b"hello".to_vec()));
    });
}

fn a_peer_that_does_not_receive(here: &Here) {
    let pair = here.pair();
    let bytes = pattern(64 << 10);
    let mut sent = 0;
    loop {
        match send_now(&*pair.client, &bytes[sent % bytes.len()..]) {
            Ok(n) => {
                holds("send took nothing", n > 0);
                sent += n;
            }
            // Room may still be made, by what is on its way.
            Err(Errno::Again) if here.is_ready(pair.client.wait(Interest::Write)) => {}
            full => {
                fails("send", full, &[Errno::Again]);
                break;
            }
        }
        holds("what nobody receives has no bound", sent < TOO_MUCH);
    }
    let mut received = 0;
    while received < sent {
        let got = here.recv(&*pair.server, (sent - received).min(5_000));
        let expected = bytes.iter().cycle().skip(received % bytes.len()).take(got.len());
        holds("something else came", got.iter().eq(expected));
        received += got.len();
    }
    nothing_yet(&*pair.server);
    here.wait(pair.client.wait(Interest::Write));
    here.send(&*pair.client, b"more");
    equal("more", here.recv(&*pair.server, 4), b"more".to_vec());
}

fn a_lot_between_two_threads(here: &Here) {
    let pair = here.pair();
    let bytes = pattern(1 << 20);
    std::thread::scope(|threads| {
        threads.spawn(|| here.send(&*pair.client, &bytes));
        threads.spawn(|| here.send(&*pair.server, &bytes[..1 << 19]));
        let server = threads.spawn(|| here.recv(&*pair.server, bytes.len()));
        let client = here.recv(&*pair.client, 1 << 19);
        holds("something else came to the client", client == bytes[..1 << 19]);
        holds("something else came to the server", server.join().is_ok_and(|got| got == bytes));
    });
}
