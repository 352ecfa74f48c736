//! Looking names up, on threads that last as long as that takes.

use crate::errno::from_io;
use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use wasi_host_core::net::{Error, Lookup, Slot};
use wasi_host_core::wait::{Notify, Wait};

type Found = Result<Vec<IpAddr>, Error>;

/// Threads at a time, in the whole process.
const MOST: usize = 64;

static RESOLVER: Resolver<fn(&str) -> Found> = Resolver::new(MOST, getaddrinfo);

pub(super) fn begin(name: &str, slot: Slot) -> Result<Box<dyn Lookup>, Error> {
    Ok(Box::new(RESOLVER.begin(name, slot)?))
}

fn getaddrinfo(name: &str) -> Found {
    match (name, 0).to_socket_addrs() {
        Ok(found) => Ok(found.map(|addr| addr.ip()).collect()),
        Err(e) => Err(reason(&e)),
    }
}

/// The standard library keeps of `getaddrinfo`'s own numbers the text alone. These are glibc's and musl's.
fn reason(e: &io::Error) -> Error {
    if e.raw_os_error().is_some() {
        return match Error::from(from_io(e)) {
            Error::OutOfMemory => Error::OutOfMemory,
            // No descriptor, no route to a name server, ….
            _ => Error::TemporaryResolverFailure,
        };
    }
    let text = e.to_string();
    let says = |texts: &[&str]| texts.iter().any(|t| text.ends_with(t));
    if says(&["Temporary failure in name resolution", "Try again"]) {
        Error::TemporaryResolverFailure
    } else if says(&["Non-recoverable failure in name resolution", "Unrecoverable error"]) {
        Error::PermanentResolverFailure
    } else if says(&["Memory allocation failure", "Out of memory"]) {
        Error::OutOfMemory
    } else {
        Error::NameUnresolvable
    }
}

/// Those who look names up, no more than a certain number at a time.
struct Resolver<R> {
    most: usize,
    resolve: R,
    work: Mutex<Work>,
}

struct Work {
    threads: usize,
    queue: VecDeque<Arc<Job>>,
}

struct Job {
    name: String,
    done: Notify,
    state: Mutex<State>,
}

enum State {
    /// With what counts it among those of its context.
    Going {
        _slot: Slot,
    },
    Done(Found),
    Taken,
}

struct Handle<R: 'static> {
    job: Arc<Job>,
    resolver: &'static Resolver<R>,
}

impl<R> Resolver<R> {
    const fn new(most: usize, resolve: R) -> Self {
        Self { most, resolve, work: Mutex::new(Work { threads: 0, queue: VecDeque::new() }) }
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R: Fn(&str) -> Found + Sync> Resolver<R> {
    fn begin(&'static self, name: &str, slot: Slot) -> Result<Handle<R>, Error> {
        let state = Mutex::new(State::Going { _slot: slot });
        let job = Arc::new(Job { name: name.to_owned(), done: Notify::default(), state });
        let mut work = self.work();
        if work.threads < self.most {
            let first = job.clone();
            let thread = std::thread::Builder::new().name("wasi lookup".into());
            match thread.spawn(move || self.run(first)) {
                Ok(_) => work.threads += 1,
                Err(_) if work.threads == 0 => return Err(Error::TemporaryResolverFailure),
                Err(_) => work.queue.push_back(job.clone()),
            }
        } else {
            work.queue.push_back(job.clone());
        }
        Ok(Handle { job, resolver: self })
    }

    /// One name after the other, until nobody waits.
    fn run(&self, mut job: Arc<Job>) {
        loop {
            let found = (self.resolve)(&job.name);
            *job.state() = State::Done(found);
            job.done.notify();
            let mut work = self.work();
            match work.queue.pop_front() {
                Some(next) => job = next,
                None => {
                    work.threads -= 1;
                    return;
                }
            }
        }
    }
}

impl Job {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R: Send + Sync> Lookup for Handle<R> {
    fn addresses(&mut self) -> Found {
        let mut state = self.job.state();
        match std::mem::replace(&mut *state, State::Taken) {
            State::Done(found) => found,
            going @ State::Going { .. } => {
                *state = going;
                Err(Error::WouldBlock)
            }
            State::Taken => Ok(Vec::new()),
        }
    }

    fn wait(&self) -> Wait<'_> {
        let watch = self.job.done.watch();
        match *self.job.state() {
            State::Going { .. } => Wait::Notify(watch),
            State::Done(_) | State::Taken => Wait::Ready,
        }
    }
}

/// What was not begun is not begun any more.
impl<R> Drop for Handle<R> {
    fn drop(&mut self) {
        let mut work = self.resolver.work();
        work.queue.retain(|job| !Arc::ptr_eq(job, &self.job));
    }
}
