//! Completions: what makes a shell know the commands and flags.

use clap::{Args, CommandFactory, ValueEnum};
use clap_complete::Shell;

use super::{Cli, examples};

/// `completions`.
#[derive(Clone, Copy, Debug, Args)]
#[command(override_usage = "rosterdiff completions <SHELL>", after_long_help = examples::COMPLETIONS)]
pub struct Completions {
    /// Which shell
    #[arg(value_name = "SHELL", value_enum)]
    shell: ShellWord,
}

/// Shells that are known.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum ShellWord {
    Bash,
    Zsh,
    Fish,
    Powershell,
    Elvish,
}

impl Completions {
    /// The script for the shell.
    #[must_use]
    pub fn script(self) -> Vec<u8> {
        let shell = match self.shell {
            ShellWord::Bash => Shell::Bash,
            ShellWord::Zsh => Shell::Zsh,
            ShellWord::Fish => Shell::Fish,
            ShellWord::Powershell => Shell::PowerShell,
            ShellWord::Elvish => Shell::Elvish,
        };
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "rosterdiff", &mut script);
        script
    }
}
