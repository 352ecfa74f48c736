//! WASI 0.3.2. It is for asynchronous hosts alone.
//!
//! What the standard declares as `async` gets an [`Accessor`](wasmtime::component::Accessor), what hands out or takes a
//! stream the store; the few functions that are not asynchronous in the standard, and yet may have to ask the embedder
//! about an address, hold the store until they know.

#[allow(missing_docs, reason = "generated")]
mod generated {
    wasmtime::component::bindgen!({
        path: "wit/p3",
        world: "wasi-host:p3/command",
        imports: {
            "wasi:cli/stdin": store | trappable,
            "wasi:cli/stdout": store | trappable,
            "wasi:cli/stderr": store | trappable,
            "wasi:filesystem/types.[method]descriptor.append-via-stream": store | trappable,
            "wasi:filesystem/types.[method]descriptor.read-directory": store | trappable,
            "wasi:filesystem/types.[method]descriptor.read-via-stream": store | trappable,
            "wasi:filesystem/types.[method]descriptor.write-via-stream": store | trappable,
            "wasi:sockets/types.[method]tcp-socket.bind": async | trappable,
            "wasi:sockets/types.[method]tcp-socket.listen": async | store | trappable,
            "wasi:sockets/types.[method]tcp-socket.receive": store | trappable,
            "wasi:sockets/types.[method]tcp-socket.send": store | trappable,
            "wasi:sockets/types.[method]udp-socket.bind": async | trappable,
            "wasi:sockets/types.[method]udp-socket.connect": async | trappable,
            default: trappable,
        },
        exports: { default: async | store },
        trappable_error_type: {
            "wasi:filesystem/types.error-code" => crate::error::p3::FsError,
            "wasi:sockets/ip-name-lookup.error-code" => crate::error::p3::LookupError,
            "wasi:sockets/types.error-code" => crate::error::p3::SocketError,
        },
        with: {
            "wasi:cli/terminal-input.terminal-input": crate::TerminalInput,
            "wasi:cli/terminal-output.terminal-output": crate::TerminalOutput,
            "wasi:filesystem/types.descriptor": wasi_host_core::fs::Descriptor,
            "wasi:sockets/types.tcp-socket": crate::Connection,
            "wasi:sockets/types.udp-socket": wasi_host_core::net::Udp,
        },
        require_store_data_send: true,
    });
}
pub use crate::error::p3::{FsError, FsResult, LookupError, LookupResult, SocketError, SocketResult};
pub use generated::wasi::*;
pub use generated::{Command, CommandIndices, CommandPre, exports, wasi};

/// Which unstable parts of the standard a linker gets. None, unless they are named.
///
/// ```
/// use wasi_host_bindings::p3::LinkOptions;
/// let mut options = LinkOptions::default();
/// options.clocks_timezone(true);
/// ```
#[derive(Clone, Debug, Default)]
pub struct LinkOptions {
    clocks_timezone: bool,
}

impl LinkOptions {
    /// The interface `wasi:clocks/timezone`.
    pub fn clocks_timezone(&mut self, enabled: bool) -> &mut Self {
        self.clocks_timezone = enabled;
        self
    }
}

impl From<&LinkOptions> for clocks::timezone::LinkOptions {
    fn from(options: &LinkOptions) -> Self {
        let mut own = Self::default();
        own.clocks_timezone(options.clocks_timezone);
        own
    }
}
