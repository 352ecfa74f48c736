//! A directory as a stream of its entries.

use super::completion::{End, Teller};
use super::filesystem::file_type;
use super::held::Held;
use super::pending;
use crate::mode::{Awaits, Kind, Mode, Pause};
use crate::waiting::Waiting;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use wasi_host_bindings::DirectoryEntries;
use wasi_host_bindings::p3::filesystem::types::DirectoryEntry;
use wasi_host_core::fs::Descriptor;
use wasi_host_core::{Errno, Result};
use wasmtime::component::{Destination, StreamProducer, StreamResult, VecBuffer};
use wasmtime::{AsContextMut, StoreContextMut};

/// What is given at once at most, and to a reader who does not say how much it takes.
const MANY: usize = 1024;

/// Entries, as many at a time as the guest has room for. Those that were fetched and not given yet are few.
pub(super) struct Listing {
    entries: Held<DirectoryEntries>,
    /// Whether fetching may have to wait for a disk.
    offloads: bool,
    waiting: Arc<Waiting>,
    /// Met behind entries that were given first.
    failed: Option<Errno>,
    teller: Option<Teller>,
}

impl Listing {
    /// `dir` from its beginning.
    pub(super) fn new(dir: Descriptor, waiting: Arc<Waiting>, teller: Teller) -> Self {
        let offloads = Awaits::offloads(waiting.policy, dir.blocking(), Kind::Disk);
        let list = move || Ok(DirectoryEntries::new(&dir)?.fetch());
        let (mut entries, mut failed) = (Held::Here(DirectoryEntries::ended()), None);
        if offloads {
            let waiting = waiting.clone();
            entries.send(|_| away(waiting, list));
        } else {
            match list() {
                Ok(listed) => entries = Held::Here(listed),
                Err(e) => failed = Some(e),
            }
        }
        Self { entries, offloads, waiting, failed, teller: Some(teller) }
    }

    fn end(&mut self, ended: Result<()>) -> Poll<wasmtime::Result<StreamResult>> {
        self.entries = Held::Gone;
        if let Some(teller) = self.teller.take() {
            let _ = teller.send(End::Told(ended));
        }
        Poll::Ready(Ok(StreamResult::Dropped))
    }
}

/// Fetches on another thread.
async fn away(
    waiting: Arc<Waiting>,
    fetch: impl FnOnce() -> Result<DirectoryEntries> + Send + 'static,
) -> (DirectoryEntries, Result<(), Pause>) {
    match waiting.elsewhere::<Awaits, _>(fetch).await {
        Ok(entries) => (entries, Ok(())),
        Err(pause) => (DirectoryEntries::ended(), Err(pause)),
    }
}

impl<D: 'static> StreamProducer<D> for Listing {
    type Item = DirectoryEntry;
    type Buffer = VecBuffer<DirectoryEntry>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut store: StoreContextMut<'a, D>,
        mut to: Destination<'a, DirectoryEntry, VecBuffer<DirectoryEntry>>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        let this = &mut *self;
        let room = to.remaining(store.as_context_mut()).map_or(MANY, |n| n.min(MANY));
        let mut batch = Vec::new();
        loop {
            let entries = match this.entries.poll(cx) {
                Poll::Ready(Ok(entries)) => entries,
                Poll::Ready(Err(Pause::Errno(e))) => return this.end(Err(e)),
                Poll::Ready(Err(stop)) => return Poll::Ready(Err(stop.into())),
                Poll::Pending => return pending(finish),
            };
            let Some(entries) = entries else { return Poll::Ready(Ok(StreamResult::Dropped)) };
            // A read of nothing asks whether one of something would wait.
            while batch.len() < room && this.failed.is_none() {
                match entries.pop() {
                    Some(Ok(entry)) => {
                        batch.push(DirectoryEntry { type_: file_type(entry.file_type), name: entry.name });
                    }
                    Some(Err(e)) => this.failed = Some(e),
                    None => break,
                }
            }
            let full = batch.len() == room && (room > 0 || entries.has_fetched());
            let last = this.offloads || this.failed.is_some() || !entries.has_more();
            if full || (!batch.is_empty() && last) {
                to.set_buffer(batch.into());
                return Poll::Ready(Ok(StreamResult::Completed));
            }
            if let Some(e) = this.failed {
                return this.end(Err(e));
            }
            if !entries.has_more() {
                return this.end(Ok(()));
            }
            if this.offloads {
                let waiting = this.waiting.clone();
                this.entries.send(|entries| away(waiting, move || Ok(entries.fetch())));
            } else {
                *entries = std::mem::replace(entries, DirectoryEntries::ended()).fetch();
            }
        }
    }
}
