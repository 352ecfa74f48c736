//! Programs that are recorded, and then replayed with nothing behind them.

#![cfg(feature = "record")]

#[path = "record/components.rs"]
mod components;
#[path = "record/divergences.rs"]
mod divergences;
#[path = "record/modules.rs"]
mod modules;
#[path = "record/peers.rs"]
mod peers;
#[path = "record/sink.rs"]
mod sink;

#[path = "support/command.rs"]
mod command;
#[path = "support/component.rs"]
mod component;
mod support;
