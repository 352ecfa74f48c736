//! A WASI host for Wasmtime.
