//! Random calls to a loopback network and to the kernel's: every answer and every error are the same.
//!
//! Left out is what differs, or what the kernel answers by chance: a socket that connects to itself, one that is shut down
//! without a connection (what it accepts later is then shut down, too), two that share an address and connect to the same, a socket whose attempt to connect has failed (systems
//! disagree on what that is still good for), one whose connection is over (the kernel lets it have another), and buffers
//! that are full.
#![cfg(target_os = "linux")]

mod net;

use net::{addr, host};
use proptest::prelude::*;
use std::io::{IoSlice, IoSliceMut};
use std::sync::Arc;
use std::time::Duration;
use wasi_host_core::Errno;
use wasi_host_core::net::{Family, Network, Shutdown, TcpSocket};
use wasi_host_native::net::NativeNetwork;
use wasi_host_virtual::net::Loopback;

const PLACES: usize = 6;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Call {
    New(usize),
    Drop(usize),
    Bind(usize),
    BindWhereListens(usize, usize),
    Listen(usize),
    Connect(usize, usize),
    /// Into the place of the second.
    Accept(usize, usize),
    Send(usize, usize),
    Recv(usize, usize, bool),
    Shutdown(usize, Shutdown),
    Addresses(usize),
}

fn call() -> impl Strategy<Value = Call> {
    let place = || 0..PLACES;
    let how = prop_oneof![Just(Shutdown::Receive), Just(Shutdown::Send), Just(Shutdown::Both)];
    prop_oneof![
        1 => place().prop_map(Call::New),
        1 => place().prop_map(Call::Drop),
        2 => place().prop_map(Call::Bind),
        1 => (place(), place()).prop_map(|(a, b)| Call::BindWhereListens(a, b)),
        3 => place().prop_map(Call::Listen),
        6 => (place(), place()).prop_map(|(a, b)| Call::Connect(a, b)),
        5 => (place(), place()).prop_map(|(a, b)| Call::Accept(a, b)),
        5 => (place(), 0..200usize).prop_map(|(a, n)| Call::Send(a, n)),
        6 => (place(), 1..300usize, any::<bool>()).prop_map(|(a, n, peek)| Call::Recv(a, n, peek)),
        1 => (place(), how).prop_map(|(a, how)| Call::Shutdown(a, how)),
        1 => place().prop_map(Call::Addresses),
    ]
}

/// A network, and sockets of it.
struct Side {
    network: Arc<dyn Network>,
    sockets: Vec<Option<Arc<dyn TcpSocket>>>,
    /// Those that have had a connection.
    used: [bool; PLACES],
}

impl Side {
    fn new(network: Arc<dyn Network>) -> Self {
        let sockets = (0..PLACES).map(|_| network.tcp(Family::Ipv4).ok()).collect();
        Self { network, sockets, used: [false; PLACES] }
    }

    fn get(&self, place: usize) -> Option<&dyn TcpSocket> {
        self.sockets[place].as_deref()
    }

    /// The same, unless its connection is over.
    fn fresh(&self, place: usize) -> Option<&dyn TcpSocket> {
        self.get(place).filter(|socket| !self.used[place] || socket.peer_addr().is_ok())
    }

    fn renew(&mut self, place: usize) {
        self.sockets[place] = self.network.tcp(Family::Ipv4).ok();
        self.used[place] = false;
    }

    fn port(&self, place: usize) -> Option<std::net::SocketAddr> {
        self.get(place)?.local_addr().ok().filter(|addr| addr.port() != 0)
    }

    /// What is answered, in words; `None` where the call is one of those that are left out.
    fn answer(&mut self, call: Call) -> Option<Answer> {
        Some(match call {
            Call::New(a) => {
                self.renew(a);
                Answer::Bytes(Vec::new())
            }
            Call::Drop(a) => {
                self.sockets[a] = None;
                Answer::Bytes(Vec::new())
            }
            Call::Bind(a) => said(self.fresh(a)?.bind(addr("127.0.0.1:0"))),
            Call::BindWhereListens(a, b) => {
                let to = self.port(b).filter(|_| a != b && self.get(b).is_some_and(|b| b.is_listening()))?;
                said(self.fresh(a)?.bind(to))
            }
            Call::Listen(a) => said(self.fresh(a).filter(|_| self.port(a).is_some())?.listen(16)),
            Call::Connect(a, b) => {
                let to = self.port(b).filter(|to| self.port(a) != Some(*to))?;
                let connected = self.fresh(a)?.connect(to);
                self.used[a] |= connected.is_ok();
                said(connected)
            }
            Call::Accept(a, b) => {
                let accepted = self.get(a)?.accept();
                let answer = said(accepted.as_ref().map(|(_, from)| from.ip()).map_err(|e| *e));
                if let Ok((socket, _)) = accepted {
                    (self.sockets[b], self.used[b]) = (Some(socket), true);
                }
                answer
            }
            Call::Send(a, n) => said(self.get(a)?.send(&[IoSlice::new(&vec![n as u8; n])])),
            Call::Recv(a, n, peek) => {
                let mut bytes = vec![0; n];
                let got = self.get(a)?.recv(&mut [IoSliceMut::new(&mut bytes)], peek);
                got.map_or_else(|e| said(Err::<(), _>(e)), |n| Answer::Bytes(bytes[..n].to_vec()))
            }
            Call::Shutdown(a, how) => {
                said(self.get(a).filter(|socket| socket.peer_addr().is_ok())?.shutdown(how))
            }
            Call::Addresses(a) => {
                let socket = self.get(a)?;
                let [local, peer] = [socket.local_addr(), socket.peer_addr()]
                    .map(|addr| addr.map(|addr| (addr.ip(), addr.port() != 0)));
                Answer::Other(format!("{local:?} {peer:?} {}", socket.is_listening()))
            }
        })
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Answer {
    Bytes(Vec<u8>),
    Other(String),
}

fn said<T: std::fmt::Debug>(answer: Result<T, Errno>) -> Answer {
    Answer::Other(format!("{answer:?}"))
}

fn not_yet(answer: &Option<Answer>) -> bool {
    [Errno::Again, Errno::InProgress].iter().any(|e| *answer == Some(said(Err::<(), _>(*e))))
}

/// What to ask the kernel for where it has not come as far as we have.
fn missing(call: Call, ours: &Option<Answer>, kernels: &Option<Answer>) -> Option<Call> {
    match (call, ours, kernels) {
        _ if ours == kernels => None,
        (Call::Recv(a, _, peek), Some(Answer::Bytes(all)), Some(Answer::Bytes(some)))
            if !some.is_empty() && some.len() < all.len() =>
        {
            Some(if peek { call } else { Call::Recv(a, all.len() - some.len(), false) })
        }
        _ => not_yet(kernels).then_some(call),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_same_answers(calls in prop::collection::vec(call(), 1..120)) {
        let mut kernel = Side::new(Arc::new(NativeNetwork));
        let mut ours = Side::new(Arc::new(host(&Loopback::new(), "10.0.0.1")));
        for (number, call) in calls.iter().enumerate() {
            let got = ours.answer(*call);
            let mut expected = kernel.answer(*call);
            // On a busy machine the kernel delivers to itself a little later.
            for _ in 0..500 {
                let Some(rest) = missing(*call, &got, &expected) else { break };
                std::thread::sleep(Duration::from_millis(1));
                expected = match (kernel.answer(rest), expected) {
                    (Some(Answer::Bytes(more)), Some(Answer::Bytes(before))) if rest != *call => {
                        Some(Answer::Bytes([before, more].concat()))
                    }
                    (answer, Some(Answer::Bytes(before))) if not_yet(&answer) => Some(Answer::Bytes(before)),
                    (answer, _) => answer,
                };
            }
            prop_assert_eq!(&got, &expected, "call {} of {:?}", number, &calls[..=number]);
            if let (Call::Connect(a, _), Some(answer)) = (*call, got)
                && answer == said(Err::<(), _>(Errno::ConnRefused))
            {
                kernel.renew(a);
                ours.renew(a);
            }
        }
    }
}
