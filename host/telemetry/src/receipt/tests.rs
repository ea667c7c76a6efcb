use std::time::UNIX_EPOCH;

use super::*;

fn used(host: &str, count: u64, received: u64) -> HostUse {
    HostUse { host: host.to_owned(), count, sent: 0, received, refused: 0 }
}

#[test]
fn as_json_it_is_compact_and_whole() {
    let receipt = Receipt::builder("weather", "forecast", Kind::Tool, UNIX_EPOCH)
        .component("sha256:ab")
        .generation(3)
        .principal(Some("alice"))
        .outcome(Outcome::Refused { rule: "rate".into() })
        .times(Duration::from_micros(900), Duration::from_micros(1), Duration::from_micros(2), Duration::ZERO)
        .cpu_ms(4)
        .peak_memory(65_536)
        .bytes_in(10)
        .bytes_out(20)
        .file("/data")
        .file("/data")
        .host(used("api.example:443", 1, 100))
        .host(used("api.example:443", 2, 50))
        .cached(true)
        .refusal("host", "not granted")
        .secret("token")
        .trace_id(Some("4bf92f3577b34da6a3ce929d0e0e4736"))
        .build();
    assert_eq!(
        receipt.to_json().unwrap(),
        concat!(
            r#"{"component":"sha256:ab","plugin":"weather","name":"forecast","kind":"tool","generation":3,"#,
            r#""principal":"alice","outcome":{"is":"refused","rule":"rate"},"cached":true,"started":"1970-01-01T00:00:00.000000Z","#,
            r#""cpu_ms":4,"wall_us":900,"host_us":0,"queue_us":1,"instantiate_us":2,"peak_memory":65536,"bytes_in":10,"#,
            r#""bytes_out":20,"files":["/data"],"hosts":[{"host":"api.example:443","count":3,"sent":0,"received":150}],"#,
            r#""refusals":[{"code":"host","text":"not granted"}],"secrets":["token"],"#,
            r#""trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"}"#
        )
    );
}

#[test]
fn a_hostile_guest_cannot_make_it_long() {
    let long = "ä".repeat(10_000);
    let mut builder = Receipt::builder(&long, &long, Kind::Resource, UNIX_EPOCH)
        .outcome(Outcome::Failed { kind: long.clone() })
        .principal(Some(&long));
    for n in 0..1_000 {
        let text = format!("{n}{long}");
        builder = builder.file(&text).host(used(&text, 1, 1)).refusal(&text, &text).secret(&text);
    }
    let receipt = builder.build();
    assert_eq!((receipt.files.len(), receipt.files_more), (MAX_FILES, 1_000 - MAX_FILES as u64));
    assert_eq!((receipt.hosts.len(), receipt.hosts_more), (MAX_HOSTS, 1_000 - MAX_HOSTS as u64));
    assert_eq!((receipt.refusals.len(), receipt.refusals_more), (MAX_REFUSALS, 1_000 - MAX_REFUSALS as u64));
    assert_eq!(receipt.secrets.len(), MAX_SECRETS);
    assert!(receipt.to_json().unwrap().len() < 64 * 1024);
}
