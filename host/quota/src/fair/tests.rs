use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

use super::*;

const MS: Duration = Duration::from_millis(1);

fn queue(config: QueueConfig) -> FairQueue {
    FairQueue::new(config).unwrap()
}

fn later() -> Instant {
    Instant::now() + Duration::from_secs(3_600)
}

fn long() -> QueueConfig {
    QueueConfig { places: 1, max_wait: Duration::from_secs(3_600), ..QueueConfig::default() }
}

/// In which order calls that wait get the only place; the queue has seen no other call.
async fn order(calls: &[(&str, u32)]) -> String {
    let queue = queue(long());
    let first = queue.enter(Some("first"), 1, later()).await.unwrap();
    let (tell, mut served) = tokio::sync::mpsc::unbounded_channel();
    for (name, weight) in calls {
        let (queue, tell, name, weight) = (queue.clone(), tell.clone(), (*name).to_owned(), *weight);
        let waiting = queue.state().waiting;
        tokio::spawn({
            let queue = queue.clone();
            async move {
                let _place = queue.enter(Some(&name), weight, later()).await.unwrap();
                tell.send(name).unwrap();
            }
        });
        while queue.state().waiting == waiting {
            tokio::task::yield_now().await;
        }
    }
    drop((first, tell));
    let mut order = String::new();
    while let Some(name) = served.recv().await {
        order.push_str(&name);
    }
    assert_eq!(queue.state(), QueueState::default());
    order
}

#[tokio::test]
async fn lines_are_served_in_turn_and_not_calls() {
    let one = |name| (name, 1);
    assert_eq!(order(&["a", "a", "a", "a", "b", "b", "c"].map(one)).await, "abcabaa");
}

#[tokio::test]
async fn a_weight_is_turns_in_a_row() {
    let calls = [("a", 1), ("a", 1), ("a", 1), ("b", 3), ("b", 3), ("b", 3), ("b", 3), ("b", 3), ("b", 3)];
    // Both lines are fresh for their first turn.
    assert_eq!(order(&calls).await, "abbbabbba");
}

#[tokio::test]
async fn one_caller_alone_does_not_hold_the_last_places() {
    let queue = queue(QueueConfig { places: 4, ..QueueConfig::default() });
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(queue.enter(Some("a"), 1, later()).await.unwrap());
    }
    let mut fourth = pin!(queue.enter(Some("a"), 1, later()));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(fourth.as_mut().poll(&mut cx).is_pending());
    // Another finds a place although somebody waits.
    held.push(queue.enter(Some("b"), 1, later()).await.unwrap());
    // And gives it back without the first getting it.
    held.pop();
    assert!(fourth.as_mut().poll(&mut cx).is_pending());
    held.pop();
    let fourth = fourth.await.unwrap();
    assert_eq!(queue.state(), QueueState { running: 3, waiting: 0, callers: 1 });
    drop((held, fourth));
    assert_eq!(queue.state(), QueueState::default());
}

#[tokio::test(start_paused = true)]
async fn lines_queue_and_wait_are_bounded() {
    let config = QueueConfig { waiting_per_caller: 2, waiting: 3, max_wait: 50 * MS, ..long() };
    let queue = queue(config);
    let _held = queue.enter(None, 1, later()).await.unwrap();
    let mut waits: Vec<_> = ["a", "a", "b"].map(|it| Box::pin(queue.enter(Some(it), 1, later()))).into();
    let mut cx = Context::from_waker(Waker::noop());
    for wait in &mut waits {
        assert!(wait.as_mut().poll(&mut cx).is_pending());
    }
    let a = queue.enter(Some("a"), 1, later()).await.unwrap_err();
    assert!(matches!(a, Refused::LineFull { waiting: 2, .. }), "{a:?}");
    let b = queue.enter(Some("b"), 1, later()).await.unwrap_err();
    assert!(matches!(b, Refused::QueueFull { waiting: 3, .. }), "{b:?}");
    // One that cannot even wait leaves nothing behind.
    assert!(queue.enter(Some("c"), 1, later()).await.is_err());
    assert_eq!(queue.state().callers, 3);

    for wait in waits {
        let waited = wait.await.unwrap_err();
        assert!(matches!(waited, Refused::Waited { waited, .. } if waited >= 50 * MS), "{waited:?}");
    }
    let soon = Instant::now() + 5 * MS;
    let waited = queue.enter(Some("c"), 1, soon).await.unwrap_err();
    assert!(matches!(waited, Refused::Waited { waited, .. } if waited < 10 * MS), "{waited:?}");
    assert_eq!(queue.state().waiting, 0);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_would_be_too_long_is_not_begun() {
    let config = QueueConfig { places: 2, per_caller: Some(2), max_wait: Duration::from_secs(10), ..long() };
    let queue = queue(config);
    // The engine is seen to serve two calls a second.
    for _ in 0..200 {
        let place = queue.enter(Some("a"), 1, later()).await.unwrap();
        tokio::time::advance(Duration::from_secs(1)).await;
        drop(place);
    }
    let mut held = Vec::new();
    for _ in 0..2 {
        held.push(queue.enter(Some("a"), 1, later()).await.unwrap());
    }
    let mut waits = Vec::new();
    let mut cx = Context::from_waker(Waker::noop());
    let refused = loop {
        let mut wait = Box::pin(queue.enter(Some("a"), 1, later()));
        match wait.as_mut().poll(&mut cx) {
            std::task::Poll::Pending => waits.push(wait),
            std::task::Poll::Ready(refused) => break refused.unwrap_err(),
        }
    };
    // 2 per second, 10 s: about 20 may wait.
    assert!((18..=21).contains(&waits.len()), "{}", waits.len());
    let Refused::TooSlow { retry_after, .. } = refused else { panic!("{refused:?}") };
    assert!((Duration::from_secs(9)..Duration::from_secs(12)).contains(&retry_after), "{retry_after:?}");
    // That is the flooder's wait, not everybody's.
    let mut other = Box::pin(queue.enter(Some("b"), 1, later()));
    assert!(other.as_mut().poll(&mut cx).is_pending());
    // But somebody in a hurry is told at once.
    let hurry = queue.enter(Some("c"), 1, Instant::now() + 100 * MS).await.unwrap_err();
    assert!(matches!(hurry, Refused::TooSlow { .. }), "{hurry:?}");
}

#[tokio::test]
async fn new_callers_do_not_stop_the_old() {
    let queue = queue(QueueConfig { waiting: 100_000, ..long() });
    let mut place = Some(queue.enter(Some("x"), 1, later()).await.unwrap());
    let mut cx = Context::from_waker(Waker::noop());
    let mut old: Vec<_> = (0..3).map(|_| Box::pin(queue.enter(Some("old"), 1, later()))).collect();
    for wait in &mut old {
        assert!(wait.as_mut().poll(&mut cx).is_pending());
    }
    let mut fresh = std::collections::VecDeque::new();
    let mut turns = 0;
    while !old.is_empty() {
        // Two new callers for each turn.
        for _ in 0..2 {
            let name = format!("new {turns} {}", fresh.len());
            let queue = queue.clone();
            let mut wait = Box::pin(async move { queue.enter(Some(&name), 1, later()).await });
            assert!(wait.as_mut().poll(&mut cx).is_pending());
            fresh.push_back(wait);
        }
        drop(place.take());
        if let std::task::Poll::Ready(got) = old[0].as_mut().poll(&mut cx) {
            place = Some(got.unwrap());
            drop(old.remove(0));
        } else {
            place = Some(fresh.pop_front().unwrap().await.unwrap());
        }
        turns += 1;
        assert!(turns < 50, "the old caller starves");
    }
}

#[test]
fn numbers_that_cannot_be_meant_are_refused() {
    let good = QueueConfig::default();
    for (config, key) in [
        (QueueConfig { places: 0, ..good.clone() }, "queue.places"),
        (QueueConfig { waiting: 0, ..good.clone() }, "queue.waiting"),
        (QueueConfig { waiting_per_caller: 0, ..good.clone() }, "queue.waiting-per-caller"),
        (QueueConfig { per_caller: Some(257), ..good.clone() }, "queue.per-caller"),
        (QueueConfig { max_wait: Duration::ZERO, ..good.clone() }, "queue.max-wait"),
        (QueueConfig { weights: vec![("g".to_owned(), 101)], ..good.clone() }, "queue.weights"),
    ] {
        let error = FairQueue::new(config).unwrap_err();
        let (ConfigError::Zero { key: found } | ConfigError::TooLarge { key: found, .. }) = error else {
            panic!("{error:?}")
        };
        assert_eq!(found, key);
    }
    // One place is one place, also for one caller.
    assert!(FairQueue::new(QueueConfig { places: 1, ..good }).is_ok());
}
