//! Signatures: which types a message or a variant says that it has.

use crate::wire::Malformed;

/// Divides a signature into its first complete type and the rest.
pub(super) fn split_first(signature: &[u8]) -> Result<(&[u8], &[u8]), Malformed> {
    let length = first_length(signature, Depth::default())?;
    signature.split_at_checked(length).ok_or(Malformed)
}

/// Reports an error if a signature is no sequence of complete types.
pub(super) fn check(mut signature: &[u8]) -> Result<(), Malformed> {
    while !signature.is_empty() {
        (_, signature) = split_first(signature)?;
    }
    Ok(())
}

/// Returns the alignment of the values of a type.
pub(super) fn alignment(kind: &[u8]) -> usize {
    match kind.first() {
        Some(b'n' | b'q') => 2,
        Some(b'b' | b'i' | b'u' | b'h' | b's' | b'o' | b'a') => 4,
        Some(b'x' | b't' | b'd' | b'(' | b'{') => 8,
        _ => 1,
    }
}

/// How deep a type stands in arrays and structures.
#[derive(Clone, Copy, Default)]
struct Depth {
    arrays: u32,
    structures: u32,
}

/// Returns the number of bytes of the first complete type.
fn first_length(signature: &[u8], depth: Depth) -> Result<usize, Malformed> {
    let (first, rest) = signature.split_first().ok_or(Malformed)?;
    match first {
        b'a' => {
            let depth = Depth { arrays: depth.arrays + 1, ..depth };
            if depth.arrays > MAX_NESTED {
                return Err(Malformed);
            }
            match rest.split_first() {
                Some((b'{', entry)) => Ok(3 + entry_length(entry, depth)?),
                _ => Ok(1 + first_length(rest, depth)?),
            }
        }
        b'(' => {
            let depth = Depth { structures: depth.structures + 1, ..depth };
            if depth.structures > MAX_NESTED {
                return Err(Malformed);
            }
            let mut length = 0;
            loop {
                length += first_length(rest.get(length..).unwrap_or_default(), depth)?;
                if rest.get(length) == Some(&b')') {
                    return Ok(length + 2);
                }
            }
        }
        b'v' => Ok(1),
        other if is_basic(*other) => Ok(1),
        _ => Err(Malformed),
    }
}

/// Returns the number of bytes of key and value, which end at a brace.
fn entry_length(entry: &[u8], depth: Depth) -> Result<usize, Malformed> {
    let (_, value) = entry.split_first().filter(|(key, _)| is_basic(**key)).ok_or(Malformed)?;
    let length = 1 + first_length(value, depth)?;
    if entry.get(length) == Some(&b'}') { Ok(length) } else { Err(Malformed) }
}

fn is_basic(kind: u8) -> bool {
    matches!(
        kind,
        b'y' | b'b' | b'n' | b'q' | b'i' | b'u' | b'x' | b't' | b'd' | b's' | b'o' | b'g' | b'h'
    )
}

/// The maximum depth of arrays, and of structures, in one signature.
const MAX_NESTED: u32 = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_a_sequence_of_complete_types() {
        let deep = |count| format!("{}y", "a".repeat(count));
        let nested = |count| format!("{}y{}", "(".repeat(count), ")".repeat(count));
        for good in ["", "s", "sa{sv}", "ssa{sv}", "a(yv)", "a{s(iu)}", "(y(s)ay)v", "aaah"] {
            assert_eq!(check(good.as_bytes()), Ok(()), "{good}");
        }
        assert!(check(deep(32).as_bytes()).is_ok() && check(nested(32).as_bytes()).is_ok());
        for bad in [
            "a", "(", "()", ")", "(s", "{sv}", "a{s}", "a{vs}", "a{sss}", "a{sv", "z", "a{}",
            "((s)",
        ] {
            assert_eq!(check(bad.as_bytes()), Err(Malformed), "{bad}");
        }
        assert!(check(deep(33).as_bytes()).is_err() && check(nested(33).as_bytes()).is_err());
    }
}
