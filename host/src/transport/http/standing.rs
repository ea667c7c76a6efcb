//! Whether whoever opened something may still have it: what a caller showed comes to an end, or is taken back.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::request::Parts;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::Shared;
use super::doorkeeper::Lease;
use super::endpoint::principal;

/// What the sender of a request showed; none where nobody knows how long that is good.
pub(super) fn lease(shared: &Shared, head: &Parts) -> Option<Arc<Lease>> {
    shared.doorkeeper.as_ref()?.lease(principal(head)?.as_ref())
}

/// Something that outlives requests and that its caller comes back to, each time with what is good then.
#[derive(Debug, Default)]
pub(super) struct Standing(Mutex<Option<Arc<Lease>>>);

impl Standing {
    pub(super) fn new(lease: Option<Arc<Lease>>) -> Arc<Self> {
        Arc::new(Self(Mutex::new(lease)))
    }

    /// Whether anybody knows how long it is good.
    pub(super) fn is_known(&self) -> bool {
        self.lock().is_some()
    }

    /// The caller has come back with this.
    pub(super) fn renew(&self, lease: Option<Arc<Lease>>) {
        if let Some(lease) = lease {
            *self.lock() = Some(lease);
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
        loop {
            let Some(lease) = self.lock().clone() else { return std::future::pending().await };
            token(&lease).cancelled().await;
            if self.lock().as_ref().is_some_and(|last| Arc::ptr_eq(last, &lease)) {
                return;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Lease>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
}
