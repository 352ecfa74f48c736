//! `wasi:sockets` as guests see it, synchronous and asynchronous. Loopback only.

mod checks;
mod delivery;
mod guest;
mod tcp;
mod udp;
