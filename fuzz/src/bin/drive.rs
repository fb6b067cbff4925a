//! Runs a target on the stable toolchain: `cargo run --release --bin drive -- <target> <seconds> [seed]`.
//!
//! Prints executions, refusals by reason code, and panics with the input that led to them. `drive corpus <target>
//! <directory>` writes the starting inputs for the fuzzing engine.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use signet_fuzz::{TARGETS, corpus, drive};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["corpus", name, directory] => write_corpus(name, Path::new(directory)),
        [name, seconds] => run(name, seconds, "1"),
        [name, seconds, seed] => run(name, seconds, seed),
        _ => usage(),
    }
}

fn usage() -> ExitCode {
    let names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
    eprintln!(
        "drive <target> <seconds> [seed] | drive corpus <target> <directory>; targets: {}",
        names.join(" ")
    );
    ExitCode::from(2)
}

fn write_corpus(name: &str, directory: &Path) -> ExitCode {
    let written = std::fs::create_dir_all(directory).and_then(|()| {
        let inputs = corpus::of(name);
        inputs
            .iter()
            .enumerate()
            .try_for_each(|(at, input)| std::fs::write(directory.join(at.to_string()), input))
    });
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", directory.display());
            ExitCode::FAILURE
        }
    }
}

fn run(name: &str, seconds: &str, seed: &str) -> ExitCode {
    let target = TARGETS.iter().find(|(known, _)| *known == name);
    let (Some((_, target)), Ok(seconds), Ok(seed)) = (target, seconds.parse(), seed.parse::<u64>()) else {
        return usage();
    };
    let report = drive::storm(*target, &corpus::of(name), Duration::from_secs(seconds), seed);
    report.print(name);
    if report.panics.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
