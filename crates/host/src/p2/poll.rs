//! `wasi:io/poll`: one wait for any list.

use crate::mode::{Mode, Pause};
use crate::view::{Both, WasiView};
use crate::wait::{BoxFuture, Wait};
use crate::waiting::Waiting;
use std::collections::BTreeMap;
use wasi_host_bindings::{Awaited, Pollable, Source};
use wasi_host_core::clock::HostMonotonicClock;
use wasi_host_core::stream::Subscribe;
use wasmtime::component::{Resource, ResourceTable, ResourceTableError};
use wasmtime::{Result, format_err};

type Clock = Box<dyn HostMonotonicClock>;

/// Waits until at least one of the list is ready; the places of all that are.
pub(super) async fn poll<M: Mode>(view: &mut impl WasiView, list: &[Resource<Pollable>]) -> Result<Vec<u32>> {
    match poll_now(view, list)? {
        Some(ready) => Ok(ready),
        None => poll_waiting::<M>(view, list).await,
    }
}

/// The places of all that are ready, if some are and nobody has to be asked about any: a list of clocks needs no wait.
pub(super) fn poll_now(view: &mut impl WasiView, list: &[Resource<Pollable>]) -> Result<Option<Vec<u32>>> {
    let limit = view.ctx().limits.subscriptions();
    if list.is_empty() {
        return Err(format_err!("the list of pollables is empty: nothing would ever end this wait"));
    }
    if list.len() > limit {
        return Err(format_err!(
            "{} pollables at a time are more than the {limit} that are allowed",
            list.len()
        ));
    }
    if !view.ctx().waiting.is_idle() {
        return Ok(None);
    }
    let (mut ready, mut now) = (Vec::new(), None);
    for (place, pollable) in (0..).zip(list) {
        let is_ready = match view.table().get(pollable)?.awaited() {
            Awaited::Clock(when) => when <= *now.get_or_insert_with(|| view.ctx().monotonic_clock.now()),
            Awaited::Entry(rep, source) => match (source.wait)(view.table(), rep)? {
                Wait::Ready => true,
                Wait::Forever => false,
                _ => return Ok(None),
            },
        };
        if is_ready {
            ready.push(place);
        }
    }
    Ok((!ready.is_empty()).then_some(ready))
}

/// `poll` of a list of which not enough was known at once.
pub(super) async fn poll_waiting<M: Mode>(
    view: &mut impl WasiView,
    list: &[Resource<Pollable>],
) -> Result<Vec<u32>> {
    let mut both = Both::of(view);
    let (ctx, table) = both.parts();
    let list =
        list.iter().map(|p| Ok(table.get(p)?.awaited())).collect::<Result<Vec<_>, ResourceTableError>>()?;
    let mut ready = Vec::new();
    while ready.is_empty() {
        if has_futures(table, &list)? {
            let mut lent = Lent::new(table, &list)?;
            while ready.is_empty() && !lent.lacks_futures() {
                lent.wait::<M>(&ctx.waiting, &mut ctx.monotonic_clock, &mut ready).await?;
            }
        } else {
            wait::<M>(&ctx.waiting, table, &mut ctx.monotonic_clock, &list, &mut ready).await?;
        }
    }
    ready.sort_unstable();
    Ok(ready)
}

/// Whether it is ready, if nobody has to be asked; `now` asks the clock.
pub(super) fn ready_now(
    view: &mut impl WasiView,
    pollable: &Resource<Pollable>,
    now: impl FnOnce(&Clock) -> u64,
) -> Result<Option<bool>> {
    Ok(match view.table().get(pollable)?.awaited() {
        Awaited::Clock(when) => Some(now(&view.ctx().monotonic_clock) >= when),
        Awaited::Entry(rep, source) => match (source.wait)(view.table(), rep)? {
            Wait::Ready => Some(true),
            Wait::Forever | Wait::Notify(_) | Wait::Clock(..) | Wait::NotifyBy(..) => Some(false),
            _ => None,
        },
    })
}

/// Whether it is ready, without waiting for it.
pub(super) async fn ready<M: Mode>(view: &mut impl WasiView, pollable: &Resource<Pollable>) -> Result<bool> {
    if let Some(ready) = ready_now(view, pollable, |clock| clock.read())? {
        return Ok(ready);
    }
    let mut both = Both::of(view);
    let (ctx, table) = both.parts();
    let Awaited::Entry(rep, source) = table.get(pollable)?.awaited() else {
        unreachable!("a clock is known");
    };
    let (mut ended, watch) = (Vec::new(), ctx.waiting.watch());
    match (source.wait)(table, rep)? {
        Wait::Future => {
            let entry = (source.entry)(table.get_any_mut(rep)?).ok_or(ResourceTableError::WrongType)?;
            let mut waits = vec![Wait::Future, Wait::Ready];
            ctx.waiting.pause::<M>(watch, &mut waits, &mut [(0, entry.ready())], &mut ended).await?;
        }
        wait => ctx.waiting.pause::<M>(watch, &mut vec![wait, Wait::Ready], &mut [], &mut ended).await?,
    }
    Ok(ended.iter().any(|e| e.index == 0))
}

/// Waits until it is ready.
pub(super) async fn block<M: Mode>(view: &mut impl WasiView, pollable: &Resource<Pollable>) -> Result<()> {
    // What is ready already needs no list.
    if ready_now(view, pollable, |clock| clock.now())? != Some(true) {
        poll_waiting::<M>(view, std::slice::from_ref(pollable)).await?;
    }
    Ok(())
}

fn has_futures(table: &ResourceTable, list: &[Awaited]) -> Result<bool> {
    for awaited in list {
        if let Awaited::Entry(rep, source) = awaited
            && matches!((source.wait)(table, *rep)?, Wait::Future)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// One wait for a list without futures. It may end with nothing: then somebody was told to look, and saw nothing yet.
async fn wait<M: Mode>(
    waiting: &Waiting,
    table: &mut ResourceTable,
    clock: &mut Clock,
    list: &[Awaited],
    ready: &mut Vec<u32>,
) -> Result<()> {
    fn look<'a>(table: &'a ResourceTable, clock: &'a Clock, awaited: &Awaited) -> Result<Wait<'a>> {
        Ok(match *awaited {
            Awaited::Clock(when) => clock.wait_until(when),
            Awaited::Entry(rep, source) => (source.wait)(table, rep)?,
        })
    }
    let watch = waiting.watch();
    let mut waits = list.iter().map(|a| look(table, clock, a)).collect::<Result<Vec<_>>>()?;
    let mut ended = Vec::new();
    waiting.pause::<M>(watch, &mut waits, &mut [], &mut ended).await?;
    for event in ended {
        let hint = waits[event.index].watches().next().is_some();
        if !hint || matches!(look(table, clock, &list[event.index])?, Wait::Ready) {
            ready.push(event.index as u32);
        }
    }
    Ok(())
}

/// A list in which are streams that users wrote. Their futures are kept from one look to the next, because one that is
/// dropped forgets whom to wake; and two pollables of one stream share one future, because it borrows the stream.
struct Lent<'t> {
    /// What stands behind each entry of a wait: first the parents, then the clocks. With each its places in the list.
    parents: Vec<(Option<&'t mut dyn Subscribe>, Vec<u32>)>,
    clocks: Vec<(u64, u32)>,
    /// Of those parents that are `None`.
    futures: Vec<(usize, BoxFuture<'t, ()>)>,
}

impl<'t> Lent<'t> {
    fn new(table: &'t mut ResourceTable, list: &[Awaited]) -> Result<Self> {
        let mut lent = Self { parents: Vec::new(), clocks: Vec::new(), futures: Vec::new() };
        let mut entries = BTreeMap::<u32, (&'static Source, Vec<u32>)>::new();
        for (place, awaited) in (0..).zip(list) {
            match *awaited {
                Awaited::Clock(when) => lent.clocks.push((when, place)),
                Awaited::Entry(rep, source) => {
                    entries.entry(rep).or_insert((source, Vec::new())).1.push(place);
                }
            }
        }
        for (entry, (source, places)) in table.iter_entries(entries) {
            let entry = (source.entry)(entry?).ok_or(ResourceTableError::WrongType)?;
            if matches!(entry.wait(), Wait::Future) {
                lent.futures.push((lent.parents.len(), entry.ready()));
                lent.parents.push((None, places));
            } else {
                lent.parents.push((Some(entry), places));
            }
        }
        Ok(lent)
    }

    /// Whether a stream that had said what it waits for says by now that only a future knows.
    fn lacks_futures(&self) -> bool {
        self.parents.iter().flat_map(|(entry, _)| entry).any(|entry| matches!(entry.wait(), Wait::Future))
    }

    async fn wait<M: Mode>(
        &mut self,
        waiting: &Waiting,
        clock: &mut Clock,
        ready: &mut Vec<u32>,
    ) -> Result<(), Pause> {
        let Self { parents, clocks, futures } = self;
        let watch = waiting.watch();
        let entries = parents.iter().map(|(entry, _)| entry.as_ref().map_or(Wait::Future, |e| e.wait()));
        let mut waits: Vec<_> =
            entries.chain(clocks.iter().map(|(when, _)| clock.wait_until(*when))).collect();
        let mut ended = Vec::new();
        waiting.pause::<M>(watch, &mut waits, futures, &mut ended).await?;
        for event in ended {
            let hint = waits[event.index].watches().next().is_some();
            match parents.get(event.index) {
                Some((Some(entry), _)) if hint && !matches!(entry.wait(), Wait::Ready) => {}
                Some((_, places)) => ready.extend(places),
                None => {
                    let (when, place) = clocks[event.index - parents.len()];
                    if !hint || clock.now() >= when {
                        ready.push(place);
                    }
                }
            }
        }
        Ok(())
    }
}
