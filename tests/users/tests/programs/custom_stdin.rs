//! Standard input that comes from a channel: whoever holds the other end decides when there is some.

use bytes::{Bytes, BytesMut};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, Mutex};
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Engine, Result, Store};
use wasmtime_wasi::bindings::Command;
use wasmtime_wasi::pipe::MemoryOutputPipe;
use wasmtime_wasi::{
    async_trait, HostInputStream, StdinStream, StreamError, StreamResult, Subscribe, WasiCtx, WasiCtxBuilder,
    WasiView,
};

/// Every stream that is asked for reads from the one channel.
#[derive(Clone)]
struct Chat {
    inner: Arc<Mutex<Received>>,
}

struct Received {
    messages: mpsc::Receiver<Bytes>,
    unread: BytesMut,
    ended: bool,
}

impl Chat {
    fn new(messages: mpsc::Receiver<Bytes>) -> Self {
        let unread = BytesMut::new();
        Self { inner: Arc::new(Mutex::new(Received { messages, unread, ended: false })) }
    }
}

impl StdinStream for Chat {
    fn stream(&self) -> Box<dyn HostInputStream> {
        Box::new(self.clone())
    }

    fn isatty(&self) -> bool {
        false
    }
}

#[async_trait]
impl Subscribe for Chat {
    async fn ready(&mut self) {
        let mut inner = self.inner.lock().await;
        if !inner.unread.is_empty() || inner.ended {
            return;
        }
        match inner.messages.recv().await {
            Some(message) => inner.unread.extend_from_slice(&message),
            None => inner.ended = true,
        }
    }
}

#[async_trait]
impl HostInputStream for Chat {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        let Ok(mut inner) = self.inner.try_lock() else {
            return Ok(Bytes::new());
        };
        while inner.unread.is_empty() && !inner.ended {
            match inner.messages.try_recv() {
                Ok(message) => inner.unread.extend_from_slice(&message),
                Err(mpsc::error::TryRecvError::Empty) => return Ok(Bytes::new()),
                Err(mpsc::error::TryRecvError::Disconnected) => inner.ended = true,
            }
        }
        if inner.unread.is_empty() {
            return Err(StreamError::Closed);
        }
        let n = inner.unread.len().min(size);
        Ok(inner.unread.split_to(n).freeze())
    }
}

struct State {
    ctx: WasiCtx,
    table: ResourceTable,
}

impl WasiView for State {
    fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }
    fn ctx(&mut self) -> &mut WasiCtx {
        &mut self.ctx
    }
}

#[tokio::test]
async fn a_guest_reads_what_is_sent_to_it() -> Result<()> {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    wasmtime_wasi::add_to_linker_async(&mut linker)?;
    let component = Component::from_file(&engine, "guests/upper.wat")?;

    let (sender, receiver) = mpsc::channel(1);
    let stdout = MemoryOutputPipe::new(4096);
    let ctx = WasiCtxBuilder::new().stdin(Chat::new(receiver)).stdout(stdout.clone()).build();
    let mut store = Store::new(&engine, State { ctx, table: ResourceTable::new() });
    let command = Command::instantiate_async(&mut store, &component, &linker).await?;

    let talking = async {
        for word in ["one ", "two ", "three"] {
            tokio::time::sleep(Duration::from_millis(5)).await;
            sender.send(Bytes::from(word)).await.expect("the guest listens");
        }
        drop(sender);
    };
    let (result, ()) = tokio::join!(command.wasi_cli_run().call_run(&mut store), talking);
    assert_eq!(result?, Ok(()));
    assert_eq!(stdout.contents(), "ONE TWO THREE");
    Ok(())
}

/// The same stream in a synchronous host: another thread sends.
#[test]
fn a_synchronous_guest_reads_what_is_sent_to_it() -> Result<()> {
    use wasmtime_wasi::bindings::sync::Command;
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    wasmtime_wasi::add_to_linker_sync(&mut linker)?;
    let component = Component::from_file(&engine, "guests/upper.wat")?;

    let (sender, receiver) = mpsc::channel(1);
    let talking = std::thread::spawn(move || {
        for word in ["four ", "five ", "six"] {
            std::thread::sleep(Duration::from_millis(5));
            sender.blocking_send(Bytes::from(word)).expect("the guest listens");
        }
    });
    let stdout = MemoryOutputPipe::new(4096);
    let ctx = WasiCtxBuilder::new().stdin(Chat::new(receiver)).stdout(stdout.clone()).build();
    let mut store = Store::new(&engine, State { ctx, table: ResourceTable::new() });
    let command = Command::instantiate(&mut store, &component, &linker)?;
    assert_eq!(command.wasi_cli_run().call_run(&mut store)?, Ok(()));
    talking.join().expect("it has sent all");
    assert_eq!(stdout.contents(), "FOUR FIVE SIX");
    Ok(())
}
