//! The crate from the command line, without a host: `author new DIR LANGUAGE`, `author build DIR [--get]`, `author test DIR`.

use std::path::Path;
use std::process::ExitCode;
use toolcell_author::{Error, Options, Project, Report, build, new};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["new", dir, "--lang", language] => create(Path::new(dir), language),
        ["build", dir, rest @ ..] => make(Path::new(dir), rest.contains(&"--get"), rest.contains(&"--debug")),
        ["test", dir] => unit_tests(Path::new(dir)),
        _ => Err(Error::Other(
            "usage: author new DIR --lang LANGUAGE | author build DIR [--get] [--debug] | author test DIR".to_owned(),
        )),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn unit_tests(dir: &Path) -> Result<(), Error> {
    let ran = toolcell_author::test(&Project::open(dir)?, &mut |report| match report {
        Report::Step(step) => eprintln!("{step}"),
        Report::Output(line) => eprintln!("  {line}"),
    })?;
    println!("{}", ran.unwrap_or_else(|| "no unit tests".to_owned()));
    Ok(())
}

fn create(dir: &Path, language: &str) -> Result<(), Error> {
    let name = dir.file_name().unwrap_or_default().to_string_lossy();
    for file in new(dir, &name, language.parse()?)?.files {
        println!("{}", dir.join(file).display());
    }
    Ok(())
}

fn make(dir: &Path, get_tools: bool, debug: bool) -> Result<(), Error> {
    let project = Project::open(dir)?;
    let options = Options { get_tools, debug, ..Options::default() };
    let built = build(&project, &options, &mut |report| match report {
        Report::Step(step) => eprintln!("{step}"),
        Report::Output(line) => eprintln!("  {line}"),
    })?;
    println!("{} ({} KiB, {:.1?})", built.component.display(), built.bytes.div_ceil(1024), built.took);
    Ok(())
}
