//! Does some of everything, in rounds: `p2_rounds ROUNDS PAUSE FILE PORT` sleeps for PAUSE milliseconds, writes a file in
//! the first directory and reads it again, and sends a few bytes to 127.0.0.1:PORT, which answers with the same. It prints
//! by how many microseconds it woke late, a line for each round.

#[macro_use]
mod check;
mod net;

use std::fmt::Write as _;
use check::{say, Failure};
use net::{connect, loopback, read_exactly, write_all};
use wasip2::cli::environment::get_arguments;
use wasip2::cli::stdout::get_stdout;
use wasip2::clocks::monotonic_clock::{now, subscribe_instant};
use wasip2::filesystem::preopens::get_directories;
use wasip2::filesystem::types::{DescriptorFlags, OpenFlags, PathFlags};
use wasip2::sockets::network::IpAddressFamily;
use wasip2::sockets::tcp_create_socket::create_tcp_socket;

fn rounds() -> Result<(), Failure> {
    let arguments = get_arguments();
    let number = |i: usize| arguments[i].parse::<u64>().expect("a number");
    let (rounds, pause, file, port) = (number(1), number(2) * 1_000_000, &arguments[3], number(4) as u16);
    let (root, _) = get_directories().into_iter().next().expect("a directory");
    let flags = DescriptorFlags::READ | DescriptorFlags::WRITE;
    let file = root.open_at(PathFlags::empty(), file, OpenFlags::CREATE, flags)?;
    let end = connect(create_tcp_socket(IpAddressFamily::Ipv4)?, loopback(IpAddressFamily::Ipv4, port))?;
    let mut late = String::new();
    for round in 0..rounds {
        let until = now() + pause;
        subscribe_instant(until).block();
        writeln!(late, "{}", (now() - until) / 1000)?;

        let bytes = round.to_le_bytes().repeat(8);
        equal!(file.write(&bytes, round * 64)?, 64);
        equal!(file.read(64, round * 64)?.0, bytes);
        write_all(&end.output, &bytes)?;
        equal!(read_exactly(&end.input, 64)?, bytes);
    }
    say(get_stdout(), &late);
    Ok(())
}

command!(rounds().map_err(|Failure(why)| check::complain(&why)));
