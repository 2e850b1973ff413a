//! The `polytask` program.

mod program;

use std::process::ExitCode;

use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // What a reader catches becomes an error with a file's name, and is told as that.
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !polytask::data::guard::active() {
            tell(panic);
        }
    }));
    let cli = program::Cli::parse();
    match program::run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print();
            failure.code()
        }
    }
}
