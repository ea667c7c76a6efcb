//! The callers: keys and tokens, both eras, plugins with fresh and warm instances and one that changes. Each call is due at its
//! time, whether or not the one before was quick.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use super::Scene;
use super::client::{Answer, Client, Era};
use crate::reload::load::Answer as Versioned;

/// People with a key that lasts; as many have tokens.
pub const PRINCIPALS: usize = 4;
/// Calls on one connection before another is opened.
const CALLS_PER_CONNECTION: usize = 150;

/// What is called, for the tally.
pub const KINDS: [&str; 6] = [
    "key, echo",
    "token, session, echo",
    "key, session, warm echo",
    "token, version",
    "key, version",
    "token, warm echo",
];

/// What a caller shows.
enum Credential {
    Key(String),
    Token { subject: String, text: String, key: usize },
}

/// One caller.
struct Caller {
    scene: Arc<Scene>,
    number: usize,
    kind: &'static str,
    era: Era,
    tool: &'static str,
    credential: Credential,
    client: Option<Client>,
    calls: usize,
}

/// Starts them all.
pub fn start(scene: &Arc<Scene>, connections: usize, rate: u32, keys: &[String]) -> Vec<JoinHandle<()>> {
    let every = Duration::from_secs(1).mul_f64(connections as f64 / f64::from(rate));
    let begin = Instant::now();
    let caller = |number: usize| {
        let kind = KINDS.get(number % KINDS.len()).copied().unwrap_or_default();
        let era = if kind.contains("session") { Era::Handshake } else { Era::Modern };
        let tool = match kind {
            _ if kind.ends_with("version") => "version",
            _ if kind.ends_with("warm echo") => "warm_echo",
            _ => "echo",
        };
        let person = number / KINDS.len() % PRINCIPALS;
        let credential = match keys.get(person).filter(|_| kind.starts_with("key")) {
            Some(key) => Credential::Key(key.clone()),
            None => Credential::Token { subject: format!("person-{person}"), text: String::new(), key: usize::MAX },
        };
        let caller = Caller { scene: Arc::clone(scene), number, kind, era, tool, credential, client: None, calls: 0 };
        // In turns, so that calls are spread evenly.
        let first = begin + every.mul_f64(number as f64 / connections as f64);
        tokio::spawn(caller.call_on_schedule(first, every))
    };
    (0..connections).map(caller).collect()
}

impl Caller {
    async fn call_on_schedule(mut self, first: Instant, every: Duration) {
        let mut due = first;
        while due < self.scene.until {
            sleep_until(due).await;
            let sent = Instant::now();
            match self.call().await {
                Ok(text) if self.tool == "version" => {
                    let answer = Versioned { due, sent, received: Instant::now(), text: Ok(text) };
                    self.scene.tally.version(&answer);
                    self.scene.tally.answered(self.kind, answer.received - due);
                }
                Ok(_) => self.scene.tally.answered(self.kind, due.elapsed()),
                Err(error) => {
                    self.client = None;
                    self.scene.tally.wrong(format!("{}, caller {}: {error:#}", self.kind, self.number));
                }
            }
            due += every;
        }
        if let Some(client) = self.client.take()
            && let Ok(credential) = self.credential.fresh(&self.scene)
            && let Err(error) = client.leave(&credential).await
        {
            self.scene.tally.wrong(format!("{}, caller {}: {error:#}", self.kind, self.number));
        }
    }

    /// One call; another one of a caller whose token was overtaken by a new signing key.
    async fn call(&mut self) -> Result<String> {
        for _ in 0..2 {
            let credential = self.credential.fresh(&self.scene)?;
            let mut client = match self.client.take() {
                Some(client) if self.calls < CALLS_PER_CONNECTION => client,
                old => {
                    if let Some(old) = old {
                        old.leave(&credential).await?;
                    }
                    self.calls = 0;
                    self.scene.target.connect(self.era).await?
                }
            };
            self.calls += 1;
            let message = format!("call {} of caller {}: \u{1f980} \"quoted\" \\", self.calls, self.number);
            let arguments = match self.tool {
                "version" => "{}".to_owned(),
                _ => serde_json::json!({ "message": message }).to_string(),
            };
            let answer = client.call(&credential, self.tool, &arguments).await?;
            match answer {
                Answer::Text(text) => {
                    if self.tool != "version" && text != message {
                        bail!("{message:?} was answered with {text:?}");
                    }
                    self.client = Some(client);
                    return Ok(text);
                }
                Answer::Unauthorized if self.credential.is_overtaken(&self.scene) => self.client = Some(client),
                Answer::Unauthorized => break,
            }
        }
        bail!("a credential that holds was refused")
    }
}

impl Credential {
    /// What to show now.
    fn fresh(&mut self, scene: &Scene) -> Result<String> {
        match self {
            Self::Key(key) => Ok(key.clone()),
            Self::Token { subject, text, key } => {
                let current = scene.issuer.key();
                if *key != current {
                    *text = scene.issuer.token(subject)?;
                    *key = current;
                }
                Ok(text.clone())
            }
        }
    }

    /// Whether its issuer has taken another key since it was made.
    fn is_overtaken(&self, scene: &Scene) -> bool {
        matches!(self, Self::Token { key, .. } if *key != scene.issuer.key())
    }
}
