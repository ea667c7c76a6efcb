//! What an operator and others change meanwhile: the plugin, the certificate, the signing key, the configuration. And the
//! machine that asks for metrics.

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::Scene;
use super::client::{Answer, Era};
use super::place::RELOAD_EVERY;

const CERTIFICATE_EVERY: Duration = Duration::from_secs(12);
/// Longer than an unknown key makes the host wait before it asks for keys again (10 s), and the old key is tried.
const SIGNING_KEY_EVERY: Duration = Duration::from_secs(16);
const CONFIGURATION_EVERY: Duration = Duration::from_secs(7);
const METRICS_EVERY: Duration = Duration::from_secs(1);

/// How soon a new version of the plugin answers.
const VERSION_SOON: Duration = Duration::from_secs(3);
/// How soon new connections get a new certificate: the files are looked at twice a second, and must have held still.
const CERTIFICATE_SOON: Duration = Duration::from_secs(4);
/// How soon a token of a removed key is refused. Sooner than the cache's time: a token of the new key makes the host ask.
const SIGNING_KEY_SOON: Duration = Duration::from_secs(5);
/// Between two looks.
const BETWEEN: Duration = Duration::from_millis(50);

/// Starts all of it. Each ends by itself before the run does.
pub fn start(scene: &Arc<Scene>, admin: SocketAddr) -> Vec<JoinHandle<()>> {
    vec![
        tokio::spawn(plugins(Arc::clone(scene))),
        tokio::spawn(certificates(Arc::clone(scene))),
        tokio::spawn(signing_keys(Arc::clone(scene))),
        tokio::spawn(configuration(Arc::clone(scene))),
        tokio::spawn(metrics(Arc::clone(scene), admin)),
    ]
}

async fn plugins(scene: Arc<Scene>) {
    sleep(RELOAD_EVERY).await;
    while scene.lasts(RELOAD_EVERY + scene.within(VERSION_SOON)) {
        let next = scene.place.version().other();
        let at = Instant::now();
        scene.tally.locked().verdict.replaced(at, next);
        if let Err(error) = scene.place.replace_plugin() {
            return scene.tally.wrong(format!("the plugin could not be replaced: {error:#}"));
        }
        let seen = || scene.tally.locked().verdict.reload_times().len();
        let before = seen();
        while seen() == before && at.elapsed() < scene.within(VERSION_SOON) {
            sleep(BETWEEN).await;
        }
        // To the first answer, not to the look that found it.
        let took = scene.tally.locked().verdict.reload_times().get(before).copied();
        scene.tally.took("plugin", took.unwrap_or_else(|| at.elapsed()), scene.within(VERSION_SOON));
        sleep(RELOAD_EVERY.saturating_sub(at.elapsed())).await;
    }
}

async fn certificates(scene: Arc<Scene>) {
    let mut old = scene.place.certificate();
    sleep(CERTIFICATE_EVERY / 2).await;
    while scene.lasts(CERTIFICATE_EVERY) {
        let begun = Instant::now();
        if let Err(error) = certificate(&scene, &mut old).await {
            scene.tally.wrong(format!("certificates: {error:#}"));
        }
        sleep(CERTIFICATE_EVERY.saturating_sub(begun.elapsed())).await;
    }
}

async fn certificate(scene: &Arc<Scene>, old: &mut Vec<u8>) -> Result<()> {
    let place = Arc::clone(scene);
    let new = tokio::task::spawn_blocking(move || place.place.renew_certificate()).await;
    let new = new.context("a certificate could not be made")?;
    let renewed = Instant::now();
    loop {
        let client = scene.target.connect(Era::Modern).await?;
        if client.certificate() == new {
            break;
        }
        if client.certificate() != *old || renewed.elapsed() > scene.within(CERTIFICATE_SOON) {
            bail!("a connection shows neither the new certificate nor, for a while, the one before");
        }
        sleep(BETWEEN).await;
    }
    scene.tally.took("certificate", renewed.elapsed(), scene.within(CERTIFICATE_SOON));
    for _ in 0..5 {
        match scene.target.connect(Era::Modern).await?.certificate() == new {
            true => scene.tally.right("new certificate"),
            false => scene.tally.wrong("an old certificate was shown after the new one".to_owned()),
        }
    }
    *old = new;
    Ok(())
}

async fn signing_keys(scene: Arc<Scene>) {
    sleep(SIGNING_KEY_EVERY / 2).await;
    let mut dead = Vec::new();
    while scene.lasts(SIGNING_KEY_EVERY) {
        let begun = Instant::now();
        match signing_key(&scene, &dead).await {
            Ok(token) => dead.push(token),
            Err(error) => scene.tally.wrong(format!("signing keys: {error:#}")),
        }
        sleep(SIGNING_KEY_EVERY.saturating_sub(begun.elapsed())).await;
    }
}

/// Takes another key. Returns a token of the one before, which nobody may get in with any more.
async fn signing_key(scene: &Arc<Scene>, dead: &[String]) -> Result<String> {
    let old = scene.issuer.token("left-behind")?;
    let mut client = scene.target.connect(Era::Modern).await?;
    let mine = || Answer::Text("mine".to_owned());
    let arguments = r#"{"message":"mine"}"#;
    if client.call(&old, "echo", arguments).await? != mine() {
        bail!("a token was refused while its key was there");
    }
    scene.issuer.rotate()?;
    let rotated = Instant::now();
    let new = scene.issuer.token("newcomer")?;
    if client.call(&new, "echo", arguments).await? != mine() {
        bail!("a token of the new key was refused");
    }
    while client.call(&old, "echo", arguments).await? == mine() {
        if rotated.elapsed() > scene.within(SIGNING_KEY_SOON) {
            break;
        }
        sleep(BETWEEN).await;
    }
    scene.tally.took("signing key", rotated.elapsed(), scene.within(SIGNING_KEY_SOON));
    for token in dead.iter().chain([&old]) {
        match client.call(token, "echo", arguments).await? {
            Answer::Unauthorized => scene.tally.right("refused token"),
            Answer::Text(_) => scene.tally.wrong("a token of a removed key opened again".to_owned()),
        }
    }
    Ok(old)
}

async fn configuration(scene: Arc<Scene>) {
    let mut edition = 0;
    while scene.lasts(CONFIGURATION_EVERY * 2) {
        sleep(CONFIGURATION_EVERY).await;
        edition += 1;
        match scene.place.write_config(edition) {
            Ok(()) => scene.tally.right("configuration"),
            Err(error) => scene.tally.wrong(format!("the configuration could not be written: {error:#}")),
        }
    }
}

async fn metrics(scene: Arc<Scene>, admin: SocketAddr) {
    while scene.lasts(METRICS_EVERY * 2) {
        sleep(METRICS_EVERY).await;
        match tokio::task::spawn_blocking(move || page(admin)).await {
            Ok(Ok(page)) if page.starts_with("HTTP/1.1 200") && page.contains("toolcell_calls_total") => {
                scene.tally.right("metrics");
            }
            Ok(Ok(page)) => scene.tally.wrong(format!("metrics: {}", page.lines().next().unwrap_or_default())),
            Ok(Err(error)) => scene.tally.wrong(format!("metrics: {error:#}")),
            Err(error) => scene.tally.wrong(format!("metrics: {error:#}")),
        }
    }
}

fn page(admin: SocketAddr) -> Result<String> {
    let mut stream = std::net::TcpStream::connect_timeout(&admin, Duration::from_secs(10))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(format!("GET /metrics HTTP/1.1\r\nHost: {admin}\r\nConnection: close\r\n\r\n").as_bytes())?;
    let mut page = String::new();
    stream.read_to_string(&mut page)?;
    Ok(page)
}
