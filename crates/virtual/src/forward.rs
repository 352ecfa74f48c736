//! What a decorator has the tree below do by itself.
//!
//! Decorators deny themselves provided methods, so each names all: those that it has something to do with it writes, and
//! the others it lists here. What they forward to is their field `inner`.

/// Methods of [`File`](wasi_host_core::fs::File).
macro_rules! forward_file {
    ($($method:ident)*) => { $( $crate::forward::forward_file!(@$method); )* };
    (@metadata) => {
        fn metadata(&self) -> wasi_host_core::Result<wasi_host_core::fs::Metadata> {
            self.inner.metadata()
        }
    };
    (@sync) => {
        fn sync(&self, data_only: bool) -> wasi_host_core::Result<()> {
            self.inner.sync(data_only)
        }
    };
    (@file_type) => {
        fn file_type(&self) -> wasi_host_core::fs::FileType {
            self.inner.file_type()
        }
    };
    (@advise) => {
        fn advise(&self, offset: u64, len: u64, advice: wasi_host_core::fs::Advice) -> wasi_host_core::Result<()> {
            self.inner.advise(offset, len, advice)
        }
    };
    (@blocking) => {
        fn blocking(&self) -> wasi_host_core::fs::Blocking {
            self.inner.blocking()
        }
    };
    (@read_at) => {
        fn read_at(
            &self,
            bufs: &mut [std::io::IoSliceMut<'_>],
            offset: u64,
        ) -> wasi_host_core::Result<usize> {
            self.inner.read_at(bufs, offset)
        }
    };
    (@try_read_at) => {
        fn try_read_at(
            &self,
            bufs: &mut [std::io::IoSliceMut<'_>],
            offset: u64,
        ) -> wasi_host_core::Result<usize> {
            self.inner.try_read_at(bufs, offset)
        }
    };
    (@lend) => {
        fn lend(&self, len: usize, offset: u64) -> Option<bytes::Bytes> {
            self.inner.lend(len, offset)
        }
    };
    (@is_seekable) => {
        fn is_seekable(&self) -> bool {
            self.inner.is_seekable()
        }
    };
    (@read) => {
        fn read(&self, bufs: &mut [std::io::IoSliceMut<'_>]) -> wasi_host_core::Result<usize> {
            self.inner.read(bufs)
        }
    };
    (@write) => {
        fn write(&self, bufs: &[std::io::IoSlice<'_>]) -> wasi_host_core::Result<usize> {
            self.inner.write(bufs)
        }
    };
    (@wait) => {
        fn wait(&self, interest: wasi_host_core::fs::Interest) -> wasi_host_core::wait::Wait<'_> {
            self.inner.wait(interest)
        }
    };
    (@wait_async) => {
        fn wait_async(
            &self,
            interest: wasi_host_core::fs::Interest,
        ) -> wasi_host_core::wait::BoxFuture<'_, ()> {
            self.inner.wait_async(interest)
        }
    };
}
pub(crate) use forward_file;
