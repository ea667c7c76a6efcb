//! How the host ends and is followed by another: nothing in flight is lost, and nobody is refused.

use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use serde_json::json;
use toolcell_tests::DEADLINE;
use toolcell_tests::artifacts;
use toolcell_tests::host::Host;
use toolcell_tests::http::Http;
use toolcell_tests::mcp::{HANDSHAKE, Modern, response_of, text_of};
use toolcell_tests::site::Site;

use super::{config, echo, readiness};

/// A config with a tool that waits for `gate/open`.
fn gated(site: &Site, server: &str) -> PathBuf {
    site.folder("gate");
    let dirs = "dirs = [{ host = 'gate', guest = '/gate', access = 'read-write' }]";
    let gate = Site::guest("gate", &format!("{dirs}\nlimits = {{ wall-ms = 600000, cpu-ms = 600000 }}"));
    site.config(&format!("[server]\n{server}\n\n{gate}"))
}

/// Calls the tool; returns when it has begun.
fn begin(site: &Site, host: &Host) -> Modern {
    let mut client = host.modern();
    client.send("tools/call", &json!({ "name": "gate", "arguments": {} }));
    while !site.path("gate/gate").exists() {
        thread::yield_now();
    }
    client
}

#[test]
fn what_is_in_flight_ends_well_and_nothing_new_is_taken() {
    let site = Site::new();
    let mut host = Host::serve(&gated(&site, "admin = '127.0.0.1:0'"));
    let admin = host.admin();
    let session = host.session(HANDSHAKE);
    let (mut handshake, mut modern) = (session.listen(), host.modern().listen());
    let mut idle = host.connect();
    assert_eq!(idle.request("GET", "/nowhere", &[], b"").head.status, 404);
    let call = begin(&site, &host);

    let mark = host.log.mark();
    host.signal("TERM");
    host.log.wait_for(mark, &["finishing what is in flight"]);
    let draining = json!({ "ready": false, "reasons": ["requests in flight are being finished, the server ends"] });
    assert_eq!(readiness(admin), (503, draining));
    // Streams without an end of their own end as streams do: a connection that broke would be an error here.
    while handshake.next_message().is_some() {}
    while modern.next_message().is_some() {}
    assert!(idle.rest().is_ok_and(|rest| rest.is_empty()), "a connection without a request is closed");
    while Http::try_connect(host.address).is_ok() {}

    site.write("gate/open", "");
    let answer = call.into_http().response();
    assert_eq!(text_of(&response_of(&answer)["result"]), "gate was begun 1 times");
    assert_eq!(host.end().code(), Some(0));
}

#[test]
fn what_does_not_end_is_given_up_after_its_time_and_at_once_if_asked_again() {
    let site = Site::new();
    let mut host = Host::serve(&gated(&site, "drain-ms = 300"));
    let call = begin(&site, &host);
    let mark = host.log.mark();
    assert_eq!(host.terminate().code(), Some(0));
    assert!(host.log.since(mark).contains("connections did not end in time"), "{}", host.log.since(mark));
    assert!(call.into_http().head().is_err());

    for first in ["TERM", "INT"] {
        let site = Site::new();
        let mut host = Host::serve(&gated(&site, "drain-ms = 3600000"));
        let call = begin(&site, &host);
        let mark = host.log.mark();
        host.signal(first);
        host.log.wait_for(mark, &["finishing what is in flight"]);
        assert_eq!(host.terminate().code(), Some(1));
        assert!(host.log.since(mark).contains("ending at once"));
        assert!(call.into_http().head().is_err());
    }
}

/// `toolcell serve` as a service manager starts it: with this socket as its file 3, and told so.
fn with_socket(socket: &TcpListener, config: &Path, name: &str) -> Command {
    let mut command = Command::new("sh");
    // The process id is only known once there is a process.
    let script = r#"exec 3<&0 </dev/null; export LISTEN_PID=$$; exec "$0" serve --config "$1""#;
    command.arg("-c").arg(script).arg(artifacts::toolcell()).arg(config);
    command.env("LISTEN_FDS", "1").env("LISTEN_FDNAMES", name);
    command.stdin(Stdio::from(OwnedFd::from(socket.try_clone().expect("a socket can be shared"))));
    command
}

#[test]
fn a_socket_of_the_service_manager_is_served_and_survives_restarts_under_load() {
    let site = Site::new();
    let socket = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a port is free");
    let address = socket.local_addr().expect("it has an address");
    // The address of the config is not used.
    let file = config(&site, "http = '192.0.2.1:1'");
    let told = UnixDatagram::bind(site.path("notify")).expect("a socket can be made");
    told.set_read_timeout(Some(DEADLINE)).expect("a timeout can be set");
    let hears = || {
        let mut buffer = [0; 256];
        let length = told.recv(&mut buffer).expect("the service manager is told");
        String::from_utf8_lossy(&buffer[..length]).trim().to_owned()
    };
    let start = || {
        let mut command = with_socket(&socket, &file, "toolcell.socket");
        command.env("NOTIFY_SOCKET", site.path("notify"));
        let host = Host::run(command);
        assert_eq!(hears(), "READY=1");
        host
    };
    let (stop, served) = (AtomicBool::new(false), AtomicUsize::new(0));
    let mut host = start();
    assert_eq!(host.address, address);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    echo(Http::connect(address));
                    served.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for _ in 0..3 {
            let before = served.load(Ordering::Relaxed);
            while served.load(Ordering::Relaxed) < before + 10 {
                thread::yield_now();
            }
            assert_eq!(host.terminate().code(), Some(0));
            assert_eq!(hears(), "STOPPING=1");
            host = start();
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(served.load(Ordering::Relaxed) >= 30);
}

#[test]
fn a_socket_named_admin_is_the_operators() {
    let site = Site::new();
    let socket = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a port is free");
    let host = Host::run(with_socket(&socket, &config(&site, "http = '127.0.0.1:0'"), "admin"));
    let address = socket.local_addr().expect("it has an address");
    assert_eq!(host.admin(), address);
    assert_ne!(host.address, address);
    let late = Instant::now() + DEADLINE;
    while readiness(address).0 != 200 {
        assert!(Instant::now() < late, "it never got ready");
    }
    echo(host.connect());
    // A socket of a service manager is no way around authentication.
    let open = TcpListener::bind(SocketAddr::from(([0, 0, 0, 0], 0))).expect("a port is free");
    let mut host = Host::spawn(with_socket(&open, &config(&site, ""), "http"));
    assert_eq!(host.end().code(), Some(2));
    assert!(host.log.all().contains("if everyone may call"), "{}", host.log.all());
}

#[test]
fn a_hangup_loads_again_even_where_files_are_not_watched() {
    let site = Site::new();
    let file = site.config(&Site::plugin("echo", ""));
    let mut command = Host::command();
    command.arg("--config").arg(&file).args(["--http", "127.0.0.1:0", "--no-watch"]);
    let mut host = Host::run(command);
    assert_eq!(host.modern().tools(), ["echo"]);
    site.config(&Site::plugin("time", ""));
    assert_eq!(host.modern().tools(), ["echo"], "nobody has asked");
    host.reload(|| host.signal("HUP"));
    assert!(!host.modern().tools().contains(&"echo".to_owned()));
    assert_eq!(host.terminate().code(), Some(0));
}
