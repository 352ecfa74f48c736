//! Programs written for releases 23 to 29 of the crate whose surface ours follows. Each file is one program of one
//! user: nothing is shared between them.

mod async_command;
mod async_pipes;
mod clocks_and_randomness;
mod custom_pollable;
mod custom_stdin;
mod errors;
mod exit_codes;
mod hand_made_linker;
mod line_output;
mod network;
mod own_interface;
mod preview1_modules;
mod raw_bindings;
mod runtime;
mod surface;
mod sync_command;
mod views;
mod world_with_wasi;
