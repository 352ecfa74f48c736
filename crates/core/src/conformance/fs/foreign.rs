//! A directory of another backend, which answers nothing.

use crate::Errno::NoSys;
use crate::Result;
use crate::fs::{Dir, Entries, Follow, Metadata, Node, Open};
use crate::time::SetTime;

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
    fn read_link(&self, _: &str) -> Result<String> {
        Err(NoSys)
    }
    fn create_dir(&self, _: &str) -> Result<()> {
        Err(NoSys)
    }
    fn symlink(&self, _: &str, _: &str) -> Result<()> {
        Err(NoSys)
    }
    fn hard_link(&self, _: &str, _: Follow, _: &dyn Dir, _: &str) -> Result<()> {
        Err(NoSys)
    }
    fn rename(&self, _: &str, _: &dyn Dir, _: &str) -> Result<()> {
        Err(NoSys)
    }
    fn unlink(&self, _: &str) -> Result<()> {
        Err(NoSys)
    }
    fn remove_dir(&self, _: &str) -> Result<()> {
        Err(NoSys)
    }
    fn set_times(&self, _: &str, _: Follow, _: SetTime, _: SetTime) -> Result<()> {
        Err(NoSys)
    }
}
