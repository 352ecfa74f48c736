//! Keeps notes in a directory: one file per note, numbered.
//!
//! ```text
//! notes add TEXT…     keeps a note and says its number
//! notes list          prints every note, oldest first
//! notes show N        prints one note
//! notes remove N      throws one away
//! notes stat          says how many there are and how large they are
//! ```
//!
//! The directory is `/notes` or what the variable `NOTES_DIR` names; `-` as the text reads stdin.

use std::fmt::Display;
use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

type Result<T> = std::result::Result<T, String>;

/// Puts what was attempted before what went wrong.
trait Explain<T> {
    fn explain(self, what: impl Display) -> Result<T>;
}

impl<T> Explain<T> for io::Result<T> {
    fn explain(self, what: impl Display) -> Result<T> {
        self.map_err(|error| format!("{what}: {error}"))
    }
}

struct Notes {
    dir: PathBuf,
}

impl Notes {
    /// The notes below `dir`, which is made if its parent was granted.
    fn open(dir: PathBuf) -> Result<Notes> {
        match fs::metadata(&dir) {
            Ok(found) if found.is_dir() => Ok(Notes { dir }),
            Ok(_) => Err(format!("{} is not a directory", dir.display())),
            Err(_) => {
                fs::create_dir_all(&dir).explain(format_args!(
                    "cannot use {} (was a directory granted to this program?)",
                    dir.display()
                ))?;
                Ok(Notes { dir })
            }
        }
    }

    fn path(&self, number: u32) -> PathBuf {
        self.dir.join(format!("{number}.txt"))
    }

    fn numbers(&self) -> Result<Vec<u32>> {
        let what = || format!("cannot list {}", self.dir.display());
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&self.dir).explain(what())? {
            let name = PathBuf::from(entry.explain(what())?.file_name());
            // whatever else lies there is not ours
            if name.extension().is_some_and(|extension| extension == "txt") {
                numbers.extend(name.file_stem().and_then(|stem| stem.to_str()?.parse::<u32>().ok()));
            }
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn add(&self, text: &str) -> Result<u32> {
        let mut number = self.numbers()?.last().map_or(1, |last| last + 1);
        loop {
            let path = self.path(number);
            // never over a note that somebody else adds at this moment
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(mut file) => {
                    writeln!(file, "{text}").explain(format_args!("cannot write {}", path.display()))?;
                    return Ok(number);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(error).explain(format_args!("cannot make {}", path.display())),
            }
        }
    }

    fn show(&self, number: u32) -> Result<String> {
        fs::read_to_string(self.path(number)).explain(format_args!("cannot read note {number}"))
    }

    fn remove(&self, number: u32) -> Result<()> {
        fs::remove_file(self.path(number)).explain(format_args!("cannot remove note {number}"))
    }

    fn stat(&self) -> Result<String> {
        let (mut bytes, mut latest) = (0, UNIX_EPOCH);
        let numbers = self.numbers()?;
        for number in &numbers {
            let found = fs::metadata(self.path(*number)).explain(format_args!("note {number}"))?;
            bytes += found.len();
            latest = latest.max(found.modified().explain(format_args!("note {number}"))?);
        }
        let mut text = format!("{} notes, {bytes} bytes in {}", numbers.len(), self.dir.display());
        if let (false, Ok(age)) = (numbers.is_empty(), SystemTime::now().duration_since(latest)) {
            text += &format!(", the last one {} s ago", age.as_secs());
        }
        Ok(text)
    }
}

fn number(text: &str) -> Result<u32> {
    text.parse().map_err(|_| format!("\"{text}\" is not the number of a note"))
}

fn text_of(words: &[&str]) -> Result<String> {
    if words != ["-"] {
        return Ok(words.join(" "));
    }
    let mut text = String::new();
    io::stdin().read_to_string(&mut text).explain("cannot read stdin")?;
    Ok(text.trim_end().to_owned())
}

fn run(args: &[String]) -> Result<()> {
    let dir = std::env::var_os("NOTES_DIR").unwrap_or_else(|| "/notes".into());
    let notes = || Notes::open(Path::new(&dir).to_owned());
    let mut out = io::stdout().lock();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let line = match args[..] {
        ["add", ref words @ ..] if !words.is_empty() => {
            format!("note {}", notes()?.add(&text_of(words)?)?)
        }
        ["list"] => {
            let notes = notes()?;
            for number in notes.numbers()? {
                write!(out, "{number}\t{}", notes.show(number)?).explain("cannot write")?;
            }
            return Ok(());
        }
        ["show", n] => notes()?.show(number(n)?)?.trim_end().to_owned(),
        ["remove", n] => notes()?.remove(number(n)?).map(|()| format!("removed note {n}"))?,
        ["stat"] => notes()?.stat()?,
        _ => return Err("usage: notes add TEXT… | list | show N | remove N | stat".into()),
    };
    writeln!(out, "{line}").explain("cannot write")
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("notes: {message}");
            ExitCode::FAILURE
        }
    }
}
