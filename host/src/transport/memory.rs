//! A transport inside the process: what one end sends, the other receives.

use tokio::sync::mpsc;

use super::channel::Channel;

/// Two ends of a connection. `capacity` messages may wait in each direction; at least one.
///
/// The first end is for the server ([`serve_channel`](super::serve_channel)), the second for the client; they are
/// alike.
pub fn pair(capacity: usize) -> (Channel, Channel) {
    let (to_server, from_client) = mpsc::channel(capacity.max(1));
    let (to_client, from_server) = mpsc::channel(capacity.max(1));
    (Channel { incoming: from_client, outgoing: to_client }, Channel { incoming: from_server, outgoing: to_server })
}
