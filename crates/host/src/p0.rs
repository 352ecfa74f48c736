//! WASI 0.0 (`wasi_unstable`): [0.1](crate::p1) but for four differences of its ABI.
//!
//! `whence` is numbered cur, end, set; `nlink` has 32 bits, in a `filestat` of 56 bytes; a clock subscription
//! begins with an identifier; there is no `sock_accept`.

use crate::p1::{self, Unstable, WasiP1Ctx};
use wasmtime::Linker;

/// The name under which guests import WASI 0.0.
const MODULE: &str = "wasi_unstable";

/// As [`p1::add_to_linker_sync`], for guests that import `wasi_unstable`. Both fit into one linker.
///
/// # Errors
///
/// If one of the functions is defined already.
pub fn add_to_linker_sync<T: Send + 'static>(
    linker: &mut Linker<T>,
    get: impl Fn(&mut T) -> &mut WasiP1Ctx + Copy + Send + Sync + 'static,
) -> wasmtime::Result<()> {
    p1::add_blocking::<Unstable, T>(linker, MODULE, get)
}

/// As [`p1::add_to_linker_async`], for guests that import `wasi_unstable`. Both fit into one linker.
///
/// # Errors
///
/// If one of the functions is defined already.
#[cfg(feature = "async")]
pub fn add_to_linker_async<T: Send + 'static>(
    linker: &mut Linker<T>,
    get: impl Fn(&mut T) -> &mut WasiP1Ctx + Copy + Send + Sync + 'static,
) -> wasmtime::Result<()> {
    p1::add_awaiting::<Unstable, T>(linker, MODULE, get)
}
