//! The name of a file on the command line.

use std::path::PathBuf;

/// Returns the path of a file.
///
/// # Errors
/// If the name is `-`. Other programs mean standard input or output by it, and these commands do
/// not.
pub(super) fn path(text: &str) -> Result<PathBuf, &'static str> {
    match text {
        "-" => Err(
            "it is no file, and standard input and output are not used here; name a file (./- has \
             that name)",
        ),
        text => Ok(text.into()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use crate::cli::Cli;

    #[test]
    fn a_dash_is_no_file_except_for_a_batch() {
        let parse = |line: &str| Cli::try_parse_from(line.split(' '));
        for line in [
            "totpctl backup",
            "totpctl restore",
            "totpctl restore file --identity",
            "totpctl recovery-codes --save",
            "totpctl enroll --save",
            "totpctl enroll --qr-file",
            "totpctl enroll --batch - --sheet",
        ] {
            let error = parse(&format!("{line} -")).unwrap_err().to_string();
            assert!(error.contains("name a file (./- has that name)"), "{line}: {error}");
            parse(&format!("{line} ./-")).unwrap();
        }
        parse("totpctl enroll --batch -").unwrap();
    }
}
