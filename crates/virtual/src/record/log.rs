//! The form of a log: a stream of bytes in pages, each compressed by itself and with a checksum.
//!
//! ```text
//!   "wasi-host log\n" | version | page | page | … | end
//!   page: | bytes in it: u32 | compressed: u32 | checksum: u32 | what is compressed |
//! ```
//!
//! Numbers are little-endian. The checksum is of the page's number, its length and what is compressed, so that pages cannot
//! change places. The end is a page without bytes: without it the log is cut off.

use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use std::io::{self, Read as _, Write};
use std::time::{Duration, Instant};

const MAGIC: &[u8] = b"wasi-host log\n";

/// Of the form of pages and of all that stands in them.
const VERSION: u32 = 1;

/// The bytes of one page at most.
const PAGE: usize = 64 << 10;

/// What is written down so long after the last page goes out with all before it: so that little is lost where whoever records
/// dies, and few pages are small.
const LATE: Duration = Duration::from_millis(100);

/// What bytes that cannot be compressed take more.
const SLACK: usize = 1 << 10;

/// Why something is not a log that can be replayed.
///
/// [`Replay`](super::Replay) has an example.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// It begins otherwise.
    #[error("this is not a log of a recording")]
    NotALog,
    /// It has another form.
    #[error("the log has version {found}, and this program reads version {VERSION}")]
    Version {
        /// Its version.
        found: u32,
    },
    /// It has no end: whoever recorded it did not finish.
    #[error("the log is cut off after {pages} pages")]
    CutOff {
        /// How many pages are whole.
        pages: u64,
    },
    /// A page is not what was written.
    #[error("the log is damaged: the checksum of page {page} is wrong")]
    Checksum {
        /// Its number; the first is 1.
        page: u64,
    },
    /// Its pages are whole and make no sense.
    #[error("the log is damaged: what it says makes no sense")]
    Damaged,
}

/// The bytes are not what the reader expects.
#[derive(Clone, Copy, Debug)]
pub(super) struct Damaged;

/// Writes a log as it grows.
pub(super) struct Writer {
    /// Gone once it has failed, or the log has been finished.
    sink: Option<Box<dyn Write + Send>>,
    page: Vec<u8>,
    pages: u64,
    /// When the last page went out.
    written: Instant,
    failed: Option<io::Error>,
}

impl Writer {
    pub(super) fn new(sink: Box<dyn Write + Send>) -> Self {
        let mut writer =
            Self { sink: Some(sink), page: Vec::new(), pages: 0, written: Instant::now(), failed: None };
        writer.emit(&[MAGIC, &VERSION.to_le_bytes()].concat());
        writer
    }

    /// Adds what `put` writes.
    pub(super) fn add(&mut self, put: impl FnOnce(&mut Vec<u8>)) {
        if self.sink.is_none() {
            return;
        }
        put(&mut self.page);
        if self.page.len() >= PAGE {
            let bytes = std::mem::take(&mut self.page);
            let mut whole = bytes.chunks_exact(PAGE);
            whole.by_ref().for_each(|page| self.page(page));
            self.page.extend_from_slice(whole.remainder());
        }
        self.pause();
    }

    /// Nothing may be added for long: what is late goes out.
    pub(super) fn pause(&mut self) {
        if self.written.elapsed() >= LATE {
            self.rest();
        }
    }

    /// Writes all that was added.
    ///
    /// # Errors
    ///
    /// The first that there was since the beginning.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.rest();
        self.failed.as_ref().map_or(Ok(()), |e| Err(io::Error::new(e.kind(), e.to_string())))
    }

    /// Writes the end.
    ///
    /// # Errors
    ///
    /// As [`flush`](Self::flush).
    pub(super) fn finish(&mut self) -> io::Result<()> {
        if self.sink.is_some() {
            self.rest();
            self.page(&[]);
            self.sink = None;
        }
        self.flush()
    }

    /// What there is of a page goes out as it is.
    fn rest(&mut self) {
        let rest = std::mem::take(&mut self.page);
        if !rest.is_empty() {
            self.page(&rest);
        }
    }

    fn page(&mut self, bytes: &[u8]) {
        self.pages += 1;
        self.written = Instant::now();
        let mut packed = DeflateEncoder::new(Vec::new(), Compression::fast());
        let packed = packed.write_all(bytes).and_then(|()| packed.finish()).unwrap_or_default();
        let mut page = Vec::with_capacity(12 + packed.len());
        for number in [bytes.len() as u32, packed.len() as u32, checksum(self.pages, bytes.len(), &packed)] {
            page.extend_from_slice(&number.to_le_bytes());
        }
        page.extend_from_slice(&packed);
        self.emit(&page);
    }

    fn emit(&mut self, bytes: &[u8]) {
        let Some(sink) = &mut self.sink else { return };
        if let Err(e) = sink.write_all(bytes).and_then(|()| sink.flush()) {
            (self.sink, self.failed) = (None, Some(e));
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.rest();
    }
}

fn checksum(page: u64, len: usize, packed: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(&page.to_le_bytes());
    crc.update(&(len as u64).to_le_bytes());
    crc.update(packed);
    crc.sum()
}

/// Reads the bytes of a log in turn. Its pages stay compressed until they are come to.
pub(super) struct Reader {
    log: Vec<u8>,
    /// Where the next page begins, and its number.
    at: usize,
    pages: u64,
    page: Vec<u8>,
    begin: usize,
    /// How many bytes are still to come.
    left: u64,
}

impl Reader {
    /// Reads a log of which every page has been looked at. With `salvage` it ends where the whole pages do.
    pub(super) fn open(log: Vec<u8>, salvage: bool) -> Result<Self, LogError> {
        let rest = log.strip_prefix(MAGIC).ok_or(LogError::NotALog)?;
        let version = rest.first_chunk().ok_or(LogError::CutOff { pages: 0 })?;
        match u32::from_le_bytes(*version) {
            VERSION => {}
            found => return Err(LogError::Version { found }),
        }
        let begin = MAGIC.len() + 4;
        let mut reader = Self { log, at: begin, pages: 0, page: Vec::new(), begin: 0, left: 0 };
        let mut bytes = 0;
        let last = loop {
            match reader.next_page() {
                Ok(0) if reader.at == reader.log.len() => break Ok(()),
                Ok(0) => break Err(LogError::Damaged),
                Ok(n) => bytes += n as u64,
                Err(e) => break Err(e),
            }
        };
        if !salvage {
            last?;
        }
        Ok(Self { at: begin, pages: 0, page: Vec::new(), left: bytes, ..reader })
    }

    /// Comes to the next page: how many bytes it has.
    fn next_page(&mut self) -> Result<usize, LogError> {
        let cut_off = LogError::CutOff { pages: self.pages };
        self.pages += 1;
        let wrong = LogError::Checksum { page: self.pages };
        let Some((head, rest)) = self.log[self.at..].split_first_chunk::<12>() else { return Err(cut_off) };
        let number = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let (len, packed, sum) = (number(0) as usize, number(4) as usize, number(8));
        if len > PAGE || packed > PAGE + SLACK {
            return Err(wrong);
        }
        let Some(packed) = rest.get(..packed) else { return Err(cut_off) };
        if checksum(self.pages, len, packed) != sum {
            return Err(wrong);
        }
        (self.begin, self.at) = (0, self.at + 12 + packed.len());
        self.page.clear();
        let unpacked = DeflateDecoder::new(packed).take(len as u64 + 1).read_to_end(&mut self.page);
        if unpacked.is_ok() && self.page.len() == len { Ok(len) } else { Err(LogError::Damaged) }
    }

    /// Whether nothing is to come any more.
    pub(super) fn is_empty(&self) -> bool {
        self.left == 0
    }

    /// The next `len` bytes.
    pub(super) fn take(&mut self, len: u64) -> Result<Vec<u8>, Damaged> {
        self.left = self.left.checked_sub(len).ok_or(Damaged)?;
        let (mut bytes, mut len) = (Vec::new(), len as usize);
        while len > 0 {
            if self.begin == self.page.len() {
                self.next_page().map_err(|_| Damaged)?;
            }
            let some = &self.page[self.begin..];
            let some = &some[..some.len().min(len)];
            bytes.extend_from_slice(some);
            (self.begin, len) = (self.begin + some.len(), len - some.len());
        }
        Ok(bytes)
    }

    /// The next byte.
    pub(super) fn byte(&mut self) -> Result<u8, Damaged> {
        match self.page.get(self.begin) {
            Some(byte) => {
                (self.begin, self.left) = (self.begin + 1, self.left - 1);
                Ok(*byte)
            }
            None => Ok(self.take(1)?[0]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sink::Shared;
    use super::*;

    fn written(pieces: &[&[u8]]) -> Vec<u8> {
        let sink = Shared::default();
        let mut writer = Writer::new(Box::new(sink.clone()));
        pieces.iter().for_each(|piece| writer.add(|to| to.extend_from_slice(piece)));
        writer.finish().unwrap();
        sink.contents()
    }

    #[test]
    fn what_is_written_is_read_across_pages() {
        let large: Vec<u8> =
            (0..300_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        let log = written(&[b"one", &large, b"two"]);
        let mut reader = Reader::open(log, false).unwrap();
        assert_eq!(reader.take(3).unwrap(), b"one");
        assert_eq!(reader.take(large.len() as u64).unwrap(), large);
        assert_eq!([b't', b'w', b'o'].map(|_| reader.byte().unwrap()), *b"two");
        assert!(reader.is_empty() && reader.byte().is_err() && reader.take(1).is_err());
    }

    #[test]
    fn no_more_is_promised_than_there_is() {
        let mut reader = Reader::open(written(&[b"abc"]), false).unwrap();
        assert!(reader.take(u64::MAX).is_err());
    }

    #[test]
    fn every_change_is_found() {
        let log = written(&[&[7; 100_000], b"end"]);
        for at in 0..log.len() {
            for bit in [0, 3, 7] {
                let mut changed = log.clone();
                changed[at] ^= 1 << bit;
                assert!(Reader::open(changed, false).is_err(), "byte {at}, bit {bit}");
            }
            assert!(Reader::open(log[..at].to_vec(), false).is_err(), "the first {at} bytes");
        }
        assert_eq!(Reader::open([&log[..], b"x"].concat(), false).err(), Some(LogError::Damaged));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let log = written(&[&[7; 100_000]]);
        let open = |log: &[u8]| Reader::open(log.to_vec(), false).err();
        assert_eq!(open(b"\0asm"), Some(LogError::NotALog));
        assert_eq!(open(&log[..log.len() - 1]), Some(LogError::CutOff { pages: 2 }));
        let mut newer = log.clone();
        newer[MAGIC.len()] = 2;
        assert_eq!(open(&newer), Some(LogError::Version { found: 2 }));
        let mut damaged = log.clone();
        damaged[MAGIC.len() + 4 + 12] ^= 1;
        assert_eq!(open(&damaged), Some(LogError::Checksum { page: 1 }));
        let mut reader = Reader::open(log[..log.len() - 13].to_vec(), true).unwrap();
        assert_eq!(reader.take(PAGE as u64).unwrap(), [7; PAGE]);
    }
}
