//! Waiting for several things at once.

use super::abi::Rights;
use super::memory::{Memory, u16_at, u32_at, u64_at};
use super::proc::Clock;
use super::table::{Object, Table};
use super::{Stop, Version, WasiP1Ctx};
use crate::mode::Mode;
use crate::wait::{BoxFuture, Event, Wait};
use smallvec::SmallVec;
use std::time::Duration;
use wasi_host_core::Errno;
use wasi_host_core::fs::{FileType, Interest};

/// The length of an `event`.
const EVENT: usize = 32;

/// One subscription, and what has come of it.
struct Subscription {
    userdata: u64,
    until: Until,
    outcome: Outcome,
}

/// What a subscription waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    /// This long, counted from the moment at which nothing turned out to be ready.
    Elapsed(u64),
    /// The monotonic clock's showing this.
    Monotonic(u64),
    /// The wall clock's showing this.
    Realtime(u64),
    /// A descriptor.
    Fd(u32, Interest),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Waiting,
    Ready { hangup: bool },
    Failed(Errno),
}

type Subscriptions = SmallVec<[Subscription; 8]>;

/// Waits until at least one of several clocks, files, streams and sockets is ready.
///
/// # Parameters
///
/// - `subscriptions`, `n`: what to wait for
/// - `events`: where to put what has happened, room for `n`
/// - `nevents`: where to put how many that were
///
/// # Errors
///
/// `Inval` for none, or for more than [`Limits::subscriptions`](crate::limits::Limits::subscriptions). What is
/// wrong with a single subscription stands in its event.
///
/// # Notes
///
/// Nothing here is a system call but reading a clock, unless a descriptor must be asked or time must pass: then it
/// is one `ppoll`.
///
/// # POSIX
///
/// `ppoll`
pub(super) async fn poll_oneoff<M: Mode, V: Version>(
    memory: &mut Memory<'_>,
    ctx: &mut WasiP1Ctx,
    subscriptions: u32,
    events: u32,
    n: u32,
    nevents: u32,
) -> Result<(), Stop> {
    if n == 0 || n as usize > ctx.ctx.limits.subscriptions() {
        return Err(Errno::Inval.into());
    }
    memory.writable(events, n as usize * EVENT, 8)?;
    memory.writable(nevents, 4, 4)?;
    let records = memory.list(subscriptions, n, V::SUBSCRIPTION, 8)?;
    let mut subscriptions = Subscriptions::new();
    if !parse::<V>(records, &mut subscriptions)? {
        settle::<M>(&mut subscriptions, ctx).await?;
    }
    let ready = subscriptions.iter().filter(|s| s.outcome != Outcome::Waiting);
    let mut count = 0;
    for (record, s) in memory.array_mut(events, n, EVENT, 8)?.chunks_exact_mut(EVENT).zip(ready) {
        record.copy_from_slice(&event(s, &ctx.table));
        count += 1;
    }
    memory.set_u32(nevents, count)
}

/// Reads the subscriptions. Whether at least one has an outcome, and no other can have before time passes.
///
/// ```text
///   0          8     16   20          24        32          40      48
///   | userdata | tag | id             | timeout | precision | flags |       clock of 0.1
///   | userdata | tag | fd |                                                 descriptor
///   0          8     16           24  28   32        40          48      56
///   | userdata | tag | identifier | id     | timeout | precision | flags |  clock of 0.0
/// ```
#[inline]
fn parse<V: Version>(records: &[u8], out: &mut Subscriptions) -> Result<bool, Errno> {
    out.reserve_exact(records.len() / V::SUBSCRIPTION);
    let (mut over, mut unknown) = (false, false);
    for record in records.chunks_exact(V::SUBSCRIPTION) {
        let (until, outcome) = match record[8] {
            0 => parse_clock::<V>(record)?,
            1 => (Until::Fd(u32_at(record, 16), Interest::Read), Outcome::Waiting),
            2 => (Until::Fd(u32_at(record, 16), Interest::Write), Outcome::Waiting),
            _ => return Err(Errno::Inval),
        };
        over |= outcome != Outcome::Waiting;
        unknown |= !matches!(until, Until::Elapsed(_));
        out.push(Subscription { userdata: u64_at(record, 0), until, outcome });
    }
    Ok(over && !unknown)
}

/// What a subscription to a clock waits for, and what is known of it at once.
#[inline]
fn parse_clock<V: Version>(record: &[u8]) -> Result<(Until, Outcome), Errno> {
    let at = if V::UNSTABLE { 24 } else { 16 };
    let (id, timeout) = (u32_at(record, at), u64_at(record, at + 8));
    let absolute = match u16_at(record, at + 24) {
        0 => false,
        1 => true,
        _ => return Err(Errno::Inval),
    };
    Ok(match Clock::new(id) {
        // A span is the same on every clock: setting the one on the wall does not change it.
        Ok(_) if !absolute && timeout == 0 => (Until::Elapsed(0), Outcome::Ready { hangup: false }),
        Ok(_) if !absolute => (Until::Elapsed(timeout), Outcome::Waiting),
        Ok(Clock::Realtime) => (Until::Realtime(timeout), Outcome::Waiting),
        Ok(Clock::Monotonic) => (Until::Monotonic(timeout), Outcome::Waiting),
        Err(e) => (Until::Elapsed(0), Outcome::Failed(e)),
    })
}

/// Looks, asks and waits until at least one has an outcome.
async fn settle<M: Mode>(subscriptions: &mut Subscriptions, ctx: &mut WasiP1Ctx) -> Result<(), Stop> {
    let mut asks = look(subscriptions, ctx);
    loop {
        let ready = subscriptions.iter().any(|s| s.outcome != Outcome::Waiting);
        if ready && !asks {
            return Ok(());
        }
        wait::<M>(subscriptions, ctx, ready).await?;
        // Descriptors have been asked; clocks and what only notifies are looked at again.
        asks = false;
        if !ready {
            look(subscriptions, ctx);
        }
    }
}

/// Looks, without asking the kernel about descriptors, which are ready. Whether there are any that it must be
/// asked about.
fn look(subscriptions: &mut Subscriptions, ctx: &WasiP1Ctx) -> bool {
    let (mut monotonic, mut realtime, mut asks) = (None, None, false);
    for s in subscriptions.iter_mut().filter(|s| s.outcome == Outcome::Waiting) {
        let ready = match s.until {
            Until::Elapsed(_) => false,
            Until::Monotonic(t) => t <= *monotonic.get_or_insert_with(|| Clock::Monotonic.now(ctx)),
            Until::Realtime(t) => t <= *realtime.get_or_insert_with(|| Clock::Realtime.now(ctx)),
            Until::Fd(fd, interest) => match poll_fd(&ctx.table, fd, interest) {
                Ok(Wait::Ready) => true,
                Ok(_) => {
                    asks = true;
                    false
                }
                Err(e) => {
                    s.outcome = Outcome::Failed(e);
                    continue;
                }
            },
        };
        if ready {
            s.outcome = Outcome::Ready { hangup: false };
        }
    }
    asks
}

fn poll_fd(table: &Table, fd: u32, interest: Interest) -> Result<Wait<'_>, Errno> {
    let entry = table.get(fd)?;
    entry.need(Rights::POLL_FD_READWRITE)?;
    match (&entry.object, interest) {
        (Object::Input { .. }, Interest::Write) | (Object::Output { .. }, Interest::Read) => Err(Errno::BadF),
        _ => Ok(entry.wait(interest)),
    }
}

/// Waits for those that are not ready; with `ready` only asks about them.
async fn wait<M: Mode>(
    subscriptions: &mut Subscriptions,
    ctx: &mut WasiP1Ctx,
    ready: bool,
) -> Result<(), Stop> {
    let mut by_fd = SmallVec::<[Asking; 8]>::new();
    let (mut monotonic, mut realtime) = (None::<u64>, None::<u64>);
    let mut now = None;
    for (i, s) in subscriptions.iter_mut().enumerate().filter(|(_, s)| s.outcome == Outcome::Waiting) {
        match s.until {
            Until::Elapsed(span) => {
                let now = *now.get_or_insert_with(|| Clock::Monotonic.now(ctx));
                let t = now.saturating_add(span);
                s.until = Until::Monotonic(t);
                earliest(&mut monotonic, t);
            }
            Until::Monotonic(t) => earliest(&mut monotonic, t),
            Until::Realtime(t) => earliest(&mut realtime, t),
            Until::Fd(fd, interest) => by_fd.push((fd, i, interest)),
        }
    }
    by_fd.sort_unstable_by_key(|&(fd, i, _)| (fd, i));
    let watch = ctx.ctx.waiting.watch();
    // Of the clocks the earliest of each kind stands for all.
    let mut waits = Vec::with_capacity(by_fd.len() + 4);
    let mut futures = Vec::new();
    if ready {
        waits.push(Wait::Ready);
    }
    waits.extend(monotonic.map(|t| ctx.ctx.monotonic_clock.wait_until(t)));
    waits.extend(realtime.map(|t| ctx.ctx.wall_clock.wait_until(Duration::from_nanos(t))));
    let clocks = waits.len();
    lend(&mut ctx.table, &by_fd, &mut waits, &mut futures);
    let asked: SmallVec<[Asked; 16]> = waits[clocks..].iter().map(Asked::of).collect();
    let mut ended: Vec<Event> = Vec::new();
    ctx.ctx.waiting.pause::<M>(watch, &mut waits, &mut futures, &mut ended).await?;
    drop((waits, futures));
    for event in ended.iter().filter(|e| e.index >= clocks) {
        let at = event.index - clocks;
        let (fd, i, _) = by_fd[at];
        let ready = Outcome::Ready { hangup: event.hangup };
        match asked[at] {
            Asked::Hint => {}
            Asked::Kernel => subscriptions[i].outcome = ready,
            // Entries that wait for the same stream have its one future in common.
            Asked::Future => by_fd[at..]
                .iter()
                .take_while(|(other, ..)| *other == fd)
                .for_each(|(_, i, _)| subscriptions[*i].outcome = ready),
        }
    }
    Ok(())
}

/// A descriptor, the subscription that asks about it, and what for.
type Asking = (u32, usize, Interest);

fn earliest(first: &mut Option<u64>, t: u64) {
    *first = Some(first.map_or(t, |f| f.min(t)));
}

/// What the end of a wait says.
#[derive(Clone, Copy)]
enum Asked {
    /// That it is worth looking again.
    Hint,
    /// That the kernel has called a descriptor ready.
    Kernel,
    /// That a stream of a user's is ready.
    Future,
}

impl Asked {
    fn of(wait: &Wait<'_>) -> Self {
        match wait {
            Wait::Readable(_) | Wait::Writable(_) => Self::Kernel,
            Wait::Future => Self::Future,
            _ => Self::Hint,
        }
    }
}

/// Adds what to wait for on behalf of each descriptor of `by_fd`, which is sorted.
fn lend<'a>(
    table: &'a mut Table,
    by_fd: &[Asking],
    waits: &mut Vec<Wait<'a>>,
    futures: &mut Vec<(usize, BoxFuture<'a, ()>)>,
) {
    let mut rest = by_fd;
    let mut entries = table.iter_mut();
    while let Some(&(fd, ..)) = rest.first() {
        let Some((_, entry)) = entries.find(|(number, _)| *number == fd) else { return };
        let (same, others) = rest.split_at(rest.partition_point(|(f, ..)| *f == fd));
        rest = others;
        if !matches!(entry.wait(Interest::Read), Wait::Future) {
            let entry = &*entry;
            waits.extend(same.iter().map(|(_, _, interest)| entry.wait(*interest)));
            continue;
        }
        let ready = match &mut entry.object {
            Object::Input { stream, .. } => stream.ready(),
            Object::Output { stream, .. } => stream.ready(),
            // Nothing else is a user's; should a backend say so all the same, it is asked again at once.
            _ => Box::pin(std::future::ready(())),
        };
        futures.push((waits.len(), ready));
        waits.push(Wait::Future);
        waits.extend(same[1..].iter().map(|_| Wait::Forever));
    }
}

/// Writes an `event`.
///
/// ```text
///   0          8       10     16       24      32
///   | userdata | error | type | nbytes | flags |
/// ```
#[inline]
fn event(s: &Subscription, table: &Table) -> [u8; EVENT] {
    let mut record = [0; EVENT];
    record[..8].copy_from_slice(&s.userdata.to_le_bytes());
    record[10] = match s.until {
        Until::Elapsed(_) | Until::Monotonic(_) | Until::Realtime(_) => 0,
        Until::Fd(_, Interest::Read) => 1,
        Until::Fd(_, Interest::Write) => 2,
    };
    match (s.outcome, s.until) {
        (Outcome::Failed(e), _) => record[8..10].copy_from_slice(&e.raw().to_le_bytes()),
        (Outcome::Ready { hangup }, Until::Fd(fd, interest)) => {
            record[16..24].copy_from_slice(&available(table, fd, interest).to_le_bytes());
            record[24] = u8::from(hangup);
        }
        _ => {}
    }
    record
}

/// How many bytes are there at least: the rest of a file; of what has no length only that there is something.
fn available(table: &Table, fd: u32, interest: Interest) -> u64 {
    match table.get(fd).map(|e| &e.object) {
        Ok(Object::File { descriptor, cursor })
            if interest == Interest::Read && descriptor.file_type() == FileType::RegularFile =>
        {
            descriptor.metadata().map_or(0, |m| m.size.saturating_sub(cursor.position()))
        }
        _ => 1,
    }
}
