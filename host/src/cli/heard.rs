//! What the host says while it works, for commands that show it or judge by it: the same events that go to the log, with
//! their fields. A command that does not listen costs the host nothing.

use tokio::sync::mpsc;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Filter, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{filter, util::SubscriberInitExt as _};

/// Events that may wait to be heard. A call says at most some thousand; what does not fit is dropped.
const WAITING: usize = 16_384;

/// One event.
pub(super) struct Heard {
    pub(super) kind: Kind,
    pub(super) level: Level,
    /// Its text.
    pub(super) message: String,
    fields: Vec<(&'static str, String)>,
}

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A call of a tool came to its end.
    Called,
    /// A cell was left; how long it took.
    Left,
    /// A request of the guest to the web was answered or failed.
    Sent,
    /// The guest said something.
    Guest,
    /// The guest wanted something it may not have.
    Refused,
    /// The guest met a limit.
    Limit,
    /// The guest crashed.
    Crash,
    /// Anything else.
    Other,
}

impl Heard {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| *field == name).map(|(_, value)| value.as_str())
    }

    /// A field that may not be there, as text.
    pub(super) fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    /// A field that is a number.
    pub(super) fn number(&self, name: &str) -> u64 {
        self.get(name).and_then(|text| text.parse().ok()).unwrap_or_default()
    }

    /// The functions a guest that crashed was in.
    pub(super) fn frames(&self) -> impl Iterator<Item = &str> {
        self.text("backtrace").split(" | ").filter(|frame| !frame.is_empty())
    }
}

/// The other end of an [`Ear`].
pub(super) type Listening = mpsc::Receiver<Heard>;

/// Hears the host's own events.
struct Ear(mpsc::Sender<Heard>);

impl<S: Subscriber> Layer<S> for Ear {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields(Vec::new());
        event.record(&mut fields);
        let mut fields = fields.0;
        let message = fields.iter().position(|(name, _)| *name == "message").map(|at| fields.swap_remove(at).1);
        let kind = match (event.metadata().target(), fields.iter().find(|(name, _)| *name == "error.type")) {
            (_, Some((_, what))) if what == "refused" => Kind::Refused,
            (_, Some((_, what))) if what == "limit" => Kind::Limit,
            (_, Some((_, what))) if what == "crash" => Kind::Crash,
            ("toolcell::call", _) => Kind::Called,
            ("toolcell::cell", _) => Kind::Left,
            ("toolcell::http", _) => Kind::Sent,
            ("toolcell::guest", _) => Kind::Guest,
            _ => Kind::Other,
        };
        let level = *event.metadata().level();
        // Whoever does not keep up loses some of it, and holds up nobody.
        let _ = self.0.try_send(Heard { kind, level, message: message.unwrap_or_default(), fields });
    }
}

struct Fields(Vec<(&'static str, String)>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.push((field.name(), format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.push((field.name(), value.to_owned()));
    }
}

/// Installs the log, and beside it, if wanted, an ear.
///
/// # Errors
/// If there is a log already.
pub(super) fn start<L, F>(log: L, wanted: F, listen: bool) -> anyhow::Result<Option<Listening>>
where
    L: Layer<tracing_subscriber::Registry> + Send + Sync,
    F: Filter<tracing_subscriber::Registry> + Send + Sync + 'static,
    for<'a> tracing_subscriber::Registry: LookupSpan<'a>,
{
    let (ear, listening) = match listen {
        true => {
            let (tell, listening) = mpsc::channel(WAITING);
            let own = filter::filter_fn(|of| of.target().starts_with("toolcell") && *of.level() <= Level::DEBUG);
            (Some(Ear(tell).with_filter(own)), Some(listening))
        }
        false => (None, None),
    };
    tracing_subscriber::registry().with(log.with_filter(wanted)).with(ear).try_init()?;
    Ok(listening)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_heard_with_their_fields() {
        let (tell, mut listening) = mpsc::channel(8);
        let subscriber = tracing_subscriber::registry().with(Ear(tell));
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!(error.type = "crash", backtrace = "a | b", tool = %"t", "call crashed: {}", 1);
            tracing::debug!(target: "toolcell::cell", guest_us = 5_u64, "left the cell");
        });
        let crash = listening.try_recv().unwrap();
        assert_eq!((crash.kind, crash.message.as_str(), crash.text("tool")), (Kind::Crash, "call crashed: 1", "t"));
        assert_eq!(crash.frames().collect::<Vec<_>>(), ["a", "b"]);
        let left = listening.try_recv().unwrap();
        assert_eq!((left.kind, left.number("guest_us"), left.get("none")), (Kind::Left, 5, None));
    }
}
