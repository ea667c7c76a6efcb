//! `toolcell completions` and `toolcell man`: made from the same description of the commands as `--help`.

use anyhow::Context;
use clap::{Args, Command, ValueHint};
use clap_complete::Shell;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Args)]
#[command(after_help = "Put it where the shell looks for it, and open a new one:
  toolcell completions bash > ~/.local/share/bash-completion/completions/toolcell
  toolcell completions zsh > ~/.zfunc/_toolcell               With `fpath+=~/.zfunc` before `compinit` in ~/.zshrc
  toolcell completions fish > ~/.config/fish/completions/toolcell.fish
  toolcell completions powershell >> $PROFILE
  toolcell completions elvish >> ~/.config/elvish/rc.elv")]
pub(super) struct Completions {
    /// For which shell
    shell: Shell,
}

#[derive(Args)]
#[command(after_help = "Examples:
  toolcell man | man -l -                             Read it
  toolcell man ~/.local/share/man/man1                Keep it: one page for each command

Exit codes: 0 it was written, 2 it could not be.")]
pub(super) struct Man {
    /// Write all pages into this folder, which is made if need be; without it the first page is printed
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    folder: Option<PathBuf>,
}

pub(super) fn completions(completions: Completions, mut command: Command) -> anyhow::Result<ExitCode> {
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(completions.shell, &mut command, name, &mut script);
    io::stdout().lock().write_all(&script)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn man(man: Man, command: Command) -> anyhow::Result<ExitCode> {
    match man.folder {
        None => clap_mangen::Man::new(command).render(&mut io::stdout().lock())?,
        Some(folder) => {
            let cannot = || format!("cannot write the manual into {}; choose another folder", folder.display());
            std::fs::create_dir_all(&folder).with_context(cannot)?;
            clap_mangen::generate_to(command, &folder).with_context(cannot)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
