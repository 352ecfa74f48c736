//! Datagrams, and names.

use super::guest::*;
use std::net::{SocketAddr, UdpSocket};
use wasi_host::WasiImpl;
use wasi_host::bindings::sockets::network::ErrorCode;
use wasi_host::bindings::sockets::udp;
use wasi_host::bindings::sync;

macro_rules! udp {
    ($guest:expr, $f:ident $(, $arg:expr)*) => {
        code(call!($guest, udp::HostUdpSocket::$f($($arg),*)))
    };
}

fn both(test: impl Fn(&mut Guest, &'static str)) {
    for kind in KINDS {
        for here in loopbacks() {
            test(&mut Guest::new(kind, &mut open()), here);
        }
    }
}

#[test]
fn everybody_or_a_single_peer() {
    both(|g, here| {
        let (a, at) = g.bound_udp(here);
        let (input, output) = g.stream(&a, None).unwrap();
        assert_eq!(udp!(g, remote_address, b(&a)).err(), Some(ErrorCode::InvalidState));
        let outside = UdpSocket::bind(here).unwrap();
        let there = outside.local_addr().unwrap();
        assert_eq!(g.send(&output, &[(b"one", Some(there)), (b"", Some(there))]), Ok(2));
        let mut buf = [0; 10];
        assert_eq!(outside.recv_from(&mut buf).unwrap(), (3, at));
        assert_eq!(outside.recv_from(&mut buf).unwrap(), (0, at));
        outside.send_to(b"two", at).unwrap();
        assert_eq!(g.receive(&input).unwrap(), [(b"two".to_vec(), there)]);
        assert_eq!(g.try_receive(&input, 10).unwrap(), []);
        assert_eq!(g.send(&output, &[(b"x", None)]), Err(ErrorCode::InvalidArgument));
        assert_eq!(g.send(&output, &[(b"x", Some(there)), (b"x", None), (b"x", Some(there))]), Ok(1));

        // A single peer from now on, and the streams from before are out of use.
        let (input2, output2) = g.stream(&a, Some(there)).unwrap();
        assert_eq!(udp!(g, remote_address, b(&a)).map(SocketAddr::from), Ok(there));
        assert_eq!(g.try_receive(&input, 1), Err(ErrorCode::InvalidState));
        assert_eq!(g.check_send(&output), Err(ErrorCode::InvalidState));
        let stranger = UdpSocket::bind(here).unwrap();
        stranger.send_to(b"spam", at).unwrap();
        outside.send_to(b"ham", at).unwrap();
        assert_eq!(g.receive(&input2).unwrap(), [(b"ham".to_vec(), there)]);
        assert_eq!(g.send(&output2, &[(b"three", None), (b"four", Some(there))]), Ok(2));
        let foreign = stranger.local_addr().unwrap();
        assert_eq!(g.send(&output2, &[(b"x", Some(foreign))]), Err(ErrorCode::InvalidArgument));

        // Everybody again.
        let (input3, _) = g.stream(&a, None).unwrap();
        stranger.send_to(b"eggs", at).unwrap();
        assert_eq!(g.receive(&input3).unwrap(), [(b"eggs".to_vec(), foreign)]);
    });
}

#[test]
fn misuse_and_its_names() {
    both(|g, here| {
        let s = g.udp(family(addr(here)));
        assert_eq!(g.finish_bind_udp(&s), Err(ErrorCode::NotInProgress));
        assert_eq!(udp!(g, local_address, b(&s)).err(), Some(ErrorCode::InvalidState));
        assert_eq!(g.stream(&s, None).err(), Some(ErrorCode::InvalidState));
        assert_eq!(g.stream(&s, Some(addr("127.0.0.1:9"))).err(), Some(ErrorCode::InvalidState));
        let other = if here == V4 { V6 } else { V4 };
        assert_eq!(g.start_bind_udp(&s, addr(other)), Err(ErrorCode::InvalidArgument));
        g.start_bind_udp(&s, addr(here)).unwrap();
        assert_eq!(g.start_bind_udp(&s, addr(here)), Err(ErrorCode::ConcurrencyConflict));
        assert_eq!(g.stream(&s, None).err(), Some(ErrorCode::ConcurrencyConflict));
        assert_eq!(udp!(g, local_address, b(&s)).err(), Some(ErrorCode::InvalidState));
        g.finish_bind_udp(&s).unwrap();
        assert_eq!(g.finish_bind_udp(&s), Err(ErrorCode::NotInProgress));
        assert_eq!(g.start_bind_udp(&s, addr(here)), Err(ErrorCode::InvalidState));
        for bad in [other, here, if here == V4 { "0.0.0.0:1" } else { "[::]:1" }] {
            assert_eq!(g.stream(&s, Some(addr(bad))).err(), Some(ErrorCode::InvalidArgument), "{bad}");
        }
        let (_, output) = g.stream(&s, None).unwrap();
        let long = vec![0; 70_000];
        let to = if here == V4 { addr("127.0.0.1:9") } else { addr("[::1]:9") };
        assert_eq!(g.send(&output, &[(&long, Some(to))]), Err(ErrorCode::DatagramTooLarge));

        let refused = Err(ErrorCode::InvalidArgument);
        assert_eq!(udp!(g, set_unicast_hop_limit, b(&s), 0), refused);
        assert_eq!(udp!(g, set_receive_buffer_size, b(&s), 0), refused);
        assert_eq!(udp!(g, set_send_buffer_size, b(&s), 0), refused);
        udp!(g, set_unicast_hop_limit, b(&s), 17).unwrap();
        udp!(g, set_receive_buffer_size, b(&s), 50_000).unwrap();
        udp!(g, set_send_buffer_size, b(&s), 50_000).unwrap();
        assert_eq!(udp!(g, unicast_hop_limit, b(&s)), Ok(17));
        assert!(udp!(g, receive_buffer_size, b(&s)).unwrap() >= 50_000);
        assert!(udp!(g, send_buffer_size, b(&s)).unwrap() >= 50_000);
    });
}

#[test]
fn more_than_was_permitted_stops_the_guest() {
    for kind in KINDS {
        let g = &mut Guest::new(kind, &mut open());
        let (s, _) = g.bound_udp(V4);
        let (_, output) = g.stream(&s, None).unwrap();
        let one: &[(&[u8], _)] = &[(b"x", Some(addr("127.0.0.1:9")))];
        assert!(g.try_send(&output, one).unwrap_err().downcast().is_err());
        let permit = g.check_send(&output).unwrap() as usize;
        assert!(g.try_send(&output, &vec![one[0]; permit + 1]).unwrap_err().downcast().is_err());
        assert_eq!(g.send(&output, &[]), Ok(0));
    }
}

#[test]
fn names() {
    for kind in KINDS {
        let g = &mut Guest::new(kind, open().allow_ip_name_lookup(true));
        assert_eq!(g.addresses("127.0.0.1").unwrap(), [addr(V4).ip()]);
        assert_eq!(g.addresses("::1").unwrap(), [addr(V6).ip()]);
        assert_eq!(g.addresses("::ffff:127.0.0.1").unwrap(), [addr(V4).ip()]);
        let here = g.addresses("localhost").unwrap();
        assert!(!here.is_empty() && here.iter().all(|ip| ip.is_loopback()), "{here:?}");
        let long = "a.".repeat(1 << 20);
        for bad in ["", "a b", "127.0.0.1:80", "[::1]", &long] {
            assert_eq!(g.look_up(bad).err(), Some(ErrorCode::InvalidArgument), "{:.20}", bad);
        }
        assert_eq!(g.state.table.iter_mut().count(), 1, "only the network");
    }
}
