//! The `carnet` executable.

fn main() -> std::process::ExitCode {
    std::panic::catch_unwind(carnet::cli::main).unwrap_or_else(|_| std::process::ExitCode::from(carnet::exit::BUG))
}
