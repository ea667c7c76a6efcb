//! The `[server]` table.

use std::net::SocketAddr;
use std::path::Path;

use super::diagnostic::Faults;
use super::listen;
use super::needed::ServerConfig;
use super::written::{At, ServerTable};
use crate::policy::TargetHost;

/// Larger pages would make one message of a list too large for some clients.
const MAX_PAGE_SIZE: usize = 1_000;
/// Milliseconds: a day. Nobody should trust a list for longer.
const MAX_LIST_TTL_MS: u64 = 86_400_000;
/// A million tasks are gigabytes.
const MAX_MAX_TASKS: u64 = 1_000_000;
/// Bytes. Every client pays for them at each start.
const MAX_INSTRUCTIONS_BYTES: usize = 64 * 1024;

pub(super) fn resolve(table: &ServerTable, base: &Path, faults: &mut Faults) -> ServerConfig {
    let ServerTable {
        http,
        allowed_hosts,
        allowed_origins,
        page_size,
        list_ttl_ms,
        state,
        max_tasks,
        instructions,
        ..
    } = table;
    let mut server = ServerConfig { listen: listen::resolve(table, base, faults), ..ServerConfig::default() };
    if let Some(text) = http {
        server.http = check(text, parse_listen(text.get()), faults);
    }
    server.allowed_hosts = each(allowed_hosts, parse_allowed_host, faults);
    server.allowed_origins = each(allowed_origins, parse_origin, faults);
    if let Some(written) = page_size {
        match usize::try_from(*written.get()) {
            Ok(size @ 1..=MAX_PAGE_SIZE) => server.page_size = size,
            _ => {
                let fix = format!("write 1 to {MAX_PAGE_SIZE}");
                faults.push(written.span(), format!("`page-size` is {}", written.get()), fix);
            }
        }
    }
    if let Some(written) = list_ttl_ms {
        match *written.get() {
            ttl @ 0..=MAX_LIST_TTL_MS => server.list_ttl_ms = ttl,
            ttl => {
                let fix = format!("write 0 to {MAX_LIST_TTL_MS}, which is a day");
                faults.push(written.span(), format!("`list-ttl-ms` is {ttl}"), fix);
            }
        }
    }
    if let Some(written) = max_tasks {
        match *written.get() {
            most @ 1..=MAX_MAX_TASKS => server.max_tasks = most,
            most => {
                let fix = format!("write 1 to {MAX_MAX_TASKS}");
                faults.push(written.span(), format!("`max-tasks` is {most}"), fix);
            }
        }
    }
    match state {
        Some(file) if file.get().is_empty() => {
            faults.push(file.span(), "the path of `state` is empty", "name a file");
        }
        Some(file) => server.state = Some(base.join(file.get()).components().collect()),
        None => {}
    }
    if let Some(text) = instructions {
        if text.get().len() > MAX_INSTRUCTIONS_BYTES {
            let message = format!("`instructions` have {} bytes", text.get().len());
            faults.push(text.span(), message, format!("keep them below {MAX_INSTRUCTIONS_BYTES}"));
        } else {
            server.instructions = Some(text.get().clone());
        }
    }
    server
}

fn each<T>(list: &[At<String>], parse: fn(&str) -> Result<T, String>, faults: &mut Faults) -> Vec<T> {
    list.iter().filter_map(|text| check(text, parse(text.get()), faults)).collect()
}

fn check<T>(text: &At<String>, parsed: Result<T, String>, faults: &mut Faults) -> Option<T> {
    parsed.map_err(|message| faults.push_whole(text.span(), &message)).ok()
}

fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        let port = text.rsplit(':').next().and_then(|port| port.parse::<u16>().ok()).unwrap_or(8080);
        format!("`http` is {text:?} and needs an address and a port, write \"127.0.0.1:{port}\"")
    })
}

/// `host` or `host:port`, in the form in which headers are compared.
fn parse_allowed_host(text: &str) -> Result<String, String> {
    let err = |problem: &str| format!("allowed host {text:?} {problem}, write it like \"tools.example.com\"");
    if text.contains("://") {
        return Err(err("is a URL"));
    }
    if text.contains('*') {
        return Err(err("has a wildcard and would let any page rebind its name to this server"));
    }
    let bare_ipv6 = text.parse::<std::net::Ipv6Addr>().is_ok();
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !bare_ipv6 && !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let host: TargetHost = host.parse().map_err(|_| err("is no host name"))?;
    match port.map(str::parse::<u16>) {
        None => Ok(host.to_string()),
        Some(Ok(port)) if port > 0 => Ok(format!("{host}:{port}")),
        Some(_) => Err(err("has a port that is not a number from 1 to 65535")),
    }
}

/// An origin in the form in which browsers send it (RFC 6454, 6.2).
fn parse_origin(text: &str) -> Result<String, String> {
    let err = |problem: &str| format!("allowed origin {text:?} {problem}, write it like \"https://app.example.com\"");
    if text.contains('*') {
        return Err(err("has a wildcard and would let any page call this server"));
    }
    let url = url::Url::parse(text).map_err(|_| err("is no URL"))?;
    let bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
    if !bare || !url.username().is_empty() || url.password().is_some() || !url.has_host() {
        return Err(err("has more or less than a scheme, a host and a port"));
    }
    match url.origin() {
        origin @ url::Origin::Tuple(..) => Ok(origin.ascii_serialization()),
        // Schemes of editors and apps, such as `vscode-webview://`, whose origin only they know how to write.
        url::Origin::Opaque(_) => Ok(text.trim_end_matches('/').to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listening() {
        for good in ["127.0.0.1:8080", "[::1]:0", "0.0.0.0:80"] {
            assert!(parse_listen(good).is_ok(), "{good}");
        }
        for (bad, fix) in [
            ("localhost:9000", "\"127.0.0.1:9000\""),
            ("9000", "\"127.0.0.1:9000\""),
            (":9000", "\"127.0.0.1:9000\""),
            ("127.0.0.1", "\"127.0.0.1:8080\""),
            ("http://127.0.0.1:9000", "\"127.0.0.1:9000\""),
            ("127.0.0.1:99999", "\"127.0.0.1:8080\""),
        ] {
            let message = parse_listen(bad).unwrap_err();
            assert!(message.ends_with(fix), "{message}");
        }
    }

    #[test]
    fn allowed_hosts() {
        let good = [
            ("Tools.Example.com", "tools.example.com"),
            ("tools.example.com:8443", "tools.example.com:8443"),
            ("10.1.2.3", "10.1.2.3"),
            ("10.1.2.3:80", "10.1.2.3:80"),
            ("::1", "[::1]"),
            ("[::1]:80", "[::1]:80"),
            ("[::1]", "[::1]"),
            ("bücher.example", "xn--bcher-kva.example"),
        ];
        for (text, form) in good {
            assert_eq!(parse_allowed_host(text).as_deref(), Ok(form));
        }
        for bad in
            ["", "*", "*.example.com", "https://a.example", "a b", "a.example:0", "a.example:x", "u@a.example", "a/b"]
        {
            assert!(parse_allowed_host(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn allowed_origins() {
        let good = [
            ("https://App.Example.com", "https://app.example.com"),
            ("https://app.example.com/", "https://app.example.com"),
            ("https://app.example.com:443", "https://app.example.com"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("vscode-webview://abc", "vscode-webview://abc"),
        ];
        for (text, form) in good {
            assert_eq!(parse_origin(text).as_deref(), Ok(form));
        }
        for bad in [
            "",
            "*",
            "null",
            "app.example.com",
            "https://a.example/x",
            "https://a.example?q",
            "https://u@a.example",
            "data:x",
        ] {
            assert!(parse_origin(bad).is_err(), "{bad}");
        }
    }
}
