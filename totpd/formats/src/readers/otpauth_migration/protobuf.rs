//! The encoding of Protocol Buffers: numbered fields, without their names.

/// A field of a message.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Field<'a> {
    Bytes(&'a [u8]),
    Number(u64),
    /// Of a form that no field here has.
    Other,
}

/// The fields of a message with their numbers. What cannot be read ends it with `None`.
pub(super) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// Returns the fields of `message`.
    pub(super) fn of(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    fn field(&mut self) -> Option<(u64, Field<'a>)> {
        let tag = self.number()?;
        let field = match tag & 7 {
            0 => Field::Number(self.number()?),
            1 => self.take(8).map(|_| Field::Other)?,
            2 => {
                let length = usize::try_from(self.number()?).ok()?;
                Field::Bytes(self.take(length)?)
            }
            5 => self.take(4).map(|_| Field::Other)?,
            _ => return None,
        };
        (tag >> 3 > 0).then_some((tag >> 3, field))
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    /// Reads seven bits a byte, the lowest first; a negative number has ten bytes.
    fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            let bits = u64::from(byte & 0x7f);
            number |= bits.checked_shl(shift).filter(|shifted| shifted >> shift == bits)?;
            if *byte < 0x80 {
                return Some(number);
            }
        }
        None
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Option<(u64, Field<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.rest = &[];
        }
        Some(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_by_their_numbers() {
        let message = [
            0x08, 0x96, 0x01, 0x12, 0x02, b'h', b'i', 0x19, 1, 2, 3, 4, 5, 6, 7, 8, 0x25, 1, 2, 3,
            4,
        ];
        let fields: Vec<_> = Fields::of(&message).collect();
        assert_eq!(
            fields,
            [
                Some((1, Field::Number(150))),
                Some((2, Field::Bytes(b"hi"))),
                Some((3, Field::Other)),
                Some((4, Field::Other)),
            ]
        );
        let negative = [&[0x28][..], &[0xff; 9], &[0x01]].concat();
        assert_eq!(Fields::of(&negative).next(), Some(Some((5, Field::Number(u64::MAX)))));
    }

    #[test]
    fn what_cannot_be_read_ends_the_message() {
        for message in [
            &[0x08][..],
            &[0x12, 0x05, b'h'],
            &[0x00, 0x01],
            &[0x0b, 0x01],
            &[0x80],
            &[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02],
            &[0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
            &[0x09, 1, 2, 3],
        ] {
            assert_eq!(Fields::of(message).collect::<Vec<_>>(), [None], "{message:?}");
        }
    }
}
