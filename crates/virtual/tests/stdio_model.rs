//! What comes out of any stack of outputs is what a few lines of text processing say.

use proptest::prelude::*;
use wasi_host_core::Errno;
use wasi_host_core::pipe::MemoryInputPipe;
use wasi_host_core::stdio::StdoutStream;
use wasi_host_core::stream::{HostInputStream, OutputStream, StreamError, StreamResult};
use wasi_host_core::stream::{Scratch, splice};
use wasi_host_core::wait::Wait;
use wasi_host_virtual::stdio::{Captured, Full, Limited, Prefixed, Receiver, Tee, channel};

#[derive(Clone, Debug)]
enum Layer {
    Prefixed(String),
    Limited(usize, Full),
}

#[derive(Clone, Copy, Debug)]
enum How {
    Write,
    WriteFrom,
    WriteSome,
    Splice,
}

fn full() -> impl Strategy<Value = Full> {
    prop_oneof![Just(Full::Truncate), Just(Full::Fail)]
}

fn layers() -> impl Strategy<Value = Vec<Layer>> {
    let layer = prop_oneof![
        "[a-z\n]{0,6}".prop_map(Layer::Prefixed),
        (0..200usize, full()).prop_map(|(bytes, full)| Layer::Limited(bytes, full)),
    ];
    prop::collection::vec(layer, 0..3)
}

fn writes() -> impl Strategy<Value = Vec<(How, String)>> {
    let how = prop_oneof![Just(How::Write), Just(How::WriteFrom), Just(How::WriteSome), Just(How::Splice)];
    prop::collection::vec((how, "[A-Z\n]{0,40}"), 0..20)
}

struct Any(Box<dyn StdoutStream>);

impl StdoutStream for Any {
    fn stream(&self) -> OutputStream {
        self.0.stream()
    }

    fn isatty(&self) -> bool {
        self.0.isatty()
    }
}

/// The outermost layer is the last.
fn stack(base: impl StdoutStream + 'static, layers: &[Layer]) -> Any {
    layers.iter().fold(Any(Box::new(base)), |inner, layer| match layer {
        Layer::Prefixed(prefix) => Any(Box::new(Prefixed::new(inner, prefix.clone()))),
        Layer::Limited(bytes, full) => Any(Box::new(Limited::new(inner, *bytes, *full))),
    })
}

/// What comes out for `text`, and whether somebody says that there was no room.
fn model(layers: &[Layer], text: &[u8]) -> (Vec<u8>, bool) {
    let (mut text, mut fails) = (text.to_vec(), false);
    for layer in layers.iter().rev() {
        match layer {
            Layer::Prefixed(prefix) => {
                let mut before = b'\n';
                let mut out = Vec::new();
                for byte in text {
                    if before == b'\n' {
                        out.extend(prefix.as_bytes());
                    }
                    out.push(byte);
                    before = byte;
                }
                text = out;
            }
            Layer::Limited(bytes, full) => {
                fails |= text.len() > *bytes && *full == Full::Fail;
                text.truncate(*bytes);
            }
        }
    }
    (text, fails)
}

/// A guest that writes, and somebody who receives when it cannot go on.
struct Guest {
    stream: OutputStream,
    receiver: Receiver,
    given: Vec<u8>,
    got: Vec<u8>,
}

impl Guest {
    fn receive(&mut self) {
        assert!(!matches!(self.stream.wait(), Wait::Future | Wait::Forever));
        self.got.extend(self.receiver.try_recv().into_iter().flatten());
    }

    fn step(&mut self, how: How, src: &[u8]) -> StreamResult<usize> {
        match how {
            How::WriteSome => self.stream.write_some(src),
            How::Splice => {
                let mut from = MemoryInputPipe::new(src.to_vec());
                let n = splice(&mut from, &mut *self.stream, src.len(), &mut Scratch::default())?;
                let rest = from.read(src.len()).unwrap_or_default();
                assert_eq!(n + rest.len(), src.len(), "nothing is lost between two streams");
                Ok(n)
            }
            How::Write | How::WriteFrom => {
                let n = self.stream.check_write()?.min(src.len());
                match how {
                    How::Write => self.stream.write(src[..n].to_vec().into())?,
                    _ => self.stream.write_from(&src[..n])?,
                }
                Ok(n)
            }
        }
    }

    fn write(&mut self, how: How, mut src: &[u8]) -> StreamResult<()> {
        self.given.extend_from_slice(src);
        while !src.is_empty() {
            match self.step(how, src)? {
                0 => self.receive(),
                n => src = &src[n..],
            }
        }
        Ok(())
    }

    fn end(&mut self) -> StreamResult<()> {
        self.stream.end()?;
        loop {
            match self.stream.check_write() {
                Ok(0) => self.receive(),
                Ok(_) | Err(StreamError::Closed) => return Ok(()),
                Err(e) => return Err(e),
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_comes_out_is_what_the_layers_say(
        layers in layers(),
        writes in writes(),
        bound in prop_oneof![1..20usize, Just(10_000)],
    ) {
        let (stdout, receiver) = channel(bound);
        let kept = Captured::new(1 << 20, Full::Fail);
        let stream = stack(Tee::new(stdout, kept.clone()), &layers).stream();
        let mut guest = Guest { stream, receiver, given: Vec::new(), got: Vec::new() };

        let written = writes.iter().try_for_each(|(how, text)| guest.write(*how, text.as_bytes()));
        // After a failure too: what was taken before may still be on its way.
        let ended = guest.end();
        let ended = written.and(ended);
        guest.receive();

        let (expected, fails) = model(&layers, &guest.given);
        prop_assert_eq!(String::from_utf8(guest.got).unwrap(), String::from_utf8(expected.clone()).unwrap());
        prop_assert_eq!(kept.contents(), expected);
        match ended {
            Ok(()) => prop_assert!(!fails),
            Err(e) => {
                prop_assert!(fails);
                prop_assert_eq!(e.number().unwrap(), Errno::NoSpc);
            }
        }
    }
}
