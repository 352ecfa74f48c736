//! Every stream that needs no descriptor does what its guests rely on.

use bytes::Bytes;
use std::io::Write;
use std::sync::mpsc;
use wasi_host_core::conformance::stream::{Input, Output, Parker, input, output};
use wasi_host_core::fs::{Descriptor, FileInputStream, FileOutputStream, Open};
use wasi_host_core::grant::Grant;
use wasi_host_core::pipe::{MemoryInputPipe, MemoryOutputPipe, SinkOutputStream};
use wasi_host_core::stdio::{StdinStream, StdoutStream};
use wasi_host_core::stream::{HostOutputStream, ReadAhead};
use wasi_host_virtual::memory::MemoryFs;
use wasi_host_virtual::stdio::{Callback, Captured, Full, Limited, Prefixed, Tee, channel, feed};

const PLENTY: usize = 32 << 20;

/// What has been added since it was asked last.
fn since(mut all: impl FnMut() -> Bytes) -> impl FnMut() -> Vec<u8> {
    let mut seen = 0;
    move || {
        let new = all().slice(seen..);
        seen += new.len();
        new.into()
    }
}

fn captured(full: Full) -> (Captured, impl FnMut() -> Vec<u8> + Send) {
    let captured = Captured::new(PLENTY, full);
    let other = captured.clone();
    (captured, move || other.take().into())
}

/// A channel of `bound` bytes behind whatever `wrap` makes of it, and what it adds left out.
fn through<S: StdoutStream>(
    bound: usize,
    wrap: impl Fn(wasi_host_virtual::stdio::ChannelOutput) -> S,
) -> Output {
    let (stdout, receiver) = channel(bound);
    let taken = move || {
        let mut bytes: Vec<u8> = receiver.try_recv().unwrap_or_default().into();
        bytes.retain(|byte| !byte.is_ascii_uppercase());
        bytes
    };
    Output::new(wrap(stdout).stream(), taken).hangs_up()
}

#[test]
fn pipes_in_memory() {
    output(&Parker, || {
        let pipe = MemoryOutputPipe::new(PLENTY);
        Output::new(pipe.stream(), since(move || pipe.contents()))
    });
    input(&Parker, |bytes| Input::whole(MemoryInputPipe::new(bytes.to_vec()).stream()));
    input(&Parker, |bytes| {
        Input::whole(Box::new(ReadAhead::new(MemoryInputPipe::new(bytes.to_vec()).stream())))
    });
}

/// What a sink would have been given, as nobody sees it.
struct Spied(SinkOutputStream, mpsc::Sender<Vec<u8>>);

#[async_trait::async_trait]
impl wasi_host_core::stream::Subscribe for Spied {
    async fn ready(&mut self) {
        self.0.ready().await;
    }
}

impl HostOutputStream for Spied {
    fn check_write(&mut self) -> wasi_host_core::stream::StreamResult<usize> {
        self.0.check_write()
    }

    fn write(&mut self, bytes: Bytes) -> wasi_host_core::stream::StreamResult<()> {
        self.1.send(bytes.to_vec()).unwrap();
        self.0.write(bytes)
    }

    fn flush(&mut self) -> wasi_host_core::stream::StreamResult<()> {
        self.0.flush()
    }
}

#[test]
fn provided_methods() {
    output(&Parker, || {
        let (sender, seen) = mpsc::channel();
        Output::new(Box::new(Spied(SinkOutputStream, sender)), move || {
            seen.try_iter().collect::<Vec<_>>().concat()
        })
    });
}

fn file(fs: &MemoryFs) -> Descriptor {
    let how = Open { read: true, write: true, create: true, ..Open::default() };
    Descriptor::preopen(fs.root(), Grant::full().into()).open("file", how).unwrap()
}

#[test]
fn files() {
    for append in [false, true] {
        output(&Parker, || {
            let fs = MemoryFs::new();
            let stream = match append {
                true => FileOutputStream::append(file(&fs), None),
                false => FileOutputStream::at(file(&fs), 0, None),
            };
            Output::new(Box::new(stream.unwrap()), since(move || fs.read("file").unwrap().into()))
        });
    }
    input(&Parker, |bytes| {
        let fs = MemoryFs::new();
        fs.write("file", bytes).unwrap();
        Input::whole(Box::new(FileInputStream::new(file(&fs), 0, None).unwrap()))
    });
}

#[test]
fn captures() {
    for full in [Full::Truncate, Full::Fail] {
        output(&Parker, || {
            let (stdout, taken) = captured(full);
            Output::new(stdout.stream(), taken)
        });
        output(&Parker, || {
            let (stdout, taken) = captured(full);
            Output::new(Limited::new(stdout, PLENTY, full).stream(), taken)
        });
    }
}

#[test]
fn callbacks() {
    output(&Parker, || {
        let (sender, seen) = mpsc::channel();
        let stdout = Callback::new(move |bytes| sender.send(bytes.to_vec()).unwrap());
        Output::new(stdout.stream(), move || seen.try_iter().collect::<Vec<_>>().concat())
    });
    output(&Parker, || {
        let (sender, seen) = mpsc::channel();
        let stdout = Callback::lines(PLENTY, move |line| sender.send([line, b"\n"].concat()).unwrap());
        Output::new(stdout.stream(), move || seen.try_iter().collect::<Vec<_>>().concat())
    });
}

#[test]
fn channels() {
    for bound in [16, 4096, 300_000] {
        output(&Parker, || through(bound, |stdout| stdout));
    }
}

#[test]
fn prefixes() {
    for (prefix, bound) in [("", 100), ("P", 5), ("GUEST", 5), ("GUEST", 100), ("GUEST", 200_000)] {
        output(&Parker, || through(bound, |stdout| Prefixed::new(stdout, prefix)));
    }
}

#[test]
fn stacks() {
    for bound in [25, 5000] {
        output(&Parker, || {
            through(bound, |stdout| {
                Prefixed::new(Limited::new(Prefixed::new(stdout, "A"), PLENTY, Full::Fail), "BC")
            })
        });
        output(&Parker, || through(bound, |stdout| Tee::new(stdout, Captured::new(PLENTY, Full::Fail))));
        output(&Parker, || {
            through(bound, |stdout| Tee::new(Captured::new(10, Full::Truncate), Prefixed::new(stdout, "A")))
        });
    }
}

#[test]
fn feeds() {
    for bound in [5000, 100_000] {
        input(&Parker, |bytes| {
            let (stdin, mut feeder) = feed(bound);
            feeder.write_all(bytes).unwrap();
            Input::fed(stdin.stream(), move |bytes| {
                // Nobody may be reading any more.
                let _ = feeder.write_all(bytes);
            })
        });
    }
}
