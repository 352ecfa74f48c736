//! Paths as guests write them: `/` between components, relative, UTF-8.

use crate::{Errno, Result};

/// Bytes in one component; longer ones are `NameTooLong`.
pub const NAME_MAX: usize = 255;

/// As many symbolic links as are followed in one path, as on Linux; one more is `Loop`.
pub const MAX_LINKS: usize = 40;

/// Refuses what no backend need ever see.
pub fn check(path: &str, longest: usize) -> Result<()> {
    match path.as_bytes() {
        [] => Err(Errno::NoEnt),
        p if p.len() > longest => Err(Errno::NameTooLong),
        p if p.contains(&0) => Err(Errno::Inval),
        [b'/', ..] => Err(Errno::NotCapable),
        _ => Ok(()),
    }
}

/// One component of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Component<'a> {
    /// `.`
    Here,
    /// `..`
    Parent,
    /// Any other name.
    Name(&'a str),
}

/// The first component, and what is behind it: nothing, or something that begins with `/`. `None` if there are
/// only slashes.
///
/// ```
/// use wasi_host_core::fs::path::{Component, first};
/// assert_eq!(first("a//b/"), Some((Component::Name("a"), "//b/")));
/// assert_eq!(first("//b/"), Some((Component::Name("b"), "/")));
/// assert_eq!(first("/"), None);
/// ```
pub fn first(path: &str) -> Option<(Component<'_>, &str)> {
    let path = path.trim_start_matches('/');
    let (name, rest) = path.split_at(path.find('/').unwrap_or(path.len()));
    let component = match name {
        "" => return None,
        "." => Component::Here,
        ".." => Component::Parent,
        name => Component::Name(name),
    };
    Some((component, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_as_the_kernel_does() {
        use Component::{Here, Name, Parent};
        let all = |path| {
            let mut rest = path;
            std::iter::from_fn(move || {
                let (component, behind) = first(rest)?;
                rest = behind;
                Some(component)
            })
            .collect::<Vec<_>>()
        };
        assert_eq!(all("a/./..//b.c/"), [Name("a"), Here, Parent, Name("b.c")]);
        assert_eq!(all("..."), [Name("...")]);
        assert_eq!(all(""), []);
        assert_eq!(all("///"), []);
    }

    #[test]
    fn refuses_what_no_backend_need_see() {
        assert_eq!(check("", 10), Err(Errno::NoEnt));
        assert_eq!(check("/a", 10), Err(Errno::NotCapable));
        assert_eq!(check("a\0b", 10), Err(Errno::Inval));
        assert_eq!(check("12345678901", 10), Err(Errno::NameTooLong));
        assert_eq!(check("1234567890", 10), Ok(()));
    }
}
