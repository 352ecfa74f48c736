//! What the measured guests talk to: threads behind ports of 127.0.0.1, for as long as the program runs.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::thread::spawn;

const ANY: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);

fn tcp(serve: fn(TcpStream)) -> u16 {
    let listener = TcpListener::bind(ANY).expect("a port");
    let port = listener.local_addr().expect("bound").port();
    spawn(move || {
        for stream in listener.incoming().flatten() {
            spawn(move || serve(stream));
        }
    });
    port
}

/// Closes what it accepts.
pub(crate) fn closing() -> u16 {
    let listener = TcpListener::bind(ANY).expect("a port");
    let port = listener.local_addr().expect("bound").port();
    spawn(move || listener.incoming().for_each(drop));
    port
}

/// Gives back what it gets.
pub(crate) fn echo() -> u16 {
    tcp(|mut stream| {
        _ = stream.set_nodelay(true);
        let mut buf = vec![0; 64 << 10];
        while let Ok(n @ 1..) = stream.read(&mut buf) {
            if stream.write_all(&buf[..n]).is_err() {
                break;
            }
        }
    })
}

/// Takes all it gets.
pub(crate) fn sink() -> u16 {
    tcp(|mut stream| {
        let mut buf = vec![0; 1 << 20];
        while let Ok(1..) = stream.read(&mut buf) {}
    })
}

/// Gives without end.
pub(crate) fn source() -> u16 {
    tcp(|mut stream| {
        let buf = vec![7; 1 << 20];
        while stream.write_all(&buf).is_ok() {}
    })
}

/// Gives datagrams back.
pub(crate) fn echo_datagrams() -> u16 {
    let socket = UdpSocket::bind(ANY).expect("a port");
    let port = socket.local_addr().expect("bound").port();
    spawn(move || {
        let mut buf = [0; 2048];
        while let Ok((n, from)) = socket.recv_from(&mut buf) {
            _ = socket.send_to(&buf[..n], from);
        }
    });
    port
}
