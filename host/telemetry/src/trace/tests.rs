use proptest::prelude::*;

use super::*;

const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[test]
fn the_examples_of_the_recommendation() {
    let context =
        TraceContext::parse(GOOD, Some("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"), Some("userId=alice")).unwrap();
    assert_eq!(context.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(context.span_id().to_string(), "00f067aa0ba902b7");
    assert!(context.sampled());
    assert_eq!(context.traceparent(), GOOD);
    assert_eq!(context.tracestate(), Some("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"));
    let later = TraceContext::parse("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes", None, None);
    assert_eq!(later.unwrap().traceparent(), GOOD, "a later version is continued as version 0");
}

#[test]
fn what_is_not_a_traceparent_is_no_parent() {
    for bad in [
        "",
        "00",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-zz",
        "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x",
        " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473ä-00f067aa0ba902b7-01",
    ] {
        assert_eq!(TraceContext::parse(bad, None, None), None, "{bad}");
    }
}

#[test]
fn a_bad_state_goes_and_the_parent_stays() {
    for bad in [
        "a=1,a=2",
        "A=1",
        "a",
        "a=",
        "a=b=c",
        "a=\u{7}",
        &"x,".repeat(3),
        &(0..33).map(|n| format!("k{n}=v,")).collect::<String>(),
    ] {
        let context = TraceContext::parse(GOOD, Some(bad), Some("no baggage")).unwrap();
        assert_eq!((context.tracestate(), context.baggage()), (None, None), "{bad}");
    }
    let context = TraceContext::parse(GOOD, Some(" a=1 ,, b@c=2\t"), None).unwrap();
    assert_eq!(context.tracestate(), Some("a=1,b@c=2"));
}

#[test]
fn a_long_state_loses_its_long_members_first() {
    let long = format!("long={}", "x".repeat(200));
    let field =
        format!("first=1,{long},{}", (0..20).map(|n| format!("k{n}=0123456789012345")).collect::<Vec<_>>().join(","));
    let context = TraceContext::parse(GOOD, Some(&field), None).unwrap();
    let state = context.tracestate().unwrap();
    assert!(state.len() <= MAX_STATE && state.starts_with("first=1,k0=") && !state.contains("long"), "{state}");
}

#[test]
fn a_child_is_another_span_of_the_same_trace() {
    let parent = TraceContext::parse(GOOD, Some("a=1"), Some("k=v")).unwrap();
    let child = parent.child();
    assert_eq!(child.trace_id(), parent.trace_id());
    assert_ne!(child.span_id(), parent.span_id());
    assert!(child.sampled());
    assert_eq!(child.fields(Carry::OUTGOING), [("traceparent", child.traceparent())]);
    assert_eq!(child.fields(Carry::GUEST), [("traceparent", child.traceparent()), ("tracestate", "a=1".into())]);
    assert_eq!(child.fields(Carry::NONE), []);
    assert!(!child.with_sampled(false).sampled());
    let root = TraceContext::root(true);
    assert!(root.traceparent().ends_with("-03"), "{}", root.traceparent());
}

proptest! {
    #[test]
    fn whatever_comes_in_what_goes_out_is_well_formed(
        traceparent in prop_oneof![".{0,80}", "[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-.{0,10})?"],
        state in ".{0,600}",
        baggage in ".{0,600}",
    ) {
        if let Some(context) = TraceContext::parse(&traceparent, Some(&state), Some(&baggage)) {
            let fields = context.fields(Carry { traceparent: true, tracestate: true, baggage: true });
            for (_, value) in &fields {
                prop_assert!(value.bytes().all(|byte| (0x20..0x7f).contains(&byte) || byte == b'\t'), "{value:?}");
            }
            let again = TraceContext::parse(&context.traceparent(), context.tracestate(), context.baggage());
            prop_assert_eq!(again, Some(context));
        }
    }

    #[test]
    fn states_of_members_come_back(members in prop::collection::vec(("[a-z][a-z0-9_*/@-]{0,8}", "[!-+--<>-~]{1,12}"), 1..10)) {
        let mut seen = std::collections::HashSet::new();
        let members: Vec<_> = members.into_iter().filter(|(key, _)| seen.insert(key.clone())).collect();
        let field = members.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",");
        let context = TraceContext::parse(GOOD, Some(&field), None).unwrap();
        prop_assert_eq!(context.tracestate(), Some(field.as_str()));
    }
}
