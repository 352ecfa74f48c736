//! How trees are written on the command line.

use std::path::PathBuf;
use std::str::FromStr;

/// `--dir HOST[::GUEST[::ro]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Preopen {
    pub(crate) host: PathBuf,
    pub(crate) guest: String,
    pub(crate) read_only: bool,
}

impl FromStr for Preopen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split("::").collect();
        let (host, guest, read_only) = match parts[..] {
            [host] => (host, host, false),
            [host, guest] => (host, guest, false),
            [host, guest, "ro"] => (host, guest, true),
            [_, _, other] => return Err(format!("`{other}` is no permission; only `ro`, read-only, is")),
            _ => return Err("more than three parts; the form is HOST[::GUEST[::ro]]".into()),
        };
        Ok(Self { host: named("HOST", host)?, guest: self::guest(guest)?, read_only })
    }
}

/// `--mem GUEST[=HOST]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Memory {
    pub(crate) guest: String,
    pub(crate) host: Option<PathBuf>,
}

impl FromStr for Memory {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (guest, host) = target(text, "HOST")?;
        Ok(Self { guest, host })
    }
}

/// `--overlay HOST::GUEST[=UPPER]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Overlay {
    pub(crate) host: PathBuf,
    pub(crate) guest: String,
    pub(crate) upper: Option<PathBuf>,
}

impl FromStr for Overlay {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (host, rest) = text.split_once("::").ok_or("no GUEST; the form is HOST::GUEST[=UPPER]")?;
        let host = named("HOST", host)?;
        let (guest, upper) = target(rest, "UPPER")?;
        Ok(Self { host, guest, upper })
    }
}

/// `--archive FILE::GUEST`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Archive {
    pub(crate) file: PathBuf,
    pub(crate) guest: String,
}

impl FromStr for Archive {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (file, guest) = text.split_once("::").ok_or("no GUEST; the form is FILE::GUEST")?;
        if file.is_empty() {
            return Err("FILE is empty; name a tar or zip archive".into());
        }
        Ok(Self { file: file.into(), guest: self::guest(guest)? })
    }
}

/// `--quota [GUEST=]BYTES[,INODES]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bound {
    /// The tree that is meant, or every one that has no bound of its own.
    pub(crate) guest: Option<String>,
    pub(crate) bytes: u64,
    pub(crate) inodes: u64,
}

impl FromStr for Bound {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (guest, bound) = match text.rsplit_once('=') {
            Some((guest, bound)) => (Some(self::guest(guest)?), bound),
            None => (None, text),
        };
        let (bytes, inodes) = match bound.split_once(',') {
            Some((bytes, inodes)) => (number(bytes)?, number(inodes)?),
            None => (number(bound)?, u64::MAX),
        };
        Ok(Self { guest, bytes, inodes })
    }
}

/// A number, which may have a unit behind it.
fn number(text: &str) -> Result<u64, String> {
    let (digits, unit) = match text.strip_suffix(['K', 'k', 'M', 'm', 'G', 'g', 'T', 't']) {
        None => (text, 1),
        Some(digits) => (
            digits,
            match text.as_bytes()[digits.len()].to_ascii_uppercase() {
                b'K' => 1 << 10,
                b'M' => 1 << 20,
                b'G' => 1 << 30,
                _ => 1_u64 << 40,
            },
        ),
    };
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.parse::<u64>().ok().filter(|_| plain).and_then(|number| number.checked_mul(unit));
    number.ok_or_else(|| format!("`{text}` is no size; write 1000, 64K, 10M or 2G"))
}

/// `GUEST[=HOST]`, where the second part has this name.
fn target(text: &str, name: &str) -> Result<(String, Option<PathBuf>), String> {
    match text.split_once('=') {
        Some((guest, host)) => Ok((self::guest(guest)?, Some(named(name, host)?))),
        None => Ok((guest(text)?, None)),
    }
}

/// A directory of the host.
fn named(part: &str, host: &str) -> Result<PathBuf, String> {
    match host {
        "" => Err(format!("{part} is empty; `.` is the current directory")),
        _ => Ok(host.into()),
    }
}

fn guest(guest: &str) -> Result<String, String> {
    match guest {
        "" => Err("GUEST is empty; `.` is where relative paths of the program begin".into()),
        _ if guest.contains("::") => Err(format!("GUEST is `{guest}`; only --dir has a third part")),
        _ => Ok(guest.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn none_of<T: FromStr<Err = String> + std::fmt::Debug>(wrong: &[&str]) {
        for wrong in wrong {
            assert!(wrong.parse::<T>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn directories() {
        let dir = |host: &str, guest: &str, read_only| {
            Ok(Preopen { host: host.into(), guest: guest.into(), read_only })
        };
        assert_eq!("data".parse(), dir("data", "data", false));
        assert_eq!("data::/d".parse(), dir("data", "/d", false));
        assert_eq!("a:b::/d::ro".parse(), dir("a:b", "/d", true));
        none_of::<Preopen>(&["", "::/d", "data::", "data::/d::rw", "data::/d::ro::"]);
    }

    #[test]
    fn trees_in_memory() {
        let memory =
            |guest: &str, host: Option<&str>| Ok(Memory { guest: guest.into(), host: host.map(Into::into) });
        assert_eq!("/".parse(), memory("/", None));
        assert_eq!("/d=a=b".parse(), memory("/d", Some("a=b")));
        none_of::<Memory>(&["", "=a", "/d=", "a::/d"]);
    }

    #[test]
    fn overlays() {
        let overlay = |host: &str, guest: &str, upper: Option<&str>| {
            Ok(Overlay { host: host.into(), guest: guest.into(), upper: upper.map(Into::into) })
        };
        assert_eq!("a=b::/d".parse(), overlay("a=b", "/d", None));
        assert_eq!("a::/d=up::per".parse(), overlay("a", "/d", Some("up::per")));
        none_of::<Overlay>(&["", "a", "::/d", "a::", "a::=b", "a::/d=", "a::/d::ro"]);
    }

    #[test]
    fn archives() {
        assert_eq!("a.tar::/".parse(), Ok(Archive { file: "a.tar".into(), guest: "/".into() }));
        none_of::<Archive>(&["", "a.tar", "::/d", "a.tar::", "a.tar::/d::ro"]);
    }

    #[test]
    fn bounds() {
        let bound =
            |guest: Option<&str>, bytes, inodes| Ok(Bound { guest: guest.map(Into::into), bytes, inodes });
        assert_eq!("1000".parse(), bound(None, 1000, u64::MAX));
        assert_eq!("64k,10".parse(), bound(None, 64 << 10, 10));
        assert_eq!("/a=b=1G,2M".parse(), bound(Some("/a=b"), 1 << 30, 2 << 20));
        assert_eq!("0".parse(), bound(None, 0, u64::MAX));
        none_of::<Bound>(&[
            "",
            "/d",
            "=1",
            "K",
            "1KB",
            "-1",
            "+1",
            "1,",
            ",1",
            "1.5G",
            "99999999999T",
            "1é",
            "1,2,3",
        ]);
    }
}
