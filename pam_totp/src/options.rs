//! The options of the module, as the administrator wrote them behind its name.

use std::ffi::CStr;
use std::time::Duration;

use totpd_interface::ModuleOption;

/// The options of one line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Options {
    /// `debug`: logs requests and replies, but never a code.
    pub(crate) debug: bool,
    /// `echo`: shows the code while it is typed.
    pub(crate) echo: bool,
    /// `enroll`: a user without a factor makes one at this login.
    pub(crate) enroll: bool,
    /// `try_first_pass`, `use_first_pass`: whether the answer to an earlier module is tried.
    pub(crate) first_pass: FirstPass,
    /// `forward_pass`: the answer is password and code; the password goes to later modules.
    pub(crate) forward_pass: bool,
    /// `guard`: refuses a login at which no code was given.
    pub(crate) guard: bool,
    /// `show_names`: the prompt names the factors of the user.
    pub(crate) show_names: bool,
    /// `nodelay`: does not delay a refusal.
    pub(crate) nodelay: bool,
    /// `nullok`: a user without a factor needs no code.
    pub(crate) nullok: bool,
    /// `prompt=TEXT`
    pub(crate) prompt: Option<String>,
    /// `quiet`: shows nothing but the prompt.
    pub(crate) quiet: bool,
    /// `timeout=SECONDS` (1 to 60, default 5): how long the daemon may take for each request.
    pub(crate) timeout: Duration,
    #[cfg(feature = "panic-on-demand")]
    pub(crate) panic: bool,
}

/// The use of the answer to the prompt of an earlier module as a code.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum FirstPass {
    /// No: ask.
    Ignore,
    /// Yes, and nothing else.
    Only,
    /// Yes, and ask if it is wrong.
    Try,
}

impl Options {
    /// Reads the options.
    ///
    /// # Errors
    /// A sentence for the log. A misspelled option must not silently weaken security.
    pub(crate) fn parse(args: &[&CStr]) -> Result<Self, String> {
        let args: Vec<_> = args.iter().map(|arg| arg.to_string_lossy()).collect();
        let args: Vec<_> = args.iter().map(AsRef::as_ref).collect();
        #[cfg(feature = "panic-on-demand")]
        let (panic, args) = {
            let (panic, others): (Vec<_>, Vec<_>) = args.iter().partition(|arg| **arg == "panic");
            (!panic.is_empty(), others)
        };
        let mut options = Self::default();
        #[cfg(feature = "panic-on-demand")]
        {
            options.panic = panic;
        }
        let line = ModuleOption::parse_line(&args).map_err(|faults| {
            let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
            faults.join("; ")
        })?;
        for option in line {
            match option {
                ModuleOption::Debug => options.debug = true,
                ModuleOption::Echo => options.echo = true,
                ModuleOption::Enroll => options.enroll = true,
                ModuleOption::ForwardPass => options.forward_pass = true,
                ModuleOption::Guard => options.guard = true,
                ModuleOption::Nodelay => options.nodelay = true,
                ModuleOption::Nullok => options.nullok = true,
                ModuleOption::Prompt(text) => options.prompt = Some(text.into()),
                ModuleOption::Quiet => options.quiet = true,
                ModuleOption::ShowNames => options.show_names = true,
                ModuleOption::Timeout(time) => options.timeout = time,
                ModuleOption::TryFirstPass => options.first_pass = FirstPass::Try,
                ModuleOption::UseFirstPass => options.first_pass = FirstPass::Only,
            }
        }
        Ok(options)
    }

    /// Returns the options, `quiet` if the host wants silence (`PAM_SILENT`).
    pub(crate) fn silenced_by(self, silent: bool) -> Self {
        Self { quiet: self.quiet || silent, ..self }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            debug: false,
            echo: false,
            enroll: false,
            first_pass: FirstPass::Ignore,
            forward_pass: false,
            guard: false,
            show_names: false,
            nodelay: false,
            nullok: false,
            prompt: None,
            quiet: false,
            timeout: Duration::from_secs(5),
            #[cfg(feature = "panic-on-demand")]
            panic: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::CString;

    use super::*;

    fn parse(args: &[&str]) -> Result<Options, String> {
        let owned: Vec<_> = args.iter().map(|arg| CString::new(*arg).unwrap()).collect();
        Options::parse(&owned.iter().map(CString::as_c_str).collect::<Vec<_>>())
    }

    #[test]
    fn every_option_is_parsed() {
        assert_eq!(parse(&[]), Ok(Options::default()));
        let all = parse(&[
            "prompt=Token: ",
            "echo",
            "forward_pass",
            "try_first_pass",
            "timeout=7",
            "nodelay",
            "quiet",
            "debug",
        ]);
        let expected = Options {
            debug: true,
            echo: true,
            enroll: false,
            first_pass: FirstPass::Try,
            forward_pass: true,
            guard: false,
            show_names: false,
            nodelay: true,
            nullok: false,
            prompt: Some("Token: ".into()),
            quiet: true,
            timeout: Duration::from_secs(7),
            #[cfg(feature = "panic-on-demand")]
            panic: false,
        };
        assert_eq!(all, Ok(expected));
        assert!(parse(&["enroll"]).unwrap().enroll);
        assert!(parse(&["show_names"]).unwrap().show_names);
        assert!(parse(&["nullok"]).unwrap().nullok);
        assert_eq!(parse(&["use_first_pass"]).unwrap().first_pass, FirstPass::Only);
        assert_eq!(parse(&["prompt=a=b"]).unwrap().prompt.as_deref(), Some("a=b"));
    }

    #[test]
    fn forward_pass_excludes_options_that_reveal_factors() {
        for option in ["enroll", "show_names", "nullok"] {
            for pair in [[option, "forward_pass"], ["forward_pass", option]] {
                let reason = parse(&pair).unwrap_err();
                assert!(reason.contains(option) && reason.contains("forward_pass"), "{reason}");
            }
        }
        assert!(parse(&["forward_pass", "echo"]).is_ok());
    }

    #[test]
    fn the_contract_has_these_options() {
        for (option, _) in ModuleOption::FLAGS {
            assert!(parse(&[option]).is_ok_and(|found| found != Options::default()), "{option}");
        }
        for option in ModuleOption::VALUED {
            assert!(parse(&[&format!("{option}=7")]).is_ok(), "{option}");
        }
    }

    #[test]
    fn the_manual_has_these_options_and_no_others() {
        let manual = include_str!("../../packaging/man/pam_totp.8");
        let mut count = 0;
        for item in manual.lines().filter_map(|line| line.strip_prefix(".It Cm ")) {
            let name = item.split(' ').next().unwrap();
            let value = if name == "timeout" { "=7" } else { "=x" };
            let written = if item.contains('=') { format!("{name}{value}") } else { name.into() };
            assert!(parse(&[&written]).is_ok(), "{written}");
            count += 1;
        }
        assert_eq!(count, ModuleOption::FLAGS.len() + ModuleOption::VALUED.len());
    }

    #[test]
    fn every_other_option_is_refused_by_name() {
        for arg in [
            "nulok",
            "NULLOK",
            "",
            "nullok=1",
            "prompt",
            "timeout",
            "timeout=",
            "timeout=0",
            "timeout=61",
            "timeout=-1",
            "timeout=5s",
            "window=5",
            "forward_pass=6",
            "enroll=ascii",
        ] {
            let reason = parse(&["debug", arg]).unwrap_err();
            assert!(reason.contains(arg), "{arg}: {reason}");
        }
    }

    #[test]
    fn an_option_in_another_encoding_is_refused() {
        let reason = Options::parse(&[c"prompt=caf\xe9"]).unwrap_err();
        assert!(reason.contains("must be UTF-8"), "{reason}");
    }

    #[test]
    fn the_host_can_ask_for_silence() {
        assert!(Options::default().silenced_by(true).quiet);
        assert!(!Options::default().silenced_by(false).quiet);
    }
}
