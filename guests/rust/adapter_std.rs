//! A program of Rust's standard library as most that exist are built: for WASI 0.1, then made a
//! component by the public adapter. It copies what it is told to between arguments, environment,
//! standard streams, files and the clock, and says on stdout what it saw.
//!
//! Wants a writable directory at `/`, the variable `GREETING`, and something on stdin.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io::{BufRead, Read, Seek, SeekFrom, Write};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{env, error::Error, fs, io, process, thread};

type Check = Result<(), Box<dyn Error>>;

fn process_state() -> Check {
    let arguments: Vec<String> = env::args().collect();
    println!("arguments {:?}", &arguments[1..]);
    println!("greeting {:?}", env::var("GREETING")?);
    assert_eq!(env::vars().filter(|(name, _)| name == "GREETING").count(), 1);
    Ok(())
}

fn streams() -> Check {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    let mut rest = String::new();
    io::stdin().read_to_string(&mut rest)?;
    println!("line {line:?} and {} bytes", rest.len());
    eprintln!("stderr is heard");
    Ok(())
}

fn time_and_chance() -> Check {
    let (start, wall) = (Instant::now(), SystemTime::now());
    thread::sleep(Duration::from_millis(20));
    assert!(start.elapsed() >= Duration::from_millis(20));
    assert!(wall.duration_since(UNIX_EPOCH)? > Duration::from_secs(1_577_836_800));
    assert_ne!(RandomState::new().hash_one(1), RandomState::new().hash_one(1));
    Ok(())
}

fn files() -> Check {
    fs::write("/adapted/f", "first\nsecond\n")?;
    fs::OpenOptions::new().append(true).open("/adapted/f")?.write_all(b"third\n")?;
    let mut file = fs::OpenOptions::new().read(true).write(true).open("/adapted/f")?;
    file.seek(SeekFrom::Start(6))?;
    file.write_all(b"SECOND")?;
    file.rewind()?;
    let lines: Vec<String> = io::BufReader::new(&file).lines().collect::<Result<_, _>>()?;
    assert_eq!(lines, ["first", "SECOND", "third"]);
    file.set_len(5)?;
    assert_eq!(file.metadata()?.len(), 5);
    file.sync_all()?;
    assert_eq!(fs::read_to_string("/adapted/f")?, "first");
    assert_eq!(fs::read("/adapted/none").unwrap_err().kind(), io::ErrorKind::NotFound);
    let large: Vec<u8> = (0..500_000).map(|i| (i >> 7) as u8).collect();
    fs::write("/adapted/large", &large)?;
    fs::copy("/adapted/large", "/adapted/copy")?;
    assert!(fs::read("/adapted/copy")? == large);
    Ok(())
}

fn directories() -> Check {
    fs::create_dir_all("/adapted/a/b/c")?;
    for i in 0..50 {
        fs::write(format!("/adapted/a/{i}"), i.to_string())?;
    }
    fs::rename("/adapted/a/7", "/adapted/a/b/seven")?;
    fs::hard_link("/adapted/a/8", "/adapted/a/eight")?;
    fs::remove_file("/adapted/a/8")?;
    let mut names: Vec<_> =
        fs::read_dir("/adapted/a")?.map(|e| Ok(e?.file_name())).collect::<io::Result<_>>()?;
    names.sort();
    assert_eq!(names.len(), 50);
    assert_eq!(names.last().unwrap(), "eight");
    assert!(fs::metadata("/adapted/a/b")?.is_dir());
    assert_eq!(fs::read_to_string("/adapted/a/b/seven")?, "7");
    // Walks by descriptors: each directory is opened, and changed through what was opened.
    fs::remove_dir_all("/adapted")?;
    assert!(!fs::exists("/adapted")?);
    Ok(())
}

fn run() -> Check {
    if fs::exists("/adapted")? {
        fs::remove_dir_all("/adapted")?;
    }
    fs::create_dir("/adapted")?;
    for check in [process_state, streams, time_and_chance, files, directories] {
        check()?;
    }
    println!("done");
    Ok(())
}

fn main() {
    if let Err(error) = run() {
        eprintln!("{error}");
        process::exit(3);
    }
}
