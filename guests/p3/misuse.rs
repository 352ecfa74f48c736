//! What a program must not do: each of these must end in a trap that is not its own. `--list` names
//! them; the others run one at a time. One that returns says so and gives an error.
//!
//! The bindings do not let a program do most of this: hence the handles and calls below them.

#[macro_use]
mod check;
mod dir;
mod io;
mod net;

use check::{complain, say};
use dir::{put, root};
use io::{both, now, rest, SECOND};
use net::loopback;
use std::future::Future;
use std::mem::ManuallyDrop;
use std::pin::{pin, Pin};
use wasip3::cli::environment::get_arguments;
use wasip3::cli::{stdin, stdout};
use wasip3::clocks::monotonic_clock::wait_for;
use wasip3::filesystem::types::Descriptor;
use wasip3::sockets::types::{IpAddressFamily, TcpSocket, UdpSocket};
use wasip3::wit_bindgen::rt::async_support::StreamVtable;
use wasip3::wit_bindgen::{FutureReader, StreamReader, StreamResult};
use wasip3::wit_future::FuturePayload;
use wasip3::wit_stream::{self, StreamPayload};

const NOBODYS: u32 = 12_345;
const OUTSIDE: *mut u8 = 0xffff_fff0 as *mut u8;
const BYTES: &StreamVtable<u8> = <u8 as StreamPayload>::VTABLE;

#[link(wasm_import_module = "wasi:filesystem/types@0.3.2")]
extern "C" {
    #[link_name = "[method]descriptor.create-directory-at"]
    fn create_directory_at(dir: u32, path: *const u8, len: usize, result: *mut u8);
    #[link_name = "[method]descriptor.advise"]
    fn advise(file: u32, offset: u64, len: u64, advice: u32, result: *mut u8);
    #[link_name = "[async-lower][method]descriptor.stat"]
    fn stat(file: u32, result: *mut u8) -> u32;
}

#[link(wasm_import_module = "wasi:sockets/types@0.3.2")]
extern "C" {
    #[link_name = "[async-lower][method]udp-socket.receive"]
    fn receive(socket: u32, result: *mut u8) -> u32;
}

#[link(wasm_import_module = "$root")]
extern "C" {
    #[link_name = "[subtask-drop]"]
    fn subtask_drop(task: u32);
}

/// What uses a handle that may be another's, and leaves it alone in the end.
fn descriptor(handle: u32) -> ManuallyDrop<Descriptor> {
    ManuallyDrop::new(unsafe { Descriptor::from_handle(handle) })
}

/// Another owner of the same handle.
fn stream(handle: u32) -> StreamReader<u8> {
    StreamReader::new(handle, BYTES)
}

/// A file with something in it, and without a name: it goes when the program ends badly.
async fn file() -> Descriptor {
    let root = root();
    let file = put(&root, "misused", b"content").await.unwrap();
    root.unlink_file_at("misused".to_owned()).await.unwrap();
    file
}

/// A socket that hears nothing.
fn udp() -> UdpSocket {
    let socket = UdpSocket::create(IpAddressFamily::Ipv4).unwrap();
    socket.bind(loopback(IpAddressFamily::Ipv4, 0)).unwrap();
    socket
}

async fn a_handle_of_nothing() {
    let _ = descriptor(NOBODYS).get_type().await;
}

async fn a_handle_of_something_else() {
    let socket = udp();
    let _ = descriptor(socket.handle()).get_type().await;
}

async fn a_handle_after_its_end() {
    let file = file().await;
    let handle = file.handle();
    drop(file);
    descriptor(handle).read_via_stream(0);
}

async fn a_handle_dropped_twice() {
    let socket = udp();
    drop(unsafe { UdpSocket::from_handle(socket.handle()) });
}

async fn a_handle_dropped_while_it_is_used() {
    let socket = ManuallyDrop::new(udp());
    let mut receiving = pin!(socket.receive());
    let _ = now(receiving.as_mut()).await;
    drop(unsafe { UdpSocket::from_handle(socket.handle()) });
}

async fn a_task_dropped_while_it_goes_on() {
    let (socket, mut result) = (udp(), [0; 128]);
    unsafe { subtask_drop(receive(socket.handle(), result.as_mut_ptr()) >> 4) };
}

async fn a_path_outside_of_memory() {
    unsafe { create_directory_at(root().handle(), OUTSIDE, 100, [0; 64].as_mut_ptr()) };
}

async fn a_path_without_end() {
    unsafe { create_directory_at(root().handle(), b"path".as_ptr(), usize::MAX, [0; 64].as_mut_ptr()) };
}

async fn a_path_that_is_no_text() {
    unsafe { create_directory_at(root().handle(), b"\xff\xfe".as_ptr(), 2, [0; 64].as_mut_ptr()) };
}

async fn a_result_outside_of_memory() {
    unsafe { create_directory_at(root().handle(), b"misused".as_ptr(), 7, OUTSIDE) };
}

async fn a_later_result_outside_of_memory() {
    unsafe { stat(root().handle(), OUTSIDE) };
}

async fn a_result_where_none_may_stand() {
    let mut result = [0u64; 32];
    unsafe { stat(root().handle(), result.as_mut_ptr().cast::<u8>().add(1)) };
}

async fn advice_that_there_is_not() {
    unsafe { advise(file().await.handle(), 0, 1, 6, [0; 64].as_mut_ptr()) };
}

async fn a_stream_of_nothing() {
    let _ = stdout::write_via_stream(stream(NOBODYS)).await;
}

async fn a_stream_given_twice() {
    let (writer, reader) = wit_stream::new::<u8>();
    let again = stream(reader.handle());
    let _first = stdout::write_via_stream(reader);
    let _second = stdout::write_via_stream(again);
    drop(writer);
}

async fn a_stream_given_by_its_other_end() {
    let (writer, _reader) = wit_stream::new::<u8>();
    let _ = stdout::write_via_stream(stream(writer.handle())).await;
}

async fn a_stream_of_something_else() {
    let (entries, _done) = root().read_directory();
    let _ = stdout::write_via_stream(stream(entries.take_handle())).await;
}

async fn a_future_for_a_stream() {
    let (_stream, done) = stdin::read_via_stream();
    let _ = stdout::write_via_stream(stream(done.take_handle())).await;
}

async fn a_stream_for_a_future() {
    let (writer, reader) = wit_stream::new::<u8>();
    let vtable = <Result<(), wasip3::cli::types::ErrorCode> as FuturePayload>::VTABLE;
    let future = unsafe { FutureReader::new(reader.take_handle(), vtable) };
    drop(writer);
    let _ = future.await;
}

async fn a_stream_given_after_its_end() {
    let (mut stream, _done) = file().await.read_via_stream(0);
    rest(&mut stream, 100).await;
    let _ = stdout::write_via_stream(stream).await;
}

async fn a_stream_given_while_it_is_read() {
    let (_writer, mut reader) = wit_stream::new::<u8>();
    let again = stream(reader.handle());
    let mut reading = pin!(reader.next());
    let _ = now(reading.as_mut()).await;
    let _ = stdout::write_via_stream(again).await;
}

async fn a_read_after_the_end() {
    let (mut reader, _done) = file().await.read_via_stream(7);
    assert_eq!(reader.read(Vec::with_capacity(1)).await.0, StreamResult::Dropped);
    let _ = reader.read(Vec::with_capacity(1)).await;
}

async fn two_reads_at_once() {
    let socket = TcpSocket::create(IpAddressFamily::Ipv4).unwrap();
    let connections = socket.listen().unwrap();
    let vtable = <TcpSocket as StreamPayload>::VTABLE;
    let again = || ManuallyDrop::new(StreamReader::new(connections.handle(), vtable));
    let (mut first, mut second) = (again(), again());
    both(first.next(), second.next()).await;
}

async fn a_read_given_up_before_it_began() {
    let (reader, _done) = stdin::read_via_stream();
    unsafe { (BYTES.cancel_read)(reader.handle()) };
}

async fn a_stream_dropped_while_it_is_read() {
    let (_writer, mut reader) = wit_stream::new::<u8>();
    let again = stream(reader.handle());
    let mut reading = pin!(reader.next());
    let _ = now(reading.as_mut()).await;
    drop(again);
}

async fn a_read_of_too_much() {
    let (reader, _done) = file().await.read_via_stream(0);
    unsafe { (BYTES.start_read)(reader.handle(), 16 as *mut u8, 1 << 28) };
}

async fn a_read_outside_of_memory() {
    let (reader, _done) = file().await.read_via_stream(0);
    unsafe { (BYTES.start_read)(reader.handle(), OUTSIDE, 100) };
}

async fn a_write_outside_of_memory() {
    let (writer, reader) = wit_stream::new::<u8>();
    let _done = stdout::write_via_stream(reader);
    unsafe { (BYTES.start_write)(writer.handle(), OUTSIDE, 100) };
}

async fn a_write_after_the_end() {
    let (mut writer, reader) = wit_stream::new::<u8>();
    drop(reader);
    for _ in 0..2 {
        writer.write(vec![1]).await;
    }
}

type Misuse = fn() -> Pin<Box<dyn Future<Output = ()>>>;

const MISUSES: &[(&str, Misuse)] = checks![
    a_handle_of_nothing,
    a_handle_of_something_else,
    a_handle_after_its_end,
    a_handle_dropped_twice,
    a_handle_dropped_while_it_is_used,
    a_task_dropped_while_it_goes_on,
    a_path_outside_of_memory,
    a_path_without_end,
    a_path_that_is_no_text,
    a_result_outside_of_memory,
    a_later_result_outside_of_memory,
    a_result_where_none_may_stand,
    advice_that_there_is_not,
    a_stream_of_nothing,
    a_stream_given_twice,
    a_stream_given_by_its_other_end,
    a_stream_of_something_else,
    a_future_for_a_stream,
    a_stream_for_a_future,
    a_stream_given_after_its_end,
    a_stream_given_while_it_is_read,
    a_read_after_the_end,
    two_reads_at_once,
    a_read_given_up_before_it_began,
    a_stream_dropped_while_it_is_read,
    a_read_of_too_much,
    a_read_outside_of_memory,
    a_write_outside_of_memory,
    a_write_after_the_end,
];

async fn run() -> Result<(), ()> {
    let arguments = get_arguments();
    let wanted = arguments.get(1).map_or("--list", String::as_str);
    if wanted == "--list" {
        let names: String = MISUSES.iter().map(|(name, _)| format!("{name}\n")).collect();
        say(&names).await;
        return Ok(());
    }
    match MISUSES.iter().find(|(name, _)| *name == wanted) {
        Some((name, misuse)) => {
            misuse().await;
            // The host may have been at something yet.
            wait_for(SECOND / 5).await;
            complain(&format!("{name}: nothing happened")).await;
        }
        None => complain(&format!("no misuse is called {wanted:?}")).await,
    }
    Err(())
}

command!(run());
