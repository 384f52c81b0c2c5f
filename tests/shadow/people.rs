//! Users of google-authenticator, of which totpd would not let in five.

use std::process::Command;

use tests::Seed;

/// A user with a phone.
pub(crate) struct Person {
    pub(crate) name: String,
    seed: Seed,
    /// The presses of a token; without it the codes are of the time.
    counts_presses: bool,
    /// The presses so far, plus one.
    pub(crate) presses: u64,
    /// What is wrong with it for totpd.
    fault: Option<Fault>,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Fault {
    /// The clock of the phone is 20 minutes slow, and the other module has learned it.
    Clock,
    /// totpd expects eight digits.
    Digits,
    /// Nobody enrolled it.
    NoFactor,
    /// totpd has another seed.
    Seed,
    /// It types codes of two minutes ago, and the other module has a window of 17 codes.
    Window,
}

/// Returns twenty users. The first twelve have tokens that count presses, the next three an app.
pub(crate) fn people() -> Vec<Person> {
    let faults = [Fault::NoFactor, Fault::Seed, Fault::Digits, Fault::Window, Fault::Clock];
    let person = |number: u32| {
        let fault = usize::try_from(number).ok().and_then(|number| number.checked_sub(16));
        let fault = fault.and_then(|index| faults.get(index).copied());
        Person {
            name: format!("u{number:02}"),
            seed: Seed::numbered(500 + number),
            counts_presses: match fault {
                None => number <= 12,
                Some(fault) => !matches!(fault, Fault::Clock | Fault::Window),
            },
            presses: 1,
            fault,
        }
    };
    (1..=20).map(person).collect()
}

impl Person {
    /// Returns a script that writes the file of google-authenticator.
    pub(crate) fn write_file(&self) -> String {
        let kind = match self.counts_presses {
            true => format!("\" HOTP_COUNTER {}", self.presses),
            false => "\" TOTP_AUTH".into(),
        };
        let more = match self.fault {
            Some(Fault::Clock) => "\n\" TIME_SKEW -40",
            Some(Fault::Window) => "\n\" WINDOW_SIZE 17",
            _ => "",
        };
        let (name, seed) = (&self.name, &self.seed.0);
        let file = format!("/home/{name}/.google_authenticator");
        format!(
            "rm -f {file}; cat >{file} <<'END'\n{seed}\n{kind}{more}\nEND\n\
             chown {name}: {file}; chmod 400 {file}"
        )
    }

    /// Returns its line of a batch for totpd, if somebody enrolls it.
    pub(crate) fn line_of_batch(&self) -> Option<String> {
        let seed = match self.fault {
            Some(Fault::NoFactor) => return None,
            Some(Fault::Seed) => Seed::numbered(900),
            _ => self.seed.clone(),
        };
        let digits = if self.fault == Some(Fault::Digits) { 8 } else { 6 };
        let (kind, counter) = match self.counts_presses {
            true => ("hotp", format!("&counter={}", self.presses)),
            false => ("totp", String::new()),
        };
        let uri = format!("otpauth://{kind}/x?secret={}&digits={digits}{counter}", seed.0);
        Some(format!("{{\"user\":\"{}\",\"secret\":\"{uri}\"}}\n", self.name))
    }

    /// Corrects what is wrong with it.
    pub(crate) fn correct(&mut self) {
        self.fault = None;
    }

    /// Reports whether it types a right code in a round. Each third code is wrong. An app shows one
    /// code for a whole test, and totpd accepts it once.
    pub(crate) fn is_right_in(&self, round: u32) -> bool {
        match self.counts_presses || self.fault.is_some() {
            true => round % 3 != 2,
            false => round == 0,
        }
    }

    /// Returns what it types: the code that google-authenticator accepts, or a wrong one.
    pub(crate) fn type_code(&mut self, is_right: bool) -> String {
        if is_right { self.type_code_after(0) } else { self.seed.wrong_code() }
    }

    /// Returns the right code of so many seconds from now, or of the next press.
    pub(crate) fn type_code_after(&mut self, seconds: i64) -> String {
        if !self.counts_presses {
            return self.seed.code_after(match self.fault {
                Some(Fault::Clock) => seconds - 40 * 30,
                Some(Fault::Window) => seconds - 4 * 30,
                _ => seconds,
            });
        }
        let counter = self.presses;
        self.presses += 1;
        let out = Command::new("oathtool")
            .args(["--hotp", "--base32", "--counter", &counter.to_string(), &self.seed.0])
            .output()
            .expect("oathtool");
        assert!(out.status.success(), "{out:?}");
        String::from_utf8(out.stdout).unwrap().trim().to_owned()
    }
}
