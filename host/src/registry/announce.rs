//! What plugins say has changed while they run: lists to read again, resources to tell subscribers of.

use crate::sandbox::{Change, OnChange};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Notify, broadcast};

/// Updates that may wait for a slow subscriber. One that falls further behind is told that everything may have changed.
const UPDATES: usize = 1_024;

/// Which lists of one plugin are to be read again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stale {
    pub(super) tools: bool,
    pub(super) resources: bool,
    pub(super) prompts: bool,
}

/// A resource that changed, as the plugin says. Whoever passes it on checks that the resource is the plugin's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Updated {
    /// Who says so.
    pub plugin: Arc<str>,
    /// Which resource.
    pub uri: Arc<str>,
}

pub(super) struct Announcements {
    stale: Mutex<BTreeMap<Arc<str>, Stale>>,
    wake: Notify,
    updates: broadcast::Sender<Updated>,
}

impl Announcements {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { stale: Mutex::default(), wake: Notify::new(), updates: broadcast::Sender::new(UPDATES) })
    }

    /// Where the calls of a plugin leave what they have to say.
    pub(super) fn of(self: &Arc<Self>, plugin: &str) -> OnChange {
        let (this, plugin) = (Arc::clone(self), Arc::<str>::from(plugin));
        Arc::new(move |change| this.take(&plugin, change))
    }

    fn take(&self, plugin: &Arc<str>, change: Change) {
        if let Change::Resource(uri) = change {
            // Nobody listening is no fault.
            let _ = self.updates.send(Updated { plugin: Arc::clone(plugin), uri: uri.into() });
            return;
        }
        let mut stale = self.stale.lock().unwrap_or_else(PoisonError::into_inner);
        let stale = stale.entry(Arc::clone(plugin)).or_default();
        match change {
            Change::Tools => stale.tools = true,
            Change::Prompts => stale.prompts = true,
            Change::Resources | Change::Resource(_) => stale.resources = true,
        }
        self.wake.notify_one();
    }

    /// Waits until a list is stale, and takes all that are by then.
    pub(super) async fn stale(&self) -> BTreeMap<Arc<str>, Stale> {
        loop {
            let stale = std::mem::take(&mut *self.stale.lock().unwrap_or_else(PoisonError::into_inner));
            if !stale.is_empty() {
                return stale;
            }
            self.wake.notified().await;
        }
    }

    pub(super) fn updates(&self) -> broadcast::Receiver<Updated> {
        self.updates.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn many_changes_are_one_reason_to_look() {
        let announcements = Announcements::new();
        let (a, b) = (announcements.of("a"), announcements.of("b"));
        let mut updates = announcements.updates();
        for _ in 0..1_000 {
            a(Change::Tools);
        }
        a(Change::Resources);
        b(Change::Prompts);
        b(Change::Resource("note://x".to_owned()));
        let stale = announcements.stale().await;
        assert_eq!(stale.len(), 2);
        assert_eq!(stale["a"], Stale { tools: true, resources: true, prompts: false });
        assert_eq!(stale["b"], Stale { tools: false, resources: false, prompts: true });
        assert_eq!(updates.recv().await.unwrap(), Updated { plugin: "b".into(), uri: "note://x".into() });
        assert!(updates.try_recv().is_err());
    }
}
