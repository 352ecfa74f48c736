//! `wasi:sockets`, UDP: this program is both ends, on loopback, where nothing is lost or reordered
//! while the buffers have room.

#[macro_use]
mod check;
mod io;
mod net;

use check::{Check, Checking};
use io::{both, now, pattern, within, MILLISECOND, SECOND};
use net::{loopback, mapped, other, port, show, unspecified, FAMILIES};
use std::pin::pin;
use wasip3::clocks::monotonic_clock::wait_for;
use wasip3::sockets::types::{ErrorCode, IpAddressFamily, IpSocketAddress, UdpSocket};

fn bound(family: IpAddressFamily) -> Result<UdpSocket, ErrorCode> {
    let socket = UdpSocket::create(family)?;
    socket.bind(loopback(family, 0))?;
    Ok(socket)
}

async fn send(socket: &UdpSocket, data: &[u8], to: Option<IpSocketAddress>) -> Result<(), ErrorCode> {
    socket.send(data.to_vec(), to).await
}

/// What came, and from where.
async fn receive(socket: &UdpSocket) -> Result<(Vec<u8>, String), ErrorCode> {
    socket.receive().await.map(|(data, from)| (data, show(from)))
}

async fn unbound() -> Check {
    for family in FAMILIES {
        let socket = UdpSocket::create(family)?;
        equal!(socket.get_address_family(), family);
        fails!(socket.get_local_address(), ErrorCode::InvalidState);
        fails!(socket.get_remote_address(), ErrorCode::InvalidState);
        fails!(receive(&socket).await, ErrorCode::InvalidState);
        fails!(socket.disconnect(), ErrorCode::InvalidState);
    }
    Ok(())
}

async fn binding() -> Check {
    for family in FAMILIES {
        let socket = UdpSocket::create(family)?;
        fails!(socket.bind(loopback(other(family), 0)), ErrorCode::InvalidArgument);
        socket.bind(loopback(family, 0))?;
        fails!(socket.bind(loopback(family, 0)), ErrorCode::InvalidState);
        let address = socket.get_local_address()?;
        holds!(port(address) != 0);
        equal!(show(address), show(loopback(family, port(address))));
        fails!(socket.get_remote_address(), ErrorCode::InvalidState);
        fails!(socket.disconnect(), ErrorCode::InvalidState);

        let second = UdpSocket::create(family)?;
        fails!(second.bind(address), ErrorCode::AddressInUse);
        second.bind(loopback(family, 0))?;
        holds!(port(second.get_local_address()?) != port(address));
    }
    fails!(UdpSocket::create(IpAddressFamily::Ipv6)?.bind(mapped(0)), ErrorCode::InvalidArgument);
    Ok(())
}

/// Who is not bound is given a port when it sends or connects.
async fn bound_on_the_way() -> Check {
    for family in FAMILIES {
        let (bob, sender, caller) = (bound(family)?, UdpSocket::create(family)?, UdpSocket::create(family)?);
        let to = bob.get_local_address()?;
        send(&sender, b"hello", Some(to)).await?;
        caller.connect(to)?;
        send(&caller, b"there", None).await?;
        for (socket, word) in [(&sender, b"hello"), (&caller, b"there")] {
            let (data, from) = bob.receive().await?;
            equal!(data, word);
            equal!(port(from), port(socket.get_local_address()?));
            fails!(socket.bind(loopback(family, 0)), ErrorCode::InvalidState);
            send(&bob, b"answer", Some(from)).await?;
            equal!(receive(socket).await?, (b"answer".to_vec(), show(to)));
        }
    }
    Ok(())
}

/// Without a peer of its own, a socket serves everybody.
async fn to_anybody() -> Check {
    for family in FAMILIES {
        let (alice, bob) = (bound(family)?, bound(family)?);
        let (alice_at, bob_at) = (alice.get_local_address()?, bob.get_local_address()?);
        for word in ["one", "", "three"] {
            send(&alice, word.as_bytes(), Some(bob_at)).await?;
        }
        for word in ["one", "", "three"] {
            equal!(receive(&bob).await?, (word.as_bytes().to_vec(), show(alice_at)));
        }
        send(&bob, b"answer", Some(alice_at)).await?;
        equal!(receive(&alice).await?, (b"answer".to_vec(), show(bob_at)));

        fails!(send(&alice, b"x", None).await, ErrorCode::InvalidArgument);
        for to in [loopback(other(family), 1), loopback(family, 0), unspecified(family, 1)] {
            fails!(send(&alice, b"x", Some(to)).await, ErrorCode::InvalidArgument);
        }
    }
    fails!(send(&bound(IpAddressFamily::Ipv6)?, b"x", Some(mapped(1))).await, ErrorCode::InvalidArgument);
    Ok(())
}

/// With a peer, a socket serves that one alone.
async fn to_one_only() -> Check {
    for family in FAMILIES {
        let (alice, bob, eve) = (bound(family)?, bound(family)?, bound(family)?);
        let (alice_at, bob_at) = (alice.get_local_address()?, bob.get_local_address()?);
        bob.connect(alice_at)?;
        alice.connect(bob_at)?;
        equal!(show(bob.get_remote_address()?), show(alice_at));
        equal!(show(bob.get_local_address()?), show(bob_at));

        send(&eve, b"not for bob", Some(bob_at)).await?;
        send(&alice, b"for", None).await?;
        send(&alice, b"bob", Some(bob_at)).await?;
        equal!(receive(&bob).await?, (b"for".to_vec(), show(alice_at)));
        equal!(receive(&bob).await?, (b"bob".to_vec(), show(alice_at)));
        send(&bob, b"back", None).await?;
        equal!(receive(&alice).await?, (b"back".to_vec(), show(bob_at)));
        let elsewhere = eve.get_local_address()?;
        fails!(send(&alice, b"x", Some(elsewhere)).await, ErrorCode::InvalidArgument);
        for to in [loopback(other(family), 1), loopback(family, 0), unspecified(family, 1)] {
            fails!(eve.connect(to), ErrorCode::InvalidArgument);
        }
        fails!(eve.get_remote_address(), ErrorCode::InvalidState);
    }
    fails!(bound(IpAddressFamily::Ipv6)?.connect(mapped(1)), ErrorCode::InvalidArgument);
    Ok(())
}

/// The peer of a socket can be changed, and taken away; it keeps the address that it was bound to.
/// (Linux forgets the port of a socket that is disconnected, unless it was asked for.)
async fn peers_come_and_go() -> Check {
    for family in FAMILIES {
        let (alice, bob, carol) = (bound(family)?, bound(family)?, bound(family)?);
        let address = alice.get_local_address()?;
        for to in [&bob, &carol, &bob] {
            alice.connect(to.get_local_address()?)?;
            equal!(show(alice.get_remote_address()?), show(to.get_local_address()?));
            equal!(show(alice.get_local_address()?), show(address));
            send(&alice, b"hello", None).await?;
            equal!(receive(to).await?, (b"hello".to_vec(), show(address)));
        }
        alice.disconnect()?;
        fails!(alice.disconnect(), ErrorCode::InvalidState);
        fails!(alice.get_remote_address(), ErrorCode::InvalidState);
        fails!(send(&alice, b"x", None).await, ErrorCode::InvalidArgument);
        equal!(show(alice.get_local_address()?), show(address));
        send(&carol, b"found you", Some(address)).await?;
        equal!(receive(&alice).await?.0, b"found you");
        send(&alice, b"you too", Some(carol.get_local_address()?)).await?;
        equal!(receive(&carol).await?.0, b"you too");
    }
    Ok(())
}

async fn sizes() -> Check {
    for family in FAMILIES {
        let (alice, bob) = (bound(family)?, bound(family)?);
        let to = Some(bob.get_local_address()?);
        for len in [0, 1, 1500, 9000, 60_000] {
            let data = pattern(len);
            send(&alice, &data, to).await?;
            holds!(bob.receive().await?.0 == data);
        }
        fails!(send(&alice, &[0; 65_535], to).await, ErrorCode::DatagramTooLarge);
        send(&alice, b"fits", to).await?;
        equal!(bob.receive().await?.0, b"fits");
    }
    Ok(())
}

async fn several_at_once() -> Check {
    let (alice, bob) = (bound(IpAddressFamily::Ipv4)?, bound(IpAddressFamily::Ipv4)?);
    let to = Some(bob.get_local_address()?);
    let all = (0..50u8).map(|i| alice.send(vec![i; 10], to));
    for sent in futures::future::join_all(all).await {
        sent?;
    }
    let mut seen = [false; 50];
    for _ in 0..50 {
        let (data, _) = bob.receive().await?;
        equal!(data, [data[0]; 10]);
        holds!(!std::mem::replace(&mut seen[usize::from(data[0])], true));
    }
    Ok(())
}

/// Receiving waits for something to come, and each datagram goes to one who waits.
async fn waiting() -> Check {
    let (alice, bob) = (bound(IpAddressFamily::Ipv6)?, bound(IpAddressFamily::Ipv6)?);
    let to = Some(bob.get_local_address()?);
    let later = async {
        wait_for(10 * MILLISECOND).await;
        send(&alice, b"one", to).await?;
        send(&alice, b"two", to).await
    };
    let (sent, (first, second)) = both(later, both(bob.receive(), bob.receive())).await;
    sent?;
    let mut words = [first?.0, second?.0];
    words.sort();
    equal!(words, [b"one", b"two"]);
    holds!(within(5 * MILLISECOND, pin!(bob.receive())).await.is_none());
    Ok(())
}

/// Who does not wait any more takes nothing away from who waits later.
async fn given_up() -> Check {
    let (alice, bob) = (bound(IpAddressFamily::Ipv4)?, bound(IpAddressFamily::Ipv4)?);
    let to = Some(bob.get_local_address()?);
    for i in 0..200u8 {
        for _ in 0..i % 4 {
            holds!(now(pin!(bob.receive())).await.is_none());
        }
        send(&alice, &[i], to).await?;
        equal!(bob.receive().await?.0, [i]);
    }
    Ok(())
}

/// Where nobody listens, a host may tell that it heard so.
async fn refused() -> Check {
    for family in FAMILIES {
        let (alice, nobody) = (bound(family)?, bound(family)?.get_local_address()?);
        alice.connect(nobody)?;
        send(&alice, b"anybody?", None).await?;
        let receiving = within(SECOND / 2, pin!(alice.receive())).await;
        is!(receiving, None | Some(Err(ErrorCode::ConnectionRefused)));
    }
    Ok(())
}

/// In every state.
async fn options() -> Check {
    for family in FAMILIES {
        let (first, second, connected) = (UdpSocket::create(family)?, bound(family)?, bound(family)?);
        connected.connect(second.get_local_address()?)?;
        for socket in [&first, &second, &connected] {
            for limit in [1, 64, 255] {
                socket.set_unicast_hop_limit(limit)?;
                equal!(socket.get_unicast_hop_limit()?, limit);
            }
            fails!(socket.set_unicast_hop_limit(0), ErrorCode::InvalidArgument);
            fails!(socket.set_receive_buffer_size(0), ErrorCode::InvalidArgument);
            fails!(socket.set_send_buffer_size(0), ErrorCode::InvalidArgument);
            for value in [1, 100_000, u64::MAX] {
                socket.set_receive_buffer_size(value)?;
                holds!(socket.get_receive_buffer_size()? > 0);
                socket.set_send_buffer_size(value)?;
                holds!(socket.get_send_buffer_size()? > 0);
            }
            equal!(socket.get_unicast_hop_limit()?, 255);
        }
    }
    Ok(())
}

/// Bound to all addresses of a family, a socket hears what comes to one of them.
async fn every_interface() -> Check {
    for family in FAMILIES {
        let socket = UdpSocket::create(family)?;
        socket.bind(unspecified(family, 0))?;
        let address = socket.get_local_address()?;
        equal!(show(address), show(unspecified(family, port(address))));
        let sender = bound(family)?;
        send(&sender, b"hello", Some(loopback(family, port(address)))).await?;
        equal!(receive(&socket).await?, (b"hello".to_vec(), show(sender.get_local_address()?)));
    }
    Ok(())
}

const CHECKS: &[(&str, fn() -> Checking<'static>)] = checks![
    unbound,
    binding,
    bound_on_the_way,
    to_anybody,
    to_one_only,
    peers_come_and_go,
    sizes,
    several_at_once,
    waiting,
    given_up,
    refused,
    options,
    every_interface,
];

command!(check::run(CHECKS, async |_, check| check().await));
