//! OAuth 2.1 with an authorization server of standing (`oidc-provider`) and the official clients: from the first refusal to
//! the tool, further to a tool that needs more scopes, and who is not let in.
//!
//! What is said over HTTP is in `tests/clients/oauth`; this file starts the servers and the programs.

use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use serde_json::{Value, json};
use toolcell_tests::artifacts;
use toolcell_tests::host::Host;
use toolcell_tests::log::{Log, Mark};
use toolcell_tests::mcp::{HANDSHAKE, MODERN};
use toolcell_tests::plan::run;
use toolcell_tests::site::Site;

/// The variable that holds the host's password at the authorization server.
pub(super) const SECRET_ENV: &str = "TOOLCELL_TEST_OAUTH_SECRET";
/// The password, as `server.mjs` has it: it must be encoded to get there.
const SECRET: &str = "a secret: 100% of it +/&=";

/// An authorization server. It is killed when this is dropped.
pub(super) struct Issuer {
    process: Child,
    output: Log,
    log: Log,
}

impl Issuer {
    /// Starts one whose tokens are for `resource`.
    fn start(resource: &str, more: &[&str]) -> Self {
        let mut server = node("server.mjs");
        server.arg(resource).args(more);
        Self::run(server)
    }

    /// Starts another server that says where it listens in the same words.
    fn run(mut server: Command) -> Self {
        let mut process = server
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("node can be started");
        let output = Log::follow(process.stdout.take().expect("stdout is piped"));
        let log = Log::follow(process.stderr.take().expect("stderr is piped"));
        Self { process, output, log }
    }

    /// Its name in tokens, which is its URL; waits until it listens.
    pub(super) fn url(&self) -> String {
        let words = "listening on ";
        self.output.wait_for(Mark::START, &[words]).replace(words, "")
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if thread::panicking() {
            eprintln!("---- the authorization server said:\n{}\n{}\n----", self.output.all(), self.log.all());
        }
    }
}

/// A host and the authorization server it trusts.
pub(super) struct Scene {
    pub(super) site: Site,
    host: Host,
    pub(super) resource: String,
    pub(super) issuer: Issuer,
    /// What stands before the host.
    _proxy: Option<Issuer>,
}

impl Scene {
    /// `dpop` as in the config; `more` for the authorization server.
    pub(super) fn new(dpop: &str, more: &[&str]) -> Self {
        Self::with(dpop, more, |_| String::new())
    }

    /// The same with more in the config, which may name the authorization server's URL.
    pub(super) fn with(dpop: &str, more: &[&str], rest: impl FnOnce(&str) -> String) -> Self {
        Self::behind(None, dpop, more, rest)
    }

    /// The same behind a proxy that takes this off the beginning of paths.
    fn behind(prefix: Option<&str>, dpop: &str, more: &[&str], rest: impl FnOnce(&str) -> String) -> Self {
        let site = Site::new();
        // Both servers must know the URL before there is a host, so the host gets a socket that is there already.
        let socket = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a port is free");
        let own = format!("http://{}", socket.local_addr().expect("it has an address"));
        let proxy = prefix.map(|prefix| {
            let mut proxy = node("proxy.mjs");
            proxy.args([own.as_str(), prefix]);
            Issuer::run(proxy)
        });
        let resource = match (&proxy, prefix) {
            (Some(proxy), Some(prefix)) => format!("{}{prefix}/mcp", proxy.url()),
            _ => format!("{own}/mcp"),
        };
        let trusted = if proxy.is_some() { "[server]\ntrusted-proxies = ['127.0.0.1']\n" } else { "" };
        let issuer = Issuer::start(&resource, more);
        let auth = format!(
            "[auth]\nkeys = 'keys.json'\nresource = '{resource}'\nchallenge-scopes = ['tools:read']\ndpop = {dpop}\n\
             scopes = {{ 'tools:admin' = ['tools:read', 'tools:write'] }}\n\
             [auth.issuers.idp]\nissuer = '{url}'\ngroups-claim = 'groups'\n\
             [auth.introspection]\nname = 'asked'\nendpoint = '{url}/token/introspection'\nclient-id = 'toolcell'\n\
             client-secret-env = '{SECRET_ENV}'\ngroups-claim = 'groups'\nttl-ms = 0\n",
            url = issuer.url()
        );
        let rules = "[[allow]]\ntools = ['context_peek']\nscopes = ['tools:read']\n\
                     [[allow]]\ntools = ['echo']\nscopes = ['tools:read', 'tools:write']\n";
        let plugins = format!("{}{}", Site::guest("context_peek", ""), Site::plugin("echo", ""));
        let plugins = format!("{}{plugins}", rest(&issuer.url()));
        let host = Host::run(with_socket(socket, &site.config(&format!("{trusted}{auth}{rules}{plugins}"))));
        assert_eq!(host.url(), format!("{own}/mcp"));
        Self { site, host, resource, issuer, _proxy: proxy }
    }

    /// What a client must know to come in as alice and see that it has.
    fn plan(&self, version: &str) -> Value {
        json!({
            "url": self.resource, "version": version,
            "hint": "alice", "principal": "idp:alice", "groups": ["developers", "admins"],
        })
    }

    /// Runs a program to its end. No token is in the log then.
    pub(super) fn run(&self, program: Command, plan: &Value) {
        run(&self.site, program, plan);
        let log = self.host.log.all();
        // How every JWT begins.
        assert!(!log.contains("eyJ") && !log.contains(SECRET), "{log}");
    }
}

/// `toolcell serve` as a service manager starts it: with this socket as its file 3, and told so.
fn with_socket(socket: TcpListener, config: &Path) -> Command {
    let mut command = Command::new("sh");
    // The process id is only known once there is a process.
    let script = r#"exec 3<&0 </dev/null; export LISTEN_PID=$$; exec "$0" serve --config "$1""#;
    command.arg("-c").arg(script).arg(artifacts::toolcell()).arg(config);
    command.env("LISTEN_FDS", "1").env(SECRET_ENV, SECRET).stdin(Stdio::from(OwnedFd::from(socket)));
    command
}

pub(super) fn node(program: &str) -> Command {
    let mut node = Command::new(artifacts::client("node"));
    node.arg(artifacts::client("oauth").join(program));
    node
}

#[test]
fn tokens_are_let_in_or_told_why_not() {
    let scene = Scene::new("{}", &[]);
    let other = Issuer::start(&scene.resource, &[]);
    let plan = json!({
        "url": scene.resource, "issuer": scene.issuer.url(), "other": other.url(),
    });
    scene.run(node("tokens.mjs"), &plan);
}

#[test]
fn the_typescript_client_finds_its_way_in_and_steps_up() {
    let scene = Scene::new("{}", &[]);
    for version in [MODERN, HANDSHAKE] {
        scene.run(node("client.mjs"), &scene.plan(version));
    }
}

#[test]
fn the_typescript_client_proves_that_its_token_is_its_own() {
    let scene = Scene::new("{ required = true, nonce = true }", &[]);
    for version in [MODERN, HANDSHAKE] {
        let mut plan = scene.plan(version);
        plan["dpop"] = true.into();
        scene.run(node("client.mjs"), &plan);
    }
}

#[test]
fn a_proof_is_for_the_url_that_clients_know_behind_a_proxy_that_changes_it() {
    let scene = Scene::behind(Some("/tools"), "{ required = true }", &[], |_| String::new());
    for version in [MODERN, HANDSHAKE] {
        let mut plan = scene.plan(version);
        plan["dpop"] = true.into();
        scene.run(node("client.mjs"), &plan);
    }
    // Who comes past the proxy is not believed to have come through it.
    let plan = json!({ "url": scene.resource, "direct": scene.host.url(), "issuer": scene.issuer.url() });
    scene.run(node("past.mjs"), &plan);
}

#[test]
fn the_python_client_finds_its_way_in_and_steps_up() {
    // Short enough to see it end.
    let seconds = 2;
    let scene = Scene::new("{}", &["--ttl", &seconds.to_string()]);
    for version in [MODERN, HANDSHAKE] {
        let mut plan = scene.plan(version);
        plan["ttl"] = seconds.into();
        let mut python = Command::new(artifacts::client("python-mcp2"));
        // Without -B it would leave compiled files in the source tree.
        python.arg("-B").arg(artifacts::client_sources().join("oauth/client.py"));
        scene.run(python, &plan);
    }
}
