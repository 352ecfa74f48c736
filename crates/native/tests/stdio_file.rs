//! Open files in the place of standard streams.

use rustix::fd::OwnedFd;
use rustix::io::{read, write};
use rustix::pipe::{fcntl_getpipe_size, fcntl_setpipe_size, pipe};
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use wasi_host_core::stdio::{StdinStream, StdoutStream};
use wasi_host_core::stream::StreamError;
use wasi_host_core::wait::Wait;
use wasi_host_native::stdio::{InputFile, OutputFile};

#[test]
fn streams_of_one_input_file_share_its_position() {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"abcdef").unwrap();
    file.seek(SeekFrom::Start(1)).unwrap();
    let input = InputFile::new(file);
    let (mut a, mut b) = (input.stream(), input.clone().stream());
    assert!(matches!(a.wait(), Wait::Ready));
    assert_eq!(a.read(2).unwrap(), "bc");
    assert_eq!(b.read(usize::MAX).unwrap(), "def");
    assert!(matches!(a.read(1), Err(StreamError::Closed)));
    assert!(!input.isatty());
}

#[test]
fn an_output_file_takes_much_at_once() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let output = OutputFile::new(file.reopen().unwrap());
    let (mut a, mut b) = (output.stream(), output.stream());
    assert!(a.check_write().unwrap() >= 1 << 20);
    a.write(vec![1; 1 << 20].into()).unwrap();
    b.write_from(&[2; 10]).unwrap();
    a.write_zeroes(10).unwrap();
    a.flush().unwrap();
    let content = std::fs::read(file.path()).unwrap();
    assert_eq!(content.len(), (1 << 20) + 20);
    assert_eq!(content[(1 << 20) - 1..][..12], [1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 0]);
}

#[test]
fn a_full_device_is_an_error() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut stream = OutputFile::new(full).stream();
    assert!(stream.check_write().unwrap() > 0);
    let failure = stream.write_from(b"x").unwrap_err().number().unwrap();
    assert_eq!(failure, wasi_host_core::Errno::NoSpc);
    let null = std::fs::OpenOptions::new().write(true).open("/dev/null").unwrap();
    let mut stream = OutputFile::new(null).stream();
    assert!(stream.check_write().unwrap() >= 1 << 20);
    stream.write_from(&[0; 1 << 20]).unwrap();
}

/// A pipe with room for one more write.
fn nearly_full() -> (OwnedFd, OutputFile, usize) {
    let (r, w) = pipe().unwrap();
    fcntl_setpipe_size(&w, 16_384).unwrap();
    let size = fcntl_getpipe_size(&w).unwrap();
    let mut left = size - 4096;
    while left > 0 {
        left -= write(&w, &[0; 4096]).unwrap();
    }
    (r, OutputFile::new(File::from(w)), size)
}

#[test]
fn a_permit_that_another_stream_used_up_is_honoured_later() {
    let (r, output, size) = nearly_full();
    let (mut a, mut b) = (output.stream(), output.stream());
    assert_eq!((a.check_write().unwrap(), b.check_write().unwrap()), (4096, 4096));
    a.write_from(&[1; 4096]).unwrap();
    b.write_from(&[2; 4096]).unwrap();
    assert_eq!((a.check_write().unwrap(), b.check_write().unwrap()), (0, 0));
    assert!(matches!(b.wait(), Wait::Writable(_)));

    let mut all = vec![0; size];
    assert_eq!(read(&r, &mut all), Ok(size));
    assert_eq!(b.check_write().unwrap(), 4096);
    assert_eq!(read(&r, &mut all), Ok(4096));
    assert_eq!(all[..4096], [2; 4096]);
}

#[test]
fn what_was_accepted_is_delivered_though_the_stream_is_dropped() {
    let (r, output, size) = nearly_full();
    let (mut a, mut b) = (output.stream(), output.stream());
    assert_eq!((a.check_write().unwrap(), b.check_write().unwrap()), (4096, 4096));
    a.write_from(&[1; 4096]).unwrap();
    b.write_from(&[2; 4096]).unwrap();
    let reader = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(20));
        let mut all = vec![0; size + 8192];
        let mut n = 0;
        while n < size + 4096 {
            n += read(&r, &mut all[n..]).unwrap();
        }
        all[n - 1]
    });
    drop(b);
    assert_eq!(reader.join().unwrap(), 2);
}

#[test]
fn a_reader_that_has_gone() {
    let (r, output, _) = nearly_full();
    let (mut a, mut b) = (output.stream(), output.stream());
    assert_eq!((a.check_write().unwrap(), b.check_write().unwrap()), (4096, 4096));
    a.write_from(&[1; 4096]).unwrap();
    b.write_from(&[2; 4096]).unwrap();
    drop(r);
    assert!(matches!(b.flush(), Err(StreamError::Closed)));
    assert!(matches!(a.write_from(b"x"), Err(StreamError::Closed)));
}

#[test]
fn ready_waits() {
    let (r, w) = pipe().unwrap();
    let mut stream = InputFile::new(File::from(r)).stream();
    let work = async {
        assert_eq!(stream.read(8).unwrap(), "");
        let writer = std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(20));
            write(&w, b"x").unwrap();
        });
        stream.ready().await;
        assert_eq!(stream.read(8).unwrap(), "x");
        writer.join().unwrap();
        stream.ready().await;
        assert!(matches!(stream.read(8), Err(StreamError::Closed)));
    };
    tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap().block_on(work);
}
