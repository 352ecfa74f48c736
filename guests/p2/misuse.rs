//! What a program must not do: each of these must end in a trap of the host's. `--list` names them;
//! the others run one at a time. One that returns says so and gives an error.

#[macro_use]
mod check;
mod dir;
mod net;

use check::{complain, say};
use net::loopback;
use wasip2::cli::environment::get_arguments;
use wasip2::cli::stdin::get_stdin;
use wasip2::cli::stdout::get_stdout;
use wasip2::clocks::monotonic_clock::subscribe_duration;
use wasip2::filesystem::preopens::get_directories;
use wasip2::io::poll::{poll, Pollable};
use wasip2::io::streams::{InputStream, OutputStream};
use wasip2::random::insecure::get_insecure_random_bytes;
use wasip2::random::random::get_random_bytes;
use wasip2::sockets::instance_network::instance_network;
use wasip2::sockets::ip_name_lookup::resolve_addresses;
use wasip2::sockets::network::{ErrorCode, IpAddressFamily};
use wasip2::sockets::tcp_create_socket::create_tcp_socket;
use wasip2::sockets::udp::{IncomingDatagramStream, OutgoingDatagram, OutgoingDatagramStream, UdpSocket};
use wasip2::sockets::udp_create_socket::create_udp_socket;

/// A stream into a file that goes when the program ends badly: it has no name any more.
fn file_output() -> OutputStream {
    let (root, _) = get_directories().into_iter().next().expect("a preopened directory");
    let file = dir::put(&root, "misused", b"").unwrap();
    root.unlink_file_at("misused").unwrap();
    file.write_via_stream(0).unwrap()
}

fn file_input() -> InputStream {
    let (root, _) = get_directories().into_iter().next().expect("a preopened directory");
    let file = dir::put(&root, "misused", b"content").unwrap();
    root.unlink_file_at("misused").unwrap();
    file.read_via_stream(0).unwrap()
}

fn udp() -> (UdpSocket, IncomingDatagramStream, OutgoingDatagramStream) {
    let socket = create_udp_socket(IpAddressFamily::Ipv4).unwrap();
    socket.start_bind(&instance_network(), loopback(IpAddressFamily::Ipv4, 0)).unwrap();
    net::wait(socket.subscribe(), || socket.finish_bind()).unwrap();
    let (incoming, outgoing) = socket.stream(None).unwrap();
    (socket, incoming, outgoing)
}

fn datagrams(count: u64) -> Vec<OutgoingDatagram> {
    let to = loopback(IpAddressFamily::Ipv4, 9);
    (0..count).map(|_| OutgoingDatagram { data: vec![], remote_address: Some(to) }).collect()
}

fn poll_of_nothing() {
    poll(&[]);
}

fn write_beyond_the_permit_to_a_file() {
    let stream = file_output();
    let permit = stream.check_write().unwrap();
    let _ = stream.write(&vec![0; permit as usize + 1]);
}

fn write_beyond_the_permit_to_stdout() {
    let stream = get_stdout();
    let permit = stream.check_write().unwrap();
    let _ = stream.write(&vec![0; permit as usize + 1]);
}

fn write_beyond_the_permit_to_a_socket() {
    let (client, _server) = net::connected(IpAddressFamily::Ipv4).unwrap();
    let permit = client.output.check_write().unwrap();
    let _ = client.output.write(&vec![0; permit as usize + 1]);
}

fn write_zeroes_beyond_the_permit() {
    let stream = file_output();
    let permit = stream.check_write().unwrap();
    let _ = stream.write_zeroes(permit + 1);
}

fn write_zeroes_without_end() {
    let stream = file_output();
    stream.check_write().unwrap();
    let _ = stream.write_zeroes(u64::MAX);
}

fn blocking_write_of_more_than_4096_bytes() {
    let _ = file_output().blocking_write_and_flush(&[0; 4097]);
}

fn blocking_zeroes_of_more_than_4096_bytes() {
    let _ = file_output().blocking_write_zeroes_and_flush(4097);
}

fn input_stream_dropped_before_its_pollable() {
    let stream = file_input();
    let pollable = stream.subscribe();
    drop(stream);
    pollable.block();
}

fn output_stream_dropped_before_its_pollable() {
    let stream = file_output();
    let pollable = stream.subscribe();
    drop(stream);
    pollable.block();
}

fn stdin_dropped_before_its_pollable() {
    let stream = get_stdin();
    let pollable = stream.subscribe();
    drop(stream);
    pollable.ready();
}

fn tcp_socket_dropped_before_its_pollable() {
    let socket = create_tcp_socket(IpAddressFamily::Ipv4).unwrap();
    let pollable = socket.subscribe();
    drop(socket);
    pollable.ready();
}

fn udp_socket_dropped_before_its_pollable() {
    let socket = create_udp_socket(IpAddressFamily::Ipv4).unwrap();
    let pollable = socket.subscribe();
    drop(socket);
    pollable.ready();
}

fn lookup_dropped_before_its_pollable() {
    let stream = resolve_addresses(&instance_network(), "127.0.0.1").unwrap();
    let pollable = stream.subscribe();
    drop(stream);
    pollable.ready();
}

fn incoming_datagrams_dropped_before_their_pollable() {
    let (_socket, incoming, _outgoing) = udp();
    let pollable = incoming.subscribe();
    drop(incoming);
    pollable.ready();
}

fn outgoing_datagrams_dropped_before_their_pollable() {
    let (_socket, _incoming, outgoing) = udp();
    let pollable = outgoing.subscribe();
    drop(outgoing);
    pollable.ready();
}

fn send_without_asking() {
    let (_socket, _incoming, outgoing) = udp();
    let _ = outgoing.send(&datagrams(1));
}

fn send_more_than_permitted() {
    let (_socket, _incoming, outgoing) = udp();
    let permit = outgoing.check_send().unwrap();
    let _: Result<u64, ErrorCode> = outgoing.send(&datagrams(permit + 1));
}

fn send_twice_on_one_permit() {
    let (_socket, _incoming, outgoing) = udp();
    let permit = outgoing.check_send().unwrap();
    outgoing.send(&datagrams(permit)).unwrap();
    let _ = outgoing.send(&datagrams(1));
}

fn random_bytes_without_end() {
    get_random_bytes(u64::MAX);
}

fn insecure_bytes_without_end() {
    get_insecure_random_bytes(u64::MAX);
}

fn a_handle_of_nothing() {
    // SAFETY: no memory is touched; the host is to refuse the number.
    unsafe { Pollable::from_handle(12_345) }.ready();
}

fn a_handle_of_something_else() {
    let pollable = subscribe_duration(0);
    // SAFETY: no memory is touched; the host is to refuse the number.
    let _ = unsafe { InputStream::from_handle(pollable.handle()) }.read(1);
}

fn a_handle_after_its_end() {
    let pollable = subscribe_duration(0);
    let handle = pollable.handle();
    drop(pollable);
    // SAFETY: no memory is touched; the host is to refuse the number.
    unsafe { Pollable::from_handle(handle) }.block();
}

const MISUSES: &[(&str, fn())] = checks![
    poll_of_nothing,
    write_beyond_the_permit_to_a_file,
    write_beyond_the_permit_to_stdout,
    write_beyond_the_permit_to_a_socket,
    write_zeroes_beyond_the_permit,
    write_zeroes_without_end,
    blocking_write_of_more_than_4096_bytes,
    blocking_zeroes_of_more_than_4096_bytes,
    input_stream_dropped_before_its_pollable,
    output_stream_dropped_before_its_pollable,
    stdin_dropped_before_its_pollable,
    tcp_socket_dropped_before_its_pollable,
    udp_socket_dropped_before_its_pollable,
    lookup_dropped_before_its_pollable,
    incoming_datagrams_dropped_before_their_pollable,
    outgoing_datagrams_dropped_before_their_pollable,
    send_without_asking,
    send_more_than_permitted,
    send_twice_on_one_permit,
    random_bytes_without_end,
    insecure_bytes_without_end,
    a_handle_of_nothing,
    a_handle_of_something_else,
    a_handle_after_its_end,
];

fn run() -> Result<(), ()> {
    let arguments = get_arguments();
    let wanted = arguments.get(1).map_or("--list", String::as_str);
    if wanted == "--list" {
        MISUSES.iter().for_each(|(name, _)| say(get_stdout(), &format!("{name}\n")));
        return Ok(());
    }
    match MISUSES.iter().find(|(name, _)| *name == wanted) {
        Some((name, misuse)) => {
            misuse();
            complain(&format!("{name}: nothing happened"));
        }
        None => complain(&format!("no misuse is called {wanted:?}")),
    }
    Err(())
}

command!(run());
