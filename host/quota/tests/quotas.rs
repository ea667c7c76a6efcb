//! The whole order of steps, and what each refusal says.

use std::time::{Duration, SystemTime};

use tokio::time::{Instant, advance};
use toolcell_quota::{
    BudgetRule, CallFacts, ConcurrencyRule, Config, ConfigError, Cost, Every, Only, Per, QueueConfig, Quotas, RateRule,
    RepeatConfig, ShedConfig,
};

const NOON: Duration = Duration::from_secs(20_000 * 86_400 + 43_200);

fn noon() -> SystemTime {
    SystemTime::UNIX_EPOCH + NOON
}

fn later() -> Instant {
    Instant::now() + Duration::from_secs(3_600)
}

fn call(principal: &str) -> CallFacts<'_> {
    CallFacts::new(Some(principal), "weather", "forecast", noon())
}

/// No rule at all.
fn open() -> Config {
    Config { concurrency: Vec::new(), queue: None, ..Config::default() }
}

fn quotas(config: Config) -> Quotas {
    Quotas::new(config).expect("the rules are good")
}

#[tokio::test(start_paused = true)]
async fn without_rules_everything_is_let_in() {
    let quotas = quotas(open());
    let mut inside = Vec::new();
    for _ in 0..10_000 {
        inside.push(quotas.admit(&call("ada").with_arguments_hash(1), later()).await.expect("no rule"));
    }
    assert!(!inside[0].wants_result());
    assert_eq!(quotas.queue(), None);
    assert_eq!(quotas.export_spent(noon()).callers, []);
}

#[tokio::test(start_paused = true)]
async fn the_defaults_stop_a_flood_and_nothing_else() {
    let quotas = quotas(Config::default());
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..2_000 {
        let quotas = quotas.clone();
        waiting.spawn(async move {
            let admission = quotas.admit(&call("flooder"), later()).await.map_err(|it| it.code)?;
            tokio::time::sleep(Duration::from_millis(5)).await;
            drop(admission);
            Ok::<_, &str>(())
        });
    }
    tokio::time::sleep(Duration::from_millis(1)).await;
    let ada = quotas.admit(&call("ada"), Instant::now()).await.expect("a place is left for others");
    drop(ada);
    let mut outcomes = (0, 0);
    while let Some(done) = waiting.join_next().await {
        match done.expect("no call panics") {
            Ok(()) => outcomes.0 += 1,
            Err(code) => {
                assert_eq!(code, "too-many-calls");
                outcomes.1 += 1;
            }
        }
    }
    assert_eq!(outcomes, (1_000, 1_000));
}

#[tokio::test(start_paused = true)]
async fn each_refusal_says_what_to_do_and_what_to_change() {
    let rate = Config { rates: vec![RateRule::new(Per::PrincipalAndTool, 1, Every::Minute)], ..open() };
    let at_once = Config { concurrency: vec![ConcurrencyRule::new(Per::Principal, 1)], ..open() };
    let budget = Config { budgets: vec![BudgetRule { calls: Some(1), ..BudgetRule::default() }], ..open() };
    let repeat = Config { repeat: Some(RepeatConfig { at_most: 1, ..RepeatConfig::default() }), ..open() };
    let queue = QueueConfig { places: 1, max_wait: Duration::from_millis(200), ..QueueConfig::default() };
    let queue = Config { queue: Some(queue), ..open() };
    let cases = [
        (
            rate,
            "rate-limited",
            60,
            "this caller's calls of this tool may be 1 per minute, and have been; wait 60 s and call again, or go on \
             without this call",
            "rate-limited by { per = \"principal+tool\", at-most = 1, every = \"minute\" }; raise `at-most` or `burst` of \
             [[quotas.rates]]",
        ),
        (
            at_once,
            "too-many-calls",
            1,
            "this caller's calls may be 1 at once, and are; wait until one of them has ended and call again, one after \
             the other",
            "too-many-calls by { per = \"principal\", at-most = 1 }; raise `at-most` of [[quotas.concurrency]]",
        ),
        (
            budget,
            "over-budget",
            43_200,
            "today's budget of 1 calls is used up; it begins anew at midnight UTC, in 12 h; do not call again before, \
             tell the person",
            "over-budget by { calls = 1 }; raise it in [[quotas.budgets]], or put the caller into a group with another \
             budget",
        ),
        (
            repeat,
            "repeating",
            10,
            "the same call was made 1 times in 1 s with the same result; repeating it will not change that: try other \
             arguments or another tool, or tell the person",
            "repeating by { at-most = 1, within-s = 60, pause-s = 10 }; raise `at-most` of [quotas.repeat], or mark the \
             tool as one that is polled",
        ),
        (
            queue,
            "overloaded",
            1,
            "the server is busy: the call has waited for 200 ms; wait 1 s and call again, fewer at once",
            "overloaded by max-wait-ms = 200; raise `max-wait-ms` or `places` in [quotas.queue], or give the host more \
             cores",
        ),
    ];
    for (config, code, retry, message, operator) in cases {
        let quotas = quotas(config);
        let call = call("ada").with_arguments_hash(7);
        let first = quotas.admit(&call, later()).await.expect("the first is let in");
        first.result(1);
        let no = quotas.admit(&call, later()).await.expect_err("the second is not");
        assert_eq!((no.code, no.retry_after_seconds()), (code, Some(retry)));
        assert_eq!(no.to_string(), message);
        assert_eq!(no.operator, operator);
    }
}

#[tokio::test(start_paused = true)]
async fn memory_is_asked_first_and_the_gauge_is_the_hosts() {
    let quotas = quotas(Config { shed: ShedConfig { memory_bytes: Some(1_000) }, ..Config::default() });
    let memory = quotas.memory();
    memory.set(1_000);
    assert!(quotas.admit(&call("ada"), later()).await.is_ok());
    memory.set(1_001);
    let no = quotas.admit(&call("ada"), later()).await.expect_err("it is used up");
    assert_eq!((no.code, no.what.as_str(), no.retry_after_seconds()), ("overloaded", "memory-bytes = 1000", Some(5)));
    memory.set(0);
    assert!(quotas.admit(&call("ada"), later()).await.is_ok());
}

/// Each later step refuses many times; no earlier one has less left afterwards.
#[tokio::test(start_paused = true)]
async fn what_one_step_refuses_is_given_back_by_the_others() {
    let base = Config {
        rates: vec![RateRule::new(Per::Principal, 2, Every::Day)],
        concurrency: vec![ConcurrencyRule::new(Per::Principal, 2)],
        budgets: vec![BudgetRule { calls: Some(2), ..BudgetRule::default() }],
        repeat: Some(RepeatConfig { at_most: 2, ..RepeatConfig::default() }),
        queue: Some(QueueConfig { places: 2, per_caller: Some(2), ..QueueConfig::default() }),
        ..Config::default()
    };
    let of_tool = |rules: &mut Vec<RateRule>| rules.push(RateRule::new(Per::Tool, 1, Every::Second));
    let mut by_rate = base.clone();
    of_tool(&mut by_rate.rates);
    let mut by_repeat = base.clone();
    by_repeat.repeat = Some(RepeatConfig { at_most: 1, pause: Duration::from_secs(1), ..RepeatConfig::default() });
    let mut by_queue = base;
    by_queue.queue = Some(QueueConfig { places: 1, max_wait: Duration::from_millis(1), ..QueueConfig::default() });

    for config in [by_rate, by_repeat, by_queue] {
        let quotas = quotas(config);
        let call = call("ada").with_arguments_hash(1);
        let first = quotas.admit(&call, later()).await.expect("the first is let in");
        for _ in 0..20 {
            assert!(quotas.admit(&call, later()).await.is_err());
        }
        drop(first);
        advance(Duration::from_secs(2)).await;
        let second = quotas.admit(&call, later()).await;
        let second = second.unwrap_or_else(|no| panic!("{}", no.operator));
        drop(second);
        advance(Duration::from_secs(2)).await;
        assert!(quotas.admit(&call, later()).await.is_err(), "two are all");
    }
}

#[tokio::test(start_paused = true)]
async fn costs_are_charged_and_carried_over_a_restart() {
    let config = Config { budgets: vec![BudgetRule { cpu_ms: Some(10), ..BudgetRule::default() }], ..open() };
    let before = quotas(config.clone());
    let admission = before.admit(&call("ada"), later()).await.expect("nothing is spent");
    admission.charge(Cost { cpu: Duration::from_millis(10), bytes: 1 }, noon());
    drop(admission);

    let after = quotas(config);
    after.import_spent(&before.export_spent(noon()), noon());
    assert_eq!(after.admit(&call("ada"), later()).await.expect_err("it is spent").code, "over-budget");
    let tomorrow = CallFacts::new(Some("ada"), "weather", "forecast", noon() + Duration::from_secs(43_200));
    assert!(after.admit(&tomorrow, later()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_call_of_a_call_needs_no_place_but_has_to_pay() {
    let quotas = quotas(Config {
        rates: vec![RateRule::new(Per::Principal, 3, Every::Day)],
        concurrency: vec![ConcurrencyRule::new(Per::Principal, 1)],
        queue: Some(QueueConfig { places: 1, ..QueueConfig::default() }),
        ..Config::default()
    });
    let outer = quotas.admit(&call("ada"), later()).await.expect("the place is free");
    let inner = quotas.admit_nested(&call("ada")).expect("it needs none");
    let inmost = quotas.admit_nested(&call("ada")).expect("it needs none");
    assert_eq!(quotas.admit_nested(&call("ada")).expect_err("three a day").code, "rate-limited");
    drop((outer, inner, inmost));
    assert_eq!(quotas.queue().map(|it| it.running), Some(0));
}

#[tokio::test(start_paused = true)]
async fn groups_have_rules_and_weights_of_their_own() {
    let staff = std::collections::BTreeSet::from(["staff".to_owned()]);
    let rest = Only { except_groups: staff.iter().cloned().collect(), ..Only::default() };
    let quotas = quotas(Config {
        rates: vec![RateRule { only: rest, ..RateRule::new(Per::Principal, 1, Every::Day) }],
        ..open()
    });
    for _ in 0..50 {
        assert!(quotas.admit(&call("ada").with_groups(&staff), later()).await.is_ok());
    }
    assert!(quotas.admit(&call("bob"), later()).await.is_ok());
    assert!(quotas.admit(&call("bob"), later()).await.is_err());
}

#[tokio::test]
async fn lists_are_bounded() {
    let rates = vec![RateRule::new(Per::Tool, 1, Every::Day); 257];
    let error = Quotas::new(Config { rates, ..open() }).expect_err("too many");
    assert_eq!(error, ConfigError::TooManyRules { list: "rates", count: 257 });
}

/// What the host keeps over an await on several threads.
#[test]
fn everything_can_be_sent() {
    fn sent<T: Send + Sync + 'static>() {}
    fn future<T: Send>(_: T) {}
    sent::<Quotas>();
    sent::<toolcell_quota::Admission>();
    sent::<toolcell_quota::Place>();
    let quotas = quotas(open());
    let call = call("ada");
    future(quotas.admit(&call, later()));
}
