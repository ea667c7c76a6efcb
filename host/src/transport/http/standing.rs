//! Whether whoever opened something may still have it: what a caller showed comes to an end, or is taken back.

use std::sync::Arc;

use http::request::Parts;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::Shared;
use super::crowd::Seat;
use super::doorkeeper::Lease;
use super::endpoint::principal;
use super::handshake::too_many;
use crate::protocol::Error;

/// What the sender of a request showed; none where nobody knows how long that is good.
pub(super) fn lease(shared: &Shared, head: &Parts) -> Option<Arc<Lease>> {
    shared.doorkeeper.as_ref()?.lease(principal(head)?.as_ref())
}

/// The sender's seat for a stream without an end of its own; none for a caller without a name, who has no limit.
///
/// # Errors
/// [`Error::Limited`] if the caller has all it may have.
pub(super) fn seat(shared: &Shared, head: &Parts) -> Result<Option<Seat<String>>, Error> {
    match principal(head).map(|caller| shared.streams.enter(caller.id.clone())) {
        Some(None) => Err(too_many("streams", shared.limits.streams_per_caller)),
        seat => Ok(seat.flatten()),
    }
}

/// Something that outlives requests and that its caller comes back to, each time with what is good then.
#[derive(Debug)]
pub(super) struct Standing(watch::Sender<Option<Arc<Lease>>>);

impl Standing {
    pub(super) fn new(lease: Option<Arc<Lease>>) -> Arc<Self> {
        Arc::new(Self(watch::Sender::new(lease)))
    }

    /// Whether anybody knows how long it is good.
    pub(super) fn is_known(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// The caller has come back with this.
    pub(super) fn renew(&self, lease: Option<Arc<Lease>>) {
        if let Some(lease) = lease {
            self.0.send_if_modified(|last| {
                let is_new = !last.as_ref().is_some_and(|last| Arc::ptr_eq(last, &lease));
                if is_new {
                    *last = Some(lease);
                }
                is_new
            });
        }
    }

    /// Ends when what the caller showed last is no longer good.
    pub(super) async fn ended(&self) {
        self.outlived(|lease| &lease.ended).await;
    }

    /// Ends when it was taken back.
    pub(super) async fn revoked(&self) {
        self.outlived(|lease| &lease.revoked).await;
    }

    async fn outlived(&self, token: fn(&Lease) -> &CancellationToken) {
        let mut seen = self.0.subscribe();
        loop {
            let lease = seen.borrow_and_update().clone();
            let over = async {
                match &lease {
                    Some(lease) => token(lease).cancelled().await,
                    None => std::future::pending().await,
                }
            };
            // One that was replaced may never be over: nobody looks at what has expired.
            tokio::select! {
                () = over => {
                    if !seen.has_changed().unwrap_or(false) {
                        return;
                    }
                }
                changed = seen.changed() => {
                    if changed.is_err() {
                        return std::future::pending().await;
                    }
                }
            }
        }
    }
}

/// Ends when nothing is left by which a stream may go on: what it was opened with was taken back, or its time is over and
/// the caller has come with nothing newer.
pub(super) async fn over(own: Option<Arc<Lease>>, standing: Arc<Standing>) {
    let revoked = async {
        match &own {
            Some(own) => own.revoked.cancelled().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = revoked => {}
        () = standing.ended() => {}
    }
}

/// Cancels `what` when a lease is over, until the guard is dropped, which cancels it too.
pub(super) fn tie(lease: Arc<Lease>, when: fn(&Lease) -> &CancellationToken, what: CancellationToken) -> DropGuard {
    let tied = what.clone();
    tokio::spawn(async move {
        tokio::select! {
            () = when(&lease).cancelled() => tied.cancel(),
            () = tied.cancelled() => {}
        }
    });
    what.drop_guard()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Arc, Lease, Standing, over};

    async fn is_over(standing: &Arc<Standing>, own: Option<&Arc<Lease>>) -> bool {
        tokio::time::timeout(Duration::from_millis(20), over(own.cloned(), Arc::clone(standing))).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_shown_later_counts_but_for_what_was_taken_back() {
        let [first, second] = [(); 2].map(|()| Arc::<Lease>::default());
        let standing = Standing::new(Some(Arc::clone(&first)));
        assert!(!is_over(&standing, Some(&first)).await);
        first.ended.cancel();
        assert!(is_over(&standing, Some(&first)).await);
        standing.renew(Some(Arc::clone(&second)));
        assert!(!is_over(&standing, Some(&first)).await, "the caller has come back");
        first.revoked.cancel();
        assert!(is_over(&standing, Some(&first)).await, "a stolen key opens nothing for longer");
        assert!(!is_over(&standing, Some(&second)).await);
        second.ended.cancel();
        assert!(is_over(&standing, Some(&second)).await);
        assert!(!is_over(&Standing::new(None), None).await, "where nobody knows, nothing ends");
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_hears_of_what_is_shown_later() {
        for first_ends in [false, true] {
            let [first, second] = [(); 2].map(|()| Arc::<Lease>::default());
            let standing = Standing::new(Some(Arc::clone(&first)));
            let waiting = Arc::clone(&standing);
            let waiting = tokio::spawn(async move { waiting.revoked().await });
            tokio::task::yield_now().await;
            standing.renew(Some(Arc::clone(&second)));
            if first_ends {
                first.ended.cancel();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            assert!(!waiting.is_finished(), "{first_ends}");
            second.revoked.cancel();
            tokio::time::timeout(Duration::from_secs(1), waiting).await.unwrap().unwrap();
        }
    }
}
