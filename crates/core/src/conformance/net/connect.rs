//! How connections come about, or do not.

use super::Here;
use crate::Errno;
use crate::conformance::check::{equal, fails, holds, ok};
use crate::fs::Interest;

super::list!("connect":
    addresses_of_both_ends,
    from_an_address_of_ones_own,
    to_a_listener_at_every_address,
    refused_where_nobody_listens,
    refused_where_nobody_listens_any_more,
    once_connected,
    bind_afterwards,
    to_the_other_family,
    a_listener_does_not_connect,
    two_threads,
);

fn addresses_of_both_ends(here: &Here) {
    let (listener, addr) = here.listener();
    let client = here.connect(addr);
    let (server, from) = here.accept(&*listener);
    let local = ok("the client's local_addr", client.local_addr());
    equal("the client's address", local.ip(), addr.ip());
    holds("the client has no port", local.port() != 0);
    equal("the client's peer", client.peer_addr(), Ok(addr));
    equal("the server's address", server.local_addr(), Ok(addr));
    equal("the server's peer", server.peer_addr(), Ok(local));
    equal("whence it came", from, local);
    equal("the listener's address", listener.local_addr(), Ok(addr));
    holds("a connection listens", !client.is_listening() && !server.is_listening());
}

fn from_an_address_of_ones_own(here: &Here) {
    let (listener, addr) = here.listener();
    let (client, local) = here.bound();
    ok("connect", here.try_connect(&*client, addr));
    equal("the client's address", client.local_addr(), Ok(local));
    equal("whence it came", here.accept(&*listener).1, local);
}

fn to_a_listener_at_every_address(here: &Here) {
    let listener = here.tcp();
    ok("bind", listener.bind(here.anywhere()));
    ok("listen", listener.listen(1));
    let addr = here.at(ok("local_addr", listener.local_addr()).port());
    let client = here.connect(addr);
    let (server, from) = here.accept(&*listener);
    equal("the server's address", server.local_addr(), Ok(addr));
    equal("whence it came", Ok(from), client.local_addr());
}

fn refused_where_nobody_listens(here: &Here) {
    let (_bound, addr) = here.bound();
    fails("connect", here.try_connect(&*here.tcp(), addr), &[Errno::ConnRefused]);
}

fn refused_where_nobody_listens_any_more(here: &Here) {
    let (listener, addr) = here.listener();
    let client = here.connect(addr);
    let server = here.accept(&*listener);
    // Nobody else is given the port meanwhile.
    drop(listener);
    let keeper = here.tcp();
    ok("bind", keeper.bind(addr));
    fails("connect", here.try_connect(&*here.tcp(), addr), &[Errno::ConnRefused]);
    drop((client, server));
}

fn once_connected(here: &Here) {
    let pair = here.pair();
    let addr = ok("peer_addr", pair.client.peer_addr());
    fails("connect once more", pair.client.connect(addr), &[Errno::IsConn]);
    fails("connect what was accepted", pair.server.connect(addr), &[Errno::IsConn]);
    fails("listen", pair.client.listen(1), &[Errno::Inval]);
    fails("accept", pair.client.accept().map(drop), &[Errno::Inval]);
    holds("not ready to send", here.is_ready(pair.client.wait(Interest::Write)));
    holds("ready to receive", !here.is_ready(pair.client.wait(Interest::Read)));
}

fn bind_afterwards(here: &Here) {
    let pair = here.pair();
    fails("bind", pair.client.bind(here.at(0)), &[Errno::Inval]);
    fails("bind what was accepted", pair.server.bind(here.at(0)), &[Errno::Inval]);
}

fn to_the_other_family(here: &Here) {
    let mut addr = here.foreign();
    addr.set_port(1);
    fails("connect", here.try_connect(&*here.tcp(), addr), &[Errno::AfNoSupport, Errno::Inval]);
}

fn a_listener_does_not_connect(here: &Here) {
    let (listener, addr) = here.listener();
    fails("connect", listener.connect(addr), &[Errno::IsConn, Errno::Inval]);
    holds("it does not listen any more", listener.is_listening());
    let _client = here.connect(addr);
    here.accept(&*listener);
}

fn two_threads(here: &Here) {
    let (listener, addr) = here.listener();
    std::thread::scope(|threads| {
        threads.spawn(|| {
            for i in 0..50u8 {
                let (server, _) = here.accept(&*listener);
                equal("the question", here.recv(&*server, 3), vec![i; 3]);
                here.send(&*server, &[!i; 2]);
            }
        });
        for i in 0..50u8 {
            let client = here.connect(addr);
            here.send(&*client, &[i; 3]);
            equal("the answer", here.recv(&*client, 2), vec![!i; 2]);
        }
    });
}
