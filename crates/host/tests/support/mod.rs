//! A module that hands each of its calls on to WASI, so that tests call host functions one by one with any
//! arguments, in a synchronous or an asynchronous store.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part of this")]

use std::sync::LazyLock;
use wasi_host::p1::{self, WasiP1Ctx};
use wasi_host::{p0, wait::Interrupt};
use wasmtime::{Config, Engine, Instance, Linker, Memory, Module, Store, Val};

/// The functions of WASI 0.1 and their parameters: `i` has 32 bits, `l` 64.
pub const FUNCTIONS: [(&str, &str); 46] = [
    ("args_get", "ii"),
    ("args_sizes_get", "ii"),
    ("environ_get", "ii"),
    ("environ_sizes_get", "ii"),
    ("clock_res_get", "ii"),
    ("clock_time_get", "ili"),
    ("fd_advise", "illi"),
    ("fd_allocate", "ill"),
    ("fd_close", "i"),
    ("fd_datasync", "i"),
    ("fd_fdstat_get", "ii"),
    ("fd_fdstat_set_flags", "ii"),
    ("fd_fdstat_set_rights", "ill"),
    ("fd_filestat_get", "ii"),
    ("fd_filestat_set_size", "il"),
    ("fd_filestat_set_times", "illi"),
    ("fd_pread", "iiili"),
    ("fd_prestat_get", "ii"),
    ("fd_prestat_dir_name", "iii"),
    ("fd_pwrite", "iiili"),
    ("fd_read", "iiii"),
    ("fd_readdir", "iiili"),
    ("fd_renumber", "ii"),
    ("fd_seek", "ilii"),
    ("fd_sync", "i"),
    ("fd_tell", "ii"),
    ("fd_write", "iiii"),
    ("path_create_directory", "iii"),
    ("path_filestat_get", "iiiii"),
    ("path_filestat_set_times", "iiiilli"),
    ("path_link", "iiiiiii"),
    ("path_open", "iiiiillii"),
    ("path_readlink", "iiiiii"),
    ("path_remove_directory", "iii"),
    ("path_rename", "iiiiii"),
    ("path_symlink", "iiiii"),
    ("path_unlink_file", "iii"),
    ("poll_oneoff", "iiii"),
    ("proc_exit", "i"),
    ("proc_raise", "i"),
    ("random_get", "ii"),
    ("sched_yield", ""),
    ("sock_accept", "iii"),
    ("sock_recv", "iiiiii"),
    ("sock_send", "iiiii"),
    ("sock_shutdown", "ii"),
];

/// A module whose exports are WASI's functions and a memory.
pub fn proxy(module: &str) -> String {
    let (mut imports, mut funcs) = (String::new(), String::new());
    for (name, params) in FUNCTIONS {
        if module == "wasi_unstable" && name == "sock_accept" {
            continue;
        }
        let types: String = params.chars().map(|p| if p == 'l' { " i64" } else { " i32" }).collect();
        let result = if name == "proc_exit" { "" } else { "(result i32)" };
        let args: String = (0..params.len()).map(|i| format!("local.get {i} ")).collect();
        imports += &format!("(import \"{module}\" \"{name}\" (func ${name} (param{types}) {result}))\n");
        funcs += &format!("(func (export \"{name}\") (param{types}) {result} {args} call ${name})\n");
    }
    format!("(module {imports} (memory (export \"memory\") 4 16) {funcs})")
}

static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::new(&Config::new()).unwrap());
static PROXIES: LazyLock<[Module; 2]> = LazyLock::new(|| {
    ["wasi_snapshot_preview1", "wasi_unstable"].map(|m| Module::new(&ENGINE, proxy(m)).unwrap())
});

/// How a guest is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Sync,
    Async,
}

pub const KINDS: [Kind; 2] = [Kind::Sync, Kind::Async];

/// A guest whose calls the test makes.
pub struct Guest {
    pub store: Store<WasiP1Ctx>,
    instance: Instance,
    memory: Memory,
    runtime: Option<tokio::runtime::Runtime>,
    pub interrupt: Interrupt,
}

impl Guest {
    pub fn new(kind: Kind, ctx: WasiP1Ctx) -> Self {
        Self::of(kind, &PROXIES[0], ctx)
    }

    /// A guest that speaks WASI 0.0.
    pub fn unstable(kind: Kind, ctx: WasiP1Ctx) -> Self {
        Self::of(kind, &PROXIES[1], ctx)
    }

    fn of(kind: Kind, module: &Module, ctx: WasiP1Ctx) -> Self {
        let mut linker = Linker::<WasiP1Ctx>::new(&ENGINE);
        let interrupt = ctx.interrupt();
        let mut store = Store::new(&ENGINE, ctx);
        let (instance, runtime) = match kind {
            Kind::Sync => {
                p1::add_to_linker_sync(&mut linker, |ctx| ctx).unwrap();
                p0::add_to_linker_sync(&mut linker, |ctx| ctx).unwrap();
                (linker.instantiate(&mut store, module).unwrap(), None)
            }
            Kind::Async => {
                p1::add_to_linker_async(&mut linker, |ctx| ctx).unwrap();
                p0::add_to_linker_async(&mut linker, |ctx| ctx).unwrap();
                let runtime =
                    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
                let runtime = runtime.unwrap();
                let instance = runtime.block_on(linker.instantiate_async(&mut store, module)).unwrap();
                (instance, Some(runtime))
            }
        };
        let memory = instance.get_memory(&mut store, "memory").unwrap();
        Self { store, instance, memory, runtime, interrupt }
    }

    /// Calls a function; arguments are cut to the width of their parameters. The number it returns.
    pub fn try_call(&mut self, name: &str, args: &[u64]) -> wasmtime::Result<i32> {
        let (_, params) = FUNCTIONS.iter().find(|(n, _)| *n == name).unwrap();
        let params: Vec<Val> = params
            .chars()
            .zip(args)
            .map(|(p, a)| if p == 'l' { Val::I64(*a as i64) } else { Val::I32(*a as i32) })
            .collect();
        let function = self.instance.get_func(&mut self.store, name).unwrap();
        let mut results = [Val::I32(0)];
        let results = &mut results[..usize::from(name != "proc_exit")];
        match &self.runtime {
            None => function.call(&mut self.store, &params, results)?,
            Some(runtime) => runtime.block_on(function.call_async(&mut self.store, &params, results))?,
        }
        Ok(results.first().map_or(0, Val::unwrap_i32))
    }

    /// The same, for calls that do not trap.
    pub fn call(&mut self, name: &str, args: &[u64]) -> i32 {
        self.try_call(name, args).unwrap_or_else(|e| panic!("{name}{args:?} traps: {e:?}"))
    }

    /// The same, for calls that succeed.
    pub fn ok(&mut self, name: &str, args: &[u64]) {
        assert_eq!(self.call(name, args), 0, "{name}{args:?}");
    }

    pub fn write(&mut self, at: u64, bytes: &[u8]) {
        self.memory.write(&mut self.store, at as usize, bytes).unwrap();
    }

    pub fn read(&self, at: u64, len: usize) -> Vec<u8> {
        self.memory.data(&self.store)[at as usize..][..len].to_vec()
    }

    pub fn u32(&self, at: u64) -> u32 {
        u32::from_le_bytes(self.read(at, 4).try_into().unwrap())
    }

    pub fn u64(&self, at: u64) -> u64 {
        u64::from_le_bytes(self.read(at, 8).try_into().unwrap())
    }

    /// Puts iovecs at `at`.
    pub fn iovecs(&mut self, at: u64, iovecs: &[(u64, u64)]) {
        for (i, (buf, len)) in iovecs.iter().enumerate() {
            self.write(at + i as u64 * 8, &(*buf as u32).to_le_bytes());
            self.write(at + i as u64 * 8 + 4, &(*len as u32).to_le_bytes());
        }
    }

    /// Puts a path at 1024: its address and length.
    pub fn path(&mut self, path: &str) -> (u64, u64) {
        self.write(1024, path.as_bytes());
        (1024, path.len() as u64)
    }

    /// Opens a path in the directory `dir`; the descriptor, or minus the error.
    pub fn open(&mut self, dir: u64, path: &str, oflags: u64, rights: u64, fdflags: u64) -> i64 {
        let (p, n) = self.path(path);
        match self.call("path_open", &[dir, 1, p, n, oflags, rights, u64::MAX, fdflags, 2048]) {
            0 => i64::from(self.u32(2048)),
            e => i64::from(-e),
        }
    }

    /// Writes bytes by one `fd_write`; how many were taken, or minus the error.
    pub fn fd_write(&mut self, fd: u64, bytes: &[u8]) -> i64 {
        self.write(8192, bytes);
        self.iovecs(4096, &[(8192, bytes.len() as u64)]);
        match self.call("fd_write", &[fd, 4096, 1, 2048]) {
            0 => i64::from(self.u32(2048)),
            e => i64::from(-e),
        }
    }

    /// Reads up to `len` bytes by one `fd_read`.
    pub fn fd_read(&mut self, fd: u64, len: u64) -> Result<Vec<u8>, i32> {
        self.iovecs(4096, &[(8192, len)]);
        match self.call("fd_read", &[fd, 4096, 1, 2048]) {
            0 => Ok(self.read(8192, self.u32(2048) as usize)),
            e => Err(e),
        }
    }

    /// The names, types and inode numbers in a directory, read with a buffer of `len` bytes.
    pub fn list(&mut self, fd: u64, len: usize) -> Vec<(String, u8, u64)> {
        let (mut cookie, mut out) = (0, Vec::new());
        loop {
            self.ok("fd_readdir", &[fd, 8192, len as u64, cookie, 2048]);
            let used = self.u32(2048) as usize;
            let bytes = self.read(8192, used);
            let mut rest = &bytes[..];
            while rest.len() >= 24 {
                let n = u32::from_le_bytes(rest[16..20].try_into().unwrap()) as usize;
                let Some(name) = rest[24..].get(..n) else { break };
                cookie = u64::from_le_bytes(rest[..8].try_into().unwrap());
                let ino = u64::from_le_bytes(rest[8..16].try_into().unwrap());
                out.push((String::from_utf8(name.to_vec()).unwrap(), rest[20], ino));
                rest = &rest[24 + n..];
            }
            if used < len {
                return out;
            }
        }
    }
}

/// Rights and flags of the ABI, as guests write them.
pub const READ: u64 = 1 << 1;
pub const WRITE: u64 = 1 << 6;
pub const CREAT: u64 = 1;
pub const DIRECTORY: u64 = 2;
pub const TRUNC: u64 = 8;
pub const APPEND: u64 = 1;
pub const NONBLOCK: u64 = 4;

pub const AGAIN: i32 = 6;
pub const BADF: i32 = 8;
pub const INVAL: i32 = 28;
pub const NOTCAPABLE: i32 = 76;
