//! Options of `totpctl doctor`.

use clap::{Args, Subcommand};
use clap_complete::engine::ArgValueCandidates;

use super::{candidates, service};

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Doctor {
    /// The PAM services; by default sshd, sudo, sudo-i, su, su-l, login, and all that ask for a
    /// code
    #[arg(value_name = "SERVICE", value_parser = service::name,
          add = ArgValueCandidates::new(candidates::services))]
    pub(crate) services: Vec<String>,
    /// Explain a finding: what it means, why it matters, and the change to make
    #[arg(long, value_name = "ID", conflicts_with = "services")]
    pub(crate) explain: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Option<DoctorCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DoctorCommand {
    /// Write down that findings are meant: they are shown as accepted, and are no problem (root)
    ///
    /// An acceptance holds for one line of one service. It ends when the line moves or its text
    /// changes, or after its last day. The finding is then a problem again. The acceptances are in
    /// /etc/totpd/accepted.toml. What shuts root or everybody out cannot be accepted, nor what lets
    /// strangers in or cannot be checked.
    Accept(Accept),
}

#[derive(Args, Debug)]
pub(crate) struct Accept {
    /// The ids of the findings, as doctor prints them in brackets
    #[arg(value_name = "ID", required_unless_present_any = ["list", "remove"])]
    pub(crate) ids: Vec<String>,
    /// Why they are meant
    #[arg(long, value_name = "TEXT", required_unless_present_any = ["list", "remove"])]
    pub(crate) reason: Option<String>,
    /// The last day on which they are accepted, for example 2027-01-15; by default without a limit
    #[arg(long, value_name = "DATE")]
    pub(crate) until: Option<String>,
    #[command(flatten)]
    pub(crate) place: Place,
    /// List all acceptances, and whether each is in force
    #[arg(long, conflicts_with_all = ["ids", "reason", "until", "remove", "service", "file", "line"])]
    pub(crate) list: bool,
    /// Remove the acceptance of a finding (may be repeated)
    #[arg(long, value_name = "ID", conflicts_with_all = ["ids", "reason", "until"])]
    pub(crate) remove: Vec<String>,
}

/// Which of several findings with the same id.
#[derive(Args, Debug)]
pub(crate) struct Place {
    /// Only findings of this PAM service
    #[arg(long, value_name = "SERVICE", value_parser = service::name)]
    pub(crate) service: Option<String>,
    /// Only findings in this file
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<String>,
    /// Only findings at this line of the file
    #[arg(long, value_name = "N", requires = "file")]
    pub(crate) line: Option<usize>,
}

impl Place {
    /// Reports whether a finding with this service and location is one of them.
    pub(crate) fn has(
        &self,
        service: Option<&str>,
        file: Option<&str>,
        line: Option<usize>,
    ) -> bool {
        (self.service.is_none() || self.service.as_deref() == service)
            && (self.file.is_none() || self.file.as_deref() == file)
            && (self.line.is_none() || self.line == line)
    }

    /// Reports whether all findings are meant.
    pub(crate) fn is_any(&self) -> bool {
        self.service.is_none() && self.file.is_none() && self.line.is_none()
    }
}
