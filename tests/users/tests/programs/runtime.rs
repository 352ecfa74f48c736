//! A synchronous program that has futures to run now and then.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use wasmtime_wasi::runtime::{
    in_tokio, poll_noop, spawn, spawn_blocking, with_ambient_tokio_runtime, AbortOnDropJoinHandle,
};

#[test]
fn a_future_is_run() {
    let n = in_tokio(async {
        tokio::time::sleep(Duration::from_millis(1)).await;
        tokio::task::yield_now().await;
        7
    });
    assert_eq!(n, 7);
}

#[test]
fn there_is_a_runtime_where_there_was_none() {
    assert!(tokio::runtime::Handle::try_current().is_err());
    let handle = with_ambient_tokio_runtime(|| tokio::runtime::Handle::try_current().is_ok());
    assert!(handle);
    assert!(tokio::runtime::Handle::try_current().is_err());
}

#[tokio::test]
async fn there_is_the_one_that_there_was() {
    let own = tokio::runtime::Handle::current().id();
    assert_eq!(with_ambient_tokio_runtime(|| tokio::runtime::Handle::current().id()), own);
}

#[test]
fn tasks_are_started_from_anywhere() {
    let task: AbortOnDropJoinHandle<u32> = spawn(async {
        tokio::time::sleep(Duration::from_millis(1)).await;
        1
    });
    let work: AbortOnDropJoinHandle<u32> = spawn_blocking(|| {
        std::thread::sleep(Duration::from_millis(1));
        2
    });
    assert_eq!(in_tokio(async { task.await + work.await }), 3);
}

/// Sets a flag when it goes.
struct Flag(Arc<AtomicBool>);

impl Drop for Flag {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn a_task_ends_with_its_handle() {
    let ended = Arc::new(AtomicBool::new(false));
    let flag = Flag(ended.clone());
    let task = spawn(async move {
        let _flag = flag;
        std::future::pending::<()>().await;
    });
    assert!(!task.is_finished());
    assert!(!ended.load(Ordering::SeqCst));
    drop(task);
    for _ in 0..1000 {
        if ended.load(Ordering::SeqCst) {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("the task goes on without its handle");
}

#[tokio::test]
async fn a_handle_is_made_of_tokios() {
    let handle: AbortOnDropJoinHandle<&str> = tokio::spawn(async { "done" }).into();
    assert_eq!(handle.await, "done");
}

#[test]
fn a_future_is_tried() {
    let mut ready = std::pin::pin!(std::future::ready(3));
    assert_eq!(poll_noop(ready.as_mut()), Some(3));
    let mut polls = 0;
    let mut second = std::pin::pin!(std::future::poll_fn(move |_| {
        polls += 1;
        if polls == 2 {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }));
    assert_eq!(poll_noop(second.as_mut()), None);
    assert_eq!(poll_noop(second.as_mut()), Some(()));
}
