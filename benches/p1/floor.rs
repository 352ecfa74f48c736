//! The floor: functions written by hand that do the one system call and little else. No rights, no limits, one
//! buffer a call, few error numbers: what nobody can undercut and nobody should ship.

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, OFlags, RawDir, SeekFrom, Stat};
use std::mem::MaybeUninit;
use wasi_host_benches::native::open_beneath;
use wasmtime::{Caller, Engine, Linker, Memory, Result};

/// What a descriptor is.
enum Fd {
    Closed,
    Stdin,
    Stdout,
    Dir(OwnedFd),
    File(OwnedFd, u64),
}

/// The floor's state.
pub(crate) struct Floor {
    memory: Option<Memory>,
    fds: Vec<Fd>,
    free: Vec<u32>,
    args: (u32, u32),
    env: (Vec<u32>, Vec<u8>),
    stdin: bytes::Bytes,
    stdout: Vec<u8>,
    random: ChaCha12Rng,
    /// The listing that is read: encoded entries, and the cookie after the last.
    listing: (Vec<u8>, u64),
}

impl Floor {
    pub(crate) fn new(dir: &str, args: &[String], env: &[(String, String)], stdin: bytes::Bytes) -> Self {
        let mut blob = (Vec::new(), Vec::new());
        for (k, v) in env {
            blob.0.push(blob.1.len() as u32);
            blob.1.extend_from_slice(format!("{k}={v}\0").as_bytes());
        }
        let root = std::fs::File::open(dir).expect("the directory").into();
        let mut seed = [0; 32];
        rustix::rand::getrandom(&mut seed, rustix::rand::GetRandomFlags::empty()).expect("a seed");
        Self {
            memory: None,
            fds: vec![Fd::Stdin, Fd::Stdout, Fd::Stdout, Fd::Dir(root)],
            free: Vec::new(),
            args: (args.len() as u32, args.iter().map(|a| a.len() as u32 + 1).sum()),
            env: blob,
            stdin,
            stdout: Vec::new(),
            random: ChaCha12Rng::from_seed(seed),
            listing: (Vec::new(), 0),
        }
    }

    pub(crate) fn set_memory(&mut self, memory: Memory) {
        self.memory = Some(memory);
    }
}

#[inline(always)]
fn lend<'a>(caller: &'a mut Caller<'_, Floor>) -> (&'a mut [u8], &'a mut Floor) {
    caller.data().memory.expect("told").data_and_store_mut(caller)
}

#[inline(always)]
fn get(m: &[u8], at: u32) -> u32 {
    u32::from_le_bytes(m[at as usize..at as usize + 4].try_into().expect("four"))
}

fn get64(m: &[u8], at: u32) -> u64 {
    u64::from_le_bytes(m[at as usize..at as usize + 8].try_into().expect("eight"))
}

#[inline(always)]
fn put(m: &mut [u8], at: u32, v: u32) -> u32 {
    m[at as usize..at as usize + 4].copy_from_slice(&v.to_le_bytes());
    0
}

#[inline(always)]
fn put64(m: &mut [u8], at: u32, v: u64) -> u32 {
    m[at as usize..at as usize + 8].copy_from_slice(&v.to_le_bytes());
    0
}

fn one(m: &[u8], iovs: u32) -> std::ops::Range<usize> {
    let (at, len) = (get(m, iovs) as usize, get(m, iovs + 4) as usize);
    at..at + len
}

fn text(m: &[u8], at: u32, len: u32) -> &str {
    std::str::from_utf8(&m[at as usize..][..len as usize]).expect("UTF-8")
}

/// The numbers that stand for any failure and for a closed descriptor.
const IO: u32 = 29;
const BADF: u32 = 8;

fn set_stat(m: &mut [u8], at: u32, st: &Stat) -> u32 {
    let nanos = |s: i64, n: u64| s as u64 * 1_000_000_000 + n;
    put64(m, at, st.st_dev);
    put64(m, at + 8, st.st_ino);
    put64(m, at + 16, 4);
    put64(m, at + 24, st.st_nlink);
    put64(m, at + 32, st.st_size as u64);
    put64(m, at + 40, nanos(st.st_atime, st.st_atime_nsec));
    put64(m, at + 48, nanos(st.st_mtime, st.st_mtime_nsec));
    put64(m, at + 56, nanos(st.st_ctime, st.st_ctime_nsec))
}

/// Lists a directory into `out`, encoded as the guest wants it.
fn list(fd: impl AsFd, out: &mut Vec<u8>) {
    let mut block = vec![MaybeUninit::uninit(); 32 << 10];
    let mut dir = RawDir::new(fd, &mut block);
    let mut cookie = 0u64;
    while let Some(Ok(entry)) = dir.next() {
        let name = entry.file_name().to_bytes();
        cookie += 1;
        out.extend_from_slice(&cookie.to_le_bytes());
        out.extend_from_slice(&entry.ino().to_le_bytes());
        out.extend_from_slice(&(name.len() as u32).to_le_bytes());
        out.extend_from_slice(&4u32.to_le_bytes());
        out.extend_from_slice(name);
    }
}

/// The functions that the measured guest imports.
pub(crate) fn linker(engine: &Engine) -> Result<Linker<Floor>> {
    type C<'a> = Caller<'a, Floor>;
    let mut l = Linker::new(engine);
    let w = "wasi_snapshot_preview1";
    l.func_wrap(w, "sched_yield", || 0u32)?;
    l.func_wrap(w, "clock_time_get", |mut c: C<'_>, _id: u32, _: u64, out: u32| {
        let t = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        put64(lend(&mut c).0, out, t.tv_sec as u64 * 1_000_000_000 + t.tv_nsec as u64)
    })?;
    l.func_wrap(w, "random_get", |mut c: C<'_>, at: u32, len: u32| {
        let (m, s) = lend(&mut c);
        s.random.fill_bytes(&mut m[at as usize..][..len as usize]);
        0u32
    })?;
    l.func_wrap(w, "args_sizes_get", |mut c: C<'_>, n: u32, size: u32| {
        let (m, s) = lend(&mut c);
        put(m, n, s.args.0);
        put(m, size, s.args.1)
    })?;
    l.func_wrap(w, "environ_sizes_get", |mut c: C<'_>, n: u32, size: u32| {
        let (m, s) = lend(&mut c);
        put(m, n, s.env.0.len() as u32);
        put(m, size, s.env.1.len() as u32)
    })?;
    l.func_wrap(w, "environ_get", |mut c: C<'_>, list: u32, at: u32| {
        let (m, s) = lend(&mut c);
        m[at as usize..][..s.env.1.len()].copy_from_slice(&s.env.1);
        let pointers = m[list as usize..][..s.env.0.len() * 4].chunks_exact_mut(4);
        pointers.zip(&s.env.0).for_each(|(p, o)| p.copy_from_slice(&(at + o).to_le_bytes()));
        0u32
    })?;
    l.func_wrap(w, "fd_write", |mut c: C<'_>, fd: u32, iovs: u32, _n: u32, out: u32| {
        let (m, s) = lend(&mut c);
        let bytes = &m[one(m, iovs)];
        let n = match s.fds.get_mut(fd as usize) {
            Some(Fd::File(f, at)) => match rustix::io::pwrite(&*f, bytes, *at) {
                Ok(n) => {
                    *at += n as u64;
                    n
                }
                Err(_) => return IO,
            },
            Some(Fd::Stdout) => {
                s.stdout.extend_from_slice(bytes);
                bytes.len()
            }
            _ => return BADF,
        };
        put(m, out, n as u32)
    })?;
    l.func_wrap(w, "fd_read", |mut c: C<'_>, fd: u32, iovs: u32, _n: u32, out: u32| {
        let (m, s) = lend(&mut c);
        let range = one(m, iovs);
        let bytes = &mut m[range];
        let n = match s.fds.get_mut(fd as usize) {
            Some(Fd::File(f, at)) => match rustix::io::pread(&*f, &mut *bytes, *at) {
                Ok(n) => {
                    *at += n as u64;
                    n
                }
                Err(_) => return IO,
            },
            Some(Fd::Stdin) => {
                let n = bytes.len().min(s.stdin.len());
                bytes[..n].copy_from_slice(&s.stdin[..n]);
                bytes::Buf::advance(&mut s.stdin, n);
                n
            }
            _ => return BADF,
        };
        put(m, out, n as u32)
    })?;
    l.func_wrap(w, "fd_pread", |mut c: C<'_>, fd: u32, iovs: u32, _n: u32, at: u64, out: u32| {
        let (m, s) = lend(&mut c);
        let range = one(m, iovs);
        let Some(Fd::File(f, _)) = s.fds.get(fd as usize) else { return BADF };
        match rustix::io::pread(f, &mut m[range], at) {
            Ok(n) => put(m, out, n as u32),
            Err(_) => IO,
        }
    })?;
    l.func_wrap(w, "fd_pwrite", |mut c: C<'_>, fd: u32, iovs: u32, _n: u32, at: u64, out: u32| {
        let (m, s) = lend(&mut c);
        let Some(Fd::File(f, _)) = s.fds.get(fd as usize) else { return BADF };
        match rustix::io::pwrite(f, &m[one(m, iovs)], at) {
            Ok(n) => put(m, out, n as u32),
            Err(_) => IO,
        }
    })?;
    l.func_wrap(w, "fd_seek", |mut c: C<'_>, fd: u32, offset: u64, whence: u32, out: u32| {
        let (m, s) = lend(&mut c);
        let Some(Fd::File(_, at)) = s.fds.get_mut(fd as usize) else { return BADF };
        *at = if whence == 0 { offset } else { at.wrapping_add(offset) };
        put64(m, out, *at)
    })?;
    l.func_wrap(w, "fd_filestat_get", |mut c: C<'_>, fd: u32, out: u32| {
        let (m, s) = lend(&mut c);
        let Some(Fd::File(f, _) | Fd::Dir(f)) = s.fds.get(fd as usize) else { return BADF };
        rustix::fs::fstat(f).map_or(IO, |st| set_stat(m, out, &st))
    })?;
    l.func_wrap(w, "path_filestat_get", |mut c: C<'_>, fd: u32, _: u32, at: u32, len: u32, out: u32| {
        let (m, s) = lend(&mut c);
        let Some(Fd::Dir(dir)) = s.fds.get(fd as usize) else { return BADF };
        let path = text(m, at, len);
        let st = if path.contains('/') {
            open_beneath(dir, path, OFlags::PATH).and_then(rustix::fs::fstat)
        } else {
            rustix::fs::statat(dir, path, AtFlags::SYMLINK_NOFOLLOW)
        };
        st.map_or(IO, |st| set_stat(m, out, &st))
    })?;
    let open =
        |mut c: C<'_>, fd: u32, _: u32, at: u32, len: u32, oflags: u32, rights: u64, _: u64, _: u32, out| {
            let (m, s) = lend(&mut c);
            let Some(Fd::Dir(dir)) = s.fds.get(fd as usize) else { return BADF };
            let mut flags = if rights & 64 != 0 { OFlags::RDWR } else { OFlags::RDONLY };
            flags.set(OFlags::DIRECTORY, oflags & 2 != 0);
            flags.set(OFlags::CREATE, oflags & 1 != 0);
            let Ok(opened) = open_beneath(dir, text(m, at, len), flags) else { return IO };
            let opened = if oflags & 2 != 0 { Fd::Dir(opened) } else { Fd::File(opened, 0) };
            let number = s.free.pop().unwrap_or_else(|| {
                s.fds.push(Fd::Closed);
                s.fds.len() as u32 - 1
            });
            s.fds[number as usize] = opened;
            put(m, out, number)
        };
    l.func_wrap(w, "path_open", open)?;
    l.func_wrap(w, "fd_close", |mut c: C<'_>, fd: u32| {
        let s = c.data_mut();
        s.fds[fd as usize] = Fd::Closed;
        s.free.push(fd);
        0u32
    })?;
    l.func_wrap(w, "fd_readdir", |mut c: C<'_>, fd: u32, at: u32, len: u32, cookie: u64, out: u32| {
        let (m, s) = lend(&mut c);
        let Some(Fd::Dir(dir)) = s.fds.get(fd as usize) else { return BADF };
        let (encoded, next) = &mut s.listing;
        if cookie == 0 {
            encoded.clear();
            *next = 0;
            if rustix::fs::seek(dir, SeekFrom::Start(0)).is_err() {
                return IO;
            }
            list(dir, encoded);
        }
        // Entries before the cookie were read already.
        let mut begin = 0;
        for _ in 0..cookie - *next {
            begin += 24 + get(encoded, begin as u32 + 16) as usize;
        }
        encoded.drain(..begin);
        *next = cookie;
        let n = encoded.len().min(len as usize);
        m[at as usize..][..n].copy_from_slice(&encoded[..n]);
        put(m, out, n as u32)
    })?;
    // Clocks only: what the measured guest waits for.
    l.func_wrap(w, "poll_oneoff", |mut c: C<'_>, subs: u32, events: u32, n: u32, out: u32| {
        let (m, _) = lend(&mut c);
        let least = (0..n).map(|i| get64(m, subs + i * 48 + 24)).min().unwrap_or(0);
        if least > 0 {
            let t = rustix::event::Timespec { tv_sec: 0, tv_nsec: least as i64 };
            if rustix::event::poll(&mut [], Some(&t)).is_err() {
                return IO;
            }
        }
        let mut count = 0;
        for i in (0..n).filter(|i| get64(m, subs + i * 48 + 24) == least).collect::<Vec<_>>() {
            let data = get64(m, subs + i * 48);
            put64(m, events + count * 32, data);
            put64(m, events + count * 32 + 8, 0);
            count += 1;
        }
        put(m, out, count)
    })?;
    Ok(l)
}
