//! Keys that come and go: a new one is taken soon, a revoked one refused soon, and what is refused once is refused for ever.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::time::{Instant, sleep};

use super::Scene;
use super::client::{Answer, Client, Era};

/// How soon a new key opens and a revoked one no longer does; a second is promised, looking at the file twice in it.
const SOON: Duration = Duration::from_millis(2_000);
/// How often one is made.
const EVERY: Duration = Duration::from_millis(3_000);
/// Between two calls with a key that is looked at.
const BETWEEN: Duration = Duration::from_millis(20);
/// Calls with a key that holds, and with one that no longer does.
const CALLS: usize = 40;
/// Revoked keys that are tried again and again.
const REMEMBERED: usize = 64;

/// Makes, uses and revokes keys until the run ends.
pub async fn come_and_go(scene: Arc<Scene>) {
    let mut dead: Vec<String> = Vec::new();
    let mut number = 0;
    while scene.lasts(EVERY + SOON * 3) {
        number += 1;
        let begun = Instant::now();
        match life(&scene, number, &dead).await {
            Ok(key) => dead.push(key),
            Err(error) => scene.tally.wrong(format!("key {number}: {error:#}")),
        }
        if dead.len() > REMEMBERED {
            dead.remove(number % REMEMBERED);
        }
        sleep(EVERY.saturating_sub(begun.elapsed())).await;
    }
}

/// The life of one key; returns it when it is over.
async fn life(scene: &Arc<Scene>, number: usize, dead: &[String]) -> Result<String> {
    let era = if number.is_multiple_of(2) { Era::Handshake } else { Era::Modern };
    let mut client = scene.target.connect(era).await?;
    let made = Arc::clone(scene);
    let make = move || made.place.new_key(&made.program, &format!("guest-{number}"));
    let key = tokio::task::spawn_blocking(make).await.context("a key could not be made")??;
    let created = Instant::now();
    while !opens(&mut client, &key).await? {
        if created.elapsed() > scene.within(SOON) {
            break;
        }
        sleep(BETWEEN).await;
    }
    scene.tally.took("key taken", created.elapsed(), scene.within(SOON));
    for _ in 0..CALLS {
        match opens(&mut client, &key).await? {
            true => scene.tally.right("key that holds"),
            false => scene.tally.wrong(format!("key {number} was refused while it held")),
        }
    }

    let (gone, revoked) = (Arc::clone(scene), key.clone());
    let revoke = move || gone.place.revoke(&gone.program, &revoked);
    tokio::task::spawn_blocking(revoke).await.context("a key could not be revoked")??;
    let revoked = Instant::now();
    while opens(&mut client, &key).await? {
        if revoked.elapsed() > scene.within(SOON) {
            break;
        }
        sleep(BETWEEN).await;
    }
    scene.tally.took("key refused", revoked.elapsed(), scene.within(SOON));
    let mut fresh = scene.target.connect(Era::Modern).await?;
    for _ in 0..CALLS {
        for client in [&mut client, &mut fresh] {
            refused(scene, client, &key, "a revoked key opened again").await?;
        }
    }
    for key in dead {
        refused(scene, &mut fresh, key, "a key revoked long ago opened again").await?;
    }
    // What never was a key, or nearly is one.
    for wrong in ["tck", "tck_x_y", key.get(..key.len() - 1).unwrap_or_default(), &format!("{key}x")] {
        refused(scene, &mut fresh, wrong, "what is no key opened").await?;
    }
    Ok(key)
}

async fn refused(scene: &Scene, client: &mut Client, key: &str, otherwise: &str) -> Result<()> {
    match opens(client, key).await? {
        false => scene.tally.right("refused key"),
        true => scene.tally.wrong(otherwise.to_owned()),
    }
    Ok(())
}

async fn opens(client: &mut Client, key: &str) -> Result<bool> {
    Ok(client.call(key, "echo", r#"{"message":"mine"}"#).await? == Answer::Text("mine".to_owned()))
}
