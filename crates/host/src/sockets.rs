//! Sockets as far as 0.2 and 0.3 have them alike.

use crate::mode::{Mode, Pause};
use crate::waiting::Waiting;
use std::time::Duration;
use wasi_host_core::net::{Checked, Checking, Error};

/// The value of a socket's option. A backend that answers with that of another knows it not.
macro_rules! option {
    ($socket:expr, $names:ident::$name:ident, $options:ident::$same:ident) => {
        match $socket.get($names::$name)? {
            $options::$same(value) => Ok(value),
            _ => Err(wasi_host_core::net::Error::NotSupported.into()),
        }
    };
}
pub(crate) use option;

/// A span as options have it, as far as the number goes.
pub(crate) fn nanoseconds(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

/// Waits for the embedder's word on an address, if somebody has to be asked.
pub(crate) async fn checked<M: Mode>(
    waiting: &Waiting,
    checking: Checking,
) -> Result<Result<Checked, Error>, Pause> {
    match checking.known() {
        Some(known) => Ok(known),
        None => waiting.output::<M, _>(checking).await,
    }
}
