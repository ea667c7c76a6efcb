//! The operator's secrets, from where the configuration says they are, and those that are made for each caller.

use crate::config::{Config, ExchangeSource, SecretConfig, SecretSource};
use crate::host::door::Pass;
use crate::policy::Principal;
use crate::sandbox::doors::{Answer, Secrets};
use crate::sandbox::secrets::SecretText;
use arc_swap::ArcSwap;
use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant, SystemTime};
use toolcell_identity::{ClientSecret, ExchangeConfig, HttpConfig, Secret, Subject, TokenExchange};

/// The longest secret, in bytes. A certificate's key is a tenth of it.
const MAX_BYTES: u64 = 64 * 1024;
/// How long a program that prints a secret may take: a vault may be far away, but a start should not hang on it.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long its output may stay open after its end: what it printed is there already.
const AFTERWARDS: Duration = Duration::from_secs(1);
/// Between two looks at whether it has ended.
const LOOK: Duration = Duration::from_millis(10);

/// All values, read anew with each load of the configuration.
#[derive(Clone, Default)]
pub(super) struct Vault(Arc<ArcSwap<HashMap<String, Values>>>);

#[derive(Default)]
struct Values {
    shared: Option<Arc<SecretText>>,
    of_callers: HashMap<String, Arc<SecretText>>,
    exchange: Option<Arc<Exchange>>,
}

/// A secret that is made of each caller's access token.
struct Exchange {
    of: ExchangeSource,
    /// What the authorization servers are trusted by, and this server's password there.
    by: (HttpConfig, Secret),
    made: TokenExchange,
}

impl Exchange {
    /// The one before, if nothing is new: it knows the tokens it gave.
    fn open(of: &ExchangeSource, http: HttpConfig, before: Option<&Arc<Self>>) -> Result<Arc<Self>, String> {
        let env = &of.client_secret_env;
        let secret = std::env::var(env).map_err(|_| format!("the variable {env} is not set, set it for the server"))?;
        if let Some(before) = before.filter(|before| before.is(of, &http) && before.by.1.expose() == secret) {
            return Ok(Arc::clone(before));
        }
        let secret = Secret::from(secret);
        let config = ExchangeConfig {
            endpoint: of.endpoint.clone(),
            client: ClientSecret { id: of.client_id.clone(), secret: secret.clone() },
            audience: of.audience.clone(),
            resource: of.resource.clone(),
            scope: of.scope.clone(),
        };
        let made = TokenExchange::new(&config, &http).map_err(|error| error.to_string())?;
        Ok(Arc::new(Self { of: of.clone(), by: (http, secret), made }))
    }

    /// Whether it is the one that is configured so, whatever this server's password there is by now.
    fn is(&self, of: &ExchangeSource, http: &HttpConfig) -> bool {
        let own = &self.by.0;
        self.of == *of && (&own.authority, own.allow_http) == (&http.authority, http.allow_http)
    }

    async fn make(&self, name: &str, caller: Option<&Principal>) -> Result<Arc<SecretText>, String> {
        let issuer = &self.of.issuer;
        let token = caller.and_then(|caller| Some((caller, caller.shown.get::<Pass>()?.token_of(issuer)?)));
        let Some((caller, (token, expires))) = token else {
            let who = caller.map_or("nobody".to_owned(), |caller| format!("{:?}", caller.id));
            return Err(format!(
                "the secret `{name}` is made of an access token of {issuer:?}, and the caller {who} came with none; call \
                 with such a token, or give the caller a value under [secrets.{name}.principals]"
            ));
        };
        let subject = Subject { principal: &caller.id, token, expires };
        let made = self.made.exchange(subject, SystemTime::now()).await;
        let made = made.map_err(|error| format!("the secret `{name}` cannot be had: {error}"))?;
        let text = SecretText::new(made.token.expose());
        text.map(Arc::new).map_err(|why| format!("the secret `{name}` cannot be used: {why}"))
    }
}

impl Secrets for Vault {
    fn value(&self, name: &str, principal: Option<&str>) -> Option<Arc<SecretText>> {
        let all = self.0.load();
        let values = all.get(name)?;
        let own = principal.and_then(|principal| values.of_callers.get(principal));
        own.or(values.shared.as_ref()).cloned()
    }

    fn makes(&self, name: &str) -> bool {
        self.0.load().get(name).is_some_and(|values| values.exchange.is_some())
    }

    fn make<'a>(&'a self, name: &'a str, caller: Option<&'a Principal>) -> Answer<'a, Result<Arc<SecretText>, String>> {
        let exchange = self.0.load().get(name).and_then(|values| values.exchange.clone());
        Box::pin(async move {
            match exchange {
                Some(exchange) => exchange.make(name, caller).await,
                None => Err(format!("the secret `{name}` is no longer made for callers, call again")),
            }
        })
    }
}

impl Vault {
    /// Reads all of them. What cannot be read keeps the value it had, if there is one; the texts say why. Blocks.
    pub(super) fn fill(&self, config: &Config) -> Vec<String> {
        let (before, mut problems) = (self.0.load_full(), Vec::new());
        let mut all = HashMap::new();
        for (name, SecretConfig { shared, of_callers, exchange }) in &config.secrets {
            let old = before.get(name);
            let exchange = exchange.as_ref().and_then(|of| {
                let http = HttpConfig { authority: config.auth.authority.clone(), allow_http: config.auth.allow_http };
                let kept = old.and_then(|old| old.exchange.as_ref());
                let opened = Exchange::open(of, http.clone(), kept);
                let opened = opened.map_err(|why| problems.push(format!("the secret `{name}` cannot be made: {why}")));
                // As with values: a rotation that goes wrong takes nothing away.
                opened.ok().or_else(|| kept.filter(|kept| kept.is(of, &http)).cloned())
            });
            let mut read = |source: &SecretSource, whose: &str, kept: Option<&Arc<SecretText>>| match read(source) {
                Ok(text) => Some(Arc::new(text)),
                Err(why) => {
                    problems.push(format!("the secret `{name}`{whose} cannot be read from {}: {why}", place(source)));
                    kept.cloned()
                }
            };
            let mut values = Values { exchange, ..Values::default() };
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

/// What a program prints. It runs in a group of its own, so that what it starts ends with it where there is no secret of it.
fn run(command: &[String]) -> Result<String, String> {
    let (program, arguments) = command.split_first().ok_or("there is no program")?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn().map_err(|error| format!("it cannot be started: {error}"))?;
    let output = child.stdout.take();
    let printed = printed(&mut child, output);
    if printed.is_err() {
        end_group(&mut child);
    }
    // Only now, and it has ended: until it is waited for, its number and that of its group are nobody else's.
    let _ = child.wait();
    printed
}

/// What it prints until it ends. Its output is read while it runs, so that it cannot block on a full pipe.
fn printed(child: &mut Child, output: Option<ChildStdout>) -> Result<String, String> {
    let output = output.ok_or("it has no output")?;
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut text = String::new();
        let read = output.take(MAX_BYTES + 1).read_to_string(&mut text).map(|_| text);
        // If it took too long, nobody waits any more.
        let _ = sender.send(read);
    });
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        match ended(child).map_err(|error| error.to_string())? {
            Some(status) => break status,
            None if Instant::now() >= deadline => {
                return Err(format!("it did not end within {} s", PATIENCE.as_secs()));
            }
            None => std::thread::sleep(LOOK),
        }
    };
    if !status.success() {
        return Err(format!("it ended with {status}, run it by hand to see why"));
    }
    match receiver.recv_timeout(AFTERWARDS) {
        Ok(text) => bounded(text.map_err(|_| "it printed what is no text".to_owned())?),
        Err(_) => Err("it left a program behind that holds its output, have that one close it".to_owned()),
    }
}

/// How a program ended, if it has. It is still to be waited for, so that its number stays its own.
#[cfg(unix)]
fn ended(child: &mut Child) -> std::io::Result<Option<ExitStatus>> {
    use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
    use std::os::unix::process::ExitStatusExt as _;
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    let status = waitid(WaitId::Pid(Pid::from_child(child)), look)?;
    // As wait(2) writes it: the signal, or above it what the program returned.
    let raw = status.map(|status| match status.terminating_signal() {
        Some(signal) => signal,
        None => (status.exit_status().unwrap_or(1) & 0xff) << 8,
    });
    Ok(raw.map(ExitStatus::from_raw))
}

/// How a program ended, if it has.
#[cfg(not(unix))]
fn ended(child: &mut Child) -> std::io::Result<Option<ExitStatus>> {
    child.try_wait()
}

/// Ends a program, and what it has started where the system has groups of processes. It must not have been waited for.
fn end_group(child: &mut Child) {
    // Whatever is gone by now need not be ended.
    #[cfg(unix)]
    let _ = rustix::process::kill_process_group(rustix::process::Pid::from_child(child), rustix::process::Signal::KILL);
    let _ = child.kill();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(shared: SecretSource) -> Config {
        let of_callers = [("alice".to_owned(), SecretSource::Command(vec!["echo".into(), "of-alice-1234".into()]))];
        let secret = SecretConfig { shared: Some(shared), of_callers: of_callers.into(), exchange: None };
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
    fn what_a_program_leaves_behind_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let told = folder.path().join("pid");
        let ends =
            [("echo value-left-behind", "left a program behind"), ("exit 3", "exit status: 3"), ("kill $$", "signal")];
        for (end, why) in ends {
            let script = format!("sleep 600 & echo $! > {}; {end}", told.display());
            let begun = Instant::now();
            let error = read(&SecretSource::Command(["sh", "-c", &script].map(str::to_owned).to_vec())).unwrap_err();
            assert!(error.contains(why) && begun.elapsed() < PATIENCE, "{error}");
            // It is gone, or about to be: the kernel takes a moment to end it.
            let process = PathBuf::from("/proc").join(std::fs::read_to_string(&told).unwrap().trim()).join("stat");
            let lives = || std::fs::read_to_string(&process).is_ok_and(|stat| !stat.contains(") Z "));
            while lives() {
                assert!(begun.elapsed() < PATIENCE, "it lives");
                std::thread::sleep(LOOK);
            }
        }
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
