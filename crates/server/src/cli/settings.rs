//! `signet config`.

use std::process::ExitCode;

use clap::Subcommand;

use super::output;
use crate::config::{Config, DEFAULT};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Print the commented file with every setting and its default.
    Default,
    /// Print the JSON Schema of the file.
    Schema,
}

pub(super) fn run(command: &Command) -> ExitCode {
    match command {
        Command::Default => output::line(DEFAULT.trim_end()),
        Command::Schema => output::line(Config::schema().trim_end()),
    }
    ExitCode::SUCCESS
}
