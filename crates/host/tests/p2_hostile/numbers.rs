//! The largest numbers everywhere.

use super::*;
use wasi_host::bindings::clocks::{monotonic_clock, timezone, wall_clock};
use wasi_host::bindings::random::{insecure, random};
use wasi_host::bindings::sockets::network::ErrorCode;
use wasi_host::bindings::sockets::tcp;
use wasi_host::bindings::sync;
use wasi_host::bindings::sync::filesystem::types::{self as files, NewTimestamp};
use wasi_host::bindings::sync::io::streams::{HostInputStream as _, HostOutputStream as _};
use wasi_host::pipe::{MemoryInputPipe, MemoryOutputPipe};
use wasi_host::{DirPerms, FilePerms, WasiCtxBuilder, subscribe};

const EXTREMES: [u64; 7] = [0, 1, 1 << 32, i64::MAX as u64, 1 << 63, u64::MAX - 1, u64::MAX];

#[test]
fn the_largest_numbers_for_files() {
    let disk = tempfile::tempdir().unwrap();
    for dir in backends(&disk) {
        let mut builder = WasiCtxBuilder::new();
        builder.preopened_shared(dir, "/", DirPerms::all(), FilePerms::all());
        let g = &mut Guest::new(Kind::Sync, &mut builder);
        let root = roots(g).remove(0);
        let fd = open_at(g, &root, "f", OpenFlags::CREATE, DescriptorFlags::READ | DescriptorFlags::WRITE)
            .unwrap();
        let mut v = WasiImpl(&mut g.state);
        files::HostDescriptor::write(&mut v, b(&fd), b"hello".to_vec(), 0).unwrap();
        for n in EXTREMES {
            let (bytes, end) = match fs(files::HostDescriptor::read(&mut v, b(&fd), u64::MAX, n)) {
                Ok(read) => read,
                Err(e) => {
                    assert_eq!(e, FsCode::Invalid, "{n}");
                    (Vec::new(), true)
                }
            };
            assert_eq!((bytes.len(), end), (5_usize.saturating_sub(n as usize), n > 4), "{n}");
            assert!(fs(files::HostDescriptor::read(&mut v, b(&fd), n, 0)).unwrap().0.len() <= 5);
            if n > 1 {
                // One byte beyond all files; those that a file system can have stay holes.
                assert!(
                    fs(files::HostDescriptor::write(&mut v, b(&fd), vec![1], n)).is_err() || n < 1 << 63,
                    "{n}"
                );
                let _ = fs(v.set_size(b(&fd), n));
                fs(v.set_size(b(&fd), 5)).unwrap();
            }
            for len in EXTREMES {
                let _ = fs(v.advise(b(&fd), n, len, files::Advice::WillNeed));
            }
            let input = fs(v.read_via_stream(b(&fd), n)).unwrap();
            for len in EXTREMES {
                for _ in 0..2 {
                    let _ = files::HostDescriptor::read(&mut v, b(&fd), len, n).map(drop);
                    let _ = sync::io::streams::HostInputStream::read(&mut v, b(&input), len);
                    let _ = v.blocking_read(b(&input), len);
                    let _ = v.skip(b(&input), len);
                    let _ = v.blocking_skip(b(&input), len);
                }
            }
            let output = fs(v.write_via_stream(b(&fd), n)).unwrap();
            assert!(v.write_zeroes(b(&output), u64::MAX).is_err());
            assert!(v.blocking_write_zeroes_and_flush(b(&output), u64::MAX).is_err());
            assert!(v.blocking_write_and_flush(b(&output), vec![0; 4097]).is_err());
            let from = fs(v.read_via_stream(b(&fd), 0)).unwrap();
            let _ = v.splice(b(&output), b(&from), u64::MAX);
            let _ = v.blocking_splice(b(&output), b(&from), u64::MAX);
            fs(v.set_size(b(&fd), 5)).unwrap();
            for seconds in EXTREMES {
                for nanoseconds in [0, 999_999_999, 1_000_000_000, u32::MAX] {
                    let time = || NewTimestamp::Timestamp(wall_clock::Datetime { seconds, nanoseconds });
                    let set = fs(v.set_times(b(&fd), time(), time()));
                    assert!(set.is_err() || (nanoseconds < 1_000_000_000 && i64::try_from(seconds).is_ok()));
                    let at = PathFlags::empty();
                    let _ = fs(v.set_times_at(b(&root), at, "f".into(), time(), NewTimestamp::Now));
                    fs(v.stat(b(&fd))).unwrap();
                    fs(v.metadata_hash(b(&fd))).unwrap();
                }
            }
        }
        assert!(
            fs(v.open_at(
                b(&root),
                PathFlags::empty(),
                "x".repeat(1 << 20),
                OpenFlags::CREATE,
                DescriptorFlags::READ
            ))
            .is_err()
        );
        assert!(fs(v.symlink_at(b(&root), "x".repeat(1 << 20), "l".into())).is_err());
    }
}

#[test]
fn the_largest_numbers_elsewhere() {
    for kind in KINDS {
        let mut builder = open();
        builder.stdin(MemoryInputPipe::new("some")).stdout(MemoryOutputPipe::new(usize::MAX));
        let g = &mut Guest::new(kind, &mut builder);
        for n in [64 << 20 | 1, 1 << 63, u64::MAX] {
            assert!(random::Host::get_random_bytes(&mut WasiImpl(&mut g.state), n).is_err());
            assert!(insecure::Host::get_insecure_random_bytes(&mut WasiImpl(&mut g.state), n).is_err());
        }
        let mut timers = Vec::new();
        for n in EXTREMES {
            let mut v = WasiImpl(&mut g.state);
            timers.push(monotonic_clock::Host::subscribe_duration(&mut v, n).unwrap());
            timers.push(monotonic_clock::Host::subscribe_instant(&mut v, n).unwrap());
            for nanoseconds in [0, u32::MAX] {
                timezone::Host::display(&mut v, wall_clock::Datetime { seconds: n, nanoseconds }).unwrap();
            }
        }
        let list = timers.iter().map(b).collect();
        let ready = wait!(g, io::poll => Host::poll(list)).unwrap();
        assert!(ready.contains(&0) && !ready.contains(&(timers.len() as u32 - 1)));
        for timer in &timers {
            wait!(g, io::poll => HostPollable::ready(b(timer))).unwrap();
        }
        for n in [0, (64 << 10) + 1] {
            let list = (0..n).map(|_| b(&timers[0])).collect();
            assert!(wait!(g, io::poll => Host::poll(list)).is_err());
        }

        // A socket many times in one list, and with every option at its most.
        let (listener, _) = g.listener(V4);
        let socket = subscribe(&mut g.state.table, b(&listener)).unwrap();
        let list = (0..(64 << 10) - 1).map(|_| b(&socket)).chain([b(&timers[0])]).collect();
        assert_eq!(wait!(g, io::poll => Host::poll(list)).unwrap(), [(64 << 10) - 1]);
        let _ = code(call!(g, tcp::HostTcpSocket::set_listen_backlog_size(b(&listener), u64::MAX)));
        let _ = code(call!(g, tcp::HostTcpSocket::set_keep_alive_idle_time(b(&listener), u64::MAX)));
        let _ = code(call!(g, tcp::HostTcpSocket::set_keep_alive_interval(b(&listener), u64::MAX)));
        let _ = code(call!(g, tcp::HostTcpSocket::set_keep_alive_count(b(&listener), u32::MAX)));
        let _ = code(call!(g, tcp::HostTcpSocket::set_receive_buffer_size(b(&listener), u64::MAX)));
        let _ = code(call!(g, tcp::HostTcpSocket::set_send_buffer_size(b(&listener), u64::MAX)));
        let (socket, at) = g.bound_udp(V4);
        let (input, output) = g.stream(&socket, None).unwrap();
        assert_eq!(g.send(&output, &[(&[0; 65_536], Some(at))]), Err(ErrorCode::DatagramTooLarge));
        assert_eq!(g.send(&output, &[(b"x", Some(at))]), Ok(1));
        assert_eq!(g.receive(&input).unwrap().len(), 1);
        assert_eq!(g.try_receive(&input, u64::MAX), Ok(Vec::new()));
        let permit = g.check_send(&output).unwrap() as usize;
        assert!(
            g.try_send(&output, &vec![(&b""[..], Some(at)); permit + 1]).unwrap_err().downcast().is_err()
        );
    }
}
