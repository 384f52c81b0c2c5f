//! The greatest files that somebody could make of harmful pieces. Each is read by a process that
//! has 64 MiB for all it holds, the file too.
#![allow(clippy::disallowed_methods, reason = "tests")]

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use totpd_formats::reading::{Format, Passphrase, Rules};
use zeroize::Zeroizing;

/// Format, start, the piece that is repeated, end.
type Case = (Format, &'static str, &'static str, &'static str);

#[test]
fn no_file_takes_more_than_64_mebibytes() {
    for (number, case) in CASES.iter().enumerate() {
        let start = Instant::now();
        let child = Command::new("sh")
            .args([
                "-c",
                "ulimit -d 65536; exec \"$0\" --exact read_one --nocapture --test-threads 1",
            ])
            .arg(std::env::current_exe().unwrap())
            .env(NUMBER, number.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let output = child.unwrap().wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && told.contains("read"), "{case:?}: {told}");
        // A processor that others use too; the bound is against what never ends.
        assert!(start.elapsed() < Duration::from_secs(120), "{case:?}: {:?}", start.elapsed());
    }
}

/// Reads one file, if it is told which. The test above runs it in a process of its own.
#[test]
fn read_one() {
    let Ok(number) = std::env::var(NUMBER) else { return };
    let (format, start, piece, end) = CASES[number.parse::<usize>().unwrap()];
    let mut bytes = Vec::with_capacity(format.max_bytes());
    bytes.extend(start.as_bytes());
    while bytes.len() + piece.len() + end.len() <= format.max_bytes() {
        bytes.extend(piece.as_bytes());
    }
    bytes.extend(end.as_bytes());
    let passphrase = Passphrase::new(Zeroizing::new("6465666768696a6b6c6d6e6f70717273".to_owned()));
    let mut count = 0_u64;
    let mut sink = |_| count += 1;
    let result = totpd_formats::readers::read(
        format,
        &bytes,
        Some(&passphrase),
        &Rules::at(1 << 31),
        &mut sink,
    );
    #[allow(clippy::print_stderr, reason = "it says that it was reached")]
    {
        eprintln!("read {count}: {result:?}");
    }
}

const NUMBER: &str = "TOTPD_FORMATS_CASE";
const VAULT: &str = "{\"version\":1,\"header\":{\"slots\":null,\"params\":null},\"db\":{\"version\":1,\"entries\":[";
const SLOTS: &str = "{\"version\":1,\"db\":\"\",\"header\":{\"params\":null,\"slots\":[";
const SLOT: &str = "{\"type\":1,\"key\":\"\",\"key_params\":{\"nonce\":\"\",\"tag\":\"\"},\"n\":32768,\"r\":8,\"p\":1,\"salt\":\"\"},";
const CONTAINER: &str = "<KeyContainer>";

const CASES: [Case; 39] = [
    (Format::Aegis, "", "[", ""),
    (Format::Aegis, VAULT, "{\"type\":\"\",\"info\":{}},", "{\"type\":\"\",\"info\":{}}]}}"),
    (Format::Aegis, SLOTS, SLOT, "null]}}"),
    (
        Format::Aegis,
        SLOTS,
        SLOT,
        "{\"type\":9,\"key\":\"\",\"key_params\":{\"nonce\":\"\",\"tag\":\"\"}}]}}",
    ),
    (
        Format::Aegis,
        "{\"version\":1,\"header\":{\"slots\":[],\"params\":null},\"db\":\"",
        "\\/",
        "\"}",
    ),
    (Format::Aegis, "{\"version\":1,\"x\":[", "{},", "0]}"),
    (Format::Csv, "serial,seed\n", "a,b\n", ""),
    (Format::Csv, "serial,seed\n", ",\n", ""),
    (Format::Csv, "", ",", ""),
    (Format::Csv, "", "a,\"", ""),
    (Format::Csv, "serial,seed\nx,\"", "3132\n", "\"\n"),
    (Format::Csv, "", "\n", "a,b"),
    (Format::FreeIpa, "", "a:b\n", ""),
    (Format::FreeIpa, "", "a:\n\n", ""),
    (Format::FreeIpa, "objectClass: ipatokentotp\nipatokenotpkey::", " QUFB\n", ""),
    (
        Format::FreeIpa,
        "",
        "objectClass: ipatokentotp\nipatokenotpkey: 12345678901234567890\n\n",
        "",
    ),
    (Format::GoogleAuthenticator, "GEZDGNBVGY3TQOJQ\n\" TOTP_AUTH\n\" DISALLOW_REUSE", " 1", "\n"),
    (Format::GoogleAuthenticator, "GEZDGNBVGY3TQOJQ\n\" TOTP_AUTH\n", "12345678\n", ""),
    (Format::GoogleAuthenticator, "GEZDGNBVGY3TQOJQ\n\" TOTP_AUTH\n", "\" A\n", ""),
    (Format::Oath, "", "HOTP\n", ""),
    (Format::Oath, "", "#\n", ""),
    (Format::Oath, "HOTP a - ", "31", "\n"),
    (
        Format::Oath,
        "",
        "HOTP/T30 a - 3132333435363738393031323334353637383930 0 1234567 2026-11-28T00:30:10L\n",
        "",
    ),
    (Format::Otpauth, "", "otpauth://totp/x?secret=GEZDGNBVGY3TQOJQ\n", ""),
    (Format::Otpauth, "otpauth://totp/x?", "&a=", "\n"),
    (Format::Otpauth, "", "x\n", ""),
    (Format::OtpauthMigration, "", "otpauth-migration://offline?data=CgA\n", ""),
    (Format::OtpauthMigration, "otpauth-migration://offline?data=", "CgAK", "\n"),
    (Format::PrivacyIdea, "[", "{},", "{}]"),
    (Format::PrivacyIdea, "", "- a: b\n", ""),
    (Format::PrivacyIdea, "- a: '", "b\n", ""),
    (Format::PrivacyIdea, "", "a, b, c, totp, 6\n", ""),
    (Format::PrivacyIdea, "gAAAAA", "AAAA", ""),
    (Format::Pskc, CONTAINER, "<a>", ""),
    (Format::Pskc, CONTAINER, "<a/>", "</KeyContainer>"),
    (Format::Pskc, CONTAINER, "<KeyPackage/>", "</KeyContainer>"),
    (Format::Pskc, "<KeyContainer", " a=\"\"", "/>"),
    (Format::Pskc, CONTAINER, "&lt;", "</KeyContainer>"),
    (Format::Pskc, "<KeyContainer><KeyPackage><Key><Data><Secret><PlainValue>", "QUFB\n", ""),
];
