//! Whatever is given up and when: no place, permit or token is lost, and none is given twice.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use toolcell_quota::{
    BudgetRule, CallFacts, ConcurrencyRule, Config, Every, FairQueue, Per, QueueConfig, QueueState, Quotas, RateRule,
};

fn later() -> Instant {
    Instant::now() + Duration::from_secs(3_600)
}

/// The same numbers on each run.
fn dice(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    move |sides| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 16) % sides
    }
}

/// A call that holds a place, counted also if it is aborted there. Dropped before the place is.
struct Inside(Arc<AtomicUsize>);

impl Inside {
    fn enter(count: &Arc<AtomicUsize>, places: usize) -> Self {
        assert!(count.fetch_add(1, Ordering::SeqCst) < places, "more than {places} at once");
        Self(count.clone())
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Callers come, wait, give up and are served, at random times and on several threads; never more at once than there are
/// places, and all places are there in the end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_cancelled_waits_leaks_nothing() {
    for round in 0..60_u64 {
        let mut roll = dice(round + 1);
        let places = 1 + roll(6) as usize;
        let per_caller = Some(1 + roll(places as u64) as usize);
        let config = QueueConfig { places, per_caller, ..QueueConfig::default() };
        let queue = FairQueue::new(config).expect("the numbers are good");
        let inside = Arc::new(AtomicUsize::new(0));
        let mut calls = JoinSet::new();
        for index in 0..300_u64 {
            let (queue, inside) = (queue.clone(), inside.clone());
            let caller = roll(9).to_string();
            let (weight, patience, spins) = (1 + roll(3) as u32, Duration::from_micros(roll(3_000)), roll(20));
            calls.spawn(async move {
                let deadline = if index % 3 == 0 { Instant::now() + patience } else { later() };
                let wait = queue.enter(Some(&caller), weight, deadline);
                let place = if index % 2 == 0 {
                    match timeout(patience, wait).await {
                        Ok(place) => place,
                        Err(_) => return,
                    }
                } else {
                    wait.await
                };
                let Ok(_place) = place else { return };
                let _inside = Inside::enter(&inside, places);
                for _ in 0..spins {
                    tokio::task::yield_now().await;
                }
            });
            if roll(10) == 0 {
                tokio::task::yield_now().await;
            }
            if roll(40) == 0 {
                calls.abort_all();
            }
        }
        while let Some(done) = calls.join_next().await {
            assert!(!done.is_err_and(|it| it.is_panic()), "more calls at once than places");
        }
        assert_eq!(queue.state(), QueueState::default(), "round {round}");
        let mut all = Vec::new();
        for index in 0..places {
            let place = timeout(Duration::from_secs(10), queue.enter(Some(&format!("last {index}")), 1, later())).await;
            all.push(place.expect("the place is there").expect("it is free"));
        }
        assert_eq!(queue.state().running, places);
    }
}

/// A future that is polled once and dropped, whether it was done or not.
async fn touch<F: Future>(future: F) -> Option<F::Output> {
    let mut future = Box::pin(future);
    std::future::poll_fn(|cx| {
        std::task::Poll::Ready(match future.as_mut().poll(cx) {
            std::task::Poll::Ready(done) => Some(done),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn a_call_given_up_while_it_waits_has_spent_nothing() {
    let quotas = Quotas::new(Config {
        rates: vec![RateRule::new(Per::Principal, 3, Every::Day)],
        concurrency: vec![ConcurrencyRule::new(Per::Principal, 2)],
        budgets: vec![BudgetRule { calls: Some(3), ..BudgetRule::default() }],
        queue: Some(QueueConfig { places: 1, ..QueueConfig::default() }),
        repeat: Some(Default::default()),
        ..Config::default()
    })
    .expect("the rules are good");
    let call = |who| CallFacts::new(Some(who), "p", "t", SystemTime::UNIX_EPOCH).with_arguments_hash(1);
    let held = quotas.admit(&call("holder"), later()).await.expect("the place is free");
    for _ in 0..1_000 {
        assert!(touch(quotas.admit(&call("ada"), later())).await.is_none(), "there is no place");
    }
    drop(held);
    for _ in 0..3 {
        let _ = quotas.admit(&call("ada"), later()).await.expect("nothing was spent");
    }
    assert_eq!(quotas.admit(&call("ada"), later()).await.expect_err("three a day").code, "over-budget");
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_callers_are_forgotten_when_they_have_gone() {
    let config = QueueConfig { places: 16, waiting: 20_000, ..QueueConfig::default() };
    let queue = FairQueue::new(config).expect("the numbers are good");
    let mut calls = JoinSet::new();
    for caller in 0..10_000 {
        let queue = queue.clone();
        calls.spawn(async move {
            let place = queue.enter(Some(&format!("caller {caller}")), 1, later()).await;
            sleep(Duration::from_millis(1)).await;
            place.is_ok()
        });
    }
    sleep(Duration::from_micros(1)).await;
    assert_eq!(queue.state().callers, 10_000);
    let mut served = 0;
    while let Some(done) = calls.join_next().await {
        served += usize::from(done.expect("no call panics"));
    }
    assert_eq!((served, queue.state()), (10_000, QueueState::default()));

    // Those who come and give up at once are not remembered either, while the places are taken.
    let mut held = Vec::new();
    for index in 0..16 {
        held.push(queue.enter(Some(&index.to_string()), 1, later()).await.expect("it is free"));
    }
    for caller in 0..10_000 {
        let name = format!("caller {caller}");
        assert!(touch(queue.enter(Some(&name), 1, later())).await.is_none());
    }
    assert_eq!(queue.state().callers, 16);
}
