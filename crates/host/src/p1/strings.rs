//! Arguments and environment, kept in the form in which guests want them.

use super::memory::Memory;
use super::{Stop, WasiP1Ctx};

/// A list of strings, each ended by a zero byte, one behind the other.
pub(super) struct Strings {
    bytes: Box<[u8]>,
    offsets: Box<[u32]>,
}

impl Strings {
    /// The list whose elements are put together from parts. What is behind a NUL in one is cut off, as in every
    /// list of C strings.
    pub(super) fn new<'s>(list: impl Iterator<Item = [&'s str; 3]>) -> Self {
        let (mut bytes, mut offsets) = (Vec::new(), Vec::new());
        for parts in list {
            offsets.push(bytes.len() as u32);
            bytes.extend(parts.iter().flat_map(|p| p.bytes()).take_while(|b| *b != 0));
            bytes.push(0);
        }
        Self { bytes: bytes.into(), offsets: offsets.into() }
    }

    /// Writes a pointer to each string at `list`, and the strings themselves at `buf`.
    fn write(&self, memory: &mut Memory<'_>, list: u32, buf: u32) -> Result<(), Stop> {
        let count = self.offsets.len() as u32;
        memory.bytes_mut(buf, self.bytes.len() as u32)?.copy_from_slice(&self.bytes);
        let pointers = memory.array_mut(list, count, 4, 4)?;
        for (pointer, offset) in pointers.chunks_exact_mut(4).zip(&self.offsets) {
            pointer.copy_from_slice(&(buf + offset).to_le_bytes());
        }
        Ok(())
    }

    /// Writes how many there are, and how many bytes they take.
    #[inline]
    fn write_sizes(&self, memory: &mut Memory<'_>, count: u32, size: u32) -> Result<(), Stop> {
        memory.set_u32(count, self.offsets.len() as u32)?;
        memory.set_u32(size, self.bytes.len() as u32)
    }
}

/// Reads the arguments.
///
/// # Parameters
///
/// - `argv`: where to put a pointer for each of them
/// - `buf`: where to put them, each ended by a zero byte
pub(super) fn args_get(
    memory: &mut Memory<'_>,
    ctx: &mut WasiP1Ctx,
    argv: u32,
    buf: u32,
) -> Result<(), Stop> {
    ctx.args.write(memory, argv, buf)
}

/// Says how many arguments there are, and how many bytes they take.
#[inline]
pub(super) fn args_sizes_get(
    memory: &mut Memory<'_>,
    ctx: &mut WasiP1Ctx,
    argc: u32,
    size: u32,
) -> Result<(), Stop> {
    ctx.args.write_sizes(memory, argc, size)
}

/// Reads the environment, as [`args_get`] does the arguments; each variable is `NAME=value`.
pub(super) fn environ_get(
    memory: &mut Memory<'_>,
    ctx: &mut WasiP1Ctx,
    environ: u32,
    buf: u32,
) -> Result<(), Stop> {
    ctx.env.write(memory, environ, buf)
}

/// Says how many variables there are, and how many bytes they take.
#[inline]
pub(super) fn environ_sizes_get(
    memory: &mut Memory<'_>,
    ctx: &mut WasiP1Ctx,
    count: u32,
    size: u32,
) -> Result<(), Stop> {
    ctx.env.write_sizes(memory, count, size)
}
