//! The requests of one peer that are not answered yet.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use super::error::Error;
use super::jsonrpc::{Id, Notification};

/// What one connection or session has asked for and not been told yet.
#[derive(Debug)]
pub struct InFlight {
    limit: usize,
    table: Mutex<HashMap<Id<'static>, CancellationToken>>,
}

/// The place of one request in the table; dropping it gives the place back.
#[derive(Debug)]
pub struct Ticket {
    table: Arc<InFlight>,
    id: Id<'static>,
    cancel: CancellationToken,
}

impl InFlight {
    /// A table for at most `limit` requests at once.
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, table: Mutex::default() })
    }

    /// Takes a place for a request.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] if a request of that identifier is still open, [`Error::Busy`] if all places are taken.
    pub fn begin(self: &Arc<Self>, id: &Id<'_>) -> Result<Ticket, Error> {
        let mut table = self.lock();
        if table.len() >= self.limit {
            return Err(Error::Busy(self.limit));
        }
        let id = id.clone().into_owned();
        let cancel = CancellationToken::new();
        match table.entry(id.clone()) {
            Entry::Occupied(_) => {
                Err(Error::InvalidRequest(format!("request `{id}` is still open; use a new identifier")))
            }
            Entry::Vacant(place) => {
                place.insert(cancel.clone());
                Ok(Ticket { table: Arc::clone(self), id, cancel })
            }
        }
    }

    /// Cancels a request. One that is unknown or already answered is ignored, for the two messages may have crossed.
    pub fn cancel(&self, id: &Id<'_>) {
        if let Some(cancel) = self.lock().get(&id.clone().into_owned()) {
            cancel.cancel();
        }
    }

    /// Does what a notification says about open requests; any other one is not understood here, and so ignored.
    pub fn notified(&self, notification: &Notification<'_>) {
        if notification.method == "notifications/cancelled"
            && let Some(id) = notification.params.get("requestId").and_then(Id::read)
        {
            self.cancel(&id);
        }
    }

    /// Cancels everything.
    pub fn cancel_all(&self) {
        for cancel in self.lock().values() {
            cancel.cancel();
        }
    }

    /// How many requests are open.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether nothing is open.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Id<'static>, CancellationToken>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket {
    /// Cancelled when the peer no longer wants the answer.
    pub fn cancel(&self) -> &CancellationToken {
        &self.cancel
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.table.lock().remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::{Error, Id, InFlight};

    #[test]
    fn an_identifier_is_free_again_after_the_answer() {
        let table = InFlight::new(2);
        let first = table.begin(&Id::Number(1)).unwrap();
        assert!(matches!(table.begin(&Id::Number(1)), Err(Error::InvalidRequest(_))));
        let _other = table.begin(&Id::Text("1".into())).unwrap();
        assert_eq!(table.begin(&Id::Number(2)).unwrap_err(), Error::Busy(2));
        drop(first);
        assert_eq!(table.len(), 1);
        table.begin(&Id::Number(1)).unwrap();
    }

    #[test]
    fn only_the_named_request_is_cancelled() {
        let table = InFlight::new(8);
        let (one, two) = (table.begin(&Id::Number(1)).unwrap(), table.begin(&Id::Number(2)).unwrap());
        table.cancel(&Id::Number(2));
        table.cancel(&Id::Number(3));
        assert!(!one.cancel().is_cancelled());
        assert!(two.cancel().is_cancelled());
        table.cancel_all();
        assert!(one.cancel().is_cancelled());
    }
}
