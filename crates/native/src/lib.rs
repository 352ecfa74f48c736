//! The operating system behind the traits of [`wasi_host_core`].
