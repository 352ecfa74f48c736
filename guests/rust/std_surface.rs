//! What Rust's standard library offers on WASI 0.1, as named checks: without arguments all of
//! them, with a name that one, with `--list` their names. Wants a writable directory at `/`.

use std::collections::hash_map::RandomState;
use std::fs::{self, File, FileTimes, OpenOptions};
use std::hash::BuildHasher;
use std::io::{self, BufRead, BufReader, ErrorKind, IoSlice, IoSliceMut, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{env, thread};

/// Why a check failed: a sentence, or whatever error a call gave that should have succeeded.
type Check = Result<(), Box<dyn std::error::Error>>;

macro_rules! equal {
    ($got:expr, $want:expr) => {{
        let (got, want) = (&$got, &$want);
        if got != want {
            let what = stringify!($got);
            return Err(format!("line {}: {what}: expected {want:?}, got {got:?}", line!()).into());
        }
    }};
}

macro_rules! holds {
    ($condition:expr) => {
        if !$condition {
            return Err(format!("line {}: expected to hold: {}", line!(), stringify!($condition)).into());
        }
    };
}

/// The call fails, and with this kind of error.
macro_rules! fails {
    ($call:expr, $($kind:ident)|+) => {
        match $call.map(drop) {
            Err(error) if matches!(error.kind(), $(ErrorKind::$kind)|+) => {}
            other => {
                let (what, want) = (stringify!($call), stringify!($($kind)|+));
                return Err(format!("line {}: {what}: expected {want}, got {other:?}", line!()).into());
            }
        }
    };
}

fn read_and_write(dir: &Path) -> Check {
    let path = dir.join("f");
    fs::write(&path, "hello")?;
    equal!(fs::read_to_string(&path)?, "hello");
    fs::write(&path, b"\xff\xfe")?;
    equal!(fs::read(&path)?, b"\xff\xfe");
    fails!(fs::read_to_string(&path), InvalidData);
    fails!(fs::read(dir.join("none")), NotFound);
    fails!(fs::write(dir.join("none/f"), ""), NotFound);
    fails!(fs::write(path.join("below"), ""), NotADirectory);
    fails!(fs::write(dir, ""), IsADirectory);
    Ok(())
}

fn open_options(dir: &Path) -> Check {
    let path = dir.join("f");
    let mut made = OpenOptions::new().write(true).create_new(true).open(&path)?;
    made.write_all(b"one")?;
    fails!(OpenOptions::new().write(true).create_new(true).open(&path), AlreadyExists);
    let mut appending = OpenOptions::new().append(true).open(&path)?;
    appending.seek(SeekFrom::Start(0))?;
    appending.write_all(b"two")?;
    equal!(fs::read(&path)?, b"onetwo");
    let mut both = OpenOptions::new().read(true).write(true).open(&path)?;
    both.write_all(b"ONE")?;
    let mut rest = String::new();
    both.read_to_string(&mut rest)?;
    equal!(rest, "two");
    OpenOptions::new().write(true).truncate(true).open(&path)?;
    equal!(fs::metadata(&path)?.len(), 0);
    fails!(OpenOptions::new().open(&path), InvalidInput);
    holds!(File::open(&path)?.write(b"x").is_err());
    holds!(File::create(&path)?.read(&mut [0]).is_err());
    Ok(())
}

fn seeking(dir: &Path) -> Check {
    let mut file = File::options().read(true).write(true).create(true).truncate(false).open(dir.join("f"))?;
    file.write_all(b"0123456789")?;
    equal!(file.stream_position()?, 10);
    equal!(file.seek(SeekFrom::End(-4))?, 6);
    equal!(file.seek(SeekFrom::Current(-1))?, 5);
    let mut four = [0; 4];
    file.read_exact(&mut four)?;
    equal!(&four, b"5678");
    fails!(file.read_exact(&mut four), UnexpectedEof);
    fails!(file.seek(SeekFrom::Current(-100)), InvalidInput);
    file.rewind()?;
    equal!(file.stream_position()?, 0);
    Ok(())
}

fn set_len(dir: &Path) -> Check {
    let path = dir.join("f");
    let file = File::create(&path)?;
    file.set_len(10)?;
    equal!(fs::read(&path)?, [0; 10]);
    file.set_len(3)?;
    equal!(file.metadata()?.len(), 3);
    file.sync_all()?;
    file.sync_data()?;
    Ok(())
}

fn vectored(dir: &Path) -> Check {
    let path = dir.join("f");
    let n = File::create(&path)?.write_vectored(&[IoSlice::new(b"one"), IoSlice::new(b""), IoSlice::new(b"two")])?;
    equal!(n, 6);
    let (mut a, mut b) = ([0; 2], [0; 9]);
    let n = File::open(&path)?.read_vectored(&mut [IoSliceMut::new(&mut a), IoSliceMut::new(&mut b)])?;
    equal!(n, 6);
    equal!((&a, &b[..4]), (b"on", &b"etwo"[..]));
    Ok(())
}

fn buffered(dir: &Path) -> Check {
    let path = dir.join("f");
    let mut writer = io::BufWriter::new(File::create(&path)?);
    for i in 0..20_000 {
        writeln!(writer, "line {i}")?;
    }
    writer.into_inner()?;
    let mut count = 0;
    for (i, line) in BufReader::new(File::open(&path)?).lines().enumerate() {
        equal!(line?, format!("line {i}"));
        count += 1;
    }
    equal!(count, 20_000);
    Ok(())
}

fn metadata(dir: &Path) -> Check {
    let before = SystemTime::now() - Duration::from_secs(5);
    fs::write(dir.join("f"), "12345")?;
    let found = fs::metadata(dir.join("f"))?;
    holds!(found.is_file() && !found.is_dir() && !found.is_symlink());
    equal!(found.len(), 5);
    holds!(found.modified()? > before && found.accessed()? > before);
    let found = fs::metadata(dir)?;
    holds!(found.is_dir() && !found.is_file());
    fails!(fs::metadata(dir.join("none")), NotFound);
    holds!(dir.join("f").try_exists()? && !dir.join("none").try_exists()?);
    Ok(())
}

fn set_times(dir: &Path) -> Check {
    let file = File::create(dir.join("f"))?;
    let accessed = UNIX_EPOCH + Duration::new(1_000_000_000, 123_456_789);
    let modified = UNIX_EPOCH + Duration::new(1_234_567_890, 987_654_321);
    file.set_times(FileTimes::new().set_accessed(accessed).set_modified(modified))?;
    equal!(file.metadata()?.accessed()?, accessed);
    equal!(file.metadata()?.modified()?, modified);
    file.set_modified(UNIX_EPOCH)?;
    equal!(file.metadata()?.accessed()?, accessed);
    equal!(file.metadata()?.modified()?, UNIX_EPOCH);
    Ok(())
}

fn list(dir: &Path) -> Check {
    for i in 0..500 {
        fs::write(dir.join(format!("file-{i:03}")), "")?;
    }
    fs::create_dir(dir.join("sub"))?;
    let mut names = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        equal!(entry.file_type()?.is_dir(), entry.file_name() == "sub");
        equal!(entry.metadata()?.is_dir(), entry.file_name() == "sub");
        equal!(entry.path(), dir.join(entry.file_name()));
        names.push(entry.file_name().into_string().expect("a name of ours"));
    }
    names.sort(); // the order is nobody's promise; `.` and `..` are left out by the library
    let mut expected: Vec<_> = (0..500).map(|i| format!("file-{i:03}")).collect();
    expected.push("sub".into());
    equal!(names, expected);
    fails!(fs::read_dir(dir.join("none")), NotFound);
    fails!(fs::read_dir(dir.join("file-000")), NotADirectory);
    Ok(())
}

fn make_and_remove(dir: &Path) -> Check {
    fs::create_dir_all(dir.join("a/b/c"))?;
    fs::create_dir_all(dir.join("a/b/c"))?;
    fails!(fs::create_dir(dir.join("a")), AlreadyExists);
    fails!(fs::create_dir(dir.join("none/a")), NotFound);
    // the library has no kind for this errno of WASI's
    equal!(fs::remove_dir(dir.join("a")).map_err(|error| error.raw_os_error()), Err(Some(55)));
    fails!(fs::remove_file(dir.join("none")), NotFound);
    holds!(fs::remove_file(dir.join("a")).is_err());
    fs::write(dir.join("a/b/f"), "")?;
    fails!(fs::remove_dir(dir.join("a/b/f")), NotADirectory);
    fs::remove_file(dir.join("a/b/f"))?;
    fs::remove_dir(dir.join("a/b/c"))?;
    for i in 0..50 {
        fs::create_dir_all(dir.join(format!("a/{i}/deeper")))?;
        fs::write(dir.join(format!("a/{i}/deeper/f")), "")?;
    }
    fs::remove_dir_all(dir.join("a"))?;
    holds!(!dir.join("a").exists());
    fails!(fs::remove_dir_all(dir.join("a")), NotFound);
    Ok(())
}

fn copy_and_rename(dir: &Path) -> Check {
    let content: Vec<u8> = (0..1_000_000u32).map(|i| (i * 31 >> 7) as u8).collect();
    fs::write(dir.join("f"), &content)?;
    equal!(fs::copy(dir.join("f"), dir.join("g"))?, content.len() as u64);
    holds!(fs::read(dir.join("g"))? == content);
    fs::rename(dir.join("g"), dir.join("h"))?;
    fails!(fs::metadata(dir.join("g")), NotFound);
    fs::write(dir.join("small"), "small")?;
    fs::rename(dir.join("small"), dir.join("h"))?;
    equal!(fs::read(dir.join("h"))?, b"small");
    fs::create_dir(dir.join("d"))?;
    fails!(fs::rename(dir.join("h"), dir.join("d")), IsADirectory);
    fails!(fs::rename(dir.join("d"), dir.join("h")), NotADirectory);
    fails!(fs::rename(dir.join("none"), dir.join("x")), NotFound);
    fs::hard_link(dir.join("h"), dir.join("i"))?;
    fails!(fs::hard_link(dir.join("h"), dir.join("i")), AlreadyExists);
    equal!(fs::read(dir.join("i"))?, b"small");
    Ok(())
}

fn unsupported(dir: &Path) -> Check {
    let file = File::create(dir.join("f"))?;
    fails!(file.try_clone(), Unsupported); // 0.1 has no dup
    fails!(env::current_exe(), Unsupported);
    Ok(())
}

fn paths(dir: &Path) -> Check {
    fs::create_dir_all(dir.join("a/b"))?;
    fs::write(dir.join("a/f"), "text")?;
    equal!(fs::read(dir.join("a/b/../f"))?, b"text");
    equal!(fs::read(dir.join("./a/./b/.././/f"))?, b"text");
    holds!(fs::metadata(dir.join("../../../etc")).is_err());
    fs::write(dir.join("größe 名前 🦀"), "text")?;
    equal!(fs::read(dir.join("größe 名前 🦀"))?, b"text");
    fails!(fs::read(dir.join("nul\0byte")), InvalidInput);
    holds!(fs::metadata(dir.join("n".repeat(300))).is_err());
    Ok(())
}

fn many_open(dir: &Path) -> Check {
    let mut files = Vec::new();
    for i in 0..200 {
        let mut file = File::options().read(true).write(true).create_new(true).open(dir.join(i.to_string()))?;
        write!(file, "{i}")?;
        files.push(file);
    }
    for (i, file) in files.iter_mut().enumerate() {
        let mut text = String::new();
        file.rewind()?;
        file.read_to_string(&mut text)?;
        equal!(text, i.to_string());
    }
    Ok(())
}

fn environment(_: &Path) -> Check {
    holds!(env::args().count() >= 1);
    equal!(env::vars_os().count(), env::vars().count());
    fails_to_find("SURELY_NOT_SET")?;
    env::set_var("SURELY_NOT_SET", "now it is");
    equal!(env::var("SURELY_NOT_SET")?, "now it is");
    env::remove_var("SURELY_NOT_SET");
    fails_to_find("SURELY_NOT_SET")
}

fn fails_to_find(name: &str) -> Check {
    equal!(env::var(name), Err(env::VarError::NotPresent));
    Ok(())
}

fn time(_: &Path) -> Check {
    let (start, wall) = (Instant::now(), SystemTime::now());
    holds!(wall.duration_since(UNIX_EPOCH)? > Duration::from_secs(1_700_000_000));
    thread::sleep(Duration::from_millis(20));
    let slept = start.elapsed();
    holds!(slept >= Duration::from_millis(20) && slept < Duration::from_secs(5));
    let mut last = start;
    for _ in 0..10_000 {
        let now = Instant::now();
        holds!(now >= last);
        last = now;
    }
    thread::sleep(Duration::ZERO);
    thread::yield_now();
    Ok(())
}

fn randomness(_: &Path) -> Check {
    // keys come from the host once per process; two hashers made from them differ by a count
    let hash = |state: &RandomState| state.hash_one("the same text");
    let (a, b) = (RandomState::new(), RandomState::new());
    equal!(hash(&a), hash(&a.clone()));
    holds!(hash(&a) != hash(&b));
    holds!(hash(&a) != 0 && hash(&a).count_ones() > 8 && hash(&a).count_ones() < 56);
    Ok(())
}

fn standard_streams(_: &Path) -> Check {
    io::stdout().flush()?;
    equal!(io::stdout().write(b"")?, 0);
    equal!(io::stderr().write(b"")?, 0);
    equal!(io::stdin().read(&mut [])?, 0);
    Ok(())
}

const CHECKS: &[(&str, fn(&Path) -> Check)] = &[
    ("read-and-write", read_and_write),
    ("open-options", open_options),
    ("seeking", seeking),
    ("set-len", set_len),
    ("vectored", vectored),
    ("buffered", buffered),
    ("metadata", metadata),
    ("set-times", set_times),
    ("list", list),
    ("make-and-remove", make_and_remove),
    ("copy-and-rename", copy_and_rename),
    ("unsupported", unsupported),
    ("paths", paths),
    ("many-open", many_open),
    ("environment", environment),
    ("time", time),
    ("randomness", randomness),
    ("standard-streams", standard_streams),
];

/// Runs a check in a fresh directory of its own, which goes away again afterwards.
fn run(name: &str, check: fn(&Path) -> Check) -> Check {
    let dir = Path::new("/").join(format!("scratch-{name}"));
    let clear = || match fs::remove_dir_all(&dir) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    };
    clear()?;
    fs::create_dir(&dir)?;
    let outcome = check(&dir);
    clear()?;
    outcome
}

fn main() -> ExitCode {
    let only = env::args().nth(1);
    let (mut found, mut failed) = (false, false);
    for (name, check) in CHECKS {
        match only.as_deref() {
            Some("--list") => println!("{name}"),
            Some(wanted) if wanted != *name => continue,
            _ => match run(name, *check) {
                Ok(()) if only.is_none() => println!("ok {name}"),
                Ok(()) => {}
                Err(error) => {
                    eprintln!("{name}: {error}");
                    failed = true;
                }
            },
        }
        found = true;
    }
    if !found {
        eprintln!("no check is called {only:?}");
    }
    ExitCode::from(u8::from(failed || !found))
}
