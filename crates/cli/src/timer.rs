//! Ends a program whose time is up, and beats the time for samples of it.

use crate::outcome;
use std::path::Path;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};
use wasi_host::wait::Interrupt;
use wasmtime::Engine;

/// What the program may still do after its time, to come to an end in good order. Its code ends at the next
/// branch and its waits end at once, but a busy machine takes its time, and there are instructions that fill gigabytes.
const GRACE: Duration = Duration::from_millis(500);

/// The time is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimedOut(pub(crate) Duration);

impl std::fmt::Display for TimedOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the timeout of {:?} (-W timeout) has passed", self.0)
    }
}

impl std::error::Error for TimedOut {}

/// A clock beside the program. It stops when this is dropped.
pub(crate) struct Timer {
    passed: Arc<AtomicBool>,
    _running: mpsc::Sender<()>,
}

impl Timer {
    /// Advances the engine's epoch `every` so often, and once more when `timeout` has passed.
    pub(crate) fn start(
        engine: &Engine,
        interrupt: Interrupt,
        every: Option<Duration>,
        timeout: Option<Duration>,
        file: &Path,
    ) -> std::io::Result<Self> {
        let passed = Arc::new(AtomicBool::new(false));
        let (running, stopped) = mpsc::channel();
        let (engine, flag, file) = (engine.clone(), passed.clone(), file.to_owned());
        // A timeout that no clock can reach is none.
        let end = timeout.and_then(|timeout| Some((timeout, Instant::now().checked_add(timeout)?)));
        thread::Builder::new().name("timer".into()).spawn(move || {
            let sleep = |span| stopped.recv_timeout(span) == Err(RecvTimeoutError::Timeout);
            loop {
                let left = end.map(|(_, end)| end.saturating_duration_since(Instant::now()));
                let span = left.into_iter().chain(every).min().unwrap_or(Duration::MAX);
                if !sleep(span) {
                    return;
                }
                if let Some((timeout, _)) = end.filter(|(_, end)| *end <= Instant::now()) {
                    flag.store(true, Ordering::Release);
                    interrupt.interrupt();
                    engine.increment_epoch();
                    if sleep(GRACE) {
                        outcome::report(&file.display(), &TimedOut(timeout));
                        process::exit(outcome::TRAPPED.into());
                    }
                    return;
                }
                engine.increment_epoch();
            }
        })?;
        Ok(Self { passed, _running: running })
    }

    /// Says whether the time is up, now and later.
    pub(crate) fn passed(&self) -> Arc<AtomicBool> {
        self.passed.clone()
    }
}
