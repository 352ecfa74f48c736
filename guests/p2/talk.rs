//! Two ends of a conversation over TCP.
//!
//! ```text
//! p2_talk serve PORT N           answers N questions, each on a connection of its own, and prints who asked
//! p2_talk ask NAME PORT TEXT…    asks whoever has that name, and prints the answer
//! ```

#[macro_use]
mod check;
mod net;

use check::{complain, say, Failure};
use net::{accept, connect, unspecified, wait, write_all, End};
use wasip2::cli::environment::get_arguments;
use wasip2::cli::stdout::get_stdout;
use wasip2::io::streams::StreamError;
use wasip2::sockets::instance_network::instance_network;
use wasip2::sockets::ip_name_lookup::resolve_addresses;
use wasip2::sockets::network::{
    ErrorCode, IpAddress, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress,
};
use wasip2::sockets::tcp::ShutdownType;
use wasip2::sockets::tcp_create_socket::create_tcp_socket;

fn tell(what: &str) {
    say(get_stdout(), &format!("{what}\n"));
}

fn read_to_end(end: &End) -> Result<String, StreamError> {
    let mut all = Vec::new();
    loop {
        match end.input.blocking_read(4096) {
            Ok(bytes) => all.extend(bytes),
            Err(StreamError::Closed) => return Ok(String::from_utf8_lossy(&all).into_owned()),
            Err(error) => return Err(error),
        }
    }
}

fn serve(port: u16, questions: u32) -> Result<(), Failure> {
    let listener = create_tcp_socket(IpAddressFamily::Ipv4)?;
    listener.start_bind(&instance_network(), unspecified(IpAddressFamily::Ipv4, port))?;
    wait(listener.subscribe(), || listener.finish_bind())?;
    listener.start_listen()?;
    wait(listener.subscribe(), || listener.finish_listen())?;
    tell("listening");
    for _ in 0..questions {
        let end = accept(&listener)?;
        let question = read_to_end(&end)?;
        tell(&format!("asked: {question}"));
        write_all(&end.output, question.to_uppercase().as_bytes())?;
        end.socket.shutdown(ShutdownType::Both)?;
    }
    Ok(())
}

fn ask(name: &str, port: u16, text: &str) -> Result<(), Failure> {
    let found = resolve_addresses(&instance_network(), name)
        .map_err(|error| Failure(format!("{name} cannot be looked up: {}", error.name())))?;
    let mut last = ErrorCode::NameUnresolvable;
    loop {
        let address = match wait(found.subscribe(), || found.resolve_next_address()) {
            Ok(Some(address)) => address,
            Ok(None) => break,
            Err(error) => return Err(Failure(format!("{name} cannot be looked up: {}", error.name()))),
        };
        let (family, address) = match address {
            IpAddress::Ipv4(address) => {
                (IpAddressFamily::Ipv4, IpSocketAddress::Ipv4(Ipv4SocketAddress { port, address }))
            }
            IpAddress::Ipv6(address) => (
                IpAddressFamily::Ipv6,
                IpSocketAddress::Ipv6(Ipv6SocketAddress { port, address, flow_info: 0, scope_id: 0 }),
            ),
        };
        match connect(create_tcp_socket(family)?, address) {
            Ok(end) => {
                write_all(&end.output, text.as_bytes())?;
                end.socket.shutdown(ShutdownType::Send)?;
                tell(&format!("answered: {}", read_to_end(&end)?));
                return Ok(());
            }
            Err(error) => last = error,
        }
    }
    Err(Failure(format!("{name}:{port} cannot be reached: {}", last.name())))
}

fn talk() -> Result<(), Failure> {
    let arguments = get_arguments();
    let words: Vec<&str> = arguments.iter().skip(1).map(String::as_str).collect();
    match words[..] {
        ["serve", port, questions] => serve(port.parse()?, questions.parse()?),
        ["ask", name, port, ref text @ ..] => ask(name, port.parse()?, &text.join(" ")),
        _ => Err(Failure("usage: p2_talk serve PORT N | ask NAME PORT TEXT…".into())),
    }
}

command!(talk().map_err(|Failure(why)| complain(&why)));
