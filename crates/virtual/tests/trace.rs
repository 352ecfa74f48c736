//! What is told of operations, and what may go wrong with them.

mod common;

use common::*;
use std::io::{IoSlice, IoSliceMut};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use wasi_host_core::fs::{Blocking, Dir, Follow};
use wasi_host_core::time::SetTime;
use wasi_host_core::{Errno, Result};
use wasi_host_native::fs::NativeDir;
use wasi_host_virtual::call::{Answer, Call};
use wasi_host_virtual::faults::{Faults, Rule};
use wasi_host_virtual::memory::MemoryFs;
use wasi_host_virtual::trace::Trace;

type Told = Arc<Mutex<Vec<String>>>;

/// A traced tree, and what was told of it: where, the operation's name, and what came of it.
fn traced(dir: Arc<dyn Dir>) -> (Arc<dyn Dir>, Told) {
    let all = Told::default();
    let told = all.clone();
    let trace = Trace::new(dir, move |event| {
        let answer = match event.result {
            Ok(Answer::Metadata(m)) => format!("{:?}", m.file_type),
            other => format!("{other:?}"),
        };
        told.lock().unwrap().push(format!("{:?} {} {answer}", event.on, event.call.name()));
    });
    (trace.root(), all)
}

fn take(told: &Told) -> Vec<String> {
    std::mem::take(&mut *told.lock().unwrap())
}

#[test]
fn every_operation_is_told() -> Result<()> {
    let (root, told) = traced(MemoryFs::new().root());
    root.create_dir("dir")?;
    let dir = open_dir(&*root, "./dir");
    let file = open_file(&*dir, "file", CREATE);
    write(&*file, b"text", 0)?;
    read(&*file, 10, 1);
    file.append(&[IoSlice::new(b"!")])?;
    file.set_len(9)?;
    file.allocate(0, 10)?;
    file.set_times(SetTime::Now, SetTime::Keep)?;
    file.sync(true)?;
    file.metadata()?;
    file.try_read_at(&mut [IoSliceMut::new(&mut [0; 2])], 0)?;
    assert_eq!(file.read(&mut []), Err(Errno::SPipe));
    assert_eq!(file.write(&[]), Err(Errno::SPipe));
    file.advise(0, 1, wasi_host_core::fs::Advice::Normal)?;
    root.symlink("dir/file", "link")?;
    root.read_link("link")?;
    root.stat("link", Follow::Yes)?;
    root.try_stat("link", Follow::No)?;
    root.hard_link("link", Follow::Yes, &*dir, "other")?;
    dir.rename("other", &*root, "moved")?;
    root.set_times("moved", Follow::No, SetTime::Now, SetTime::Now)?;
    root.unlink("moved")?;
    assert_eq!(root.remove_dir("dir"), Err(Errno::NotEmpty));
    drop(root.entries()?);
    root.sync(false)?;
    dir.metadata()?;
    assert_eq!(root.rename("link", &*MemoryFs::new().root(), "x"), Err(Errno::XDev));
    assert_eq!(
        take(&told),
        [
            r#""" create_dir Ok(Done)"#,
            r#""" open Ok(Dir)"#,
            r#""./dir" open Ok(File)"#,
            r#""./dir/file" write_at Ok(Bytes(4))"#,
            r#""./dir/file" read_at Ok(Bytes(3))"#,
            r#""./dir/file" append Ok(Bytes(1))"#,
            r#""./dir/file" set_len Ok(Done)"#,
            r#""./dir/file" allocate Ok(Done)"#,
            r#""./dir/file" set_times Ok(Done)"#,
            r#""./dir/file" sync Ok(Done)"#,
            r#""./dir/file" metadata RegularFile"#,
            r#""./dir/file" read_at Ok(Bytes(2))"#,
            r#""./dir/file" read Err(SPipe)"#,
            r#""./dir/file" write Err(SPipe)"#,
            r#""./dir/file" advise Ok(Done)"#,
            r#""" symlink Ok(Done)"#,
            r#""" read_link Ok(Target("dir/file"))"#,
            r#""" stat RegularFile"#,
            r#""" stat SymbolicLink"#,
            r#""" hard_link Ok(Done)"#,
            r#""./dir" rename Ok(Done)"#,
            r#""" set_times_at Ok(Done)"#,
            r#""" unlink Ok(Done)"#,
            r#""" remove_dir Err(NotEmpty)"#,
            r#""" entries Ok(Done)"#,
            r#""" sync Ok(Done)"#,
            r#""./dir" metadata Directory"#,
            r#""" rename Err(XDev)"#,
        ]
    );
    Ok(())
}

/// What could not be done without waiting is done again, and told then.
#[test]
fn attempts_are_told_if_they_come_to_something() {
    let place = tempfile::TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let native: Arc<dyn Dir> = Arc::new(NativeDir::open_ambient(place.path()).unwrap());
    let (root, told) = traced(native);
    assert_eq!(root.try_open("file", CREATE).map(drop), Err(Errno::Again));
    assert_eq!(take(&told), [""; 0]);
    put(&*root, "file", "text");
    assert_eq!(take(&told).len(), 2);
    let attempts = (0..100).filter(|_| root.try_stat("file", Follow::Yes).is_ok()).count();
    assert_eq!(take(&told).len(), attempts);
}

#[test]
#[cfg(feature = "tracing")]
fn told_as_events_of_tracing() {
    use std::fmt::{Debug, Write};
    use tracing::field::{Field, Visit};
    use tracing::{Event, Level, Metadata, Subscriber, span};

    struct Collect(Told);
    struct Text(String);

    impl Visit for Text {
        fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
            write!(self.0, " {}={value:?}", field.name()).unwrap();
        }
    }

    impl Subscriber for Collect {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }
        fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
            span::Id::from_u64(1)
        }
        fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
        fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
        fn event(&self, event: &Event<'_>) {
            assert_eq!(*event.metadata().level(), Level::DEBUG);
            let mut text = Text(event.metadata().target().into());
            event.record(&mut text);
            self.0.lock().unwrap().push(text.0);
        }
        fn enter(&self, _: &span::Id) {}
        fn exit(&self, _: &span::Id) {}
    }

    let told = Told::default();
    tracing::subscriber::with_default(Collect(told.clone()), || {
        let _ = Trace::tracing(MemoryFs::new().root()).root().unlink("none");
    });
    let expected =
        r#"wasi_host_virtual::trace message=unlink on="" call=Unlink { path: "none" } result=Err(NoEnt)"#;
    assert_eq!(take(&told), [expected]);
}

fn on_writes(_: &str, call: &Call<'_>) -> bool {
    matches!(call, Call::WriteAt { .. } | Call::Append { .. })
}

#[test]
fn what_fails_is_not_done() {
    let fs = MemoryFs::new();
    let rules = [
        Rule::fail(Errno::Io).when(|on, call| on == "dir/log" && on_writes(on, call)).after(2).times(2),
        Rule::fail(Errno::Access).when(|_, call| matches!(call, Call::Open { path: "secret", .. })),
    ];
    let root = Faults::new(fs.root(), rules).root();
    root.create_dir("dir").unwrap();
    let (log, other) = (open_file(&*root, "dir/log", CREATE), open_file(&*root, "other", CREATE));
    let results: Vec<_> = (0..6).map(|i| write(&*log, &[i], i.into())).collect();
    assert_eq!(results, [Ok(1), Ok(1), Err(Errno::Io), Err(Errno::Io), Ok(1), Ok(1)]);
    assert_eq!(fs.read("dir/log").unwrap(), [0, 1, 0, 0, 4, 5]);
    assert_eq!(write(&*other, b"x", 0), Ok(1));
    assert_eq!(root.open("secret", CREATE).map(drop), Err(Errno::Access));
    assert_eq!(fs.read("secret"), Err(Errno::NoEnt));
    assert_eq!(root.try_open("secret", CREATE).map(drop), Err(Errno::Access), "it never has to wait");
}

#[test]
fn reads_and_writes_fall_short() {
    let rules = [Rule::shorten(3), Rule::shorten(0).when(|_, call| matches!(call, Call::Append { .. }))];
    let root = Faults::new(MemoryFs::new().root(), rules).root();
    let file = open_file(&*root, "file", CREATE);
    assert_eq!(file.write_at(&[b"ab", &b"cdef"[..]].map(IoSlice::new), 0), Ok(3));
    assert_eq!(write(&*file, b"de", 3), Ok(2));
    assert_eq!(file.append(&[IoSlice::new(b"fg")]), Ok(1), "none would be the end for ever");
    assert_eq!(read(&*file, 10, 0), b"abc");
    assert_eq!(read(&*file, 10, 3), b"def");
    assert_eq!(read(&*file, 10, 6), b"");
}

/// What would be read past the trace is not lent.
#[test]
fn each_read_is_told() -> Result<()> {
    let fs = MemoryFs::new();
    fs.write("page", [7; 4096])?;
    fs.read("page")?;
    assert!(open_file(&*fs.root(), "page", READ).lend(4096, 0).is_some());
    let (root, _) = traced(fs.root());
    assert_eq!(open_file(&*root, "page", READ).lend(4096, 0), None);
    Ok(())
}

#[test]
fn delays_are_said_to_block() {
    let delay = Duration::from_millis(30);
    let rules = [Rule::delay(delay).when(|_, call| matches!(call, Call::ReadAt { .. })).times(2)];
    let root = Faults::new(MemoryFs::new().root(), rules).root();
    put(&*root, "file", "text");
    let file = open_file(&*root, "file", READ);
    assert_eq!((root.blocking(), file.blocking()), (Blocking::Maybe, Blocking::Maybe));
    assert_eq!(file.try_read_at(&mut [], 0), Err(Errno::Again));
    let begin = Instant::now();
    read(&*file, 1, 0);
    read(&*file, 1, 0);
    assert!(begin.elapsed() >= 2 * delay);
    assert_eq!(Faults::new(MemoryFs::new().root(), []).root().blocking(), Blocking::Never);
}
