//! Reads basic values of D-Bus from bytes of either byte order.

use std::fmt;

use crate::wire::{ByteOrder, Malformed};

/// The bytes of a message or of its body, and the place of the next value. The first byte is
/// aligned to eight.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    order: ByteOrder,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8], order: ByteOrder) -> Self {
        Self { bytes, at: 0, order }
    }

    /// Returns the place of the next byte.
    pub(super) fn place(&self) -> usize {
        self.at
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at == self.bytes.len()
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let end = self.at.checked_add(count).ok_or(Malformed)?;
        let taken = self.bytes.get(self.at..end).ok_or(Malformed)?;
        self.at = end;
        Ok(taken)
    }

    /// Skips the bytes up to a multiple of `alignment`, which are zero.
    pub(super) fn pad(&mut self, alignment: usize) -> Result<(), Malformed> {
        let padding = self.take(self.at.next_multiple_of(alignment) - self.at)?;
        if padding.iter().all(|byte| *byte == 0) { Ok(()) } else { Err(Malformed) }
    }

    fn aligned<const COUNT: usize>(&mut self) -> Result<[u8; COUNT], Malformed> {
        self.pad(COUNT)?;
        self.take(COUNT)?.try_into().map_err(|_| Malformed)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Malformed> {
        let [byte] = self.aligned()?;
        Ok(byte)
    }

    pub(super) fn number(&mut self) -> Result<u32, Malformed> {
        let bytes = self.aligned()?;
        Ok(match self.order {
            ByteOrder::Big => u32::from_be_bytes(bytes),
            ByteOrder::Little => u32::from_le_bytes(bytes),
        })
    }

    pub(super) fn number64(&mut self) -> Result<u64, Malformed> {
        let bytes = self.aligned()?;
        Ok(match self.order {
            ByteOrder::Big => u64::from_be_bytes(bytes),
            ByteOrder::Little => u64::from_le_bytes(bytes),
        })
    }

    pub(super) fn flag(&mut self) -> Result<bool, Malformed> {
        match self.number()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Malformed),
        }
    }

    /// Reads the number of bytes of a string or an array.
    pub(super) fn length(&mut self) -> Result<usize, Malformed> {
        usize::try_from(self.number()?).map_err(|_| Malformed)
    }

    /// Reads a string or an object path.
    pub(super) fn text(&mut self) -> Result<&'a str, Malformed> {
        let length = self.length()?;
        self.terminated(length)
    }

    /// Reads a signature.
    pub(super) fn signature(&mut self) -> Result<&'a str, Malformed> {
        let length = usize::from(self.byte()?);
        self.terminated(length)
    }

    fn terminated(&mut self, length: usize) -> Result<&'a str, Malformed> {
        let text = self.take(length)?;
        if text.contains(&0) || self.take(1)? != [0] {
            return Err(Malformed);
        }
        str::from_utf8(text).map_err(|_| Malformed)
    }
}

/// Prints nothing of the message, which may hold a key or a token.
impl fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
