//! How values stand in a log.

use super::log::{Damaged, Reader};
use bytes::Bytes;
use std::time::Duration;

/// A value that a log can hold.
pub(super) trait Codec: Sized {
    fn put(&self, to: &mut Vec<u8>);
    fn get(from: &mut Reader) -> Result<Self, Damaged>;
}

/// What a call answers.
pub(super) trait Answer: Codec {
    /// What is said once the replay has gone astray: that it failed, where it can.
    fn astray() -> Self;
}

/// Seven bits to a byte, the low ones first.
impl Codec for u64 {
    fn put(&self, to: &mut Vec<u8>) {
        let mut left = *self;
        while left > 0x7f {
            to.push(left as u8 | 0x80);
            left >>= 7;
        }
        to.push(left as u8);
    }

    fn get(from: &mut Reader) -> Result<Self, Damaged> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = from.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                return Err(Damaged);
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(Damaged)
    }
}

/// Numbers of up to 64 bits stand as one of 64.
macro_rules! unsigned {
    ($($number:ty),*) => { $(
        impl Codec for $number {
            fn put(&self, to: &mut Vec<u8>) {
                (*self as u64).put(to);
            }

            fn get(from: &mut Reader) -> Result<Self, Damaged> {
                u64::get(from)?.try_into().map_err(|_| Damaged)
            }
        }
    )* };
}

unsigned!(u8, u16, u32, usize);

macro_rules! signed {
    ($($number:ty as $bits:ty),*) => { $(
        impl Codec for $number {
            fn put(&self, to: &mut Vec<u8>) {
                self.cast_unsigned().put(to);
            }

            fn get(from: &mut Reader) -> Result<Self, Damaged> {
                Ok(<$bits>::get(from)?.cast_signed())
            }
        }
    )* };
}

signed!(i32 as u32, i64 as u64);

impl Codec for u128 {
    fn put(&self, to: &mut Vec<u8>) {
        ((*self as u64), (*self >> 64) as u64).put(to);
    }

    fn get(from: &mut Reader) -> Result<Self, Damaged> {
        let (low, high) = <(u64, u64)>::get(from)?;
        Ok(Self::from(high) << 64 | Self::from(low))
    }
}

impl Codec for bool {
    fn put(&self, to: &mut Vec<u8>) {
        to.push(u8::from(*self));
    }

    fn get(from: &mut Reader) -> Result<Self, Damaged> {
        match from.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Damaged),
        }
    }
}

impl Codec for () {
    fn put(&self, _: &mut Vec<u8>) {}

    fn get(_: &mut Reader) -> Result<Self, Damaged> {
        Ok(())
    }
}

impl Codec for Bytes {
    fn put(&self, to: &mut Vec<u8>) {
        self.len().put(to);
        to.extend_from_slice(self);
    }

    fn get(from: &mut Reader) -> Result<Self, Damaged> {
        let len = u64::get(from)?;
        Ok(from.take(len)?.into())
    }
}

/// The longest text of a log, in bytes, and the longest list: more than programs are given or say. A log that is made up
/// could be a thousand times as long as it is on a disk, and a list take many times more than that.
const LONGEST: u64 = 64 << 20;
const MOST: u64 = 1 << 20;

fn bounded(len: u64, most: u64) -> Result<u64, Damaged> {
    if len <= most { Ok(len) } else { Err(Damaged) }
}

impl Codec for String {
    fn put(&self, to: &mut Vec<u8>) {
        self.len().put(to);
        to.extend_from_slice(self.as_bytes());
    }

    fn get(from: &mut Reader) -> Result<Self, Damaged> {
        let len = bounded(u64::get(from)?, LONGEST)?;
        Self::from_utf8(from.take(len)?).map_err(|_| Damaged)
    }
}

impl<T: Codec> Codec for Vec<T> {
    fn put(&self, to: &mut Vec<u8>) {
        self.len().put(to);
        self.iter().for_each(|item| item.put(to));
    }

    /// Grows with what is there, not with what is said to come.
    fn get(from: &mut Reader) -> Result<Self, Damaged> {
        let len = bounded(u64::get(from)?, MOST)?;
        (0..len).map(|_| if from.is_empty() { Err(Damaged) } else { T::get(from) }).collect()
    }
}

impl<T: Codec> Codec for Option<T> {
    fn put(&self, to: &mut Vec<u8>) {
        self.is_some().put(to);
        if let Some(value) = self {
            value.put(to);
        }
    }

    fn get(from: &mut Reader) -> Result<Self, Damaged> {
        bool::get(from)?.then(|| T::get(from)).transpose()
    }
}

impl<T: Codec, E: Codec> Codec for Result<T, E> {
    fn put(&self, to: &mut Vec<u8>) {
        self.is_ok().put(to);
        match self {
            Ok(value) => value.put(to),
            Err(e) => e.put(to),
        }
    }

    fn get(from: &mut Reader) -> Result<Self, Damaged> {
        Ok(if bool::get(from)? { Ok(T::get(from)?) } else { Err(E::get(from)?) })
    }
}

impl<A: Codec, B: Codec> Codec for (A, B) {
    fn put(&self, to: &mut Vec<u8>) {
        self.0.put(to);
        self.1.put(to);
    }

    fn get(from: &mut Reader) -> Result<Self, Damaged> {
        Ok((A::get(from)?, B::get(from)?))
    }
}

impl Codec for Duration {
    fn put(&self, to: &mut Vec<u8>) {
        (self.as_secs(), self.subsec_nanos()).put(to);
    }

    fn get(from: &mut Reader) -> Result<Self, Damaged> {
        match <(u64, u32)>::get(from)? {
            (seconds, nanoseconds @ ..1_000_000_000) => Ok(Self::new(seconds, nanoseconds)),
            _ => Err(Damaged),
        }
    }
}

/// A value that is one of a list stands for its place there.
macro_rules! listed {
    ($type:ident: $($variant:ident)*) => {
        impl $crate::record::codec::Codec for $type {
            fn put(&self, to: &mut Vec<u8>) {
                const LIST: &[$type] = &[$($type::$variant),*];
                LIST.iter().position(|known| known == self).unwrap_or(LIST.len()).put(to);
            }

            fn get(from: &mut $crate::record::log::Reader) -> Result<Self, $crate::record::log::Damaged> {
                const LIST: &[$type] = &[$($type::$variant),*];
                LIST.get(usize::get(from)?).copied().ok_or($crate::record::log::Damaged)
            }
        }
    };
}

/// A record stands as its fields in turn.
macro_rules! fields {
    ($type:ident: $($field:ident)*) => {
        impl $crate::record::codec::Codec for $type {
            fn put(&self, to: &mut Vec<u8>) {
                $( self.$field.put(to); )*
            }

            fn get(from: &mut $crate::record::log::Reader) -> Result<Self, $crate::record::log::Damaged> {
                $( let $field = $crate::record::codec::Codec::get(from)?; )*
                Ok(Self { $($field),* })
            }
        }
    };
}

pub(super) use {fields, listed};

/// Answers that cannot say that they failed.
macro_rules! infallible {
    ($($type:ty = $astray:expr),* $(,)?) => { $(
        impl $crate::record::codec::Answer for $type {
            fn astray() -> Self {
                $astray
            }
        }
    )* };
}

pub(super) use infallible;

// Who waits for a clock to show some time has waited enough.
infallible! { () = (), bool = false, u32 = 0, u64 = u64::MAX, Duration = Duration::ZERO }

/// The end of a list.
impl<T: Codec> Answer for Option<T> {
    fn astray() -> Self {
        None
    }
}

/// A failure that says that the replay has gone astray.
pub(super) trait Failure: Codec {
    fn astray() -> Self;
}

impl<T: Codec, E: Failure> Answer for Result<T, E> {
    fn astray() -> Self {
        Err(E::astray())
    }
}
