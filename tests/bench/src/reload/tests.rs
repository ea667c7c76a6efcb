//! The whole measurement against a stand-in host that reads the plugin's file for every call.

use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// What the stand-in answers.
#[derive(Clone, Copy)]
enum Manner {
    Current,
    /// The first version for ever.
    Stuck,
    /// An error for every call of the second version.
    Failing,
}

async fn stand_in(watched: PathBuf, manner: Manner) -> Endpoint {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer_calls(stream, watched.clone(), manner));
        }
    });
    Endpoint { address, path: "/mcp".to_owned(), key: None }
}

/// Every request of the load arrives whole and alone, so one read is one request.
async fn answer_calls(mut stream: TcpStream, watched: PathBuf, manner: Manner) {
    let mut buffer = vec![0; 4096];
    while let Ok(count) = stream.read(&mut buffer).await {
        let request = String::from_utf8_lossy(&buffer[..count]).into_owned();
        let Some((_, rest)) = request.split_once("\"id\":") else {
            return;
        };
        let id = &rest[..10];
        let file = std::fs::read(watched.join("versioned.wasm")).unwrap();
        let text = match manner {
            Manner::Stuck => "v1",
            _ => std::str::from_utf8(&file[..2]).unwrap(),
        };
        let failed = matches!(manner, Manner::Failing) && text == "v2";
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":{id},"result":{{"content":[{{"type":"text","text":"{text}"}}],"isError":{failed}}}}}"#
        );
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all((head + &body).as_bytes()).await.unwrap();
    }
}

async fn measure(manner: Manner) -> Result<Report> {
    let guests = TempDir::new()?;
    for version in ["v1", "v2"] {
        std::fs::write(guests.path().join(format!("versioned_{version}.wasm")), version)?;
    }
    let mut plan = Plan::new(500, 4, 4, Duration::from_millis(20))?;
    plan.lead = Duration::from_millis(100);
    plan.patience = Duration::from_millis(500);
    let mut folder = Folder::new(guests.path(), plan.replacements)?;
    let endpoint = stand_in(folder.watched(), manner).await;
    replace_under_load(&plan, &endpoint, &mut folder).await
}

#[tokio::test]
async fn a_host_that_follows_the_file_passes() {
    let report = measure(Manner::Current).await.unwrap();
    report.assert_nothing_failed().unwrap();
    assert_eq!(report.json()["replacements"], 4);
    assert!(report.json()["calls"].as_u64().unwrap() >= 100, "{}", report.text());
}

#[tokio::test]
async fn a_host_that_does_not_reload_is_given_up_on() {
    let error = measure(Manner::Stuck).await.err().unwrap().to_string();
    assert_eq!(error, "v2 did not answer within 0.5 s");
}

#[tokio::test]
async fn a_host_whose_new_version_fails_says_how() {
    let error = measure(Manner::Failing).await.err().unwrap().to_string();
    assert!(error.contains("first failure: call 1") && error.contains(r#"\"isError\":true"#), "{error}");
}
