//! Why an archive is refused.

/// Why an archive is refused. Names are cut to 200 characters.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// It cannot be read, or not be understood.
    #[error("it cannot be read: {0}")]
    Read(#[from] std::io::Error),
    /// It is not what it should be.
    #[error("it is not sound: {0}")]
    Unsound(&'static str),
    /// A name that is absolute, has `..` or NUL in it, is longer than 255 bytes between two slashes, or is not UTF-8.
    #[error("no file can have the name {0:?}")]
    Name(String),
    /// A name is that of a directory and of something else.
    #[error("{0:?} is a directory and something else")]
    Conflict(String),
    /// A hard link to what is not in the archive before it; a symbolic link that holds nothing, or more than 4095 bytes,
    /// or what is not UTF-8.
    #[error("{0:?} is a link that leads nowhere")]
    Link(String),
    /// A member reaches beyond the archive's end.
    #[error("{0:?} reaches beyond the end")]
    Bounds(String),
    /// A member is kept in a way that is not supported.
    #[error("{0:?} is kept in a way that is not supported")]
    Unsupported(String),
    /// There is more in it than the limit says.
    #[error("there is more in it than {0} files, directories and links")]
    TooMany(usize),
}

/// As much of a name as is told.
pub(super) fn told(name: &str) -> String {
    name.chars().take(200).collect()
}
