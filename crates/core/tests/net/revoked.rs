//! After the network was taken back nothing that came from it works.

use crate::*;
use wasi_host_core::net::{Readiness, UdpInput, UdpOutput};
use wasi_host_core::stream::{HostInputStream, StreamResult};

fn bound(sockets: &Sockets) -> Tcp {
    let mut socket = sockets.tcp(Family::Ipv4).unwrap();
    socket.bind(known(socket.check_bind(THERE)).unwrap()).unwrap();
    socket
}

fn datagrams(sockets: &Sockets) -> (wasi_host_core::net::Udp, UdpInput, UdpOutput) {
    let mut socket = sockets.udp(Family::Ipv4).unwrap();
    socket.bind(known(socket.check_bind(THERE)).unwrap()).unwrap();
    let (input, output) = socket.stream(None).unwrap();
    (socket, input, output)
}

fn failure<T: std::fmt::Debug>(result: StreamResult<T>) -> Errno {
    match result {
        Err(StreamError::LastOperationFailed(e)) => wasi_host_core::stream::errno(&e),
        result => panic!("{result:?}"),
    }
}

#[test]
fn sockets_are_in_no_state_for_anything() {
    let (sockets, told) = fake(&[]);
    let mut unbound = sockets.tcp(Family::Ipv4).unwrap();
    let before = known(unbound.check_bind(THERE)).unwrap();
    let mut connecting = sockets.tcp(Family::Ipv4).unwrap();
    connecting.connect(known(connecting.check_connect(THERE)).unwrap()).unwrap();
    let mut listening = bound(&sockets);
    listening.listen().unwrap();
    let (mut connected, ..) = connected(&sockets);
    assert!(matches!(listening.wait(), Wait::Forever), "it waits as its backend does");
    let mut readiness: Vec<Readiness> = [&connecting, &listening].map(Tcp::readiness).into();
    sockets.revoke();
    assert_eq!(*told.shut.lock().unwrap(), [Shutdown::Both; 4], "each is shut down");
    assert!(sockets.is_revoked());
    readiness.extend([&connecting, &listening, &connected].map(Tcp::readiness));
    assert!(readiness.iter().all(|r| matches!(r.wait(), Wait::Ready)), "nobody waits for them");
    assert_eq!(unbound.bind(before).err(), Some(Error::InvalidState), "an address that was allowed before");
    assert_eq!(connecting.finish_connect().err(), Some(Error::InvalidState));
    assert!(!listening.is_listening());
    for socket in [&mut unbound, &mut connecting, &mut listening, &mut connected] {
        assert_eq!(socket.check_bind(THERE).err(), Some(Error::InvalidState));
        assert_eq!(socket.check_connect(THERE).err(), Some(Error::InvalidState));
        assert_eq!(socket.check_listen().err(), Some(Error::InvalidState));
        assert_eq!(socket.listen(), Err(Error::InvalidState));
        assert_eq!(socket.accept().err(), Some(Error::InvalidState));
        assert_eq!(socket.listener().err(), Some(Error::InvalidState));
        assert_eq!(socket.local_address(), Err(Error::InvalidState));
        assert_eq!(socket.remote_address(), Err(Error::InvalidState));
        assert_eq!(socket.set_backlog(1), Err(Error::InvalidState));
        assert_eq!(socket.get(TcpOptionName::KeepAlive).err(), Some(Error::InvalidState));
        assert_eq!(socket.set(TcpOption::KeepAlive(true)), Err(Error::InvalidState));
        assert_eq!(socket.shutdown(Shutdown::Send), Err(Error::InvalidState));
    }
}

#[test]
fn so_are_those_of_datagrams() {
    let (sockets, told) = fake(&[]);
    let (mut socket, mut input, mut output) = datagrams(&sockets);
    let before = known(socket.check_send(1, Some(THERE))).unwrap();
    output.check_send().unwrap();
    let readiness = socket.readiness(Interest::Read);
    told.answers.lock().unwrap().clear();
    sockets.revoke();
    assert!(matches!(readiness.wait(), Wait::Ready));
    assert!(matches!((input.wait(), output.wait()), (Wait::Ready, Wait::Ready)));
    assert_eq!(socket.send(b"x", &before), Err(Error::InvalidState));
    assert_eq!(socket.receive().err(), Some(Error::InvalidState));
    assert_eq!(socket.disconnect(), Err(Error::InvalidState));
    assert_eq!(socket.stream(None).err(), Some(Error::InvalidState));
    assert_eq!(socket.local_address(), Err(Error::InvalidState));
    assert_eq!(socket.remote_address(), Err(Error::InvalidState));
    assert_eq!(socket.get(UdpOptionName::UnicastHopLimit).err(), Some(Error::InvalidState));
    assert_eq!(socket.set(UdpOption::UnicastHopLimit(1)), Err(Error::InvalidState));
    assert_eq!(known(socket.check_connect(THERE)).err(), Some(Error::AccessDenied));
    assert_eq!(input.receive(1).err(), Some(Error::InvalidState));
    let mut batch = output.send(1).unwrap();
    assert!(!batch.send(b"x", Ok(before)));
    assert_eq!(batch.finish(), Err(Error::InvalidState));
    assert_eq!(output.check_send(), Err(Error::InvalidState));
}

#[test]
fn streams_fail_once_and_have_ended_then() {
    let (sockets, _) = fake(&[]);
    let (_socket, mut input, mut output) = connected(&sockets);
    let (_other, _, mut other) = connected(&sockets);
    assert_eq!(other.check_write().unwrap(), 64 << 10);
    other.write("what the network did not take".into()).unwrap();
    assert!(matches!(other.wait(), Wait::Notify(_)));
    assert!(!sockets.undelivered().is_empty());
    sockets.revoke();
    assert!(matches!((input.wait(), output.wait(), other.wait()), (Wait::Ready, Wait::Ready, Wait::Ready)));
    assert_eq!(failure(input.read(10)), Errno::ConnAborted);
    assert!(matches!(input.read(10), Err(StreamError::Closed)));
    assert_eq!(failure(output.check_write()), Errno::ConnAborted);
    for result in [output.write_from(b""), output.flush(), output.check_write().map(drop)] {
        assert!(matches!(result, Err(StreamError::Closed)), "{result:?}");
    }
    assert_eq!(failure(other.write_some(b"more")), Errno::ConnAborted, "what it had accepted is lost");
    assert!(sockets.undelivered().is_empty());
}

#[test]
fn nothing_is_made_anew() {
    let (sockets, told) = fake(&[]);
    let mut listening = bound(&sockets);
    listening.listen().unwrap();
    let listener = listening.listener().unwrap();
    let mut looking = sockets.lookup("name").unwrap();
    told.found.lock().unwrap().push_back(Ok(vec![THERE.ip(), std::net::Ipv6Addr::LOCALHOST.into()]));
    let mut found = sockets.lookup("name").unwrap();
    assert_eq!(found.next_address(), Ok(Some(THERE.ip())));
    assert!(!listener.has_ended());
    sockets.revoke();
    assert!(listener.has_ended() && matches!(listener.wait(), Wait::Ready));
    assert_eq!(listener.accept().err(), Some(Error::AccessDenied));
    assert_eq!(sockets.tcp(Family::Ipv4).err(), Some(Error::AccessDenied));
    assert_eq!(sockets.udp(Family::Ipv4).err(), Some(Error::AccessDenied));
    assert_eq!(sockets.lookup("name").err(), Some(Error::AccessDenied));
    assert!(matches!(looking.wait(), Wait::Ready));
    for addresses in [&mut looking, &mut found] {
        assert_eq!(addresses.next_address(), Err(Error::AccessDenied));
    }
}

#[test]
fn what_is_made_meanwhile_is_shut_down_too() {
    let (sockets, _) = fake(&[]);
    let late = Fake::default();
    let socket: Arc<dyn TcpSocket> = Arc::new(late.clone());
    sockets.revoke();
    sockets.adopt(&socket);
    assert_eq!(*late.0.shut.lock().unwrap(), [Shutdown::Both]);
}

#[test]
fn sockets_that_are_gone_are_forgotten() {
    let (sockets, told) = fake(&[]);
    let kept: Vec<_> = (0..40).map(|_| sockets.tcp(Family::Ipv4).unwrap()).collect();
    for _ in 0..1000 {
        drop(sockets.tcp(Family::Ipv4).unwrap());
    }
    // Each is a handle on one state: so many are held as sockets are known, dead or alive, and no dead one holds any.
    assert!(Arc::strong_count(&told) < 50);
    sockets.revoke();
    assert_eq!(told.shut.lock().unwrap().len(), kept.len());
}

#[test]
fn another_check_holds_for_what_comes_later() {
    let (sockets, _) = fake(&[]);
    let (mut socket, ..) = datagrams(&sockets);
    let (_tcp, _, mut output) = connected(&sockets);
    assert!(known(socket.check_send(1, Some(THERE))).is_ok());
    sockets.set_check(AddrCheck::deny_all());
    assert_eq!(known(socket.check_send(1, Some(THERE))).err(), Some(Error::AccessDenied));
    assert_eq!(known(sockets.tcp(Family::Ipv4).unwrap().check_bind(THERE)).err(), Some(Error::AccessDenied));
    assert_eq!(output.check_write().unwrap(), 64 << 10, "a connection stays");
    sockets.set_check(AddrCheck::when(|addr, _| addr == THERE));
    assert!(known(socket.check_stream(THERE)).is_ok());
    assert!(socket.stream(None).is_ok());
}

#[test]
fn limits_rise_and_fall() {
    let (sockets, _) = fake(&[]);
    let (one, two) = (sockets.tcp(Family::Ipv4).unwrap(), sockets.udp(Family::Ipv4).unwrap());
    let mut limits = Limits::default();
    (limits.sockets, limits.lookups) = (1, 0);
    sockets.set_limits(&limits);
    assert_eq!(sockets.tcp(Family::Ipv4).err(), Some(Error::NewSocketLimit));
    drop(one);
    assert_eq!(sockets.tcp(Family::Ipv4).err(), Some(Error::NewSocketLimit));
    drop(two);
    assert!(sockets.tcp(Family::Ipv4).is_ok());
    limits.sockets = 2;
    sockets.set_limits(&limits);
    let _two = (sockets.tcp(Family::Ipv4).unwrap(), sockets.tcp(Family::Ipv4).unwrap());
}
