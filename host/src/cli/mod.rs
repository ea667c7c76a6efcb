//! The command line. It reads what was typed, builds a [`Host`](crate::Host) and prints what came of it; whatever it does, an
//! embedder can do through the library.
//!
//! Results go to standard output, everything else to standard error. Exit codes: 0 it worked, 1 it was tried and failed
//! (a tool error, a problem found), 2 it could not be tried (usage, configuration).

mod arguments;
mod ask;
mod build;
mod call;
mod check;
mod complete;
mod connect;
mod dev;
mod heard;
mod inspect;
mod key;
mod lint;
mod listen;
mod local;
mod new;
mod production;
mod project;
mod records;
mod reloads;
mod secrets;
mod serve;
mod source;
mod spent;
mod terminal;
mod test;
mod trace;
mod trouble;

use clap::{CommandFactory, Parser, Subcommand};
use heard::Listening;
use std::io::{self, Write};
use std::process::ExitCode;
use tracing_subscriber::{EnvFilter, Layer};

/// One MCP server that hosts many third-party tools, each locked in its own WebAssembly cell.
#[derive(Parser)]
#[command(name = "toolcell", version, max_term_width = 100, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// What is logged to standard error: error, warn, info, debug, trace, or a filter such as `toolcell::guest=debug`.
    /// Default is info for serve, error for inspect, call and check, and off for dev and test, which show it themselves
    #[arg(long, global = true, env = "TOOLCELL_LOG", value_name = "FILTER")]
    log: Option<String>,

    /// Log one JSON object a line
    #[arg(long, global = true)]
    log_json: bool,
}

const EXAMPLES: &str = "Examples:
  toolcell new weather --lang python                   Write a plugin's project
  toolcell build weather                               Make its component
  toolcell inspect weather.wasm                        What is in it, and what does it ask for?
  toolcell call forecast city=Oslo weather.wasm        Does it work?
  toolcell test weather.wasm                           Does it do what clients and models need?
  toolcell dev                                         Build, serve and show this folder's plugin while you write it
  toolcell serve weather.wasm                          Serve it to a client over standard input and output
  toolcell serve --http 127.0.0.1:8080                 Serve what ./toolcell.toml says
  toolcell check                                       Is toolcell.toml right, do its plugins load?

Exit codes: 0 it worked, 1 it was tried and failed (a tool's error, a problem found), 2 it could not be tried (usage,
configuration, a file that is not there). Results go to standard output, everything else to standard error. Colours are for
terminals only, and NO_COLOR=1 switches them off.";

#[derive(Subcommand)]
enum Command {
    /// Write a new plugin's project
    New(new::New),
    /// Build a plugin's component from its source
    Build(build::Build),
    /// Serve plugins to MCP clients
    Serve(serve::Serve),
    /// Build, serve and show a plugin while you write it
    Dev(dev::Dev),
    /// Test what every plugin must do: useful descriptions, errors that teach, no surprises
    Test(test::Test),
    /// Show what a component offers and asks for, without granting it anything
    Inspect(inspect::Inspect),
    /// Call one tool and print its result
    Call(call::Call),
    /// Check the configuration and load every plugin, then say everything that is wrong
    Check(check::Check),
    /// Make, list and revoke API keys
    Key(key::Key),
    /// Check that the audit log was not changed
    Audit(records::AuditCommand),
    /// Print what calls have cost, by principal, plugin, tool or day
    Usage(records::UsageCommand),
    /// Print the JSON Schema of toolcell.toml, for editors
    Schema,
    /// Print what makes a shell complete toolcell's commands
    Completions(complete::Completions),
    /// Print the manual, or write its pages into a folder
    Man(complete::Man),
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let listening = match start_log(&cli) {
        Ok(listening) => listening,
        Err(error) => return fail(&error),
    };
    crate::sandbox::disable_backtraces();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.into()),
    };
    let done = runtime.block_on(async {
        match cli.command {
            Command::New(new) => new::run(new),
            Command::Build(build) => build::run(build).await,
            Command::Serve(serve) => serve::run(serve).await,
            Command::Dev(dev) => dev::run(dev, listening).await,
            Command::Test(test) => test::run(test, listening).await,
            Command::Inspect(inspect) => inspect::run(inspect).await,
            Command::Call(call) => call::run(call, listening).await,
            Command::Check(check) => check::run(check).await,
            Command::Key(key) => key::run(key),
            Command::Audit(audit) => records::audit(audit),
            Command::Usage(usage) => records::usage(usage),
            Command::Schema => say(&crate::config::json_schema()).map(|()| ExitCode::SUCCESS),
            Command::Completions(completions) => complete::completions(completions, Cli::command()),
            Command::Man(man) => complete::man(man, Cli::command()),
        }
    });
    // A guest's blocking file operation, or a read from a terminal, must not keep the process alive.
    runtime.shutdown_background();
    done.unwrap_or_else(|error| fail(&error))
}

fn start_log(cli: &Cli) -> anyhow::Result<Option<Listening>> {
    // A command that shows what happens itself hears it beside the log.
    let (default, listens) = match &cli.command {
        Command::Serve(_) => ("info", false),
        Command::Dev(_) | Command::Test(_) => ("off", true),
        Command::Call(call) if call.trace => ("off", true),
        _ => ("error", false),
    };
    let wish = cli.log.as_deref().unwrap_or(default);
    let filter = EnvFilter::try_new(wish)
        .map_err(|error| anyhow::anyhow!("--log {wish:?} is no filter: {error}; try `info` or `toolcell=debug`"))?;
    let log = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(terminal::colours(&io::stderr()));
    let log = if cli.log_json { log.json().boxed() } else { log.with_target(false).compact().boxed() };
    heard::start(log, filter, listens)
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
