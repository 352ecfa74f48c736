//! What the error types do for those who write interfaces of their own.

use std::io;
use wasmtime::component::{Resource, ResourceTable};
use wasmtime::Result;
use wasmtime_wasi::bindings::filesystem::types::{self, ErrorCode};
use wasmtime_wasi::bindings::sockets::network;
use wasmtime_wasi::bindings::sync::filesystem::types::{HostDescriptor, OpenFlags, PathFlags};
use wasmtime_wasi::{
    DirPerms, FilePerms, FsError, FsResult, ResourceTableError, SocketError, SocketResult, StreamError,
    StreamResult, TrappableError, WasiCtx, WasiCtxBuilder, WasiImpl, WasiView,
};

struct State {
    ctx: WasiCtx,
    table: ResourceTable,
}

impl WasiView for State {
    fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }
    fn ctx(&mut self) -> &mut WasiCtx {
        &mut self.ctx
    }
}

/// Error codes, errors of the system and errors of the table, all by `?`.
fn open(name: &str, table: &ResourceTable) -> FsResult<u64> {
    if name.is_empty() {
        return Err(ErrorCode::Invalid.into());
    }
    if name == "table" {
        table.get(&Resource::<u64>::new_own(1234))?;
    }
    if name == "trap" {
        return Err(FsError::trap(anyhow::anyhow!("this must not happen")));
    }
    Ok(std::fs::metadata(name)?.len())
}

#[test]
fn a_code_comes_back_as_it_was() -> Result<()> {
    let table = ResourceTable::new();
    let error = open("", &table).unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&ErrorCode::Invalid));
    assert_eq!(error.downcast()?, ErrorCode::Invalid);
    let error = open("no/such/file", &table).unwrap_err();
    assert_eq!(error.downcast()?, ErrorCode::NoEntry);
    Ok(())
}

#[test]
fn a_trap_stays_a_trap() {
    let table = ResourceTable::new();
    let error = open("trap", &table).unwrap_err();
    assert_eq!(error.downcast_ref(), None);
    assert_eq!(error.downcast().unwrap_err().to_string(), "this must not happen");
    // An entry that is not there is a trap: no guest can ask for one.
    let error = open("table", &table).unwrap_err().downcast().unwrap_err();
    assert!(matches!(error.downcast_ref::<ResourceTableError>(), Some(ResourceTableError::NotPresent)));
}

#[test]
fn traps_are_made_of_any_error() {
    let error: SocketError = SocketError::trap(io::Error::other("broken"));
    assert!(error.downcast_ref().is_none());
    let error: SocketError = network::ErrorCode::AccessDenied.into();
    assert_eq!(error.downcast_ref(), Some(&network::ErrorCode::AccessDenied));
    let fails = |error| -> SocketResult<()> { Err(error) };
    let dynamic: Box<dyn std::error::Error + Send + Sync> = Box::new(fails(error).unwrap_err());
    assert!(!format!("{dynamic} {dynamic:?}").is_empty());
}

#[test]
fn errors_of_the_system_become_codes() {
    let code = |kind| ErrorCode::from(io::Error::from(kind));
    assert_eq!(code(io::ErrorKind::NotFound), ErrorCode::NoEntry);
    assert_eq!(code(io::ErrorKind::AlreadyExists), ErrorCode::Exist);
    let denied = io::Error::from_raw_os_error(13);
    assert_eq!(ErrorCode::from(denied), ErrorCode::Access);
    let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
    assert_eq!(network::ErrorCode::from(&refused), network::ErrorCode::ConnectionRefused);
    assert_eq!(network::ErrorCode::from(refused), network::ErrorCode::ConnectionRefused);
}

/// An error type of one's own.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mine {
    Odd,
}

impl std::fmt::Display for Mine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("odd")
    }
}

impl std::error::Error for Mine {}

fn half(n: u32) -> Result<u32, TrappableError<Mine>> {
    match n {
        13 => Err(TrappableError::trap(anyhow::anyhow!("unlucky"))),
        n if n % 2 == 0 => Ok(n / 2),
        _ => Err(Mine::Odd)?,
    }
}

#[test]
fn an_error_type_of_ones_own() -> Result<()> {
    assert_eq!(half(4)?, 2);
    assert_eq!(half(5).unwrap_err().downcast()?, Mine::Odd);
    assert!(half(13).unwrap_err().downcast().is_err());
    Ok(())
}

/// A stream that cannot go on says why; what it says is an ordinary error.
fn stream(n: u32) -> StreamResult<u32> {
    match n {
        0 => Err(StreamError::Closed),
        1 => Err(StreamError::trap("misuse")),
        2 => Err(StreamError::LastOperationFailed(io::Error::from(io::ErrorKind::BrokenPipe).into())),
        3 => Err(StreamError::LastOperationFailed(anyhow::anyhow!(ErrorCode::Pipe))),
        n => Ok(n),
    }
}

#[test]
fn errors_of_streams_are_matched() {
    assert!(matches!(stream(0), Err(StreamError::Closed)));
    let Err(StreamError::Trap(trap)) = stream(1) else { panic!() };
    assert_eq!(trap.to_string(), "misuse");
    let Err(StreamError::LastOperationFailed(error)) = stream(2) else { panic!() };
    assert_eq!(error.downcast_ref::<io::Error>().map(|e| e.kind()), Some(io::ErrorKind::BrokenPipe));
    let Err(StreamError::LastOperationFailed(error)) = stream(3) else { panic!() };
    assert_eq!(error.downcast_ref::<ErrorCode>(), Some(&ErrorCode::Pipe));
    assert!(matches!(stream(4), Ok(4)));
    assert!(!stream(1).unwrap_err().to_string().is_empty());
}

/// Files opened through the bindings' traits answer with the same errors.
#[test]
fn a_host_opens_files_as_a_guest() -> Result<()> {
    let dir = tempfile::tempdir()?;
    std::fs::write(dir.path().join("there"), "x")?;
    let ctx = WasiCtxBuilder::new().preopened_dir(dir.path(), "/", DirPerms::READ, FilePerms::READ)?.build();
    let mut state = State { ctx, table: ResourceTable::new() };
    let mut view = WasiImpl(&mut state);
    let mut preopens = wasmtime_wasi::bindings::filesystem::preopens::Host::get_directories(&mut view)?;
    let (root, name): (Resource<types::Descriptor>, String) = preopens.remove(0);
    assert_eq!(name, "/");
    let mut open = |name: &str, flags| {
        view.open_at(
            Resource::new_borrow(root.rep()),
            PathFlags::SYMLINK_FOLLOW,
            name.to_owned(),
            flags,
            wasmtime_wasi::bindings::sync::filesystem::types::DescriptorFlags::READ,
        )
    };
    let file = open("there", OpenFlags::empty())?;
    let missing: FsError = open("missing", OpenFlags::empty()).unwrap_err();
    assert_eq!(missing.downcast()?, ErrorCode::NoEntry);
    assert!(open("new", OpenFlags::CREATE).is_err());

    let (bytes, _end) = view.read(Resource::new_borrow(file.rep()), 100, 0)?;
    assert_eq!(bytes, b"x");
    assert_eq!(view.stat(Resource::new_borrow(file.rep()))?.size, 1);
    HostDescriptor::drop(&mut view, file)?;
    Ok(())
}
