//! What a TCP socket does in which state, before it speaks to anybody.

use super::Here;
use super::here::{recv_now, send_now};
use crate::Errno;
use crate::conformance::check::{equal, fails, holds, ok};
use crate::net::{Shutdown, TcpSocket};

super::list!("states":
    a_new_socket_has_no_addresses,
    bind_to_port_0_gives_one,
    bind_to_a_port,
    bind_to_every_address,
    bind_twice,
    bind_where_somebody_listens,
    bind_to_what_is_not_here,
    bind_to_the_other_family,
    ports_come_free,
    without_a_connection,
    two_sockets_have_two_ports,
);

fn a_new_socket_has_no_addresses(here: &Here) {
    let socket = here.tcp();
    equal("the local port", socket.local_addr().map_or(0, |addr| addr.port()), 0);
    fails("peer_addr", socket.peer_addr(), &[Errno::NotConn]);
    holds("it listens", !socket.is_listening());
}

fn bind_to_port_0_gives_one(here: &Here) {
    let (_socket, addr) = here.bound();
    equal("the address", addr.ip(), here.at(0).ip());
    holds("the port is 0", addr.port() != 0);
}

fn bind_to_a_port(here: &Here) {
    let (first, addr) = here.bound();
    drop(first);
    let second = here.tcp();
    ok("bind", second.bind(addr));
    equal("local_addr", second.local_addr(), Ok(addr));
}

fn bind_to_every_address(here: &Here) {
    let socket = here.tcp();
    ok("bind", socket.bind(here.anywhere()));
    let addr = ok("local_addr", socket.local_addr());
    holds("the address is a certain one", addr.ip().is_unspecified());
    holds("the port is 0", addr.port() != 0);
}

fn bind_twice(here: &Here) {
    let (socket, addr) = here.bound();
    fails("bind once more", socket.bind(here.at(0)), &[Errno::Inval]);
    equal("local_addr", socket.local_addr(), Ok(addr));
}

fn bind_where_somebody_listens(here: &Here) {
    let (_listener, addr) = here.listener();
    let other = here.tcp();
    fails("bind", other.bind(addr), &[Errno::AddrInUse]);
    let mut everywhere = here.anywhere();
    everywhere.set_port(addr.port());
    fails("bind to every address", other.bind(everywhere), &[Errno::AddrInUse]);
    ok("bind to another port", other.bind(here.at(0)));
}

fn bind_to_what_is_not_here(here: &Here) {
    let socket = here.tcp();
    fails("bind", socket.bind(here.elsewhere()), &[Errno::AddrNotAvail]);
    ok("bind to another address", socket.bind(here.at(0)));
}

fn bind_to_the_other_family(here: &Here) {
    let socket = here.tcp();
    fails("bind", socket.bind(here.foreign()), &[Errno::AfNoSupport, Errno::Inval]);
}

fn ports_come_free(here: &Here) {
    let (listener, addr) = here.listener();
    let client = here.connect(addr);
    let (server, _) = here.accept(&*listener);
    drop(listener);
    let again = here.tcp();
    ok("bind while a connection is left", again.bind(addr));
    ok("listen while a connection is left", again.listen(1));
    drop((client, server, again));
    let again = here.tcp();
    ok("bind when all are gone", again.bind(addr));
    ok("listen when all are gone", again.listen(1));
}

fn without_a_connection(here: &Here) {
    let all_refuse = |what: &str, socket: &dyn TcpSocket| {
        fails(format_args!("{what}: recv"), recv_now(socket, 1), &[Errno::NotConn]);
        fails(format_args!("{what}: send"), send_now(socket, b"x"), &[Errno::Pipe, Errno::NotConn]);
        fails(format_args!("{what}: peer_addr"), socket.peer_addr(), &[Errno::NotConn]);
    };
    let (listener, _) = here.listener();
    all_refuse("listening", &*listener);
    let (bound, _) = here.bound();
    for (what, socket) in [("bound", bound), ("new", here.tcp())] {
        all_refuse(what, &*socket);
        fails(format_args!("{what}: accept"), socket.accept().map(drop), &[Errno::Inval]);
        for how in [Shutdown::Receive, Shutdown::Send, Shutdown::Both] {
            fails(format_args!("{what}: shutdown {how:?}"), socket.shutdown(how), &[Errno::NotConn]);
        }
    }
}

fn two_sockets_have_two_ports(here: &Here) {
    let (_a, first) = here.bound();
    let (_b, second) = here.bound();
    holds("both have the same", first != second);
}
