//! Options of `totpctl set`.

use clap::Args;

#[derive(Args, Debug)]
pub(crate) struct Set {
    /// The user; by default whoever runs this
    pub(crate) user: Option<String>,
    /// The factor
    #[arg(long, value_name = "ID")]
    pub(crate) factor: String,
    /// What it is for, as people read it
    #[arg(long, value_name = "TEXT")]
    pub(crate) purpose: Option<String>,
    /// The PAM services that it opens, with commas between; "" for all
    #[arg(long, value_name = "NAMES")]
    pub(crate) services: Option<String>,
    /// It opens nothing before: 2027-01-15, or "2027-01-15 12:00", local time; "" for no limit
    #[arg(long, value_name = "TIME")]
    pub(crate) not_before: Option<String>,
    /// It opens nothing from then on
    #[arg(long, value_name = "TIME")]
    pub(crate) not_after: Option<String>,
    /// It opens nothing
    #[arg(long, conflicts_with = "enable")]
    pub(crate) disable: bool,
    /// It opens the door again
    #[arg(long)]
    pub(crate) enable: bool,
}
