//! The advice to people about a wrong first code.

use totpd_core::enrollment::Diagnosis;

/// Returns the possible cause, in words. Unless the clock of this machine is known to be right, it
/// may be the cause too.
pub(crate) fn advice(diagnosis: &Diagnosis, is_clock_right: bool) -> String {
    match diagnosis {
        Diagnosis::AdjacentStep { before: true } => {
            "That is the code before: type the one that the app shows now.".into()
        }
        Diagnosis::AdjacentStep { before: false } => {
            "That is the code after: the clock of the phone is a little fast.".into()
        }
        Diagnosis::ClockSkew { ahead } => {
            let (side, other) = if *ahead < 0 { ("slow", "fast") } else { ("fast", "slow") };
            let phone =
                format!("The clock of your phone is {} {side}.", duration(ahead.unsigned_abs()));
            match is_clock_right {
                true => phone,
                false => format!("{phone} Or the clock of this machine is {other}."),
            }
        }
        Diagnosis::ParametersIgnored { algorithm, digits, period } => {
            let mut ignored = Vec::new();
            let mut instead = Vec::new();
            if algorithm.name() != "SHA1" {
                ignored.push(algorithm.name().to_owned());
                instead.push("--algorithm SHA1");
            }
            if *digits != 6 {
                ignored.push(format!("{digits} digits"));
                instead.push("--digits 6");
            }
            if *period != 30 {
                ignored.push(format!("{period} seconds"));
                instead.push("--period 30");
            }
            let (ignored, instead) = (ignored.join(" and "), instead.join(" "));
            format!("Your app ignored {ignored}: enroll again with {instead}.")
        }
        Diagnosis::OtherFactor => {
            "That is a code of the factor that you had before: look at the new entry of the app."
                .into()
        }
        Diagnosis::Replayed => "That code was used already: type the next one.".into(),
        Diagnosis::Unknown => {
            "Check that it is the right entry of the app, and type its newest code.".into()
        }
    }
}

fn duration(seconds: u64) -> String {
    match seconds {
        0..=90 => format!("{seconds} seconds"),
        _ => format!("{} minutes", (seconds + 30) / 60),
    }
}

#[cfg(test)]
mod tests {
    use totpd_core::otp::Algorithm;

    use super::*;

    #[test]
    fn a_diagnosis_says_what_to_do() {
        let ignored =
            |algorithm, digits, period| Diagnosis::ParametersIgnored { algorithm, digits, period };
        for (diagnosis, expected) in [
            (Diagnosis::ClockSkew { ahead: -240 }, "The clock of your phone is 4 minutes slow."),
            (Diagnosis::ClockSkew { ahead: 90 }, "The clock of your phone is 90 seconds fast."),
            (Diagnosis::ClockSkew { ahead: 100 }, "The clock of your phone is 2 minutes fast."),
            (
                ignored(Algorithm::Sha256, 6, 30),
                "Your app ignored SHA256: enroll again with --algorithm SHA1.",
            ),
            (
                ignored(Algorithm::Sha512, 8, 60),
                "Your app ignored SHA512 and 8 digits and 60 seconds: enroll again with --algorithm \
                 SHA1 --digits 6 --period 30.",
            ),
        ] {
            assert_eq!(advice(&diagnosis, true), expected);
        }
    }

    #[test]
    fn a_clock_that_is_not_known_to_be_right_is_named_too() {
        for (ahead, expected) in [
            (
                -240,
                "The clock of your phone is 4 minutes slow. Or the clock of this machine is fast.",
            ),
            (
                90,
                "The clock of your phone is 90 seconds fast. Or the clock of this machine is slow.",
            ),
        ] {
            assert_eq!(advice(&Diagnosis::ClockSkew { ahead }, false), expected);
        }
        assert_eq!(advice(&Diagnosis::Replayed, false), advice(&Diagnosis::Replayed, true));
    }
}
