//! Exports, made from the fields that the programs agree on which read them.

use totpd_core::factor::Kind;
use totpd_core::otp::Algorithm;

use super::*;
use crate::readers::read as read_file;
use crate::readers::tests::entries_of;
use crate::reading::{Format, Outcome};

/// Returns a field of bytes.
fn bytes(number: u8, content: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2, u8::try_from(content.len()).unwrap()], content].concat()
}

fn account(hash: u8, digits: u8, kind: u8, more: &[u8]) -> Vec<u8> {
    let seed = bytes(1, b"12345678901234567890");
    let names = [bytes(2, b"Corp:alice"), bytes(3, b"Corp")].concat();
    bytes(1, &[&seed[..], &names, &[0x20, hash, 0x28, digits, 0x30, kind], more].concat())
}

pub(crate) fn link(payload: &[u8]) -> String {
    let data = data_encoding::BASE64.encode(payload);
    let data = data.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    format!("otpauth-migration://offline?data={data}\n")
}

/// The end of a payload: version 1, part `index` of `of`, of a batch with a negative number.
fn end(index: u8, of: u8) -> Vec<u8> {
    [&[0x10, 1, 0x18, of, 0x20, index, 0x28][..], &[0xff; 9], &[0x01]].concat()
}

#[test]
fn an_export_in_two_parts_is_read() {
    let first = [account(1, 1, 2, &[]), account(2, 2, 2, &[]), end(0, 2)].concat();
    let second = [account(1, 1, 1, &[0x38, 41]), end(1, 2)].concat();
    let text = format!("{}\n{}", link(&first), link(&second));
    let rules = Rules::at(0);
    let mut found = Vec::new();
    let mut sink = |entry: Entry| {
        let Outcome::Factor(factor) = entry.outcome else { panic!("{:?}", entry.outcome) };
        assert_eq!((&*entry.issuer, &*entry.label), ("Corp", "alice"));
        assert_eq!(factor.seed.bytes(), b"12345678901234567890");
        found.push((
            entry.place,
            factor.kind,
            factor.algorithm,
            factor.digits,
            factor.last_accepted,
        ));
    };
    let format = Format::OtpauthMigration;
    let summary = read_file(format, text.as_bytes(), None, &rules, &mut sink).unwrap();
    let totp = Kind::Totp { period: 30 };
    assert_eq!(
        found,
        [
            (Place::Entry(1), totp, Algorithm::Sha1, 6, None),
            (Place::Entry(2), totp, Algorithm::Sha256, 8, None),
            (Place::Entry(3), Kind::Hotp, Algorithm::Sha1, 6, Some(41)),
        ]
    );
    let part = |index| Part { batch: -1, index, of: 2 };
    assert_eq!(summary.parts, [part(0), part(1)]);
}

#[test]
fn what_is_no_token_is_left() {
    let payload = [
        account(4, 1, 2, &[]),
        account(1, 5, 2, &[]),
        account(1, 1, 0, &[]),
        account(1, 1, 3, &[]),
        bytes(1, &[0x30, 2]),
    ];
    let text = link(&[&payload.concat()[..], &end(0, 1)].concat());
    let entries = entries_of(Format::OtpauthMigration, text.as_bytes(), &Rules::at(0));
    let left: Vec<_> = entries
        .into_iter()
        .map(|entry| match entry.outcome {
            Outcome::Left(reason) => reason,
            Outcome::Factor(factor) => panic!("{factor:?}"),
        })
        .collect();
    let text = ToOwned::to_owned;
    assert_eq!(
        left,
        [
            Reason::Algorithm(text("MD5")),
            Reason::Digits(text("kind 5")),
            Reason::NotOath(text("kind 0")),
            Reason::NotOath(text("kind 3")),
            Reason::NoSeed,
        ]
    );
}

#[test]
fn a_blank_in_the_data_is_a_plus_sign() {
    let seed = [0xef, 0xbe, 0xfb, 0xef, 0xbe, 0xfb, 0xef, 0xbe, 0xfb, 0xef, 0xbe, 0xfb];
    let payload = bytes(1, &[&bytes(1, &seed)[..], &[0x30, 2]].concat());
    let data = data_encoding::BASE64.encode(&payload);
    assert!(data.contains('+'), "{data}");
    for data in [data.clone(), data.replace('+', " "), data.replace('+', "-").replace('=', "")] {
        let text = format!("otpauth-migration://offline?data={data}");
        let entries = entries_of(Format::OtpauthMigration, text.as_bytes(), &Rules::at(0));
        let Outcome::Factor(factor) = &entries[0].outcome else { panic!("{entries:?}") };
        assert_eq!(factor.seed.bytes(), seed);
    }
}

#[test]
fn what_is_no_export_is_refused_whole() {
    let good = [account(1, 1, 2, &[]), end(0, 1)].concat();
    for text in [
        "otpauth://totp/x?secret=GEZDGNBV".to_owned(),
        "otpauth-migration://offline".to_owned(),
        "otpauth-migration://offline?data=%%%".to_owned(),
        link(&good[..good.len() - 1]),
        link(&[&good[..], &end(2, 2)].concat()),
        link(&[&good[..], &[0x10, 9]].concat()),
        link(&bytes(1, &[0x0a, 200, 1])),
    ] {
        let result = read_file(
            Format::OtpauthMigration,
            text.as_bytes(),
            None,
            &Rules::at(0),
            &mut |entry| panic!("{entry:?}"),
        );
        assert!(matches!(result, Err(Refusal::Syntax(_) | Refusal::UnknownVersion(_))), "{text}");
    }
}

/// Returns a picture of the QR codes of these texts, one above the other, `dot` pixels a dot.
#[cfg(feature = "pictures")]
fn picture(texts: &[&str], dot: usize, color: png::ColorType) -> Vec<u8> {
    let codes: Vec<_> =
        texts.iter().map(|text| totpd_qr::Picture::new(text.trim(), 4).unwrap()).collect();
    let width = codes.iter().map(totpd_qr::Picture::width).max().unwrap() * dot;
    let height: usize = codes.iter().map(|code| code.width() * dot).sum();
    let mut pixels = Vec::new();
    for code in &codes {
        for y in 0..code.width() * dot {
            let dark = (0..width).map(|x| code.is_dark(x / dot, y / dot));
            pixels.extend(dark.flat_map(|dark| {
                let shade = if dark { 20 } else { 235 };
                vec![shade; color.samples()]
            }));
        }
    }
    if matches!(color, png::ColorType::Rgba) {
        pixels.iter_mut().skip(3).step_by(4).for_each(|alpha| *alpha = 255);
    }
    let mut file = Vec::new();
    let size = |length: usize| u32::try_from(length).unwrap();
    let mut encoder = png::Encoder::new(&mut file, size(width), size(height));
    encoder.set_color(color);
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
    file
}

#[cfg(feature = "pictures")]
#[test]
fn qr_codes_of_a_picture_are_read() {
    let first = link(&[account(1, 1, 2, &[]), end(0, 2)].concat());
    let second = link(&[account(1, 1, 2, &[]), account(2, 1, 2, &[]), end(1, 2)].concat());
    for (dot, color) in
        [(3, png::ColorType::Grayscale), (5, png::ColorType::Rgba), (4, png::ColorType::Rgb)]
    {
        let file = picture(&[&first, &second], dot, color);
        let mut count = 0;
        let mut sink = |_| count += 1;
        let format = Format::OtpauthMigration;
        let summary = read_file(format, &file, None, &Rules::at(0), &mut sink).unwrap();
        let places: Vec<_> = summary.parts.iter().map(|part| part.index).collect();
        assert_eq!((count, places), (3, vec![0, 1]), "{dot}");
    }
}

#[cfg(feature = "pictures")]
#[test]
fn a_picture_without_an_export_is_refused() {
    let read = |file: &[u8]| {
        read_file(Format::OtpauthMigration, file, None, &Rules::at(0), &mut |entry| {
            panic!("{entry:?}")
        })
    };
    let other =
        picture(&["otpauth://totp/x?secret=GEZDGNBVGY3TQOJQ"], 4, png::ColorType::Grayscale);
    assert!(matches!(read(&other), Err(Refusal::Syntax(_))));
    let good = picture(&[&link(&account(1, 1, 2, &[]))], 4, png::ColorType::Grayscale);
    assert!(matches!(read(&good[..good.len() / 2]), Err(Refusal::Syntax(_) | Refusal::NoQrCode)));
    assert!(matches!(read(&good[..20]), Err(Refusal::Syntax(_))));
    let mut blank = Vec::new();
    let encoder = png::Encoder::new(&mut blank, 64, 64);
    encoder.write_header().unwrap().write_image_data(&[255; 64 * 64]).unwrap();
    assert_eq!(read(&blank), Err(Refusal::NoQrCode));
    // A picture of more pixels than a screen has, in a few bytes.
    let mut bomb = blank.clone();
    bomb[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
    assert!(matches!(read(&bomb), Err(Refusal::Syntax(_))));
}
