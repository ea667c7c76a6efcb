//! What happens during one call, on standard error, as it happens.

use super::heard::{Heard, Kind, Listening};
use super::tell;
use super::terminal::{Paint, bytes, milliseconds};
use crate::registry::{CallEvent, Snapshot};
use std::time::Instant;

/// Shows what happens, with the time since the command began.
pub(super) struct Trace {
    listening: Listening,
    started: Instant,
    paint: Paint,
}

impl Trace {
    pub(super) fn new(listening: Listening, started: Instant) -> Self {
        Self { listening, started, paint: Paint::stderr() }
    }

    /// All plugins are loaded.
    pub(super) fn loaded(&mut self, snapshot: &Snapshot) {
        self.catch_up();
        for plugin in snapshot.plugins() {
            self.line(
                "loaded",
                &format!("{} ({}), {} tools", plugin.name(), bytes(plugin.size), plugin.offers.tools.len()),
            );
        }
    }

    /// Something for the client.
    pub(super) fn event(&self, event: &CallEvent) {
        match event {
            CallEvent::Progress { progress, total, message } => {
                let total = total.map_or_else(String::new, |total| format!("/{total}"));
                let message = message.as_deref().unwrap_or_default();
                self.line("progress", format!("{progress}{total} {message}").trim_end());
            }
            CallEvent::Log { level, logger, data } => {
                let logger = logger.as_ref().map_or_else(String::new, |logger| format!(" {logger}"));
                self.line(
                    "log",
                    &format!("{}{logger}: {data}", format!("{level:?}").to_lowercase().replace("level::", "")),
                );
            }
        }
    }

    /// Waits for the next event of the host and shows it; for ever if there are no more.
    pub(super) async fn heard(&mut self) {
        match self.listening.recv().await {
            Some(heard) => self.show(&heard),
            None => std::future::pending().await,
        }
    }

    /// Shows what has been said so far.
    pub(super) fn catch_up(&mut self) {
        while let Ok(heard) = self.listening.try_recv() {
            self.show(&heard);
        }
    }

    /// The call has ended.
    pub(super) fn end(mut self) {
        self.catch_up();
        self.line("ended", "");
    }

    fn show(&self, heard: &Heard) {
        match heard.kind {
            Kind::Left => {
                let part = |name| milliseconds(heard.number(name));
                let text = format!(
                    "{}: waited {}, made an instance in {}, ran for {}, has {} of memory",
                    heard.text("tool"),
                    part("waited_us"),
                    part("instantiated_us"),
                    part("guest_us"),
                    bytes(heard.number("memory_bytes"))
                );
                self.line("cell", &text);
            }
            Kind::Sent => {
                let took = milliseconds(heard.number("elapsed_us"));
                let text =
                    format!("{} {}: {} in {took}", heard.text("method"), heard.text("url"), heard.text("answer"));
                self.line("request", &text);
            }
            // What a guest logs for the client is shown as such; this is what it writes to its streams.
            Kind::Guest if heard.get("stream").is_some() => self.line(heard.text("stream"), &heard.message),
            Kind::Refused => self.line(&self.paint.bad("refused"), &heard.message),
            Kind::Limit => self.line(&self.paint.bad("limit"), heard.message.trim_start_matches("call ended: ")),
            Kind::Crash => {
                self.line(&self.paint.bad("crashed"), heard.message.trim_start_matches("call crashed: "));
                heard.frames().for_each(|frame| self.line("", &format!("  at {frame}")));
            }
            Kind::Guest | Kind::Called | Kind::Other => {}
        }
    }

    fn line(&self, what: &str, text: &str) {
        let at = milliseconds(u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX));
        let pad =
            " ".repeat(9_usize.saturating_sub(what.trim_start_matches("\x1b[31m").trim_end_matches("\x1b[0m").len()));
        tell(&format!("{} {what}{pad}{text}", self.paint.faint(&format!("{at:>10}"))));
    }
}
