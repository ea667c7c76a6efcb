use super::*;

const NOON: Duration = Duration::from_secs(20_000 * DAY_SECS + DAY_SECS / 2);

fn at(since_noon: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + NOON + Duration::from_secs(since_noon)
}

fn call(principal: Option<&str>, now: SystemTime) -> CallFacts<'_> {
    CallFacts::new(principal, "p", "t", now)
}

fn rule(cpu_ms: Option<u64>, bytes: Option<u64>, calls: Option<u64>) -> BudgetRule {
    BudgetRule { only: Only::default(), cpu_ms, bytes, calls }
}

fn cost(cpu_us: u64, bytes: u64) -> Cost {
    Cost { cpu: Duration::from_micros(cpu_us), bytes }
}

#[test]
fn calls_are_counted_exactly_and_come_back_at_midnight() {
    let budgets = Budgets::new(vec![rule(None, None, Some(3))]).unwrap();
    for _ in 0..3 {
        assert!(budgets.take(&call(Some("ada"), at(0))).unwrap().is_some());
    }
    let over = budgets.take(&call(Some("ada"), at(3_600))).unwrap_err();
    assert_eq!((over.what.as_str(), over.retry_after), ("3 calls", Duration::from_secs(11 * 3_600)));
    assert!(budgets.take(&call(Some("bob"), at(0))).is_ok());
    assert!(budgets.take(&call(None, at(0))).is_ok());
    assert!(budgets.take(&call(Some("ada"), at(DAY_SECS / 2 - 1))).is_err());
    assert!(budgets.take(&call(Some("ada"), at(DAY_SECS / 2))).is_ok());
    // The clock is set back by an hour: the new day goes on.
    for _ in 0..2 {
        assert!(budgets.take(&call(Some("ada"), at(DAY_SECS / 2 - 3_600))).is_ok());
    }
    assert!(budgets.take(&call(Some("ada"), at(DAY_SECS / 2 - 3_600))).is_err());
}

#[test]
fn a_clock_that_was_far_ahead_does_not_keep_the_day() {
    let budgets = Budgets::new(vec![rule(None, None, Some(1))]).unwrap();
    assert!(budgets.take(&call(None, at(400 * DAY_SECS))).is_ok());
    assert!(budgets.take(&call(None, at(0))).is_err());
    assert!(budgets.take(&call(None, at(DAY_SECS))).is_ok());
}

#[test]
fn cost_is_charged_after_and_small_costs_add_up() {
    let budgets = Budgets::new(vec![rule(Some(1), Some(100), None)]).unwrap();
    for _ in 0..4 {
        let account = budgets.take(&call(Some("ada"), at(0))).unwrap().unwrap();
        account.charge(cost(250, 1), at(0));
    }
    assert_eq!(budgets.take(&call(Some("ada"), at(0))).unwrap_err().what, "1 ms of CPU time");

    let account = budgets.take(&call(Some("bob"), at(0))).unwrap().unwrap();
    account.charge(cost(0, 100), at(0));
    assert_eq!(budgets.take(&call(Some("bob"), at(0))).unwrap_err().what, "100 bytes");
}

#[test]
fn what_is_given_back_was_not_taken_and_what_was_refused_neither() {
    let budgets = Budgets::new(vec![rule(None, None, Some(1)), rule(None, Some(1), None)]).unwrap();
    for _ in 0..10 {
        budgets.take(&call(None, at(0))).unwrap().unwrap().give_back();
    }
    let account = budgets.take(&call(None, at(0))).unwrap().unwrap();
    for _ in 0..10 {
        assert!(budgets.take(&call(None, at(0))).is_err());
    }
    account.give_back();
    assert!(budgets.take(&call(None, at(0))).is_ok());
}

#[test]
fn a_rule_for_others_keeps_no_account() {
    let only = Only { groups: vec!["guests".to_owned()], ..Only::default() };
    let budgets = Budgets::new(vec![BudgetRule { only, ..rule(None, None, Some(1)) }]).unwrap();
    for _ in 0..5 {
        assert!(budgets.take(&call(Some("ada"), at(0))).unwrap().is_none());
    }
    assert_eq!(budgets.export(at(0)).callers, []);
}

#[test]
fn what_was_spent_survives_as_plain_data() {
    let rules = vec![rule(Some(10), None, Some(3))];
    let budgets = Budgets::new(rules.clone()).unwrap();
    for principal in [Some("ada"), None] {
        budgets.take(&call(principal, at(0))).unwrap().unwrap().charge(cost(1_500, 7), at(0));
    }
    let text = serde_json::to_string(&budgets.export(at(0))).unwrap();
    let spent: Spent = serde_json::from_str(&text).unwrap();
    let ada = SpentBy { principal: Some("ada".to_owned()), calls: 1, cpu_us: 1_500, bytes: 7 };
    assert_eq!(spent, Spent { day: 20_000, callers: vec![ada.clone(), SpentBy { principal: None, ..ada }] });

    let restarted = Budgets::new(rules.clone()).unwrap();
    restarted.import(&spent, at(60));
    assert_eq!(restarted.export(at(60)), spent);
    assert!(restarted.take(&call(Some("ada"), at(60))).is_ok());
    assert!(restarted.take(&call(Some("ada"), at(60))).is_ok());
    assert!(restarted.take(&call(Some("ada"), at(60))).is_err());

    // Yesterday's is of no use.
    let tomorrow = Budgets::new(rules).unwrap();
    tomorrow.import(&spent, at(DAY_SECS));
    assert_eq!(tomorrow.export(at(DAY_SECS)).callers, []);
}

#[test]
fn accounts_are_bounded_and_those_of_yesterday_go() {
    let budgets = Budgets::new(vec![rule(None, None, Some(1))]).unwrap();
    for index in 0..MAX_ACCOUNTS + 10 {
        assert!(budgets.take(&call(Some(&index.to_string()), at(0))).is_ok());
    }
    let len = || budgets.accounts.lock().unwrap().len();
    assert_eq!(len(), MAX_ACCOUNTS);
    for index in 0..1_000 {
        assert!(budgets.take(&call(Some(&format!("new {index}")), at(DAY_SECS))).is_ok());
    }
    assert_eq!(len(), MAX_ACCOUNTS - 1_000);
}

#[test]
fn rules_that_make_no_sense_are_refused() {
    let of_tool =
        BudgetRule { only: Only { tools: vec!["t".to_owned()], ..Only::default() }, ..rule(None, None, Some(1)) };
    for (rule, problem) in [
        (rule(None, None, None), "write cpu-ms, bytes or calls"),
        (rule(Some(1), Some(0), None), "write at least 1"),
        (of_tool, "or write a rate"),
    ] {
        let error = Budgets::new(vec![rule]).unwrap_err().to_string();
        assert!(error.ends_with(problem), "{error}");
    }
}
