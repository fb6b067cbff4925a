//! The `signet` binary.

fn main() -> std::process::ExitCode {
    signet_server::cli::main()
}
