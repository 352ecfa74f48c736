//! A thousand guests of one runtime that sleep, read, write and speak TCP at once, and none of them starves.

#[path = "support/view.rs"]
mod view;

use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use view::State;
use wasi_host::bindings::CommandPre;
use wasi_host::net::SocketAddrUse;
use wasi_host::pipe::MemoryOutputPipe;
use wasi_host::{DirPerms, FilePerms, ResourceTable, WasiCtxBuilder, add_to_linker_async};
use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Store};

/// Answers each connection with what it sends.
async fn echo(listener: TcpListener) {
    while let Ok((mut stream, _)) = listener.accept().await {
        tokio::spawn(async move {
            let mut bytes = [0; 256];
            while let Ok(n @ 1..) = stream.read(&mut bytes).await {
                if stream.write_all(&bytes[..n]).await.is_err() {
                    break;
                }
            }
        });
    }
}

/// How late a guest woke in each of its rounds, in microseconds.
async fn guest(
    program: CommandPre<State>,
    dir: Arc<tempfile::TempDir>,
    words: [String; 5],
) -> wasmtime::Result<Vec<u64>> {
    let stdout = MemoryOutputPipe::new(1 << 20);
    let ctx = WasiCtxBuilder::new()
        .args(&words)
        .stdout(stdout.clone())
        .inherit_stderr()
        .preopened_dir(dir.path(), "/", DirPerms::all(), FilePerms::all())?
        .socket_addr_check(|addr, to| {
            Box::pin(async move { addr.ip().is_loopback() && to == SocketAddrUse::TcpConnect })
        })
        .build();
    let mut store = Store::new(program.engine(), State { ctx, table: ResourceTable::new() });
    let command = program.instantiate_async(&mut store).await?;
    assert_eq!(command.wasi_cli_run().call_run(&mut store).await?, Ok(()));
    assert!(store.data().table.is_empty(), "what a guest does not drop, its end does");
    let late = String::from_utf8(stdout.contents().to_vec()).unwrap();
    Ok(late.lines().map(|line| line.parse().unwrap()).collect())
}

async fn a_thousand() -> Vec<u64> {
    let engine = Engine::default();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../guests/prebuilt/p2_rounds.wasm");
    let component = Component::from_file(&engine, file).unwrap();
    let mut linker = Linker::new(&engine);
    add_to_linker_async(&mut linker).unwrap();
    let program = CommandPre::new(linker.instantiate_pre(&component).unwrap()).unwrap();

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let server = tokio::spawn(echo(listener));
    let dir = Arc::new(tempfile::tempdir().unwrap());
    let begin = |rounds: u32, pause: u32, name: String| {
        let words = ["rounds".into(), rounds.to_string(), pause.to_string(), name, port.clone()];
        tokio::spawn(guest(program.clone(), dir.clone(), words))
    };
    // The one that is looked at wakes each 10 ms while the others come, and while they are at it.
    let one = begin(200, 10, "one".into());
    let mut crowd = Vec::new();
    for i in 0..1000 {
        crowd.push(begin(4, 500 + i % 97, format!("{i}")));
        // What is looked at is how they wait, not how fast so many can be made.
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    for guest in crowd {
        assert_eq!(guest.await.unwrap().unwrap().len(), 4);
    }
    let mut late = one.await.unwrap().unwrap();
    assert_eq!(late.len(), 200);
    server.abort();
    late.sort_unstable();
    late
}

#[test]
fn none_of_a_thousand_starves() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    // On a machine of its own it is a few milliseconds (BENCHMARKS.md); one that others use, too, may be busy for longer.
    for _ in 0..3 {
        let late = runtime.block_on(a_thousand());
        println!("late: half {} us, 99 % {} us, most {} us", late[100], late[198], late[199]);
        if late[198] <= 500_000 {
            return;
        }
    }
    panic!(
        "a guest that wakes each 10 ms was more than half a second late in one of a hundred rounds, three times over"
    );
}
