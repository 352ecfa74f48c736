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

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;
    use std::time::Duration;
    use wasi_host_core::limits::Limits;
    use wasi_host_core::net::{AddrCheck, Family, Network, Permissions, Sockets, TcpSocket, UdpSocket};
    use wasi_host_core::stream::Subscribe as _;
    use wasi_host_core::wait::Waiter;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn the_resolvers_words_are_told_apart() {
        for (text, expected) in [
            ("Temporary failure in name resolution", Error::TemporaryResolverFailure),
            ("Try again", Error::TemporaryResolverFailure),
            ("Non-recoverable failure in name resolution", Error::PermanentResolverFailure),
            ("Name or service not known", Error::NameUnresolvable),
            ("No address associated with hostname", Error::NameUnresolvable),
            ("Memory allocation failure", Error::OutOfMemory),
        ] {
            let e = io::Error::other(format!("failed to lookup address information: {text}"));
            assert_eq!(reason(&e), expected, "{text}");
        }
        let no_descriptor = io::Error::from_raw_os_error(rustix::io::Errno::MFILE.raw_os_error());
        assert_eq!(reason(&no_descriptor), Error::TemporaryResolverFailure);
    }

    /// A resolver that answers when it is let, and counts.
    struct Held {
        now: AtomicUsize,
        peak: AtomicUsize,
        asked: Mutex<Vec<String>>,
        turns: Mutex<mpsc::Receiver<()>>,
    }

    type Resolve = Box<dyn Fn(&str) -> Found + Send + Sync>;

    fn held(most: usize) -> (&'static Resolver<Resolve>, &'static Held, mpsc::Sender<()>) {
        let (go, turns) = mpsc::channel();
        let held: &Held = Box::leak(Box::new(Held {
            now: 0.into(),
            peak: 0.into(),
            asked: Mutex::default(),
            turns: turns.into(),
        }));
        let resolve: Resolve = Box::new(|name| {
            let now = held.now.fetch_add(1, Ordering::SeqCst) + 1;
            held.peak.fetch_max(now, Ordering::SeqCst);
            held.asked.lock().unwrap().push(name.to_owned());
            held.turns.lock().unwrap().recv_timeout(LONG).unwrap();
            held.now.fetch_sub(1, Ordering::SeqCst);
            Ok(vec![IpAddr::from([127, 0, 0, 1])])
        });
        (Box::leak(Box::new(Resolver::new(most, resolve))), held, go)
    }

    struct Through(&'static Resolver<Resolve>);

    impl Network for Through {
        fn tcp(&self, _: Family) -> wasi_host_core::Result<Arc<dyn TcpSocket>> {
            Err(wasi_host_core::Errno::NotSup)
        }

        fn udp(&self, _: Family) -> wasi_host_core::Result<Arc<dyn UdpSocket>> {
            Err(wasi_host_core::Errno::NotSup)
        }

        fn lookup(&self, name: &str, slot: Slot) -> Result<Box<dyn Lookup>, Error> {
            Ok(Box::new(self.0.begin(name, slot)?))
        }
    }

    fn sockets(resolver: &'static Resolver<Resolve>, lookups: usize) -> Sockets {
        let mut limits = Limits::default();
        limits.lookups = lookups;
        let permissions = Permissions { check: AddrCheck::deny_all(), tcp: false, udp: false, lookup: true };
        Sockets::new(
            Arc::new(Through(resolver)),
            permissions,
            &limits,
            Arc::new(crate::wait::Poller::default()),
        )
    }

    fn until(what: &str, done: impl Fn() -> bool) {
        for _ in 0..6000 {
            if done() {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("{what}");
    }

    fn pause(wait: Wait<'_>) {
        let mut ended = Vec::new();
        crate::wait::Poller::default().any(&[wait, Wait::For(LONG)], &mut [], &mut ended).unwrap();
        assert_eq!(ended[0].index, 0);
    }

    #[test]
    fn threads_are_bounded_and_end_with_the_work() {
        let (resolver, held, go) = held(3);
        let sockets = sockets(resolver, 10);
        let mut going: Vec<_> = (0..10).map(|i| sockets.lookup(&format!("n{i}.test")).unwrap()).collect();
        assert_eq!(sockets.lookup("one-too-many.test").err(), Some(Error::TemporaryResolverFailure));
        until("three begin", || held.now.load(Ordering::SeqCst) == 3);
        assert_eq!(resolver.work().queue.len(), 7);
        for _ in 0..10 {
            go.send(()).unwrap();
        }
        for addresses in &mut going {
            while addresses.next_address() == Err(Error::WouldBlock) {
                pause(addresses.wait());
            }
            assert_eq!(addresses.next_address(), Ok(None));
        }
        assert_eq!(held.peak.load(Ordering::SeqCst), 3);
        until("the threads end", || resolver.work().threads == 0);
        sockets.lookup("again.test").unwrap();
        go.send(()).unwrap();
    }

    #[test]
    fn what_was_dropped_before_its_turn_is_never_asked_for() {
        let (resolver, held, go) = held(1);
        let sockets = sockets(resolver, 2);
        let first = sockets.lookup("first.test").unwrap();
        until("it begins", || held.now.load(Ordering::SeqCst) == 1);
        for _ in 0..100 {
            drop(sockets.lookup("dropped.test").unwrap());
        }
        assert!(resolver.work().queue.is_empty());
        // Dropping does not end what has begun: it is counted for as long as its thread is busy.
        drop(first);
        let _second = sockets.lookup("second.test").unwrap();
        assert_eq!(sockets.lookup("third.test").err(), Some(Error::TemporaryResolverFailure));
        go.send(()).unwrap();
        go.send(()).unwrap();
        until("all is done", || resolver.work().threads == 0);
        assert_eq!(*held.asked.lock().unwrap(), ["first.test", "second.test"]);
        sockets.lookup("third.test").unwrap();
        go.send(()).unwrap();
    }
}
