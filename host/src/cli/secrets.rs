//! The operator's secrets, from where the configuration says they are.

use crate::config::{Config, SecretConfig, SecretSource};
use crate::sandbox::doors::Secrets;
use crate::sandbox::secrets::SecretText;
use arc_swap::ArcSwap;
use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The longest secret, in bytes. A certificate's key is a tenth of it.
const MAX_BYTES: u64 = 64 * 1024;
/// How long a program that prints a secret may take: a vault may be far away, but a start should not hang on it.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two looks at whether it has ended.
const LOOK: Duration = Duration::from_millis(10);

/// All values, read anew with each load of the configuration.
#[derive(Clone, Default)]
pub(super) struct Vault(Arc<ArcSwap<HashMap<String, Values>>>);

#[derive(Default)]
struct Values {
    shared: Option<Arc<SecretText>>,
    of_callers: HashMap<String, Arc<SecretText>>,
}

impl Secrets for Vault {
    fn value(&self, name: &str, principal: Option<&str>) -> Option<Arc<SecretText>> {
        let all = self.0.load();
        let values = all.get(name)?;
        let own = principal.and_then(|principal| values.of_callers.get(principal));
        own.or(values.shared.as_ref()).cloned()
    }
}

impl Vault {
    /// Reads all of them. What cannot be read keeps the value it had, if there is one; the texts say why. Blocks.
    pub(super) fn fill(&self, config: &Config) -> Vec<String> {
        let (before, mut problems) = (self.0.load_full(), Vec::new());
        let mut all = HashMap::new();
        for (name, SecretConfig { shared, of_callers }) in &config.secrets {
            let old = before.get(name);
            let mut read = |source: &SecretSource, whose: &str, kept: Option<&Arc<SecretText>>| match read(source) {
                Ok(text) => Some(Arc::new(text)),
                Err(why) => {
                    problems.push(format!("the secret `{name}`{whose} cannot be read from {}: {why}", place(source)));
                    kept.cloned()
                }
            };
            let mut values = Values::default();
            if let Some(source) = shared {
                values.shared = read(source, "", old.and_then(|old| old.shared.as_ref()));
            }
            for (id, source) in of_callers {
                let kept = old.and_then(|old| old.of_callers.get(id));
                values.of_callers.extend(read(source, &format!(" of {id:?}"), kept).map(|text| (id.clone(), text)));
            }
            all.insert(name.clone(), values);
        }
        self.0.store(Arc::new(all));
        problems
    }
}

/// The files whose change changes a secret.
pub(super) fn files(config: &Config) -> impl Iterator<Item = PathBuf> + '_ {
    let sources = config.secrets.values().flat_map(|secret| secret.shared.iter().chain(secret.of_callers.values()));
    sources.filter_map(|source| match source {
        SecretSource::File(file) => Some(file.clone()),
        _ => None,
    })
}

fn place(source: &SecretSource) -> String {
    match source {
        SecretSource::Env(name) => format!("the variable {name}"),
        SecretSource::File(file) => file.display().to_string(),
        // Arguments may hold what is nobody's business.
        SecretSource::Command(command) => format!("`{}`", command.first().map_or("", String::as_str)),
    }
}

fn read(source: &SecretSource) -> Result<SecretText, String> {
    let text = match source {
        SecretSource::Env(name) => {
            std::env::var(name).map_err(|_| "it is not set, set it for the server".to_owned())?
        }
        SecretSource::File(file) => read_file(file)?,
        SecretSource::Command(command) => run(command)?,
    };
    SecretText::new(text.trim_end_matches(['\r', '\n']))
}

fn read_file(file: &Path) -> Result<String, String> {
    let mut text = String::new();
    let file = std::fs::File::open(file).map_err(|error| error.to_string())?;
    file.take(MAX_BYTES + 1).read_to_string(&mut text).map_err(|error| error.to_string())?;
    bounded(text)
}

fn bounded(text: String) -> Result<String, String> {
    if text.len() as u64 > MAX_BYTES {
        return Err(format!("it is longer than {MAX_BYTES} bytes, use a shorter one"));
    }
    Ok(text)
}

/// What a program prints. Its output is read while it runs, so that it cannot block on a full pipe.
fn run(command: &[String]) -> Result<String, String> {
    let (program, arguments) = command.split_first().ok_or("there is no program")?;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("it cannot be started: {error}"))?;
    let output = child.stdout.take().ok_or("it has no output")?;
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        output.take(MAX_BYTES + 1).read_to_string(&mut text).map(|_| text)
    });
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        match child.try_wait().map_err(|error| error.to_string())? {
            Some(status) => break status,
            None if Instant::now() >= deadline => {
                // It may be gone by now, and then there is nothing to kill.
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("it did not end within {} s", PATIENCE.as_secs()));
            }
            None => std::thread::sleep(LOOK),
        }
    };
    if !status.success() {
        return Err(format!("it ended with {status}, run it by hand to see why"));
    }
    let text = reader.join().map_err(|_| "its output could not be read".to_owned())?;
    bounded(text.map_err(|_| "it printed what is no text".to_owned())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(shared: SecretSource) -> Config {
        let of_callers = [("alice".to_owned(), SecretSource::Command(vec!["echo".into(), "of-alice-1234".into()]))];
        let secret = SecretConfig { shared: Some(shared), of_callers: of_callers.into() };
        Config { secrets: [("s".to_owned(), secret)].into(), ..Config::default() }
    }

    #[test]
    fn each_caller_has_its_own_value_and_what_is_gone_stays_known() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        std::fs::write(&file, "of-all-12345\n").unwrap();
        let vault = Vault::default();
        assert!(vault.fill(&config(SecretSource::File(file.clone()))).is_empty());
        let is = |principal, text: &str| vault.value("s", principal) == SecretText::new(text).ok().map(Arc::new);
        assert!(is(None, "of-all-12345") && is(Some("bob"), "of-all-12345") && is(Some("alice"), "of-alice-1234"));
        std::fs::remove_file(&file).unwrap();
        let problems = vault.fill(&config(SecretSource::File(file.clone())));
        assert!(problems.len() == 1 && !problems[0].contains("of-all"), "{problems:?}");
        assert!(is(None, "of-all-12345"), "a rotation that goes wrong takes nothing away");
        assert!(vault.value("other", None).is_none());
        vault.fill(&Config::default());
        assert!(vault.value("s", None).is_none(), "what the configuration no longer names is gone");
    }

    #[test]
    fn a_program_that_fails_or_says_too_much_gives_no_secret() {
        for command in
            [&["false"][..], &["/no/such/program"], &["sh", "-c", "yes | head -c 100000"], &["echo", "short"]]
        {
            let command = command.iter().map(|part| (*part).to_owned()).collect();
            assert!(read(&SecretSource::Command(command)).is_err());
        }
    }
}
