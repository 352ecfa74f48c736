//! What WASI 0.2.12 has that is not stable: `wasi:clocks/timezone` and `network-error-code`. The
//! crate of bindings that the other components use leaves these out, hence bindings of its own.
//! Checks are named and run as elsewhere; those of errors want a writable directory and loopback.

mod bindings {
    wit_bindgen::generate!({
        path: "../crates/bindings/wit/p2",
        generate_all,
        features: ["clocks-timezone", "network-error-code"],
    });
}

use bindings::wasi::cli::{environment::get_arguments, stderr::get_stderr, stdout::get_stdout};
use bindings::wasi::clocks::timezone::{display, utc_offset};
use bindings::wasi::clocks::wall_clock::{now, Datetime};
use bindings::wasi::filesystem::preopens::get_directories;
use bindings::wasi::filesystem::types::{filesystem_error_code, DescriptorFlags, OpenFlags, PathFlags};
use bindings::wasi::io::error::Error;
use bindings::wasi::io::streams::{OutputStream, StreamError};
use bindings::wasi::sockets::instance_network::instance_network;
use bindings::wasi::sockets::network::{
    network_error_code, ErrorCode, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress,
};
use bindings::wasi::sockets::tcp_create_socket::create_tcp_socket;

fn timezone() {
    let year = 31_557_600;
    let moments = (0..100).map(|n| n * year).chain([now().seconds, 1 << 40, u64::MAX]);
    for seconds in moments {
        let when = Datetime { seconds, nanoseconds: 0 };
        let shown = display(when);
        assert_eq!(utc_offset(when), shown.utc_offset, "at {seconds}");
        assert!(shown.utc_offset.abs() < 86_400, "{shown:?} at {seconds}");
        assert!(!shown.name.is_empty(), "{shown:?} at {seconds}");
        if shown.name == "UTC" {
            assert!(shown.utc_offset == 0 && !shown.in_daylight_saving_time, "{shown:?} at {seconds}");
        }
    }
}

/// Repeats a call for as long as it says that it would block. These connections are on loopback,
/// where nothing takes long.
fn wait<T>(call: impl Fn() -> Result<T, ErrorCode>) -> T {
    loop {
        match call() {
            Err(ErrorCode::WouldBlock) => {}
            result => return result.unwrap(),
        }
    }
}

/// The error of a connection that its other end reset: it went while there was something for it to
/// read.
fn reset() -> Error {
    let network = instance_network();
    let here = IpSocketAddress::Ipv4(Ipv4SocketAddress { port: 0, address: (127, 0, 0, 1) });
    let listener = create_tcp_socket(IpAddressFamily::Ipv4).unwrap();
    listener.start_bind(&network, here).unwrap();
    wait(|| listener.finish_bind());
    listener.start_listen().unwrap();
    wait(|| listener.finish_listen());
    let client = create_tcp_socket(IpAddressFamily::Ipv4).unwrap();
    client.start_connect(&network, listener.local_address().unwrap()).unwrap();
    let (input, output) = wait(|| client.finish_connect());
    let (server, server_input, server_output) = wait(|| listener.accept());
    output.blocking_write_and_flush(b"unread").unwrap();
    server_input.subscribe().block();
    drop((server_input, server_output, server));
    match input.blocking_read(1) {
        Err(StreamError::LastOperationFailed(error)) => error,
        other => panic!("expected last-operation-failed, got {other:?}"),
    }
}

fn errors_of_sockets() {
    let error = reset();
    assert_eq!(network_error_code(&error), Some(ErrorCode::ConnectionReset));
    assert_eq!(filesystem_error_code(&error), None);
}

fn errors_of_files() {
    let (root, _) = get_directories().into_iter().next().expect("a preopened directory");
    let flags = DescriptorFlags::READ | DescriptorFlags::WRITE;
    let file = root.open_at(PathFlags::empty(), "unstable", OpenFlags::CREATE, flags).unwrap();
    root.unlink_file_at("unstable").unwrap();
    match file.write_via_stream(1 << 63).unwrap().blocking_write_and_flush(b"x") {
        Err(StreamError::LastOperationFailed(error)) => {
            // Nothing of a network, but a host need not know what an argument was invalid for.
            let code = network_error_code(&error);
            assert!(matches!(code, None | Some(ErrorCode::InvalidArgument)), "{code:?}");
            assert!(filesystem_error_code(&error).is_some());
        }
        other => panic!("expected last-operation-failed, got {other:?}"),
    }
}

const CHECKS: [(&str, fn()); 3] =
    [("timezone", timezone), ("errors_of_files", errors_of_files), ("errors_of_sockets", errors_of_sockets)];

fn say(stream: OutputStream, text: &str) {
    stream.blocking_write_and_flush(text.as_bytes()).expect("a standard stream takes text");
}

struct Command;
bindings::export!(Command with_types_in bindings);

impl bindings::exports::wasi::cli::run::Guest for Command {
    fn run() -> Result<(), ()> {
        std::panic::set_hook(Box::new(|info| say(get_stderr(), &format!("{info}\n"))));
        let arguments = get_arguments();
        let only = arguments.get(1).map(String::as_str);
        for (name, check) in CHECKS {
            if only == Some("--list") {
                say(get_stdout(), &format!("{name}\n"));
            } else if only.is_none_or(|only| only == name) {
                check();
                if only.is_none() {
                    say(get_stdout(), &format!("ok {name}\n"));
                }
            }
        }
        Ok(())
    }
}
