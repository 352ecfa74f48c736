//! `wasi:sockets/tcp`: states, addresses and options. This program is both ends of each connection,
//! on loopback.

#[macro_use]
mod check;
mod net;

use check::Check;
use net::{accept, bound, connect, connected, listening, loopback, other, port, read_exactly, show};
use net::{unspecified, v4, v6, wait, write_all, BUSY, FAMILIES};
use wasip2::sockets::instance_network::instance_network;
use wasip2::sockets::network::{ErrorCode, IpAddressFamily, IpSocketAddress};
use wasip2::sockets::tcp::{ShutdownType, TcpSocket};
use wasip2::sockets::tcp_create_socket::create_tcp_socket;

const SECOND: u64 = 1_000_000_000;

/// Every operation that nothing is in progress for.
fn nothing_in_progress(socket: &TcpSocket) -> Check {
    fails!(socket.finish_bind(), ErrorCode::NotInProgress);
    fails!(socket.finish_listen(), ErrorCode::NotInProgress);
    fails!(socket.finish_connect(), ErrorCode::NotInProgress);
    Ok(())
}

fn no_shutdown(socket: &TcpSocket) -> Check {
    for how in [ShutdownType::Receive, ShutdownType::Send, ShutdownType::Both] {
        fails!(socket.shutdown(how), ErrorCode::InvalidState);
    }
    Ok(())
}

fn unbound() -> Check {
    for family in FAMILIES {
        let socket = create_tcp_socket(family)?;
        equal!(socket.address_family(), family);
        holds!(!socket.is_listening());
        nothing_in_progress(&socket)?;
        no_shutdown(&socket)?;
        fails!(socket.start_listen(), ErrorCode::InvalidState);
        fails!(socket.accept(), ErrorCode::InvalidState);
        fails!(socket.local_address(), ErrorCode::InvalidState);
        fails!(socket.remote_address(), ErrorCode::InvalidState);
    }
    Ok(())
}

fn binding() -> Check {
    for family in FAMILIES {
        let (network, socket) = (instance_network(), create_tcp_socket(family)?);
        socket.start_bind(&network, loopback(family, 0))?;
        fails!(socket.start_bind(&network, loopback(family, 0)), ErrorCode::InvalidState | BUSY);
        fails!(socket.start_listen(), ErrorCode::InvalidState | BUSY);
        fails!(socket.finish_listen(), ErrorCode::NotInProgress);
        fails!(socket.finish_connect(), ErrorCode::NotInProgress);
        fails!(socket.local_address(), ErrorCode::InvalidState);
        wait(socket.subscribe(), || socket.finish_bind())?;

        nothing_in_progress(&socket)?;
        no_shutdown(&socket)?;
        holds!(!socket.is_listening());
        let address = socket.local_address()?;
        holds!(port(address) != 0);
        equal!(show(address), show(loopback(family, port(address))));
        fails!(socket.start_bind(&network, loopback(family, 0)), ErrorCode::InvalidState);
        fails!(socket.accept(), ErrorCode::InvalidState);
        fails!(socket.remote_address(), ErrorCode::InvalidState);
    }
    Ok(())
}

/// A bind that failed may be tried again with another address.
fn addresses_nobody_can_bind() -> Check {
    let network = instance_network();
    for family in FAMILIES {
        let socket = create_tcp_socket(family)?;
        let bind = |to| {
            socket.start_bind(&network, to)?;
            wait(socket.subscribe(), || socket.finish_bind())
        };
        fails!(bind(loopback(other(family), 0)), ErrorCode::InvalidArgument);
        if family == IpAddressFamily::Ipv4 {
            fails!(bind(v4(224, 0, 0, 1, 0)), ErrorCode::InvalidArgument);
            fails!(bind(v4(255, 255, 255, 255, 0)), ErrorCode::InvalidArgument);
        } else {
            fails!(bind(v6([0xff02, 0, 0, 0, 0, 0, 0, 1], 0)), ErrorCode::InvalidArgument);
            fails!(bind(v6([0, 0, 0, 0, 0, 0xffff, 0x7f00, 1], 0)), ErrorCode::InvalidArgument);
        }
        let first = listening(family)?;
        fails!(bind(first.local_address()?), ErrorCode::AddressInUse);
        bind(loopback(family, 0))?;
        holds!(port(socket.local_address()?) != port(first.local_address()?));
    }
    Ok(())
}

/// The port of a connection that was just closed can be bound again.
fn a_port_again() -> Check {
    for family in FAMILIES {
        let listener = listening(family)?;
        let address = listener.local_address()?;
        let client = connect(create_tcp_socket(family)?, address)?;
        let server = accept(&listener)?;
        server.socket.shutdown(ShutdownType::Both)?;
        drop((server, client, listener));
        bound(family, port(address))?.start_listen()?;
    }
    Ok(())
}

fn listen() -> Check {
    for family in FAMILIES {
        let network = instance_network();
        let socket = bound(family, 0)?;
        socket.start_listen()?;
        holds!(!socket.is_listening());
        fails!(socket.start_listen(), ErrorCode::InvalidState | BUSY);
        fails!(socket.accept(), ErrorCode::InvalidState | BUSY);
        fails!(socket.finish_bind(), ErrorCode::NotInProgress);
        fails!(socket.finish_connect(), ErrorCode::NotInProgress);
        wait(socket.subscribe(), || socket.finish_listen())?;

        holds!(socket.is_listening());
        nothing_in_progress(&socket)?;
        no_shutdown(&socket)?;
        fails!(socket.accept(), ErrorCode::WouldBlock);
        holds!(!socket.subscribe().ready());
        fails!(socket.start_listen(), ErrorCode::InvalidState);
        fails!(socket.start_bind(&network, loopback(family, 0)), ErrorCode::InvalidState);
        fails!(socket.start_connect(&network, loopback(family, 1)), ErrorCode::InvalidState);
        fails!(socket.remote_address(), ErrorCode::InvalidState);
    }
    Ok(())
}

fn connections() -> Check {
    for family in FAMILIES {
        let network = instance_network();
        let listener = listening(family)?;
        let arrived = listener.subscribe();
        holds!(!arrived.ready());
        let socket = create_tcp_socket(family)?;
        socket.start_connect(&network, listener.local_address()?)?;
        fails!(socket.start_bind(&network, loopback(family, 0)), ErrorCode::InvalidState | BUSY);
        fails!(socket.start_connect(&network, loopback(family, 1)), ErrorCode::InvalidState | BUSY);
        fails!(socket.start_listen(), ErrorCode::InvalidState | BUSY);
        fails!(socket.set_listen_backlog_size(1), ErrorCode::InvalidState | BUSY);
        fails!(socket.finish_bind(), ErrorCode::NotInProgress);
        fails!(socket.finish_listen(), ErrorCode::NotInProgress);
        fails!(socket.shutdown(ShutdownType::Send), ErrorCode::InvalidState);
        let (input, output) = wait(socket.subscribe(), || socket.finish_connect())?;
        arrived.block();
        holds!(arrived.ready());
        let server = accept(&listener)?;
        fails!(listener.accept(), ErrorCode::WouldBlock);

        for end in [&socket, &server.socket] {
            nothing_in_progress(end)?;
            holds!(!end.is_listening());
            equal!(end.address_family(), family);
            fails!(end.start_bind(&network, loopback(family, 0)), ErrorCode::InvalidState);
            fails!(end.start_connect(&network, loopback(family, 1)), ErrorCode::InvalidState);
            fails!(end.start_listen(), ErrorCode::InvalidState);
            fails!(end.accept(), ErrorCode::InvalidState);
            fails!(end.set_listen_backlog_size(1), ErrorCode::InvalidState);
        }
        equal!(show(socket.remote_address()?), show(listener.local_address()?));
        equal!(show(socket.remote_address()?), show(server.socket.local_address()?));
        equal!(show(server.socket.remote_address()?), show(socket.local_address()?));
        write_all(&output, b"question")?;
        equal!(read_exactly(&server.input, 8)?, b"question");
        write_all(&server.output, b"answer")?;
        equal!(read_exactly(&input, 6)?, b"answer");
    }
    Ok(())
}

/// A connection from a port of one's choice.
fn bound_first() -> Check {
    for family in FAMILIES {
        let listener = listening(family)?;
        let socket = bound(family, 0)?;
        let from = show(socket.local_address()?);
        let client = connect(socket, listener.local_address()?)?;
        equal!(show(client.socket.local_address()?), from);
        equal!(show(accept(&listener)?.socket.remote_address()?), from);
    }
    Ok(())
}

fn addresses_nobody_listens_at() -> Check {
    for family in FAMILIES {
        let connect = |to| connect(create_tcp_socket(family)?, to);
        let mut wrong = vec![loopback(other(family), 1), loopback(family, 0), unspecified(family, 1)];
        if family == IpAddressFamily::Ipv4 {
            wrong.extend([v4(224, 0, 0, 1, 1), v4(255, 255, 255, 255, 1)]);
        } else {
            wrong.push(v6([0xff02, 0, 0, 0, 0, 0, 0, 1], 1));
            wrong.push(v6([0, 0, 0, 0, 0, 0xffff, 0x7f00, 1], 1));
        }
        for to in wrong {
            fails!(connect(to), ErrorCode::InvalidArgument);
        }
    }
    Ok(())
}

/// After a failed attempt a socket is closed: nothing is possible but to drop it.
fn refused() -> Check {
    for family in FAMILIES {
        let network = instance_network();
        let nobody = bound(family, 0)?;
        let socket = create_tcp_socket(family)?;
        let attempt = || {
            socket.start_connect(&network, nobody.local_address()?)?;
            wait(socket.subscribe(), || socket.finish_connect())
        };
        fails!(attempt(), ErrorCode::ConnectionRefused);
        fails!(socket.start_bind(&network, loopback(family, 0)), ErrorCode::InvalidState);
        fails!(socket.start_listen(), ErrorCode::InvalidState);
        fails!(attempt(), ErrorCode::InvalidState);
        fails!(socket.accept(), ErrorCode::InvalidState);
        fails!(socket.remote_address(), ErrorCode::InvalidState);
        fails!(socket.finish_connect(), ErrorCode::NotInProgress | ErrorCode::InvalidState);
        no_shutdown(&socket)?;
        holds!(!socket.is_listening());
    }
    Ok(())
}

fn options_of(socket: &TcpSocket) -> Check {
    for enabled in [true, false, true] {
        socket.set_keep_alive_enabled(enabled)?;
        equal!(socket.keep_alive_enabled()?, enabled);
    }
    socket.set_keep_alive_idle_time(60 * SECOND)?;
    equal!(socket.keep_alive_idle_time()?, 60 * SECOND);
    socket.set_keep_alive_interval(30 * SECOND)?;
    equal!(socket.keep_alive_interval()?, 30 * SECOND);
    socket.set_keep_alive_count(5)?;
    equal!(socket.keep_alive_count()?, 5);
    for limit in [1, 64, 255] {
        socket.set_hop_limit(limit)?;
        equal!(socket.hop_limit()?, limit);
    }
    socket.set_receive_buffer_size(100_000)?;
    holds!(socket.receive_buffer_size()? > 0);
    socket.set_send_buffer_size(100_000)?;
    holds!(socket.send_buffer_size()? > 0);

    fails!(socket.set_keep_alive_idle_time(0), ErrorCode::InvalidArgument);
    fails!(socket.set_keep_alive_interval(0), ErrorCode::InvalidArgument);
    fails!(socket.set_keep_alive_count(0), ErrorCode::InvalidArgument);
    fails!(socket.set_hop_limit(0), ErrorCode::InvalidArgument);
    fails!(socket.set_receive_buffer_size(0), ErrorCode::InvalidArgument);
    fails!(socket.set_send_buffer_size(0), ErrorCode::InvalidArgument);
    equal!((socket.hop_limit()?, socket.keep_alive_count()?), (255, 5));

    // Any other value is taken, and brought to what is possible.
    for value in [1, u64::MAX] {
        socket.set_keep_alive_idle_time(value)?;
        holds!(socket.keep_alive_idle_time()? > 0);
        socket.set_keep_alive_interval(value)?;
        holds!(socket.keep_alive_interval()? > 0);
        socket.set_keep_alive_count(value as u32)?;
        holds!(socket.keep_alive_count()? > 0);
    }
    for value in [u64::MAX, 1] {
        socket.set_receive_buffer_size(value)?;
        holds!(socket.receive_buffer_size()? > 0);
        socket.set_send_buffer_size(value)?;
        holds!(socket.send_buffer_size()? > 0);
    }
    Ok(())
}

/// In every state.
fn options() -> Check {
    for family in FAMILIES {
        let (client, server) = connected(family)?;
        options_of(&client.socket)?;
        options_of(&server.socket)?;
        for socket in [create_tcp_socket(family)?, bound(family, 0)?, listening(family)?] {
            options_of(&socket)?;
            fails!(socket.set_listen_backlog_size(0), ErrorCode::InvalidArgument);
            for value in [1, 100, u64::MAX] {
                match socket.set_listen_backlog_size(value) {
                    Err(ErrorCode::NotSupported) if socket.is_listening() => {}
                    result => result?,
                }
            }
        }
    }
    Ok(())
}

/// What is accepted has the options of the socket that listened.
fn inherited_options() -> Check {
    for family in FAMILIES {
        let listener = listening(family)?;
        listener.set_keep_alive_enabled(true)?;
        listener.set_keep_alive_idle_time(77 * SECOND)?;
        listener.set_keep_alive_interval(33 * SECOND)?;
        listener.set_keep_alive_count(7)?;
        listener.set_hop_limit(42)?;
        listener.set_receive_buffer_size(32_768)?;
        listener.set_send_buffer_size(32_768)?;
        let _client = connect(create_tcp_socket(family)?, listener.local_address()?)?;
        let socket = accept(&listener)?.socket;
        holds!(socket.keep_alive_enabled()?);
        equal!(socket.keep_alive_idle_time()?, 77 * SECOND);
        equal!(socket.keep_alive_interval()?, 33 * SECOND);
        equal!(socket.keep_alive_count()?, 7);
        equal!(socket.hop_limit()?, 42);
        equal!(socket.receive_buffer_size()?, listener.receive_buffer_size()?);
        equal!(socket.send_buffer_size()?, listener.send_buffer_size()?);
    }
    Ok(())
}

fn many_connections() -> Check {
    let listener = listening(IpAddressFamily::Ipv4)?;
    let to: IpSocketAddress = listener.local_address()?;
    let mut pairs = Vec::new();
    for i in 0..20u8 {
        let client = connect(create_tcp_socket(IpAddressFamily::Ipv4)?, to)?;
        pairs.push((i, client, accept(&listener)?));
    }
    for (i, client, server) in &pairs {
        write_all(&client.output, &[*i])?;
        equal!(read_exactly(&server.input, 1)?, [*i]);
    }
    Ok(())
}

const CHECKS: &[(&str, fn() -> Check)] = checks![
    unbound,
    binding,
    addresses_nobody_can_bind,
    a_port_again,
    listen,
    connections,
    bound_first,
    addresses_nobody_listens_at,
    refused,
    options,
    inherited_options,
    many_connections,
];

command!(check::run(CHECKS, |_, check| check()));
