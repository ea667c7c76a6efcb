//! A plugin's project, for the commands that build it: its sources, and the operator's side of it in `toolcell.toml`.

use super::source;
use crate::config;
use crate::registry::{PluginSpec, Source};
use anyhow::Context;
use std::path::{Path, PathBuf};
use tokio::sync::mpsc;
use toolcell_author::{Built, Error, Options, Project, Report};

/// The operator's side of a project, in its folder.
const CONFIG: &str = "toolcell.toml";

/// Builds a project on a thread of its own; what is said meanwhile goes to `report` as it comes.
///
/// # Errors
/// As for [`toolcell_author::build`].
pub(super) async fn build(
    project: &Project,
    options: &Options,
    report: impl FnMut(Report),
) -> anyhow::Result<Result<Built, Error>> {
    let (project, options) = (project.clone(), options.clone());
    run(move |report| toolcell_author::build(&project, &options, report), report).await
}

/// Runs a project's own tests in the same way. What was run, or none if there are none.
///
/// # Errors
/// As for [`toolcell_author::test`].
pub(super) async fn unit_tests(
    project: &Project,
    report: impl FnMut(Report),
) -> anyhow::Result<Result<Option<String>, Error>> {
    let project = project.clone();
    run(move |report| toolcell_author::test(&project, report), report).await
}

async fn run<T: Send + 'static>(
    work: impl FnOnce(&mut dyn FnMut(Report)) -> T + Send + 'static,
    mut report: impl FnMut(Report),
) -> anyhow::Result<T> {
    let (tell, mut told) = mpsc::unbounded_channel();
    let working = tokio::task::spawn_blocking(move || {
        work(&mut |report| {
            // Whoever asked for the work may be gone; the work is ended all the same.
            let _ = tell.send(report);
        })
    });
    while let Some(said) = told.recv().await {
        report(said);
    }
    working.await.context("the build panicked; this is a fault of toolcell, report it")
}

/// The project's `toolcell.toml`, if it has one.
pub(super) fn config_of(project: &Project) -> Option<PathBuf> {
    Some(project.dir.join(CONFIG)).filter(|file| file.is_file())
}

/// The plugin of a project as its own `toolcell.toml` wants it; with nothing granted if it has none.
///
/// # Errors
/// If there is a configuration that does not read.
pub(super) fn spec(project: &Project) -> anyhow::Result<PluginSpec> {
    let component = project.component();
    let plain = PluginSpec::new(project.name.clone(), Source::File(component.clone()));
    let Some(file) = config_of(project) else { return Ok(plain) };
    let config = config::load(&file, &|name| std::env::var(name).ok())?;
    let is_it = |spec: &PluginSpec| matches!(&spec.source, Source::File(path) if same(path, &component));
    Ok(source::specs(&config).into_iter().find(is_it).unwrap_or(plain))
}

fn same(one: &Path, two: &Path) -> bool {
    let whole = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    one == two || whole(one) == whole(two)
}
