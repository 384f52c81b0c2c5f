//! Options of `totpctl explain`, and of the commands on rules.

use clap::{Args, Subcommand};
use clap_complete::engine::ArgValueCandidates;

use super::{candidates, service};

#[derive(Args, Debug)]
pub(crate) struct Explain {
    /// The user who logs in; for sudo the one who asks, for su the one that is asked for
    #[arg(add = ArgValueCandidates::new(candidates::users))]
    pub(crate) user: String,
    /// The PAM service: sshd, sudo, su, login
    #[arg(value_parser = service::name, add = ArgValueCandidates::new(candidates::services))]
    pub(crate) service: String,
    /// Where the login comes from: an address, or local; by default nobody knows
    #[arg(long, value_name = "ADDRESS|local", value_parser = origin)]
    pub(crate) from: Option<String>,
    /// The user who asks, at su, sudo and pkexec; the login is then local
    #[arg(long = "as", value_name = "CALLER", add = ArgValueCandidates::new(candidates::users))]
    pub(crate) caller: Option<String>,
    /// When: a day, or a time as 2027-01-15T18:00:00+01:00; by default now
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) at: Option<u64>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// Have totpd read its configuration again, and put the rules in force
    ///
    /// Logins see either all of the old rules or all of the new ones. If a file has a fault, the
    /// old rules stay in force. The command then fails with file, line and what to do. Only rules
    /// change. The command names the other keys that differ, which need a restart.
    Reload,
    /// Compare a file with the rules in force: which logins would need something else
    ///
    /// The file stands for the file of its name, which is totpd.toml or a drop-in, and is not
    /// written. Without FILE, the files of the configuration count as they are, before a reload.
    /// Users are those that rules name, those who have a factor, and members of groups. Services
    /// and networks are those that rules name, and any other. Exit status 0 if nothing changes, 5
    /// if something does, 1 if the file has a fault.
    Check {
        /// The file
        #[arg(value_parser = super::file::path)]
        file: Option<std::path::PathBuf>,
    },
}

fn origin(text: &str) -> Result<String, &'static str> {
    match text {
        "" => Err("write an address, or local"),
        "seat" => Err("rules know no seat yet; write local, or an address"),
        text => Ok(text.to_owned()),
    }
}

/// Reads a day, which begins at midnight in the time zone of this machine, or a time of RFC 3339.
fn time(text: &str) -> Result<u64, &'static str> {
    let expected =
        "write a day (2027-01-15), or a time with its offset (2027-01-15T18:00:00+01:00)";
    let time = match text.parse::<jiff::civil::Date>() {
        Ok(day) if text.len() == DAY_BYTES => {
            let zone = jiff::tz::TimeZone::system();
            day.to_zoned(zone).map_err(|_| expected)?.timestamp()
        }
        // jiff also reads names of zones in brackets, which are not in RFC 3339.
        _ if text.contains('[') => return Err(expected),
        _ => text.parse::<jiff::Timestamp>().map_err(|_| expected)?,
    };
    u64::try_from(time.as_second()).map_err(|_| "write a time after 1970")
}

/// The bytes of a day such as `2027-01-15`.
const DAY_BYTES: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_an_offset_or_is_a_day() {
        for (text, expected) in [
            ("2027-01-15T00:00:00Z", Ok(1_799_971_200)),
            ("2027-01-15T01:00:00+01:00", Ok(1_799_971_200)),
            ("1970-01-01T00:00:00Z", Ok(0)),
        ] {
            assert_eq!(time(text), expected, "{text}");
        }
        assert!(time("2027-01-15").is_ok());
        for text in [
            "",
            "tomorrow",
            "2027-01-15T00:00:00",
            "2027-02-29",
            "1969-12-31T00:00:00Z",
            "15.01.2027",
        ] {
            assert!(time(text).is_err(), "{text}");
        }
        assert!(time("2027-01-15T00:00:00+01:00[Europe/Berlin]").is_err());
    }

    #[test]
    fn a_seat_is_refused_in_words() {
        assert_eq!(origin("10.1.2.3"), Ok("10.1.2.3".to_owned()));
        assert!(origin("seat").unwrap_err().contains("no seat yet"));
        assert!(origin("").is_err());
    }
}
