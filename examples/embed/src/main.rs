//! A program of one's own with Toolcell inside: it loads a plugin, grants it one folder, calls a tool in-process, and mounts
//! the MCP endpoint into its axum server beside its own routes.

use std::time::Duration;
use toolcell::policy::CallFacts;
use toolcell::{Access, CallCtx, DirGrant, Grant, Host, Limits, PluginSpec, Source};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let plugins = std::env::args().nth(1).unwrap_or_else(|| "target/plugins".to_owned());
    let folder = std::path::absolute("examples/files")?;
    let files = PluginSpec {
        prefix: Some("docs_".to_owned()),
        grant: Grant {
            dirs: vec![DirGrant { host: folder, guest: "/docs".to_owned(), access: Access::ReadOnly }],
            ..Grant::default()
        },
        limits: Limits { wall_ms: 2_000, ..Limits::default() },
        ..PluginSpec::new("files", Source::File(format!("{plugins}/filesystem.wasm").into()))
    };
    let host = Host::builder()
        .plugin(PluginSpec::new("echo", Source::File(format!("{plugins}/echo.wasm").into())))
        .plugin(files)
        .policy(|call: &CallFacts<'_>| match call.name {
            "write_file" => Err("this platform's files are written by people".to_owned()),
            _ => Ok(()),
        })
        .build()
        .await?;
    if let Some(problem) = host.snapshot().problems().first() {
        anyhow::bail!("{problem}");
    }

    let hello = host.call_tool("echo", r#"{"message":"hello from inside"}"#, CallCtx::default()).await?;
    println!("{hello:?}");

    let app = axum::Router::new()
        .route("/", axum::routing::get(async || "my platform; its tools are at /mcp"))
        .route_service("/mcp", host.http_service());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on http://{}/mcp", listener.local_addr()?);
    axum::serve(listener, app).with_graceful_shutdown(async { drop(tokio::signal::ctrl_c().await) }).await?;
    host.shutdown(Duration::from_secs(5)).await;
    Ok(())
}
