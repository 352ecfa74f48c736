//! WASI 0.2.12. Functions that may wait are asynchronous here, and synchronous in [`sync`].

#[allow(missing_docs, reason = "generated")]
mod generated {
    wasmtime::component::bindgen!({
        path: "wit/p2",
        world: "wasi-host:p2/command",
        imports: {
            "wasi:filesystem/types.[method]descriptor.advise": async | trappable,
            "wasi:filesystem/types.[method]descriptor.create-directory-at": async | trappable,
            "wasi:filesystem/types.[method]descriptor.get-flags": async | trappable,
            "wasi:filesystem/types.[method]descriptor.get-type": async | trappable,
            "wasi:filesystem/types.[method]descriptor.is-same-object": async | trappable,
            "wasi:filesystem/types.[method]descriptor.link-at": async | trappable,
            "wasi:filesystem/types.[method]descriptor.metadata-hash": async | trappable,
            "wasi:filesystem/types.[method]descriptor.metadata-hash-at": async | trappable,
            "wasi:filesystem/types.[method]descriptor.open-at": async | trappable,
            "wasi:filesystem/types.[method]descriptor.read": async | trappable,
            "wasi:filesystem/types.[method]descriptor.read-directory": async | trappable,
            "wasi:filesystem/types.[method]descriptor.readlink-at": async | trappable,
            "wasi:filesystem/types.[method]descriptor.remove-directory-at": async | trappable,
            "wasi:filesystem/types.[method]descriptor.rename-at": async | trappable,
            "wasi:filesystem/types.[method]descriptor.set-size": async | trappable,
            "wasi:filesystem/types.[method]descriptor.set-times": async | trappable,
            "wasi:filesystem/types.[method]descriptor.set-times-at": async | trappable,
            "wasi:filesystem/types.[method]descriptor.stat": async | trappable,
            "wasi:filesystem/types.[method]descriptor.stat-at": async | trappable,
            "wasi:filesystem/types.[method]descriptor.symlink-at": async | trappable,
            "wasi:filesystem/types.[method]descriptor.sync": async | trappable,
            "wasi:filesystem/types.[method]descriptor.sync-data": async | trappable,
            "wasi:filesystem/types.[method]descriptor.unlink-file-at": async | trappable,
            "wasi:filesystem/types.[method]descriptor.write": async | trappable,
            "wasi:filesystem/types.[method]directory-entry-stream.read-directory-entry": async | trappable,
            "wasi:io/poll.poll": async | trappable,
            "wasi:io/poll.[method]pollable.block": async | trappable,
            "wasi:io/poll.[method]pollable.ready": async | trappable,
            "wasi:io/streams.[drop]input-stream": async | trappable,
            "wasi:io/streams.[drop]output-stream": async | trappable,
            "wasi:io/streams.[method]input-stream.blocking-read": async | trappable,
            "wasi:io/streams.[method]input-stream.blocking-skip": async | trappable,
            "wasi:io/streams.[method]output-stream.blocking-flush": async | trappable,
            "wasi:io/streams.[method]output-stream.blocking-splice": async | trappable,
            "wasi:io/streams.[method]output-stream.blocking-write-and-flush": async | trappable,
            "wasi:io/streams.[method]output-stream.blocking-write-zeroes-and-flush": async | trappable,
            "wasi:sockets/tcp.[method]tcp-socket.start-bind": async | trappable,
            "wasi:sockets/tcp.[method]tcp-socket.start-connect": async | trappable,
            "wasi:sockets/udp.[method]outgoing-datagram-stream.send": async | trappable,
            "wasi:sockets/udp.[method]udp-socket.start-bind": async | trappable,
            "wasi:sockets/udp.[method]udp-socket.stream": async | trappable,
            default: trappable,
        },
        exports: { default: async },
        trappable_error_type: {
            "wasi:filesystem/types.error-code" => crate::FsError,
            "wasi:io/streams.stream-error" => wasi_host_core::stream::StreamError,
            "wasi:sockets/network.error-code" => crate::SocketError,
        },
        with: {
            "wasi:cli/terminal-input.terminal-input": crate::TerminalInput,
            "wasi:cli/terminal-output.terminal-output": crate::TerminalOutput,
            "wasi:filesystem/types.descriptor": wasi_host_core::fs::Descriptor,
            "wasi:filesystem/types.directory-entry-stream": crate::DirectoryEntries,
            "wasi:io/error.error": crate::IoError,
            "wasi:io/poll.pollable": crate::Pollable,
            "wasi:io/streams.input-stream": wasi_host_core::stream::InputStream,
            "wasi:io/streams.output-stream": wasi_host_core::stream::OutputStream,
            "wasi:sockets/ip-name-lookup.resolve-address-stream": wasi_host_core::net::Addresses,
            "wasi:sockets/network.network": crate::Network,
            "wasi:sockets/tcp.tcp-socket": crate::TcpSocket,
            "wasi:sockets/udp.incoming-datagram-stream": wasi_host_core::net::UdpInput,
            "wasi:sockets/udp.outgoing-datagram-stream": wasi_host_core::net::UdpOutput,
            "wasi:sockets/udp.udp-socket": crate::UdpSocket,
        },
    });
}
pub use generated::wasi::*;
pub use generated::{Command, CommandIndices, CommandPre, exports, wasi};

/// Which unstable parts of the standard a linker gets. None, unless they are named.
///
/// ```
/// use wasi_host_bindings::p2::LinkOptions;
/// let mut options = LinkOptions::default();
/// options.network_error_code(true);
/// ```
#[derive(Clone, Debug, Default)]
pub struct LinkOptions {
    clocks_timezone: bool,
    network_error_code: bool,
}

impl LinkOptions {
    /// `exit-with-code` of `wasi:cli/exit`: stable since 0.2.12, so it is there whatever is said here.
    pub fn cli_exit_with_code(&mut self, _: bool) -> &mut Self {
        self
    }

    /// The interface `wasi:clocks/timezone`.
    pub fn clocks_timezone(&mut self, enabled: bool) -> &mut Self {
        self.clocks_timezone = enabled;
        self
    }

    /// `network-error-code` of `wasi:sockets/network`.
    pub fn network_error_code(&mut self, enabled: bool) -> &mut Self {
        self.network_error_code = enabled;
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

impl From<&LinkOptions> for sockets::network::LinkOptions {
    fn from(options: &LinkOptions) -> Self {
        let mut own = Self::default();
        own.network_error_code(options.network_error_code);
        own
    }
}

/// The same for synchronous hosts. Interfaces in which nothing waits are those of the [asynchronous module](super).
///
/// `add_to_linker_sync` of `wasi-host` has an example.
pub mod sync {
    #[allow(missing_docs, reason = "generated")]
    mod generated {
        wasmtime::component::bindgen!({
            path: "wit/p2",
            world: "wasi-host:p2/command",
            imports: { default: trappable },
            trappable_error_type: {
                "wasi:filesystem/types.error-code" => crate::FsError,
                "wasi:io/streams.stream-error" => wasi_host_core::stream::StreamError,
                "wasi:sockets/network.error-code" => crate::SocketError,
            },
            with: {
                "wasi:filesystem/types.descriptor": wasi_host_core::fs::Descriptor,
                "wasi:filesystem/types.directory-entry-stream": crate::DirectoryEntries,
                "wasi:io/poll.pollable": crate::Pollable,
                "wasi:io/streams.input-stream": wasi_host_core::stream::InputStream,
                "wasi:io/streams.output-stream": wasi_host_core::stream::OutputStream,
                "wasi:sockets/tcp.tcp-socket": crate::TcpSocket,
                "wasi:sockets/udp.incoming-datagram-stream": wasi_host_core::net::UdpInput,
                "wasi:sockets/udp.outgoing-datagram-stream": wasi_host_core::net::UdpOutput,
                "wasi:sockets/udp.udp-socket": crate::UdpSocket,

                // Shared.
                "wasi:cli": crate::p2::cli,
                "wasi:clocks": crate::p2::clocks,
                "wasi:filesystem/preopens": crate::p2::filesystem::preopens,
                "wasi:io/error": crate::p2::io::error,
                "wasi:random": crate::p2::random,
                "wasi:sockets/instance-network": crate::p2::sockets::instance_network,
                "wasi:sockets/ip-name-lookup": crate::p2::sockets::ip_name_lookup,
                "wasi:sockets/network": crate::p2::sockets::network,
                "wasi:sockets/tcp-create-socket": crate::p2::sockets::tcp_create_socket,
                "wasi:sockets/udp-create-socket": crate::p2::sockets::udp_create_socket,
            },
            require_store_data_send: true,
        });
    }
    pub use super::LinkOptions;
    pub use generated::wasi::*;
    pub use generated::{Command, CommandIndices, CommandPre, exports, wasi};
}
