//! Every WIT type as JSON, in and out.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use toolcell_tests::host::Host;
use toolcell_tests::log::Mark;
use toolcell_tests::mcp::HANDSHAKE;
use toolcell_tests::site::Site;

use super::{Door, nothing};

fn serve(site: &Site, name: &str) -> Host {
    Host::serve(&site.config(&Site::foreign(name, "")))
}

/// A JSON number that Rust's own integers need not hold.
fn number(text: &str) -> Value {
    serde_json::from_str(text).expect("it is a number")
}

fn value(value: &Value) -> Value {
    json!({ "value": value })
}

#[test]
fn every_integer_goes_through_at_its_bounds_and_not_beyond() {
    let site = Site::new();
    let host = serve(&site, "types");
    let mut door = Door::of(&host);
    for (name, least, most) in [
        ("u8", 0, i128::from(u8::MAX)),
        ("s8", i8::MIN.into(), i8::MAX.into()),
        ("u16", 0, u16::MAX.into()),
        ("s16", i16::MIN.into(), i16::MAX.into()),
        ("u32", 0, u32::MAX.into()),
        ("s32", i32::MIN.into(), i32::MAX.into()),
        ("u64", 0, u64::MAX.into()),
        ("s64", i64::MIN.into(), i64::MAX.into()),
    ] {
        let tool = format!("same_a-{name}");
        let schema = door.property(&tool, "value");
        let bounds =
            json!({ "type": "integer", "minimum": number(&least.to_string()), "maximum": number(&most.to_string()) });
        assert_eq!(schema, &bounds, "{tool}");
        for inside in [least, least + 1, 0, 1, most - 1, most] {
            let given = number(&inside.to_string());
            assert_eq!(door.call(&tool, &value(&given)).to_string(), inside.to_string(), "{tool}");
        }
        // Two to the power of 63, and one more, are the same number for a reader that has only floats; 2048 more are not.
        let below = if name == "s64" { least - 2048 } else { least - 1 };
        for outside in [below.to_string(), (most + 1).to_string(), "1.5".into(), "-1e30".into(), "1e300".into()] {
            let text = door.refusal(&tool, &value(&number(&outside)));
            assert!(text.contains("value"), "{tool} {outside}: {text}");
        }
        for wrong in [json!("1"), json!(null), json!([1]), json!(true), json!({})] {
            let text = door.refusal(&tool, &value(&wrong));
            assert!(text.contains("value") && text.contains("integer"), "{tool} {wrong}: {text}");
        }
    }
}

#[test]
fn floats_go_through_as_they_are() {
    let site = Site::new();
    let host = serve(&site, "types");
    let mut door = Door::of(&host);
    for given in [0.0, 1.5, -2.25, f64::MIN_POSITIVE, f64::MAX, f64::MIN, 0.1, 5e-324] {
        assert_eq!(door.call("same_a-f64", &value(&json!(given))), json!(given));
    }
    assert_eq!(door.call("same_a-f64", &value(&json!(7))), json!(7.0));
    // The text of an f32 is the shortest that is this number, not that of the f64 nearest to it.
    // The largest is written longer as an f64; both are within the bounds of the schema.
    for given in ["0.1", "-1.5", "3.4028235e38", "3.4028234663852886e38", "-3.4028235e38", "1e-45"] {
        let back = door.call("same_a-f32", &value(&number(given)));
        #[expect(clippy::cast_possible_truncation, reason = "that is what is compared")]
        let near = (back.as_f64().unwrap_or_default() as f32, number(given).as_f64().unwrap_or_default() as f32);
        assert!(near.0.to_bits() == near.1.to_bits(), "{given}: {back}");
    }
    assert_eq!(door.call("same_a-f32", &value(&json!(0.1))).to_string(), "0.1");
    let text = door.refusal("same_a-f32", &value(&json!(1e39)));
    assert!(text.contains("value"), "{text}");
    // JSON has no numbers for these; the output schema says what stands for them.
    assert_eq!(door.call("outcomes_strange-float", &json!({ "infinite": false })), "NaN");
    assert_eq!(door.call("outcomes_strange-float", &json!({ "infinite": true })), "Infinity");
}

#[test]
fn every_other_type_goes_through_and_what_does_not_fit_is_named() {
    let site = Site::new();
    let host = serve(&site, "types");
    let mut door = Door::of(&host);
    let drawing = json!({
        "title": null, "shapes": [
            { "tag": "dot" }, { "tag": "circle", "val": 0.5 }, { "tag": "polygon", "val": [{ "x": 0, "y": -1 }] },
            { "tag": "label", "val": [{ "x": 1, "y": 2 }, "here"] },
        ],
        "ink": "deep-blue", "rights": ["read", "run-as"], "origin": { "x": 0, "y": 0 }, "checked": { "ok": 3 },
    });
    let table: &[(&str, &[Value], &[Value])] = &[
        ("a-bool", &[json!(true), json!(false)], &[json!(0), json!("true"), json!(null)]),
        ("a-char", &[json!("a"), json!("é"), json!("🦀"), json!("\u{0}")], &[json!(""), json!("ab"), json!(97)]),
        ("a-string", &[json!(""), json!("a\u{0}b\"\\\n\u{2028}🦀")], &[json!(5), json!(null), json!(["a"])]),
        ("a-list", &[json!([]), json!(["", "b"])], &[json!("a"), json!(["a", 1]), json!({}), json!([null])]),
        ("some-bytes", &[json!([]), json!([0, 127, 255])], &[json!([256]), json!([-1]), json!("AA=="), json!([0.5])]),
        ("a-table", &[json!([[], [1.5, -2.0]])], &[json!([1.5]), json!([["1"]])]),
        ("an-option", &[json!(null), json!("a"), json!("")], &[json!(5), json!([])]),
        ("a-tuple", &[json!([1, "a", true])], &[json!([1, "a"]), json!([1, "a", true, 4]), json!({ "0": 1 })]),
        (
            "a-record",
            &[json!({ "x": -5, "y": 5 })],
            &[json!({ "x": 1 }), json!({ "x": 1, "y": 2, "z": 3 }), json!({ "x": 1, "y": "2" }), json!([1, 2])],
        ),
        (
            "a-variant",
            &[json!({ "tag": "dot" }), json!({ "tag": "circle", "val": 2.5 }), json!({ "tag": "polygon", "val": [] })],
            &[
                json!("dot"),
                json!({ "tag": "square" }),
                json!({ "tag": "circle" }),
                json!({ "tag": "circle", "val": "wide" }),
                json!({ "tag": "dot", "val": 1 }),
                json!({ "circle": 2.5 }),
            ],
        ),
        ("an-enum", &[json!("red"), json!("deep-blue")], &[json!("Red"), json!("blue"), json!(0), json!("")]),
        (
            "some-flags",
            &[json!([]), json!(["read", "run-as"])],
            &[json!(["fly"]), json!("read"), json!({ "read": true })],
        ),
        ("a-drawing", std::slice::from_ref(&drawing), &[json!({}), json!({ "title": "no more" })]),
        ("drawings", &[json!([]), json!([["a", drawing], ["b", drawing]])], &[json!([["a"]]), json!([drawing])]),
    ];
    for (name, fitting, wrong) in table {
        let tool = format!("same_{name}");
        for given in *fitting {
            assert_eq!(&door.call(&tool, &value(given)), given, "{tool}");
        }
        for given in *wrong {
            let text = door.refusal(&tool, &value(given));
            assert!(text.contains("value"), "{tool} {given}: {text}");
        }
        let text = door.refusal(&tool, &json!({ "valeu": fitting[0] }));
        assert!(text.contains("valeu"), "{tool}: {text}");
    }
    // A result is what a function ends with; inside a value it is an object.
    assert_eq!(door.call("same_an-outcome", &value(&json!({ "ok": 3 }))), 3);
    assert_eq!(door.refusal("same_an-outcome", &value(&json!({ "err": "no" }))), "no");
    // What is optional may be left out, inside and outside.
    assert_eq!(door.call("same_an-option", &nothing()), Value::Null);
    let mut untitled = drawing.clone();
    untitled.as_object_mut().expect("an object").remove("title");
    assert_eq!(door.call("same_a-drawing", &value(&untitled)), drawing);
    // Flags are a set: their order is that of the type.
    assert_eq!(door.call("same_some-flags", &value(&json!(["run-as", "read"]))), json!(["read", "run-as"]));
}

#[test]
fn outcomes_become_results_and_errors() {
    let site = Site::new();
    let host = serve(&site, "types");
    let mut door = Door::of(&host);
    assert_eq!(door.call("outcomes_nothing", &nothing()), Value::Null);
    assert_eq!(door.call("outcomes_halve", &json!({ "number": 8 })), 4);
    assert_eq!(door.refusal("outcomes_halve", &json!({ "number": 7 })), "7 is odd; pass an even number");
    assert_eq!(door.call("outcomes_with-record", &json!({ "fail": false })), "fine");
    let error = |text: String| serde_json::from_str::<Value>(&text).unwrap_or_else(|why| panic!("{why}: {text}"));
    let said = error(door.refusal("outcomes_with-record", &json!({ "fail": true })));
    assert_eq!(said, json!({ "code": 409, "hint": "pass fail=false" }));
    assert_eq!(door.call("outcomes_with-variant", &json!({ "code": 0 })), Value::Null);
    assert_eq!(error(door.refusal("outcomes_with-variant", &json!({ "code": 1 }))), json!({ "tag": "busy" }));
    let said = error(door.refusal("outcomes_with-variant", &json!({ "code": 2 })));
    assert_eq!(said, json!({ "tag": "wrong", "val": { "code": 2, "hint": null } }));
    assert_eq!(door.call("outcomes_bare", &json!({ "fail": false })), Value::Null);
    let text = door.refusal("outcomes_bare", &json!({ "fail": true }));
    assert!(text.contains("outcomes_bare"), "{text}");

    let mut many = json!({
        "a": 1, "c": "c", "e": true, "f": [1, 2], "g": "g", "h": -1, "type": "t", "kebab-case-name": 2, "x1": 3,
    });
    assert_eq!(door.call("outcomes_many", &many), "1 None c None true [1, 2] g -1 t None 2 3");
    many["b"] = json!(9);
    many["d"] = json!("d");
    many["record"] = json!(8);
    assert_eq!(door.call("outcomes_many", &many), "1 Some(9) c Some(\"d\") true [1, 2] g -1 t Some(8) 2 3");
    let required = door.schema("outcomes_many", "inputSchema")["required"].clone();
    assert_eq!(required, json!(["a", "c", "e", "f", "g", "h", "type", "kebab-case-name", "x1"]));

    let text = door.refusal("outcomes_give-up", &nothing());
    assert!(text.contains("the component gave up"), "{text}");
    assert_eq!(door.call("outcomes_halve", &json!({ "number": 2 })), 1, "after a trap");
}

#[test]
fn async_exports_are_awaited() {
    let site = Site::new();
    let host = serve(&site, "async");
    let mut door = Door::of(&host);
    assert_eq!(door.names(), ["say", "waits_wait", "waits_wait-all"]);
    assert_eq!(door.call("say", &json!({ "message": "hi" })), "hi");
    let begun = Instant::now();
    assert_eq!(door.call("waits_wait", &json!({ "milliseconds": 200 })), "waited 200 ms");
    assert!(begun.elapsed() >= Duration::from_millis(200));
    // One after the other they would take four seconds.
    let begun = Instant::now();
    assert_eq!(door.call("waits_wait-all", &json!({ "milliseconds": vec![400; 10] })), 10);
    assert!((400..4000).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
    let text = door.refusal("waits_wait-all", &json!({ "milliseconds": [5, 2000] }));
    assert_eq!(text, "2000 ms is too long; wait for at most 1000");
    assert_eq!(host.session(HANDSHAKE).say("say", &json!({ "message": "hi" })), "hi");
}

#[test]
fn what_json_cannot_hold_is_refused_with_the_reason() {
    let site = Site::new();
    let host = serve(&site, "resources");
    let mut door = Door::of(&host);
    assert_eq!(door.names(), ["plain"]);
    assert_eq!(door.call("plain", &json!({ "number": 7 })), 7);
    for (function, reason) in [
        ("handles@1.0.0#[method]counter.next", "resource"),
        ("handles@1.0.0#peek", "resource"),
        ("handles@1.0.0#counters", "resource"),
        ("flows@1.0.0#drain", "stream"),
        ("flows@1.0.0#soon", "future"),
    ] {
        host.log.wait_for(Mark::START, &[function, reason]);
    }
}

#[test]
fn names_that_would_collide_say_where_they_come_from() {
    let site = Site::new();
    let host = serve(&site, "names");
    let mut door = Door::of(&host);
    let long =
        "a-name-that-is-so-long-that-clients-which-cut-names-at-sixty-four-characters-would-not-tell-it-from-others";
    for (tool, said) in [
        ("a", "a"),
        ("x-9-y", "x-9-y"),
        (long, "long"),
        ("test_names_1.0.0_files_read", "own"),
        ("other_place_2.1.0_files_read", "2.1.0"),
        ("other_place_3.0.0_files_read", "3.0.0"),
    ] {
        assert_eq!(door.call(tool, &nothing()), said);
    }
    assert_eq!(door.call("HTTP-get", &json!({ "URL": "x" })), "x");
    assert_eq!(door.names().len(), 7, "{:?}", door.names());
}
