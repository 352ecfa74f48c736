//! The system calls alone, from Rust: each does one `n` times in a directory that [`files::make`](crate::files::make) made.

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags, ResolveFlags};
use std::hint::black_box;
use std::time::{Duration, Instant};

fn timed(n: u32, mut f: impl FnMut()) -> Duration {
    let begin = Instant::now();
    (0..n).for_each(|_| f());
    begin.elapsed()
}

/// For what asks the system nothing.
pub fn nothing(_: &str, n: u32) -> Duration {
    timed(n, || ()).mul_f64(0.0)
}

/// `pread` of `LEN` bytes, on and on through `data`.
pub fn read<const LEN: usize>(dir: &str, n: u32) -> Duration {
    let file = std::fs::File::open(format!("{dir}/data")).expect("made");
    let (mut buffer, mut at) = (vec![0; LEN], 0);
    timed(n, || {
        rustix::io::pread(&file, &mut buffer[..], at).expect("read");
        at = (at + LEN as u64) % (64 << 20);
    })
}

/// `pwrite` of `LEN` bytes, on and on through `out`.
pub fn write<const LEN: usize>(dir: &str, n: u32) -> Duration {
    let file = std::fs::File::options().write(true).open(format!("{dir}/out")).expect("made");
    let (buffer, mut at) = (vec![0; LEN], 0);
    timed(n, || {
        rustix::io::pwrite(&file, &buffer, at).expect("written");
        at = (at + LEN as u64) % (64 << 20);
    })
}

/// `pread` of 4 KiB at 0.
pub fn pread(dir: &str, n: u32) -> Duration {
    let file = std::fs::File::open(format!("{dir}/data")).expect("made");
    let mut buffer = [0; 4096];
    timed(n, || _ = black_box(rustix::io::pread(&file, &mut buffer, 0)))
}

/// `pwrite` of 4 KiB at 0.
pub fn pwrite(dir: &str, n: u32) -> Duration {
    let file = std::fs::File::options().write(true).open(format!("{dir}/out")).expect("made");
    timed(n, || _ = black_box(rustix::io::pwrite(&file, &[0; 4096], 0)))
}

/// `fstat`.
pub fn fstat(dir: &str, n: u32) -> Duration {
    let file = std::fs::File::open(format!("{dir}/data")).expect("made");
    timed(n, || _ = black_box(rustix::fs::fstat(&file)))
}

/// `fstatat` of one component.
pub fn stat(dir: &str, n: u32) -> Duration {
    let dir = std::fs::File::open(dir).expect("made");
    timed(n, || {
        _ = black_box(rustix::fs::statat(&dir, "small.txt", rustix::fs::AtFlags::SYMLINK_NOFOLLOW));
    })
}

/// `fstat` of what is beneath, two components down.
pub fn stat_deep(dir: &str, n: u32) -> Duration {
    let dir = std::fs::File::open(dir).expect("made");
    timed(n, || _ = black_box(open_beneath(&dir, "sub/small.txt", OFlags::PATH).map(rustix::fs::fstat)))
}

/// `openat2` beneath, and `close`.
pub fn open(dir: &str, n: u32) -> Duration {
    let dir = std::fs::File::open(dir).expect("made");
    timed(n, || _ = black_box(open_beneath(&dir, "small.txt", OFlags::RDONLY)))
}

/// The same, two components down.
pub fn open_deep(dir: &str, n: u32) -> Duration {
    let dir = std::fs::File::open(dir).expect("made");
    timed(n, || _ = black_box(open_beneath(&dir, "sub/small.txt", OFlags::RDONLY)))
}

/// `getdents64` of a directory of `N`.
pub fn list<const N: usize>(dir: &str, n: u32) -> Duration {
    let dir = std::fs::File::open(format!("{dir}/d{N}")).expect("made");
    let mut block = vec![std::mem::MaybeUninit::uninit(); 32 << 10];
    timed(n, || {
        rustix::fs::seek(&dir, rustix::fs::SeekFrom::Start(0)).expect("rewound");
        let mut entries = rustix::fs::RawDir::new(&dir, &mut block);
        while entries.next().is_some() {}
    })
}

/// `clock_gettime`.
pub fn clock(_: &str, n: u32) -> Duration {
    timed(n, || _ = black_box(rustix::time::clock_gettime(rustix::time::ClockId::Monotonic)))
}

/// `ppoll` of nothing for 1 µs.
pub fn sleep(_: &str, n: u32) -> Duration {
    let t = rustix::event::Timespec { tv_sec: 0, tv_nsec: 1000 };
    timed(n, || _ = black_box(rustix::event::poll(&mut [], Some(&t))))
}

/// Opens beneath a directory.
///
/// # Errors
///
/// Those of `openat2`.
pub fn open_beneath(dir: impl AsFd, path: &str, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    let mode = if flags.contains(OFlags::CREATE) { Mode::from_raw_mode(0o666) } else { Mode::empty() };
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    rustix::fs::openat2(dir, path, flags | OFlags::CLOEXEC, mode, resolve)
}
