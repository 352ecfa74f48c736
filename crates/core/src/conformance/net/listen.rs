//! Sockets that listen.

use super::Here;
use super::here::nothing_yet;
use crate::Errno;
use crate::conformance::check::{equal, fails, holds, ok};
use crate::fs::Interest;

super::list!("listen":
    nobody_has_come,
    who_waits_is_woken,
    several_come_at_once,
    one_who_has_gone_again,
    what_was_not_accepted_is_ended,
    a_longer_queue,
    two_at_one_address,
);

fn nobody_has_come(here: &Here) {
    let (listener, _) = here.listener();
    holds("it does not listen", listener.is_listening());
    fails("accept", listener.accept().map(drop), &[Errno::Again]);
    holds("it is ready", !here.is_ready(listener.wait(Interest::Read)));
}

fn who_waits_is_woken(here: &Here) {
    let (listener, addr) = here.listener();
    std::thread::scope(|threads| {
        let server = threads.spawn(|| here.accept(&*listener).1);
        here.pause();
        let client = here.connect(addr);
        equal("whence it came", server.join().ok(), client.local_addr().ok());
    });
}

fn several_come_at_once(here: &Here) {
    let (listener, addr) = here.listener();
    let clients: Vec<_> = (0..20).map(|_| here.connect(addr)).collect();
    for client in &clients {
        let (_, from) = here.accept(&*listener);
        equal("the order", Ok(from), client.local_addr());
    }
    fails("accept", listener.accept().map(drop), &[Errno::Again]);
}

fn one_who_has_gone_again(here: &Here) {
    let (listener, addr) = here.listener();
    let client = here.connect(addr);
    here.send(&*client, b"good-bye");
    drop(client);
    let (server, _) = here.accept(&*listener);
    equal("what it said", here.recv(&*server, 8), b"good-bye".to_vec());
    equal("the end", here.try_recv(&*server, 1), Ok(Vec::new()));
}

fn what_was_not_accepted_is_ended(here: &Here) {
    let (listener, addr) = here.listener();
    let client = here.connect(addr);
    nothing_yet(&*client);
    drop(listener);
    match here.try_recv(&*client, 1) {
        Ok(end) => equal("the end", end, Vec::new()),
        end => fails("recv", end, &[Errno::ConnReset]),
    }
}

fn a_longer_queue(here: &Here) {
    let (listener, addr) = here.listener();
    ok("listen once more", listener.listen(1));
    ok("listen to more than there can be", listener.listen(u32::MAX));
    let _client = here.connect(addr);
    here.accept(&*listener);
}

fn two_at_one_address(here: &Here) {
    let (socket, addr) = here.bound();
    let other = here.tcp();
    // Who does not listen may share an address, or may not.
    match other.bind(addr) {
        Ok(()) => {
            ok("the first listens", socket.listen(1));
            fails("the second listens", other.listen(1), &[Errno::AddrInUse]);
        }
        refused => fails("bind", refused, &[Errno::AddrInUse]),
    }
}
