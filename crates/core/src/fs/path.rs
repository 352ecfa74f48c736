//! Paths as guests write them: `/` between components, relative, UTF-8.

use crate::{Errno, Result};

/// Refuses what no backend need ever see.
pub(super) fn check(path: &str, longest: usize) -> Result<()> {
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

/// The components of a path; several slashes count as one.
pub fn components(path: &str) -> impl DoubleEndedIterator<Item = Component<'_>> {
    path.split('/').filter(|c| !c.is_empty()).map(|c| match c {
        "." => Component::Here,
        ".." => Component::Parent,
        name => Component::Name(name),
    })
}

/// Whether what the path names must be a directory because a slash stands behind it.
pub fn has_trailing_slash(path: &str) -> bool {
    path.ends_with('/')
}
