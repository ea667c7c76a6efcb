//! The command line. It reads what was typed, builds a [`Host`](crate::Host) and prints what came of it; whatever it does, an
//! embedder can do through the library.
//!
//! Results go to standard output, everything else to standard error. Exit codes: 0 it worked, 1 it was tried and failed
//! (a tool error, a problem found), 2 it could not be tried (usage, configuration).

mod call;
mod check;
mod connect;
mod inspect;
mod serve;
mod source;

use clap::{Args, Parser, Subcommand};
use source::Sources;
use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// One MCP server that hosts many third-party tools, each locked in its own WebAssembly cell.
#[derive(Parser)]
#[command(name = "toolcell", version, max_term_width = 100, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// What is logged to standard error: error, warn, info, debug, trace, or a filter such as `toolcell::guest=debug`.
    /// Default is info for serve and error for the rest
    #[arg(long, global = true, env = "TOOLCELL_LOG", value_name = "FILTER")]
    log: Option<String>,

    /// Log one JSON object a line
    #[arg(long, global = true)]
    log_json: bool,
}

const EXAMPLES: &str = "Examples:
  toolcell inspect weather.wasm                        What is in it, and what does it ask for?
  toolcell call echo '{\"message\":\"hi\"}' echo.wasm      Call one tool, without any client
  toolcell serve plugins/                              Serve a folder over stdio, with no grants
  toolcell serve --http 127.0.0.1:8080                 Serve what toolcell.toml says, over HTTP
  toolcell check                                       Is toolcell.toml right, do its plugins load?";

#[derive(Subcommand)]
enum Command {
    /// Serve plugins to MCP clients
    Serve(Serve),
    /// Show what a component offers and asks for, without granting it anything
    Inspect(Inspect),
    /// Call one tool and print its result
    Call(Call),
    /// Check the configuration and load every plugin, then say everything that is wrong
    Check(Check),
    /// Print the JSON Schema of toolcell.toml, for editors
    Schema,
}

#[derive(Args)]
#[command(after_help = "Without PATH and --config, toolcell.toml in the current folder says what to serve.
Plugins given as PATH get no grants: no files, no network, no variables.

Examples:
  toolcell serve echo.wasm                       One plugin over stdio
  toolcell serve plugins/ --http 127.0.0.1:0     A folder over HTTP, on a free port
  toolcell serve --http 127.0.0.1:8080 --stdio   toolcell.toml, over both")]
struct Serve {
    #[command(flatten)]
    sources: Sources,

    /// Serve HTTP on this address, MCP at /mcp; port 0 takes a free one
    #[arg(long, value_name = "ADDR")]
    http: Option<SocketAddr>,

    /// Serve standard input and output; the default unless HTTP is asked for
    #[arg(long)]
    stdio: bool,

    /// Keep tasks in this file, so that they outlive the server; instead of `[server] state`
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,

    /// Do not reload when files change
    #[arg(long)]
    no_watch: bool,
}

#[derive(Args)]
struct Inspect {
    /// The component
    file: PathBuf,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
#[command(after_help = "Examples:
  toolcell call echo '{\"message\":\"hi\"}' echo.wasm
  toolcell call read_text_file '{\"path\":\"/docs/a.txt\"}'      With the grants of toolcell.toml
  echo '{\"message\":\"hi\"}' | toolcell call echo - echo.wasm")]
struct Call {
    /// The tool's name, with its prefix if it has one
    tool: String,

    /// Its arguments: a JSON object, or - to read one from standard input
    #[arg(default_value = "{}", value_name = "JSON")]
    arguments: String,

    #[command(flatten)]
    sources: Sources,
}

#[derive(Args)]
struct Check {
    #[command(flatten)]
    sources: Sources,
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Err(error) = start_log(&cli) {
        return fail(&error);
    }
    crate::sandbox::disable_backtraces();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.into()),
    };
    let done = runtime.block_on(async {
        match cli.command {
            Command::Serve(serve) => serve::run(serve).await,
            Command::Inspect(inspect) => inspect::run(inspect).await,
            Command::Call(call) => call::run(call).await,
            Command::Check(check) => check::run(check).await,
            Command::Schema => say(&crate::config::json_schema()).map(|()| ExitCode::SUCCESS),
        }
    });
    // A guest's blocking file operation, or a read from a terminal, must not keep the process alive.
    runtime.shutdown_background();
    done.unwrap_or_else(|error| fail(&error))
}

fn start_log(cli: &Cli) -> anyhow::Result<()> {
    let default = if matches!(cli.command, Command::Serve(_)) { "info" } else { "error" };
    let wish = cli.log.as_deref().unwrap_or(default);
    let filter = EnvFilter::try_new(wish)
        .map_err(|error| anyhow::anyhow!("--log {wish:?} is no filter: {error}; try `info` or `toolcell=debug`"))?;
    let colours = io::stderr().is_terminal();
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(colours);
    if cli.log_json {
        log.json().init()
    } else {
        log.with_target(false).compact().init()
    }
    Ok(())
}

/// Prints a result.
fn say(text: &str) -> anyhow::Result<()> {
    Ok(writeln!(io::stdout().lock(), "{}", text.trim_end())?)
}

/// Tells the person something that is no result.
fn tell(text: &str) {
    // Nobody is left to hear that standard error is closed.
    let _ = writeln!(io::stderr().lock(), "{}", text.trim_end());
}

fn fail(error: &anyhow::Error) -> ExitCode {
    tell(&format!("error: {error:#}"));
    ExitCode::from(2)
}
