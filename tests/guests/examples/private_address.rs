//! Asks for the machine it runs on and its neighbours, in every spelling an address has.

use toolcell_guests::{Args, Report, http, tool};

/// Ways to write an authority that ends at this machine, at a metadata service or in a private network. Some are no
/// addresses at all to a strict reader, and then must be refused as names.
const HOSTS: [&str; 34] = [
    "127.0.0.1",
    "[::1]",
    "0.0.0.0",
    "[::]",
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "017700000001",
    "127.1",
    "127.0.1",
    "127.0.0.1.",
    "127.255.255.254",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[0:0:0:0:0:0:0:1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2001:0:7f00:1::]",
    "[fe80::1]",
    "[fec0::1]",
    "[fd00::1]",
    "[ff02::1]",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.0.1",
    "100.64.0.1",
    "169.254.169.254",
    "[fd00:ec2::254]",
    "224.0.0.1",
    "255.255.255.255",
    "localhost",
];

tool!(
    private_address,
    "Gets http://HOST:`port`/ (default port 80) for each of `hosts`, by default every spelling of a private address."
);

fn private_address(args: &Args) -> Report {
    let port = args.number("port", 80);
    let given = args.list("hosts");
    let hosts: Vec<&str> = if given.is_empty() { HOSTS.to_vec() } else { given.iter().map(String::as_str).collect() };
    let mut report = Report::new();
    for host in hosts {
        // The brackets of an IPv6 address hold colons of their own, so the object is the host alone.
        let url = format!("http://{host}:{port}/");
        report.add("get", host, http::get(&url));
    }
    report
}
