//! What an operator's own programs, files and plugins may do wrong: the host goes on, and opens nothing for it.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use toolcell_tests::DEADLINE;
use toolcell_tests::artifacts::guest;
use toolcell_tests::component::{crowd, stamped};
use toolcell_tests::host::Host;
use toolcell_tests::log::Mark;
use toolcell_tests::site::Site;

use super::{new_key, with_key};

#[test]
fn a_program_that_prints_a_secret_holds_nobody_up() {
    let site = Site::new();
    let secret = |name: &str, script: &str| format!("[secrets.{name}]\ncommand = ['sh', '-c', '{script}']\n");
    let text = [
        secret("good", "printf value-of-the-good-one"),
        // What it leaves behind holds its output, for longer than anybody waits.
        secret("behind", "sleep 600 & printf value-left-behind"),
        secret("endless", "sleep 600; true"),
        secret("pouring", "sleep 0.1; yes value-value-value"),
        secret("failing", "printf value-of-a-failure; exit 3"),
    ]
    .concat();
    let uses = ["good", "behind", "endless", "pouring", "failing"]
        .map(|name| format!("{{ name = '{name}', hosts = ['http://127.0.0.1:9'], header = 'x-{name}' }}"));
    let courier = Site::guest("courier", &format!("hosts = ['http://127.0.0.1:9']\nsecrets = [{}]", uses.join(", ")));
    let begun = Instant::now();
    let host = Host::serve(&site.config(&format!("{text}{courier}")));
    assert!(begun.elapsed() < DEADLINE, "it took {:?}", begun.elapsed());
    for (name, why) in [
        ("behind", "left a program behind"),
        ("endless", "did not end within"),
        ("pouring", "`sh`"),
        ("failing", "it ended with"),
    ] {
        host.log.wait_for(Mark::START, &[&format!("the secret `{name}`"), why]);
    }
    let log = host.log.all();
    assert!(!log.contains("the secret `good`") && !log.contains("value-"), "{log}");
    // Without its value nothing is sent, and the rest of the host does not care.
    let said = host.modern().say("courier", &json!({ "urls": ["http://127.0.0.1:9/"] }));
    assert!(said.contains(":refused:") && said.contains("has no value"), "{said}");
}

#[test]
fn a_key_file_that_is_swapped_again_and_again_opens_nothing_and_closes_nothing() {
    let site = Site::new();
    let alice = new_key(&site, "alice", &[]);
    let good = fs::read(site.path("keys.json")).expect("the file reads");
    let host = Host::serve(&site.config(&format!("[auth]\nkeys = 'keys.json'\n{}", Site::plugin("echo", ""))));
    // A key that stands only in files that are broken in some way.
    let other = Site::new();
    let forged = new_key(&other, "root", &["--group", "admins"]);
    let text = fs::read_to_string(other.path("keys.json")).expect("the file reads");
    let broken = [
        Vec::new(),
        b"{}".to_vec(),
        b"null".to_vec(),
        text.as_bytes()[..text.len() / 2].to_vec(),
        format!("{text}{text}").into_bytes(),
        text.replace("\"version\": 1", "\"version\": 2").into_bytes(),
        text.replace("\"principal\": \"root\"", "\"principal\": \"\"").into_bytes(),
        text.replace("\"hash\"", "\"hush\"").into_bytes(),
        text.replace("\"keys\": [", "\"keys\": [null,").into_bytes(),
        vec![b' '; 17 << 20],
    ];
    let (mut alice, mut root) = (with_key(&host, &alice), with_key(&host, &forged));
    for bytes in &broken {
        for content in [bytes.as_slice(), good.as_slice()] {
            site.replace("keys.json", content);
            // Longer than it takes the host to look again.
            let until = Instant::now() + Duration::from_millis(700);
            while Instant::now() < until {
                assert_eq!(root.answer("tools/list", &json!({})).head.status, 401);
                assert_eq!(alice.answer("tools/list", &json!({})).head.status, 200);
            }
        }
    }
    // And without a pause, so that it is read in the middle of everything.
    thread::scope(|scope| {
        let swaps = scope.spawn(|| {
            for number in 0..300 {
                let bytes = broken.get(number % (broken.len() - 1)).expect("there are some");
                site.replace("keys.json", bytes);
                site.replace("keys.json", &good);
            }
        });
        while !swaps.is_finished() {
            assert_eq!(root.answer("tools/list", &json!({})).head.status, 401);
            assert_eq!(alice.answer("tools/list", &json!({})).head.status, 200);
        }
    });
    assert!(host.log.all().contains("the keys stay as they were"));
}

#[test]
fn a_plugin_whose_breaking_versions_flap_leaves_no_pile() {
    let site = Site::new();
    let odd = |number: usize| stamped(&crowd(2), &format!("{number}.0.0"), &json!({}));
    let even = |number: usize| {
        let component = fs::read(guest("versioned_v1")).expect("a component can be read");
        stamped(&component, &format!("{number}.0.0"), &json!({}))
    };
    site.write("it.wasm", even(0));
    let entry = "[plugins.it]\npath = 'it.wasm'\non-breaking = 'keep-both'\n";
    let host = Host::serve(&site.config(&format!("{entry}{}", Site::plugin("echo", ""))));
    let mut client = host.modern();
    for number in 1..=30 {
        host.reload(|| site.replace("it.wasm", if number % 2 == 0 { even(number) } else { odd(number) }));
        let tools = client.tools();
        // Its own two, the two of the version before, and the other plugin's.
        assert_eq!(tools.len(), 5, "after {number} versions: {tools:?}");
        let kept = tools.iter().filter(|name| name.ends_with(&format!("_v{}_0_0", number - 1))).count();
        assert_eq!(kept, 2, "{tools:?}");
        assert_eq!(client.say("echo", &json!({ "message": "still" })), "still");
    }
}
