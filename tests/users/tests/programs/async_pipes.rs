//! Guests between pipes of tokio: what one writes can be read while it runs.

use std::io::Read;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Engine, Result, Store};
use wasmtime_wasi::bindings::Command;
use wasmtime_wasi::pipe::{
    AsyncReadStream, AsyncWriteStream, ClosedInputStream, ClosedOutputStream, SinkOutputStream,
};
use wasmtime_wasi::{
    AsyncStdinStream, AsyncStdoutStream, OutputFile, StreamError, WasiCtx, WasiCtxBuilder, WasiView,
};
use wasmtime_wasi::{HostInputStream, HostOutputStream, Subscribe};

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

async fn start(guest: &str, ctx: WasiCtx) -> Result<(Store<State>, Command)> {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    wasmtime_wasi::add_to_linker_async(&mut linker)?;
    let component = Component::from_file(&engine, guest)?;
    let mut store = Store::new(&engine, State { ctx, table: ResourceTable::new() });
    let command = Command::instantiate_async(&mut store, &component, &linker).await?;
    Ok((store, command))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation() -> Result<()> {
    let (mut to_guest, stdin) = tokio::io::duplex(64);
    let (stdout, mut from_guest) = tokio::io::duplex(64);
    let ctx = WasiCtxBuilder::new()
        .stdin(AsyncStdinStream::new(AsyncReadStream::new(stdin)))
        .stdout(AsyncStdoutStream::new(AsyncWriteStream::new(8192, stdout)))
        .build();
    let (mut store, command) = start("guests/upper.wat", ctx).await?;
    let guest = tokio::spawn(async move { command.wasi_cli_run().call_run(&mut store).await });

    let mut answer = [0; 4];
    for word in ["ping", "pong"] {
        to_guest.write_all(word.as_bytes()).await?;
        from_guest.read_exact(&mut answer).await?;
        assert_eq!(answer, word.to_uppercase().as_bytes());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    drop(to_guest);
    assert_eq!(guest.await??, Ok(()));
    let mut rest = Vec::new();
    from_guest.read_to_end(&mut rest).await?;
    assert!(rest.is_empty());
    Ok(())
}

#[tokio::test]
async fn much_passes_through_a_small_pipe() -> Result<()> {
    let (mut to_guest, stdin) = tokio::io::duplex(100);
    let (stdout, mut from_guest) = tokio::io::duplex(100);
    let ctx = WasiCtxBuilder::new()
        .stdin(AsyncStdinStream::new(AsyncReadStream::new(stdin)))
        .stdout(AsyncStdoutStream::new(AsyncWriteStream::new(100, stdout)))
        .build();
    let (mut store, command) = start("guests/upper.wat", ctx).await?;
    let mut got = Vec::new();
    let (sent, result, read) = tokio::join!(
        async move { to_guest.write_all(&b"y".repeat(100_000)).await },
        async move { command.wasi_cli_run().call_run(&mut store).await },
        from_guest.read_to_end(&mut got),
    );
    sent?;
    assert_eq!(result?, Ok(()));
    assert_eq!(read?, 100_000);
    assert!(got.iter().all(|byte| *byte == b'Y'));
    Ok(())
}

#[tokio::test]
async fn a_log_goes_to_a_file() -> Result<()> {
    let mut file = tempfile::tempfile()?;
    let ctx =
        WasiCtxBuilder::new().stdout(OutputFile::new(file.try_clone()?)).stdin(ClosedInputStream).build();
    let (mut store, command) = start("guests/hello.wat", ctx).await?;
    assert_eq!(command.wasi_cli_run().call_run(&mut store).await?, Ok(()));
    std::io::Seek::rewind(&mut file)?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    assert_eq!(text, "hello from a component\n");
    Ok(())
}

#[tokio::test]
async fn a_guest_may_be_ignored_or_refused() -> Result<()> {
    let ctx = WasiCtxBuilder::new().stdout(SinkOutputStream).stderr(SinkOutputStream).build();
    let (mut store, command) = start("guests/hello.wat", ctx).await?;
    assert_eq!(command.wasi_cli_run().call_run(&mut store).await?, Ok(()));

    let ctx = WasiCtxBuilder::new().stdout(ClosedOutputStream).build();
    let (mut store, command) = start("guests/hello.wat", ctx).await?;
    assert_eq!(command.wasi_cli_run().call_run(&mut store).await?, Err(()));
    Ok(())
}

/// The streams by themselves, as a library that passes bytes on uses them.
#[tokio::test]
async fn the_streams_by_themselves() -> Result<()> {
    let (mut far, near) = tokio::io::duplex(16);
    let mut input = AsyncReadStream::new(near);
    assert!(input.read(10)?.is_empty());
    far.write_all(b"0123456789").await?;
    assert_eq!(input.blocking_read(4).await?, "0123");
    assert_eq!(input.blocking_skip(2).await?, 2);
    assert_eq!(input.blocking_read(100).await?, "6789");
    drop(far);
    input.ready().await;
    assert!(matches!(input.blocking_read(1).await, Err(StreamError::Closed)));

    let (near, mut far) = tokio::io::duplex(16);
    let mut output = AsyncWriteStream::new(8, near);
    let permit = output.write_ready().await?;
    assert_eq!(permit, 8);
    output.write("abcd".into())?;
    output.flush()?;
    assert!(output.write_ready().await? > 0);
    output.blocking_write_and_flush("efgh".into()).await?;
    output.blocking_write_zeroes_and_flush(2).await?;
    output.cancel().await;
    drop(output);
    let mut got = Vec::new();
    far.read_to_end(&mut got).await?;
    assert_eq!(got, b"abcdefgh\0\0");
    Ok(())
}
