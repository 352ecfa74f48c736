//! A directory of another backend, which answers nothing.

use crate::Errno::NoSys;
use crate::Result;
use crate::fs::{Dir, Entries, Follow, Metadata, Node, Open};

pub(super) struct Foreign;

impl Dir for Foreign {
    fn open(&self, _: &str, _: Open) -> Result<Node> {
        Err(NoSys)
    }
    fn stat(&self, _: &str, _: Follow) -> Result<Metadata> {
        Err(NoSys)
    }
    fn metadata(&self) -> Result<Metadata> {
        Err(NoSys)
    }
    fn entries(&self) -> Result<Entries> {
        Err(NoSys)
    }
}
