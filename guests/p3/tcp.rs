//! `wasi:sockets`, TCP: states, addresses and options. This program is both ends of each
//! connection, on loopback.

#[macro_use]
mod check;
mod io;
mod net;

use check::{Check, Checking, Failure};
use io::{now, within, MILLISECOND, SECOND};
use net::{bound, loopback, not_unicast, other, port, show, sockets, unspecified, v4, v6};
use net::{End, Listener, FAMILIES};
use std::pin::pin;
use wasip3::clocks::monotonic_clock::wait_for;
use wasip3::sockets::types::{ErrorCode, IpAddressFamily, IpSocketAddress, TcpSocket};
use wasip3::wit_bindgen::StreamResult;
use wasip3::wit_stream;

/// A socket without a connection carries nothing.
async fn nothing_goes(socket: &TcpSocket) -> Check {
    let (stream, done) = socket.receive();
    equal!(stream.collect().await, []);
    fails!(done.await, ErrorCode::InvalidState);
    let (mut writer, reader) = wit_stream::new();
    let done = socket.send(reader);
    equal!(writer.write(b"x".to_vec()).await.0, StreamResult::Dropped);
    fails!(done.await, ErrorCode::InvalidState);
    Ok(())
}

async fn unbound() -> Check {
    for family in FAMILIES {
        let socket = TcpSocket::create(family)?;
        equal!(socket.get_address_family(), family);
        holds!(!socket.get_is_listening());
        fails!(socket.get_local_address(), ErrorCode::InvalidState);
        fails!(socket.get_remote_address(), ErrorCode::InvalidState);
        nothing_goes(&socket).await?;
    }
    Ok(())
}

async fn binding() -> Check {
    for family in FAMILIES {
        let socket = bound(family, 0)?;
        let address = socket.get_local_address()?;
        holds!(port(address) != 0);
        equal!(show(address), show(loopback(family, port(address))));
        fails!(socket.bind(loopback(family, 0)), ErrorCode::InvalidState);
        fails!(socket.bind(address), ErrorCode::InvalidState);
        fails!(socket.get_remote_address(), ErrorCode::InvalidState);
        holds!(!socket.get_is_listening());
        nothing_goes(&socket).await?;
    }
    Ok(())
}

/// A bind that failed may be tried again with another address.
async fn addresses_nobody_can_bind() -> Check {
    for family in FAMILIES {
        let socket = TcpSocket::create(family)?;
        fails!(socket.bind(loopback(other(family), 0)), ErrorCode::InvalidArgument);
        for address in not_unicast(family, 0) {
            fails!(socket.bind(address), ErrorCode::InvalidArgument);
        }
        // Addresses of documentation are nobody's.
        let elsewhere = match family {
            IpAddressFamily::Ipv4 => v4(192, 0, 2, 1, 0),
            IpAddressFamily::Ipv6 => v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 0),
        };
        fails!(socket.bind(elsewhere), ErrorCode::AddressNotBindable);
        let first = Listener::new(family)?;
        fails!(socket.bind(first.address()), ErrorCode::AddressInUse);
        fails!(socket.get_local_address(), ErrorCode::InvalidState);
        socket.bind(loopback(family, 0))?;
        holds!(port(socket.get_local_address()?) != port(first.address()));
    }
    Ok(())
}

/// The port of a connection that was just closed can be bound again, as soon as the host has seen
/// the last handle go.
async fn a_port_again() -> Check {
    'families: for family in FAMILIES {
        let mut listener = Listener::new(family)?;
        let address = listener.address();
        let client = TcpSocket::create(family)?;
        client.connect(address).await?;
        let ends = (End::new(listener.accept().await), End::new(client));
        drop((ends, listener));
        for _ in 0..300 {
            match bound(family, port(address)) {
                Err(ErrorCode::AddressInUse) => wait_for(10 * MILLISECOND).await,
                socket => {
                    socket?.listen()?;
                    continue 'families;
                }
            }
        }
        return Err(Failure::new("the port was never free again".to_owned()));
    }
    Ok(())
}

async fn listening() -> Check {
    for family in FAMILIES {
        let mut listener = Listener::new(family)?;
        let socket = &listener.socket;
        holds!(socket.get_is_listening());
        equal!(socket.get_address_family(), family);
        fails!(socket.listen(), ErrorCode::InvalidState);
        fails!(socket.bind(loopback(family, 0)), ErrorCode::InvalidState);
        fails!(socket.connect(loopback(family, 1)).await, ErrorCode::InvalidState);
        fails!(socket.get_remote_address(), ErrorCode::InvalidState);
        nothing_goes(socket).await?;
        // Nobody has come, and that can be waited for.
        holds!(within(5 * MILLISECOND, pin!(listener.connections.next())).await.is_none());
        let client = TcpSocket::create(family)?;
        client.connect(listener.address()).await?;
        equal!(show(listener.accept().await.get_remote_address()?), show(client.get_local_address()?));
    }
    Ok(())
}

/// Who is not bound is given a port, at every address.
async fn listening_unbound() -> Check {
    for family in FAMILIES {
        let socket = TcpSocket::create(family)?;
        let mut connections = socket.listen()?;
        let address = socket.get_local_address()?;
        holds!(port(address) != 0);
        equal!(show(address), show(unspecified(family, port(address))));
        let client = TcpSocket::create(family)?;
        client.connect(loopback(family, port(address))).await?;
        holds!(connections.next().await.is_some());
    }
    Ok(())
}

async fn connections() -> Check {
    for family in FAMILIES {
        let mut listener = Listener::new(family)?;
        let client = TcpSocket::create(family)?;
        client.connect(listener.address()).await?;
        let server = listener.accept().await;
        for end in [&client, &server] {
            holds!(!end.get_is_listening());
            equal!(end.get_address_family(), family);
            fails!(end.bind(loopback(family, 0)), ErrorCode::InvalidState);
            fails!(end.connect(listener.address()).await, ErrorCode::InvalidState);
            fails!(end.listen(), ErrorCode::InvalidState);
            fails!(end.set_listen_backlog_size(1), ErrorCode::InvalidState);
        }
        equal!(show(client.get_remote_address()?), show(listener.address()));
        equal!(show(client.get_remote_address()?), show(server.get_local_address()?));
        equal!(show(server.get_remote_address()?), show(client.get_local_address()?));
        let (mut client, mut server) = (End::new(client), End::new(server));
        holds!(client.write(b"question").await);
        equal!(io::exactly(&mut server.input, 8).await, b"question");
        holds!(server.write(b"answer").await);
        equal!(io::exactly(&mut client.input, 6).await, b"answer");
    }
    Ok(())
}

/// A connection from a port of one's choice.
async fn bound_first() -> Check {
    for family in FAMILIES {
        let mut listener = Listener::new(family)?;
        let client = bound(family, 0)?;
        let from = show(client.get_local_address()?);
        client.connect(listener.address()).await?;
        equal!(show(client.get_local_address()?), from);
        equal!(show(listener.accept().await.get_remote_address()?), from);
    }
    Ok(())
}

/// Where nobody accepts, connections come to wait at some point, unless the host takes any number.
async fn connecting() -> Check {
    let family = IpAddressFamily::Ipv4;
    let socket = bound(family, 0)?;
    socket.set_listen_backlog_size(1)?;
    let mut listener = Listener { connections: socket.listen()?, socket };
    let mut waiting = Vec::new();
    for _ in 0..20 {
        let client = TcpSocket::create(family)?;
        {
            let mut attempt = pin!(client.connect(listener.address()));
            if within(100 * MILLISECOND, attempt.as_mut()).await.is_none() {
                fails!(client.bind(loopback(family, 0)), ErrorCode::InvalidState);
                fails!(client.listen(), ErrorCode::InvalidState);
                fails!(client.connect(listener.address()).await, ErrorCode::InvalidState);
                fails!(client.set_listen_backlog_size(1), ErrorCode::InvalidState);
                fails!(client.get_remote_address(), ErrorCode::InvalidState);
                nothing_goes(&client).await?;
                holds!(!client.get_is_listening());
                holds!(now(attempt.as_mut()).await.is_none());
                // Nobody has to wait for it.
                break;
            }
        }
        waiting.push(client);
    }
    for client in waiting {
        equal!(show(listener.accept().await.get_remote_address()?), show(client.get_local_address()?));
    }
    Ok(())
}

async fn addresses_nobody_listens_at() -> Check {
    for family in FAMILIES {
        let mut wrong = vec![loopback(other(family), 1), loopback(family, 0), unspecified(family, 1)];
        wrong.extend(not_unicast(family, 1));
        for to in wrong {
            fails!(TcpSocket::create(family)?.connect(to).await, ErrorCode::InvalidArgument);
        }
    }
    Ok(())
}

/// After a failed attempt a socket is closed: nothing is possible but to drop it.
async fn refused() -> Check {
    for family in FAMILIES {
        let nobody = bound(family, 0)?;
        let socket = TcpSocket::create(family)?;
        fails!(socket.connect(nobody.get_local_address()?).await, ErrorCode::ConnectionRefused);
        fails!(socket.connect(nobody.get_local_address()?).await, ErrorCode::InvalidState);
        fails!(socket.bind(loopback(family, 0)), ErrorCode::InvalidState);
        fails!(socket.listen(), ErrorCode::InvalidState);
        fails!(socket.get_remote_address(), ErrorCode::InvalidState);
        holds!(!socket.get_is_listening());
        equal!(socket.get_address_family(), family);
        nothing_goes(&socket).await?;
    }
    Ok(())
}

/// A listener is there for as long as one of its handles is, and what it accepted for longer.
async fn handles_of_a_listener() -> Check {
    'families: for family in FAMILIES {
        let Listener { mut connections, socket } = Listener::new(family)?;
        let address = socket.get_local_address()?;
        drop(socket);
        let client = TcpSocket::create(family)?;
        client.connect(address).await?;
        let server = connections.next().await.expect("the listener is still there");
        drop(connections);
        let (mut client, mut server) = (End::new(client), End::new(server));
        holds!(client.write(b"still here").await);
        equal!(io::exactly(&mut server.input, 10).await, b"still here");
        for _ in 0..300 {
            match TcpSocket::create(family)?.connect(address).await {
                Err(ErrorCode::ConnectionRefused) => continue 'families,
                // It may have come before the host saw the last handle go.
                Ok(()) | Err(ErrorCode::ConnectionReset) => wait_for(10 * MILLISECOND).await,
                Err(error) => return Err(error.into()),
            }
        }
        return Err(Failure::new("it listens without a handle".to_owned()));
    }
    Ok(())
}

fn options_of(socket: &TcpSocket) -> Check {
    for enabled in [true, false, true] {
        socket.set_keep_alive_enabled(enabled)?;
        equal!(socket.get_keep_alive_enabled()?, enabled);
    }
    socket.set_keep_alive_idle_time(60 * SECOND)?;
    equal!(socket.get_keep_alive_idle_time()?, 60 * SECOND);
    socket.set_keep_alive_interval(30 * SECOND)?;
    equal!(socket.get_keep_alive_interval()?, 30 * SECOND);
    socket.set_keep_alive_count(5)?;
    equal!(socket.get_keep_alive_count()?, 5);
    for limit in [1, 64, 255] {
        socket.set_hop_limit(limit)?;
        equal!(socket.get_hop_limit()?, limit);
    }
    socket.set_receive_buffer_size(100_000)?;
    holds!(socket.get_receive_buffer_size()? > 0);
    socket.set_send_buffer_size(100_000)?;
    holds!(socket.get_send_buffer_size()? > 0);

    fails!(socket.set_keep_alive_idle_time(0), ErrorCode::InvalidArgument);
    fails!(socket.set_keep_alive_interval(0), ErrorCode::InvalidArgument);
    fails!(socket.set_keep_alive_count(0), ErrorCode::InvalidArgument);
    fails!(socket.set_hop_limit(0), ErrorCode::InvalidArgument);
    fails!(socket.set_receive_buffer_size(0), ErrorCode::InvalidArgument);
    fails!(socket.set_send_buffer_size(0), ErrorCode::InvalidArgument);
    equal!((socket.get_hop_limit()?, socket.get_keep_alive_count()?), (255, 5));

    // Any other value is taken, and brought to what is possible.
    for value in [1, u64::MAX] {
        socket.set_keep_alive_idle_time(value)?;
        holds!(socket.get_keep_alive_idle_time()? > 0);
        socket.set_keep_alive_interval(value)?;
        holds!(socket.get_keep_alive_interval()? > 0);
        socket.set_keep_alive_count(value as u32)?;
        holds!(socket.get_keep_alive_count()? > 0);
    }
    for value in [u64::MAX, 1] {
        socket.set_receive_buffer_size(value)?;
        holds!(socket.get_receive_buffer_size()? > 0);
        socket.set_send_buffer_size(value)?;
        holds!(socket.get_send_buffer_size()? > 0);
    }
    Ok(())
}

/// In every state.
async fn options() -> Check {
    for family in FAMILIES {
        let (client, server) = sockets(family).await?;
        options_of(&client)?;
        options_of(&server)?;
        let listener = Listener::new(family)?;
        for socket in [&TcpSocket::create(family)?, &bound(family, 0)?, &listener.socket] {
            options_of(socket)?;
            fails!(socket.set_listen_backlog_size(0), ErrorCode::InvalidArgument);
            for value in [1, 100, u64::MAX] {
                match socket.set_listen_backlog_size(value) {
                    Err(ErrorCode::NotSupported) if socket.get_is_listening() => {}
                    result => result?,
                }
            }
        }
    }
    Ok(())
}

/// What is accepted has the options of the socket that listened.
async fn inherited_options() -> Check {
    for family in FAMILIES {
        let mut listener = Listener::new(family)?;
        let socket = &listener.socket;
        socket.set_keep_alive_enabled(true)?;
        socket.set_keep_alive_idle_time(77 * SECOND)?;
        socket.set_keep_alive_interval(33 * SECOND)?;
        socket.set_keep_alive_count(7)?;
        socket.set_hop_limit(42)?;
        socket.set_receive_buffer_size(32_768)?;
        socket.set_send_buffer_size(32_768)?;
        let sizes = (socket.get_receive_buffer_size()?, socket.get_send_buffer_size()?);
        let client = TcpSocket::create(family)?;
        client.connect(listener.address()).await?;
        let socket = listener.accept().await;
        holds!(socket.get_keep_alive_enabled()?);
        equal!(socket.get_keep_alive_idle_time()?, 77 * SECOND);
        equal!(socket.get_keep_alive_interval()?, 33 * SECOND);
        equal!(socket.get_keep_alive_count()?, 7);
        equal!(socket.get_hop_limit()?, 42);
        equal!((socket.get_receive_buffer_size()?, socket.get_send_buffer_size()?), sizes);
    }
    Ok(())
}

/// Connections come one by one or several at a time, as there is room for.
async fn many_connections() -> Check {
    let mut listener = Listener::new(IpAddressFamily::Ipv4)?;
    let to: IpSocketAddress = listener.address();
    let mut clients = Vec::new();
    for _ in 0..20 {
        let client = TcpSocket::create(IpAddressFamily::Ipv4)?;
        client.connect(to).await?;
        clients.push(client);
    }
    let mut servers = Vec::new();
    while servers.len() < clients.len() {
        let before = servers.len();
        let room = 1 + before % 7;
        servers.reserve_exact(room);
        let (result, more) = listener.connections.read(servers).await;
        servers = more;
        equal!(result, StreamResult::Complete(servers.len() - before));
        holds!(servers.len() > before);
    }
    for (i, (client, server)) in clients.into_iter().zip(servers).enumerate() {
        equal!(show(client.get_local_address()?), show(server.get_remote_address()?));
        let (mut client, mut server) = (End::new(client), End::new(server));
        holds!(client.write(&[i as u8]).await);
        equal!(io::exactly(&mut server.input, 1).await, [i as u8]);
    }
    Ok(())
}

const CHECKS: &[(&str, fn() -> Checking<'static>)] = checks![
    unbound,
    binding,
    addresses_nobody_can_bind,
    a_port_again,
    listening,
    listening_unbound,
    connections,
    bound_first,
    connecting,
    addresses_nobody_listens_at,
    refused,
    handles_of_a_listener,
    options,
    inherited_options,
    many_connections,
];

command!(check::run(CHECKS, async |_, check| check().await));
