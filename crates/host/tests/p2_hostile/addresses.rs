//! What must not be reached, and what must not be told.

use super::*;
use wasi_host::WasiCtxBuilder;
use wasi_host::bindings::sockets::network::{ErrorCode, IpAddressFamily};
use wasi_host::bindings::sync;

/// What went wrong is told with its causes, and nothing of how the host came there.
#[test]
fn failures_tell_nothing_of_the_host() {
    let g = &mut Guest::new(Kind::Sync, &mut WasiCtxBuilder::new());
    let e = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
    let text = format!("the log is gone: {e}");
    let failed = sync::io::streams::Host::convert_stream_error(
        &mut WasiImpl(&mut g.state),
        wasi_host::StreamError::LastOperationFailed(anyhow::Error::new(e).context("the log is gone")),
    );
    let Ok(sync::io::streams::StreamError::LastOperationFailed(e)) = failed else { panic!("{failed:?}") };
    let shown = wasi_host::bindings::io::error::HostError::to_debug_string(&mut WasiImpl(&mut g.state), e);
    assert_eq!(shown.unwrap(), text);
}

/// Every disguise in which an address that was not given might come in.
#[test]
fn addresses_in_disguise() {
    for kind in KINDS {
        let mut builder = WasiCtxBuilder::new();
        builder.socket_addr_check(|addr, _| {
            Box::pin(async move { addr.port() != 9 && addr.ip().is_loopback() })
        });
        let g = &mut Guest::new(kind, &mut builder);
        for to in [
            "[::ffff:127.0.0.1]:80",
            "[::127.0.0.1]:80",
            "[::ffff:0.0.0.0]:80",
            "[::]:80",
            "[::1]:0",
            "[ff02::1%1]:80",
            "[::1]:9",
            "[fe80::1%1]:80",
            "0.0.0.0:80",
            "255.255.255.255:80",
            "224.0.0.1:80",
            "127.0.0.1:0",
            "127.0.0.1:9",
            "10.0.0.1:80",
        ] {
            for ours in [IpAddressFamily::Ipv4, IpAddressFamily::Ipv6] {
                let here = if ours == IpAddressFamily::Ipv4 { V4 } else { V6 };
                if std::net::TcpListener::bind(here).is_err() {
                    continue;
                }
                let refused = |r: Result<(), ErrorCode>| {
                    let e = r.expect_err(to);
                    assert!(matches!(e, ErrorCode::AccessDenied | ErrorCode::InvalidArgument), "{to}: {e:?}");
                };
                let s = g.tcp(ours);
                refused(g.start_connect(&s, addr(to)));
                // That it was denied changes nothing: there is still nothing to be finished.
                assert_eq!(g.finish_connect(&s).err(), Some(ErrorCode::NotInProgress));
                let (u, own) = g.bound_udp(here);
                refused(g.stream(&u, Some(addr(to))).map(drop));
                let (_, output) = g.stream(&u, None).unwrap();
                refused(g.send(&output, &[(b"x", Some(addr(to)))]).map(drop));
                refused(g.send(&output, &[(b"x", None)]).map(drop));
                let (_, connected) = g.stream(&u, Some(own)).unwrap();
                refused(g.send(&connected, &[(b"x", Some(addr(to)))]).map(drop));
                // Those from before are of no use any more, and neither are these once there are others.
                assert_eq!(g.check_send(&output), Err(ErrorCode::InvalidState));
                let (_, last) = g.stream(&u, None).unwrap();
                assert_eq!(g.check_send(&connected), Err(ErrorCode::InvalidState));
                refused(g.send(&last, &[(b"x", None)]).map(drop));
            }
        }
    }
}
