//! Files as streams: on the calling thread, on another, and without a position.

mod fs_streams {
    mod doubles;
    mod fifo;
    mod input;
    mod output;
    mod revoked;
}

use std::sync::Arc;
use wasi_host_core::Errno;
use wasi_host_core::fs::{Access, Descriptor, Elsewhere, File, Node, Offload, Open};
use wasi_host_core::grant::Grant;
use wasi_host_core::stream::{StreamError, StreamResult};
use wasi_host_core::wait::Wait;
use wasi_host_virtual::memory::MemoryFs;

/// A file in memory that holds `content`.
fn memory(content: &str) -> (MemoryFs, Arc<dyn File>) {
    let fs = MemoryFs::new();
    fs.write("file", content).unwrap();
    let how = Open { read: true, write: true, ..Open::default() };
    match fs.root().open("file", how).unwrap() {
        Node::File(file) => (fs, file),
        Node::Dir(_) => unreachable!(),
    }
}

fn granted(file: Arc<dyn File>) -> Descriptor {
    Descriptor::file(file, Access::all(), Arc::new(Grant::full()))
}

fn adaptive<E: Elsewhere + 'static>(to: &Arc<E>) -> Option<Offload> {
    Some(Offload { to: to.clone(), all: false })
}

fn all<E: Elsewhere + 'static>(to: &Arc<E>) -> Option<Offload> {
    Some(Offload { to: to.clone(), all: true })
}

fn is_ready(wait: Wait<'_>) -> bool {
    match wait {
        Wait::Ready => true,
        Wait::Notify(watch) => watch.changed(),
        wait => panic!("{wait:?}"),
    }
}

fn is_closed<T>(result: StreamResult<T>) -> bool {
    matches!(result, Err(StreamError::Closed))
}

fn is_trap<T>(result: StreamResult<T>) -> bool {
    matches!(result, Err(StreamError::Trap(_)))
}

fn failure<T: std::fmt::Debug>(result: StreamResult<T>) -> Errno {
    match result {
        Err(StreamError::LastOperationFailed(e)) => wasi_host_core::stream::errno(&e),
        result => panic!("{result:?}"),
    }
}

/// Drives a future that is woken from another thread.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(std::thread::current())).into();
    let mut cx = std::task::Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut cx) {
            std::task::Poll::Ready(value) => return value,
            std::task::Poll::Pending => std::thread::park(),
        }
    }
}
