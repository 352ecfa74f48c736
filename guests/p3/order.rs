//! What happens in which order: `p3_order PORT` has a conversation with 127.0.0.1:PORT, copies a file, and lets a clock tick,
//! all three at once, and prints what came when. Wants a writable directory.

#[macro_use]
mod check;
mod dir;
mod io;
mod net;

use check::{say, Check, Failure};
use dir::{put, root};
use io::{both, pattern, read, MILLISECOND};
use net::{loopback, End};
use std::cell::RefCell;
use std::fmt::Write as _;
use wasip3::cli::environment::get_arguments;
use wasip3::clocks::monotonic_clock::{now, wait_for};
use wasip3::random::random::get_random_u64;
use wasip3::sockets::types::{IpAddressFamily::Ipv4, TcpSocket};
use wasip3::wit_bindgen::StreamResult;

/// What came, and when.
struct Diary(RefCell<String>);

impl Diary {
    fn note(&self, what: &str) {
        let _ = writeln!(self.0.borrow_mut(), "{} {what}", now());
    }
}

/// Says something, and listens until the other side has nothing more to say.
async fn talk(diary: &Diary, port: u16) -> Check {
    let socket = TcpSocket::create(Ipv4)?;
    socket.connect(loopback(Ipv4, port)).await?;
    diary.note("connected");
    let End { mut input, mut output, sent, received, .. } = End::new(socket);
    let speak = async {
        for i in 0..20 {
            wait_for((1 + i % 3) * MILLISECOND).await;
            equal!(output.write_all(pattern(500 + i as usize * 37)).await, []);
        }
        drop(output);
        Ok::<_, Failure>(sent.await?)
    };
    let listen = async {
        loop {
            let (result, bytes) = read(&mut input, 700).await;
            diary.note(&format!("heard {}", bytes.len()));
            if result == StreamResult::Dropped {
                drop(input);
                return Ok::<_, Failure>(received.await?);
            }
        }
    };
    let (spoken, heard) = both(speak, listen).await;
    spoken?;
    heard
}

async fn copy(diary: &Diary) -> Check {
    let root = root();
    let (source, target) = (put(&root, "source", &pattern(300_000)).await?, put(&root, "target", b"").await?);
    let ((mut stream, _), mut at) = (source.read_via_stream(0), 0);
    while at < 300_000 {
        let (_, bytes) = read(&mut stream, 20_000).await;
        dir::write(&target, &bytes, at).await?;
        at += bytes.len() as u64;
        diary.note(&format!("copied {at}"));
        wait_for(MILLISECOND).await;
    }
    root.unlink_file_at("source".to_owned()).await?;
    Ok(root.unlink_file_at("target".to_owned()).await?)
}

async fn tick(diary: &Diary) -> Check {
    for i in 0..30 {
        wait_for(2 * MILLISECOND).await;
        diary.note(&format!("tick {i} {}", get_random_u64()));
    }
    Ok(())
}

async fn three() -> Check {
    let port = get_arguments()[1].parse()?;
    let diary = Diary(RefCell::new(String::new()));
    let ((talked, copied), ticked) = both(both(talk(&diary, port), copy(&diary)), tick(&diary)).await;
    talked?;
    copied?;
    ticked?;
    say(&diary.0.take()).await;
    Ok(())
}

async fn run() -> Result<(), ()> {
    match three().await {
        Ok(()) => Ok(()),
        Err(Failure(why)) => Err(check::complain(&why).await),
    }
}

command!(run());
