//! Work for a tokio runtime, from where there is one and from where there is none.
#![cfg(feature = "async")]

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;
use tokio::runtime::{Builder, Handle};
use wasi_host_native::runtime::{
    AbortOnDropJoinHandle, in_tokio, poll_noop, spawn, spawn_blocking, with_ambient_tokio_runtime,
};

const SHORT: Duration = Duration::from_millis(5);

/// Sleeps, spawns, and waits for a thread of the pool.
async fn busy() -> i32 {
    tokio::time::sleep(SHORT).await;
    let one = tokio::spawn(async {
        tokio::time::sleep(SHORT).await;
        1
    });
    let two = tokio::task::spawn_blocking(|| 2);
    one.await.unwrap() + two.await.unwrap()
}

#[test]
fn in_tokio_works_anywhere() {
    assert_eq!(in_tokio(busy()), 3);
    let single = Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(single.block_on(async { in_tokio(busy()) }), 3, "in the only thread of a runtime");
    let multi = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let task = multi.spawn(async { in_tokio(busy()) + in_tokio(async { in_tokio(busy()) }) });
    assert_eq!(multi.block_on(task).unwrap(), 6, "in a task, and in itself");
    let _entered = multi.enter();
    assert_eq!(in_tokio(busy()), 3);
}

#[tokio::test]
async fn a_budget_does_not_run_dry_in_it() {
    let (ours, mut theirs) = tokio::sync::mpsc::unbounded_channel();
    let sum = in_tokio(async {
        let mut sum = 0;
        for i in 0..10_000u64 {
            ours.send(i).unwrap();
            sum += theirs.recv().await.unwrap();
        }
        sum
    });
    assert_eq!(sum, 10_000 * 9_999 / 2);
}

#[test]
fn it_borrows_and_need_not_be_sent() {
    let local = std::rc::Rc::new(5);
    let borrowed = &local;
    assert_eq!(
        in_tokio(async {
            tokio::task::yield_now().await;
            **borrowed
        }),
        5
    );
}

#[test]
fn an_ambient_runtime_is_the_current_one_or_ours() {
    assert!(Handle::try_current().is_err());
    let ours = with_ambient_tokio_runtime(|| Handle::current().id());
    assert!(Handle::try_current().is_err());
    let theirs = Builder::new_current_thread().build().unwrap();
    let id = theirs.block_on(async { with_ambient_tokio_runtime(|| Handle::current().id()) });
    assert_eq!(id, theirs.handle().id());
    assert_ne!(id, ours);
}

#[test]
fn tasks_outside_of_any_runtime() {
    let one = spawn(async {
        tokio::time::sleep(SHORT).await;
        1
    });
    let two = spawn_blocking(|| 2);
    assert_eq!(in_tokio(async { one.await + two.await }), 3);
}

struct Sets(Arc<AtomicBool>);

impl Drop for Sets {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

#[tokio::test]
async fn a_task_ends_with_its_handle() {
    for by_hand in [true, false] {
        let ended = Arc::<AtomicBool>::default();
        let sets = Sets(ended.clone());
        let task = spawn(async move {
            let _sets = sets;
            std::future::pending::<()>().await;
        });
        tokio::time::sleep(SHORT).await;
        assert!(!ended.load(SeqCst));
        if by_hand {
            task.abort();
        } else {
            drop(task);
        }
        while !ended.load(SeqCst) {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn a_panic_of_a_task_is_that_of_its_handle() {
    let task: AbortOnDropJoinHandle<()> = tokio::spawn(async { std::panic::panic_any(42) }).into();
    let panic = tokio::spawn(task).await.unwrap_err().into_panic();
    assert_eq!(panic.downcast_ref(), Some(&42));
}

#[tokio::test]
async fn one_poll() {
    let task = spawn(async { 1 });
    let mut task = pin!(task);
    while poll_noop(task.as_mut()).is_none() {
        tokio::task::yield_now().await;
    }
    assert_eq!(poll_noop(pin!(std::future::pending::<()>())), None);
}
