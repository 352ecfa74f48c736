//! What the program is given: the options of WASI, made into a context.

use crate::network;
use crate::options::RunOptions;
use crate::run::Program;
use anyhow::{Context, Result, anyhow};
use std::net::{TcpListener, ToSocketAddrs};
use wasi_host::WasiCtxBuilder;
use wasi_host::limits::Limits;

/// What makes the context for a program.
pub(crate) fn new(options: &RunOptions, program: &Program) -> Result<WasiCtxBuilder> {
    let wasi = &options.common.wasi;
    let mut builder = WasiCtxBuilder::new();
    builder.envs(&environment(options)?).limits(limits(options));
    // Without words of its own a program that is replayed has those of the recording.
    if !program.tape.replays() || !program.args.is_empty() {
        builder.args(&program.argv(options));
    }
    if wasi.inherit_stdin != Some(false) {
        builder.inherit_stdin();
    }
    if wasi.inherit_stdout != Some(false) {
        builder.inherit_stdout();
    }
    if wasi.inherit_stderr != Some(false) {
        builder.inherit_stderr();
    }
    program.trees.give(&mut builder);
    if wasi.listenfd == Some(true) {
        for listener in inherited_listeners()? {
            builder.preopened_listener(listener)?;
        }
    }
    for address in &wasi.tcplisten {
        let listener = listen(address).with_context(|| format!("-S tcplisten={address}"))?;
        builder.preopened_listener(listener)?;
    }
    if let Some(path) = &wasi.cwd {
        builder.initial_cwd(path);
    }
    network(&mut builder, options)?;
    time_and_chance(&mut builder, options)?;
    program.tape.give(&mut builder)?;
    Ok(builder)
}

/// Sockets may be made as soon as there is an address that they may use; TCP and UDP can be taken away again.
fn network(builder: &mut WasiCtxBuilder, options: &RunOptions) -> Result<()> {
    let wasi = &options.common.wasi;
    match (wasi.inherit_network == Some(true), &*options.deny_net) {
        (true, []) => drop(builder.inherit_network()),
        (true, denied) => drop(builder.network(network::under_rules(&[network::everything()], denied)?)),
        (false, _) if options.allow_net.is_empty() => {}
        (false, denied) => drop(builder.network(network::under_rules(&options.allow_net, denied)?)),
    }
    builder.allow_tcp(wasi.tcp != Some(false)).allow_udp(wasi.udp != Some(false));
    builder.allow_ip_name_lookup(wasi.allow_ip_name_lookup == Some(true));
    Ok(())
}

fn time_and_chance(builder: &mut WasiCtxBuilder, options: &RunOptions) -> Result<()> {
    let clock = options.clock.unwrap_or_default();
    match options.deterministic {
        None => clock.give(builder),
        Some(seed) => {
            clock.of_a_deterministic_program().map_err(anyhow::Error::msg)?.give(builder);
            builder.deterministic(seed);
        }
    }
    Ok(())
}

/// Speak of descriptors of this process. What the program gets of them the context tells it itself.
const HANDED_DOWN: [&str; 3] = ["LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"];

/// Each name once: the program would see the first of two, but the last was meant.
fn environment(options: &RunOptions) -> Result<Vec<(String, String)>> {
    let mut env: Vec<(String, String)> = Vec::new();
    let mut set = |name: String, value: String| match env.iter_mut().find(|(known, _)| *known == name) {
        Some((_, old)) => *old = value,
        None => env.push((name, value)),
    };
    if options.common.wasi.inherit_env == Some(true) {
        // A variable that is not UTF-8 was not asked for by name, and cannot be given.
        for (name, value) in std::env::vars_os() {
            if let (Ok(name), Ok(value)) = (name.into_string(), value.into_string())
                && !HANDED_DOWN.contains(&name.as_str())
            {
                set(name, value);
            }
        }
    }
    for variable in &options.env {
        let name = &variable.name;
        match &variable.value {
            Some(value) => set(name.clone(), value.clone()),
            None => {
                if let Some(value) = std::env::var_os(name) {
                    let value = value.into_string().map_err(|_| {
                        anyhow!("--env {name}: its value is not UTF-8; give another with --env {name}=VALUE")
                    })?;
                    set(name.clone(), value);
                }
            }
        }
    }
    Ok(env)
}

fn limits(options: &RunOptions) -> Limits {
    let wasi = &options.common.wasi;
    let mut limits = Limits::default();
    if let Some(bytes) = wasi.max_random_size {
        limits.random = bytes;
    }
    if let Some(bytes) = wasi.hostcall_fuel {
        limits.hostcall = bytes;
    }
    if let Some(descriptors) = wasi.max_resources {
        limits.descriptors = descriptors;
    }
    limits
}

fn listen(address: &str) -> Result<TcpListener> {
    let addresses = address
        .to_socket_addrs()
        .map_err(|error| anyhow!("this is no address to listen on ({error}); the form is 127.0.0.1:8080"))?;
    TcpListener::bind(&*addresses.collect::<Vec<_>>()).context("cannot listen there")
}

/// The sockets that a service manager hands down (`LISTEN_PID`, `LISTEN_FDS`).
fn inherited_listeners() -> Result<Vec<TcpListener>> {
    let mut handed = listenfd::ListenFd::from_env();
    let mut listeners = Vec::new();
    for index in 0..handed.len() {
        let listener = handed.take_tcp_listener(index).with_context(|| {
            format!("-S listenfd: descriptor {} is no TCP socket that listens", index + 3)
        })?;
        listeners.extend(listener);
    }
    Ok(listeners)
}
