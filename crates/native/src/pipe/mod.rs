//! Streams over whatever tokio reads and writes.
//!
//! A task does the reading or writing, always on our own runtime: a synchronous host may block the thread that made
//! the stream, and with it whatever a runtime has given that thread to do. What is read or written may live on any
//! other runtime, as long as something drives that.

mod read;
mod stdio;
mod write;

pub use read::AsyncReadStream;
pub use stdio::{AsyncStdinStream, AsyncStdoutStream};
pub use write::AsyncWriteStream;

use crate::errno::from_io;
use std::io;
use wasi_host_core::stream::{StreamError, StreamResult};

/// How a stream ends: a failure is told once.
#[derive(Debug, Default)]
enum End {
    /// Not yet.
    #[default]
    Open,
    Failed(io::Error),
    Closed,
}

impl End {
    fn tell(&mut self) -> StreamResult<()> {
        match std::mem::replace(self, Self::Closed) {
            Self::Open => {
                *self = Self::Open;
                Ok(())
            }
            Self::Closed => Err(StreamError::Closed),
            // The guest is told a number; the error itself is beneath for whoever asks.
            Self::Failed(e) => {
                let number = from_io(&e);
                Err(StreamError::LastOperationFailed(anyhow::Error::new(e).context(number)))
            }
        }
    }

    fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }
}
