//! `totpctl completions`: prints a completion script for a shell.

use clap_complete::Shell;
use clap_complete::env::Shells;

use crate::error::Error;
use crate::terminal::output;

/// Prints the script. At each completion the shell asks the installed totpctl.
pub(super) fn run(shell: Shell) -> Result<(), Error> {
    let shells = Shells::builtins();
    let unknown = || Error::Usage(format!("there are no completions for {shell}"));
    let completer = shells.completer(&shell.to_string()).ok_or_else(unknown)?;
    let mut script = Vec::new();
    completer.write_registration("COMPLETE", "totpctl", "totpctl", "totpctl", &mut script)?;
    if shell == Shell::Zsh {
        script.extend_from_slice(ZSH_AUTOLOAD.as_bytes());
    }
    output::data(&String::from_utf8_lossy(&script))
}

/// zsh runs an installed script as the function of its first completion.
const ZSH_AUTOLOAD: &str =
    "[ \"$funcstack[1]\" = _totpctl ] && _clap_dynamic_completer_totpctl \"$@\"\n";
