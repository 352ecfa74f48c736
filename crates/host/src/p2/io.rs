//! The functions of `wasi:io` as both outputs of the generator have them.

use super::{end, poll, streams};
use crate::mode::{Awaits, Blocks, now};
use crate::view::{WasiImpl, WasiView};
use wasi_host_bindings::{IoError, Pollable, p2, subscribe};
use wasi_host_core::stream::{InputStream, OutputStream, StreamError, StreamResult};
use wasmtime::Result;
use wasmtime::component::Resource;

macro_rules! implement {
    ($kind:ident $M:ident [$($async:ident)?] $poll:path, $streams:path) => { const _: () = {
        use $poll as wit_poll;
        use $streams as wit;

        type In = Resource<InputStream>;
        type Out = Resource<OutputStream>;

        impl<T: WasiView> wit_poll::Host for WasiImpl<T> {
            $($async)? fn poll(&mut self, list: Vec<Resource<Pollable>>) -> Result<Vec<u32>> {
                end!($kind poll::poll::<$M>(self, &list))
            }
        }

        impl<T: WasiView> wit_poll::HostPollable for WasiImpl<T> {
            $($async)? fn ready(&mut self, pollable: Resource<Pollable>) -> Result<bool> {
                end!($kind poll::ready::<$M>(self, &pollable))
            }

            $($async)? fn block(&mut self, pollable: Resource<Pollable>) -> Result<()> {
                end!($kind poll::block::<$M>(self, &pollable))
            }

            fn drop(&mut self, pollable: Resource<Pollable>) -> Result<()> {
                Ok(Pollable::delete(self.table(), pollable)?)
            }
        }

        impl<T: WasiView> wit::Host for WasiImpl<T> {
            fn convert_stream_error(&mut self, e: StreamError) -> Result<wit::StreamError> {
                Ok(match streams::code(self, e)? {
                    p2::io::streams::StreamError::Closed => wit::StreamError::Closed,
                    p2::io::streams::StreamError::LastOperationFailed(e) => wit::StreamError::LastOperationFailed(e),
                })
            }
        }

        impl<T: WasiView> wit::HostInputStream for WasiImpl<T> {
            fn read(&mut self, from: In, len: u64) -> StreamResult<Vec<u8>> {
                Ok(streams::read(self, &from, len)?.to_vec())
            }

            $($async)? fn blocking_read(&mut self, from: In, len: u64) -> StreamResult<Vec<u8>> {
                Ok(end!($kind streams::blocking_read::<$M>(self, &from, len))?.to_vec())
            }

            fn skip(&mut self, from: In, len: u64) -> StreamResult<u64> {
                streams::skip(self, &from, len)
            }

            $($async)? fn blocking_skip(&mut self, from: In, len: u64) -> StreamResult<u64> {
                end!($kind streams::blocking_skip::<$M>(self, &from, len))
            }

            fn subscribe(&mut self, from: In) -> Result<Resource<Pollable>> {
                subscribe(self.table(), from)
            }

            $($async)? fn drop(&mut self, from: In) -> Result<()> {
                let stream = self.table().delete(from)?;
                end!($kind streams::cancel_input::<$M>(self, stream))
            }
        }

        impl<T: WasiView> wit::HostOutputStream for WasiImpl<T> {
            fn check_write(&mut self, to: Out) -> StreamResult<u64> {
                streams::check_write(self, &to)
            }

            fn write(&mut self, to: Out, bytes: Vec<u8>) -> StreamResult<()> {
                streams::write(self, &to, bytes.into())
            }

            $($async)? fn blocking_write_and_flush(&mut self, to: Out, bytes: Vec<u8>) -> StreamResult<()> {
                end!($kind streams::blocking_write_and_flush::<$M>(self, &to, &bytes))
            }

            fn flush(&mut self, to: Out) -> StreamResult<()> {
                streams::flush(self, &to)
            }

            $($async)? fn blocking_flush(&mut self, to: Out) -> StreamResult<()> {
                end!($kind streams::blocking_flush::<$M>(self, &to))
            }

            fn subscribe(&mut self, to: Out) -> Result<Resource<Pollable>> {
                subscribe(self.table(), to)
            }

            fn write_zeroes(&mut self, to: Out, len: u64) -> StreamResult<()> {
                streams::write_zeroes(self, &to, len)
            }

            $($async)? fn blocking_write_zeroes_and_flush(&mut self, to: Out, len: u64) -> StreamResult<()> {
                end!($kind streams::blocking_write_zeroes_and_flush::<$M>(self, &to, len))
            }

            fn splice(&mut self, to: Out, from: In, len: u64) -> StreamResult<u64> {
                streams::splice(self, &to, &from, len)
            }

            $($async)? fn blocking_splice(&mut self, to: Out, from: In, len: u64) -> StreamResult<u64> {
                end!($kind streams::blocking_splice::<$M>(self, &to, &from, len))
            }

            $($async)? fn drop(&mut self, to: Out) -> Result<()> {
                let stream = self.table().delete(to)?;
                end!($kind streams::cancel_output::<$M>(self, stream))
            }
        }
    }; };
}

implement!(blocking Blocks [] p2::sync::io::poll, p2::sync::io::streams);
implement!(awaiting Awaits [async] p2::io::poll, p2::io::streams);

impl<T: WasiView> p2::io::error::Host for WasiImpl<T> {}

impl<T: WasiView> p2::io::error::HostError for WasiImpl<T> {
    fn to_debug_string(&mut self, e: Resource<IoError>) -> Result<String> {
        // With its causes, but not with the host's backtrace, which an error's debugging form may hold.
        Ok(format!("{:#}", self.table().get(&e)?))
    }

    fn drop(&mut self, e: Resource<IoError>) -> Result<()> {
        self.table().delete(e)?;
        Ok(())
    }
}
