//! Reading ahead.

use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use wasi_host_core::Errno;
use wasi_host_core::stream::{
    HostInputStream, ReadAhead, Scratch, StreamError, StreamResult, Subscribe, errno,
};
use wasi_host_core::wait::Wait;

/// What a stream says next.
enum Say {
    Bytes(Vec<u8>),
    NotYet,
    Fails(Errno),
    /// Of more bytes than it was asked for.
    Lies,
}

/// Says what it was told to say, and keeps what it was asked for and where that was to go.
#[derive(Clone, Default)]
struct Told {
    says: Arc<Mutex<VecDeque<Say>>>,
    asked: Arc<Mutex<Vec<(usize, usize)>>>,
}

impl Told {
    fn asked(&self) -> Vec<usize> {
        self.asked.lock().unwrap().iter().map(|(size, _)| *size).collect()
    }

    fn places(&self) -> Vec<usize> {
        self.asked.lock().unwrap().iter().map(|(_, place)| *place).collect()
    }
}

#[async_trait::async_trait]
impl Subscribe for Told {
    async fn ready(&mut self) {
        std::future::pending::<()>().await;
    }

    fn wait(&self) -> Wait<'_> {
        Wait::Forever
    }
}

impl HostInputStream for Told {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        let mut bytes = vec![0; size];
        let n = self.read_into(&mut bytes)?;
        bytes.truncate(n);
        Ok(bytes.into())
    }

    fn read_into(&mut self, dst: &mut [u8]) -> StreamResult<usize> {
        self.asked.lock().unwrap().push((dst.len(), dst.as_ptr() as usize));
        let mut says = self.says.lock().unwrap();
        match says.pop_front() {
            None => Err(StreamError::Closed),
            Some(Say::NotYet) => Ok(0),
            Some(Say::Fails(e)) => Err(e.into()),
            Some(Say::Lies) => Ok(dst.len() + 1),
            Some(Say::Bytes(mut bytes)) => {
                let n = bytes.len().min(dst.len());
                let rest = bytes.split_off(n);
                dst[..n].copy_from_slice(&bytes);
                if !rest.is_empty() {
                    says.push_front(Say::Bytes(rest));
                }
                Ok(n)
            }
        }
    }
}

fn told(says: impl IntoIterator<Item = Say>) -> (Told, ReadAhead) {
    let told = Told::default();
    told.says.lock().unwrap().extend(says);
    (told.clone(), ReadAhead::new(Box::new(told)))
}

fn pattern(n: usize) -> Vec<u8> {
    (0..n).map(|i| (i % 251) as u8).collect()
}

#[test]
fn small_reads_cost_one_of_the_stream() {
    let (told, mut stream) = told([Say::Bytes(pattern(20_000))]);
    let mut all = Vec::<u8>::new();
    for size in (1..=511).cycle() {
        let mut dst = vec![0; size];
        match stream.read_into(&mut dst) {
            Ok(n) => all.extend(&dst[..n]),
            Err(e) => {
                assert!(matches!(e, StreamError::Closed));
                break;
            }
        }
    }
    assert!(all == pattern(20_000));
    assert_eq!(told.asked(), [8192; 4], "three times 8 KiB, and the end");
    assert!(told.places().iter().all(|place| *place == told.places()[0]), "one buffer");
}

#[test]
fn large_reads_go_straight_to_their_destination() {
    let (told, mut stream) = told([Say::Bytes(pattern(10_000))]);
    let mut dst = vec![0; 512];
    assert_eq!(stream.read_into(&mut dst).unwrap(), 512);
    assert_eq!(told.places(), [dst.as_ptr() as usize]);
    assert_eq!(stream.read_into(&mut dst[..1]).unwrap(), 1);
    assert_eq!(told.asked(), [512, 8192]);
    // What is held comes first, and is all that comes.
    let mut large = vec![0; 9000];
    assert_eq!(stream.read_into(&mut large).unwrap(), 8191);
    assert_eq!(large[..8191], pattern(10_000)[513..8704]);
    assert_eq!(stream.read_into(&mut large).unwrap(), 10_000 - 8704);
    assert_eq!(told.asked(), [512, 8192, 9000]);
    assert_eq!(told.places()[2], large.as_ptr() as usize);
}

#[test]
fn every_way_to_read_sees_the_same_bytes() {
    let (told, mut stream) = told([Say::Bytes(pattern(20_000))]);
    let mut scratch = Scratch::default();
    assert_eq!(stream.read(3).unwrap(), &pattern(3)[..]);
    assert_eq!(stream.read_with(4, &mut scratch).unwrap(), &pattern(7)[3..]);
    assert_eq!(stream.skip(92).unwrap(), 92);
    assert_eq!(stream.read(10_000).unwrap(), &pattern(8192)[99..]);
    assert_eq!(stream.read_with(1000, &mut scratch).unwrap(), &pattern(9192)[8192..]);
    assert_eq!(stream.skip(808).unwrap(), 808);
    assert_eq!(stream.read(2).unwrap(), &pattern(10_002)[10_000..]);
    assert_eq!(told.asked(), [8192, 1000, 808, 8192]);
    assert_eq!(stream.skip(100_000).unwrap(), 8190, "what is held");
}

#[test]
fn the_end_and_failures_come_after_what_was_read_before_them() {
    let (_, mut stream) =
        told([Say::Bytes(pattern(4)), Say::Fails(Errno::ConnReset), Say::NotYet, Say::Bytes(pattern(1))]);
    let mut dst = [0; 3];
    assert_eq!(stream.read_into(&mut dst).unwrap(), 3);
    assert_eq!(stream.read_into(&mut dst).unwrap(), 1);
    let Err(StreamError::LastOperationFailed(e)) = stream.read_into(&mut dst) else { panic!("not told") };
    assert_eq!(errno(&e), Errno::ConnReset);
    assert_eq!(stream.read_into(&mut dst).unwrap(), 0, "not yet");
    assert_eq!(stream.read_into(&mut dst).unwrap(), 1);
    for _ in 0..2 {
        assert!(matches!(stream.read_into(&mut dst), Err(StreamError::Closed)));
    }
}

#[test]
fn it_is_ready_while_it_holds_something() {
    let (_, mut stream) = told([Say::Bytes(pattern(2))]);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(matches!(stream.wait(), Wait::Forever));
    assert!(stream.ready().as_mut().poll(&mut cx).is_pending());
    stream.read(1).unwrap();
    assert!(matches!(stream.wait(), Wait::Ready));
    assert!(stream.ready().as_mut().poll(&mut cx).is_ready());
    stream.read(1).unwrap();
    assert!(matches!(stream.wait(), Wait::Forever));
}

#[test]
fn a_read_of_nothing_takes_nothing() {
    let (told, mut stream) = told([Say::Bytes(pattern(2)), Say::Bytes(pattern(2))]);
    assert_eq!(stream.read_into(&mut []).unwrap(), 0);
    assert_eq!(stream.skip(0).unwrap(), 0);
    assert_eq!(told.asked(), [0, 0], "the stream itself may say that it has ended");
    assert_eq!(stream.read(1).unwrap(), &[0][..]);
    assert_eq!(stream.read_into(&mut []).unwrap(), 0);
    assert_eq!(stream.read(9).unwrap(), &[1][..]);
}

#[test]
fn it_believes_no_stream() {
    let (_, mut stream) = told([Say::Lies, Say::Bytes(pattern(2))]);
    assert!(matches!(stream.read(1), Err(StreamError::Trap(_))));
    assert_eq!(stream.read(9).unwrap(), &pattern(2)[..]);
}
