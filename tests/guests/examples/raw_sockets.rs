//! Leaves `wasi:http` aside and opens sockets of its own.

use toolcell_guests::{Args, Report, tool};
use wasip2::sockets::instance_network::instance_network;
use wasip2::sockets::ip_name_lookup::resolve_addresses;
use wasip2::sockets::network::{
    ErrorCode, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress, Network,
};
use wasip2::sockets::tcp_create_socket::create_tcp_socket;
use wasip2::sockets::udp::OutgoingDatagram;
use wasip2::sockets::udp_create_socket::create_udp_socket;

tool!(
    raw_sockets,
    "Connects by TCP and UDP to 127.0.0.1 and ::1 at `port` (default 80), listens, and looks up `name` (default localhost)."
);

type Done = Result<&'static str, ErrorCode>;

fn raw_sockets(args: &Args) -> Report {
    let port = u16::try_from(args.number("port", 80)).unwrap_or(80);
    let name = args.text("name", "localhost");
    let network = instance_network();
    let v4 = IpSocketAddress::Ipv4(Ipv4SocketAddress { port, address: (127, 0, 0, 1) });
    let v6 =
        IpSocketAddress::Ipv6(Ipv6SocketAddress { port, flow_info: 0, address: (0, 0, 0, 0, 0, 0, 0, 1), scope_id: 0 });
    let mut report = Report::new();
    for (object, address, family) in [("127.0.0.1", v4, IpAddressFamily::Ipv4), ("::1", v6, IpAddressFamily::Ipv6)] {
        let mut add = |action: &str, done: Done| {
            report.add(action, object, done.map_err(|code| code.name()));
        };
        add("tcp-connect", tcp_connect(&network, address, family));
        add("tcp-listen", tcp_listen(&network, any_port(address), family));
        add("udp-bind", udp_bind(&network, any_port(address), family));
        add("udp-send", udp_send(&network, address, family));
    }
    report.add("lookup", name, lookup(&network, name).map_err(|code| code.name()));
    let std = std::net::TcpStream::connect(("127.0.0.1", port));
    report.add("std-connect", "127.0.0.1", std.map(|_| "connected"));
    report
}

fn any_port(address: IpSocketAddress) -> IpSocketAddress {
    match address {
        IpSocketAddress::Ipv4(address) => IpSocketAddress::Ipv4(Ipv4SocketAddress { port: 0, ..address }),
        IpSocketAddress::Ipv6(address) => IpSocketAddress::Ipv6(Ipv6SocketAddress { port: 0, ..address }),
    }
}

fn tcp_connect(network: &Network, address: IpSocketAddress, family: IpAddressFamily) -> Done {
    let socket = create_tcp_socket(family)?;
    socket.start_connect(network, address)?;
    loop {
        match socket.finish_connect() {
            Err(ErrorCode::WouldBlock) => socket.subscribe().block(),
            other => return other.map(|_| "connected"),
        }
    }
}

fn tcp_listen(network: &Network, address: IpSocketAddress, family: IpAddressFamily) -> Done {
    let socket = create_tcp_socket(family)?;
    socket.start_bind(network, address)?;
    socket.finish_bind()?;
    socket.start_listen()?;
    socket.finish_listen()?;
    Ok("listening")
}

fn udp_bind(network: &Network, address: IpSocketAddress, family: IpAddressFamily) -> Done {
    let socket = create_udp_socket(family)?;
    socket.start_bind(network, address)?;
    socket.finish_bind()?;
    Ok("bound")
}

fn udp_send(network: &Network, address: IpSocketAddress, family: IpAddressFamily) -> Done {
    let socket = create_udp_socket(family)?;
    socket.start_bind(network, any_port(address))?;
    socket.finish_bind()?;
    let (_incoming, outgoing) = socket.stream(None)?;
    outgoing.subscribe().block();
    outgoing.check_send()?;
    let datagram = OutgoingDatagram { data: b"out".to_vec(), remote_address: Some(address) };
    outgoing.send(&[datagram])?;
    Ok("sent")
}

fn lookup(network: &Network, name: &str) -> Result<String, ErrorCode> {
    let addresses = resolve_addresses(network, name)?;
    loop {
        match addresses.resolve_next_address() {
            Err(ErrorCode::WouldBlock) => addresses.subscribe().block(),
            other => return other.map(|address| format!("{address:?}")),
        }
    }
}
