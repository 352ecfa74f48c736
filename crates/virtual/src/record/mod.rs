//! Recording what a guest is given, and replaying it.
//!
//! Every call that a guest makes of a capability goes through a [`Tape`]. While it is recorded, the tape writes each call
//! and its answer to a log: what was read, what the clocks showed, how short a read came, who woke first. In a replay the
//! log gives the answers, and there is no filesystem, network or clock. What the guest writes is in the log as its length
//! and a checksum: a program that writes something else, or makes any other call than the one that was recorded, has
//! [gone astray](Divergence).
//!
//! `wasi_host::WasiCtxBuilder::record` and `replay` put a context on a tape.
//!
//! What an embedder does to a running context from outside, such as to revoke a grant, is not recorded; nor is what a guest
//! does while it neither calls anything nor waits, such as to count how often it gave way to others. A log is to be replayed
//! in the kind of host in which it was recorded, synchronous or asynchronous. There a program that is run and does nothing
//! but wait for five seconds where the recorded one went on has gone astray; the time between two calls of its embedder, in
//! which it is not run, does not count.

mod answers;
mod codec;
mod divergence;
mod fs;
mod log;
mod net;
mod player;
mod setup;
mod stdio;
mod tape;
mod time;
mod turn;
mod wait;

pub use divergence::Divergence;
pub use log::LogError;
pub use setup::{NetworkUse, Preopen, Setup};
pub use tape::Tape;

use codec::Codec as _;
use log::{Reader, Writer};
use parking_lot::Mutex;
use player::Player;
use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;
use tape::{END, Mode};
use wasi_host_core::wait::Interrupt;

/// Writes a log of one context. Clones are the same.
///
/// ```
/// use wasi_host_virtual::record::Recorder;
/// let log = std::fs::File::create("/dev/null")?;
/// let recorder = Recorder::new(log);
/// // `builder.record(&recorder)`, and when the guest has run and its store is dropped:
/// # recorder.begin(&Default::default());
/// recorder.finish()?;
/// # Ok::<_, std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct Recorder(Arc<Mutex<Blank>>);

enum Blank {
    Unused(Writer),
    Used(Tape),
    /// Somebody wanted to record a second context.
    Misused,
}

impl Recorder {
    /// Records to `sink`, which gets a page at a time. Where the process dies what is lost is at most 64 KiB, and of what was
    /// recorded before a call or a wait began the last tenth of a second; [`flush`](Self::flush) leaves nothing to be lost.
    pub fn new(sink: impl Write + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(Blank::Unused(Writer::new(Box::new(sink))))))
    }

    /// The tape for a context that is given this. Of a second one nothing is recorded, and
    /// [`finish`](Self::finish) fails.
    pub fn begin(&self, setup: &Setup) -> Tape {
        let mut blank = self.0.lock();
        match std::mem::replace(&mut *blank, Blank::Misused) {
            Blank::Unused(mut writer) => {
                writer.add(|to| setup.put(to));
                // If it fails `finish` says so.
                let _ = writer.flush();
                let tape = Tape::recording(writer);
                *blank = Blank::Used(tape.clone());
                tape
            }
            Blank::Used(_) | Blank::Misused => Tape::recording(Writer::new(Box::new(io::sink()))),
        }
    }

    /// Gives the sink all that has been recorded, for [`Replay::salvage`] if [`finish`](Self::finish) is never called. It may be
    /// called from any thread, while the guest runs or waits.
    ///
    /// # Errors
    ///
    /// As [`finish`](Self::finish).
    pub fn flush(&self) -> io::Result<()> {
        self.write(Writer::flush)
    }

    /// Ends the log. To be called when the store is gone: the end of a context may still deliver what the guest has sent.
    ///
    /// # Errors
    ///
    /// The first error of the sink; a recording goes on without it, and the guest does not notice. That nothing was
    /// recorded, or that more than one context was to be.
    pub fn finish(&self) -> io::Result<()> {
        self.write(|writer| {
            writer.add(|to| END.put(to));
            writer.finish()
        })
    }

    fn write(&self, write: impl FnOnce(&mut Writer) -> io::Result<()>) -> io::Result<()> {
        match &*self.0.lock() {
            Blank::Used(tape) => match &mut tape.state().mode {
                Mode::Record(writer, _) => write(writer),
                Mode::Replay(_) => Ok(()),
            },
            Blank::Unused(_) => Err(io::Error::other("no context was recorded")),
            Blank::Misused => Err(io::Error::other("a recorder records one context")),
        }
    }
}

/// A log to be replayed by one context. Clones are the same.
///
/// ```
/// use wasi_host_virtual::record::{LogError, Replay};
/// assert_eq!(Replay::open(b"something else".to_vec()).unwrap_err(), LogError::NotALog);
///
/// fn replayed(log: Vec<u8>) -> Result<(), Box<dyn std::error::Error>> {
///     let replay = Replay::open(log)?;
///     println!("{:?}", replay.setup().args);
///     // `builder.replay(&replay)`, and when the guest has run and its store is dropped:
///     Ok(replay.finish()?)
/// }
/// ```
#[derive(Clone)]
pub struct Replay(Arc<Replaying>);

struct Replaying {
    setup: Setup,
    tape: Tape,
    begun: Mutex<bool>,
}

impl Replay {
    /// Reads a log, and looks whether it is whole.
    ///
    /// # Errors
    ///
    /// [`LogError`].
    pub fn open(log: Vec<u8>) -> Result<Self, LogError> {
        Self::of(Reader::open(log, false)?)
    }

    /// Reads what there is of a log whose recorder did not come to its end. The replay goes astray where it ends.
    ///
    /// # Errors
    ///
    /// [`LogError`], where not even the first page is whole.
    pub fn salvage(log: Vec<u8>) -> Result<Self, LogError> {
        Self::of(Reader::open(log, true)?)
    }

    fn of(mut reader: Reader) -> Result<Self, LogError> {
        let setup = Setup::get(&mut reader).map_err(|_| LogError::Damaged)?;
        let tape = Tape::replaying(Player::new(reader));
        Ok(Self(Arc::new(Replaying { setup, tape, begun: Mutex::new(false) })))
    }

    /// What the recorded context was given.
    pub fn setup(&self) -> &Setup {
        &self.0.setup
    }

    /// The tape for a context that is to be given [the same](Self::setup). `interrupt` ends its waiting if it goes astray,
    /// and so does a second context that wants the tape.
    pub fn begin(&self, interrupt: Interrupt) -> Tape {
        let mut state = self.0.tape.state();
        let entries = state.entries;
        if let Mode::Replay(player) = &mut state.mode {
            if std::mem::replace(&mut *self.0.begun.lock(), true) {
                player.stray(entries, "another context that replays it".to_owned());
            }
            player.interrupt = Some(interrupt);
            let after = player.moved();
            drop(state);
            after.run();
        }
        self.0.tape.clone()
    }

    /// Where the program does other than what was recorded, as far as it has come.
    pub fn divergence(&self) -> Option<Divergence> {
        match &self.0.tape.state().mode {
            Mode::Replay(player) => player.astray().cloned(),
            Mode::Record(..) => None,
        }
    }

    /// Whether the program did what was recorded, to the end. To be called when the store is gone.
    ///
    /// # Errors
    ///
    /// Where it began to do something else.
    pub fn finish(&self) -> Result<(), Divergence> {
        let mut state = self.0.tape.state();
        let entries = state.entries;
        let Mode::Replay(player) = &mut state.mode else { return Ok(()) };
        if !player.is_at_end() {
            player.stray(entries, "the end of the program".to_owned());
        }
        player.astray().cloned().map_or(Ok(()), Err)
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}

impl fmt::Debug for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replay").field("setup", &self.0.setup).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod sink {
    use parking_lot::Mutex;
    use std::io;
    use std::sync::Arc;

    /// What was written to it.
    #[derive(Clone, Default)]
    pub(super) struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Shared {
        pub(super) fn contents(&self) -> Vec<u8> {
            self.0.lock().clone()
        }
    }

    impl io::Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
}
