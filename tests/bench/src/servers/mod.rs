//! The servers Toolcell is compared with, and the collector it reports to: each runs as a process of its own, on a runtime with
//! the default settings, and differs from the others only in the service behind the connections.

mod ceiling;
mod collector;
mod native;

use std::convert::Infallible;
use std::error::Error;

use anyhow::{Context, Result};
use clap::ValueEnum;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::process::READY;

/// Which server to be.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub enum Kind {
    /// Bare hyper: parses the envelope and answers
    Ceiling,
    /// A native server on the official Rust SDK
    Rmcp,
    /// Takes telemetry and throws it away
    Collector,
}

impl Kind {
    /// The argument that selects it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ceiling => "ceiling",
            Self::Rmcp => "rmcp",
            Self::Collector => "collector",
        }
    }
}

/// Serves on a free loopback port until the process ends.
///
/// # Errors
/// When no port can be bound.
pub fn run(kind: Kind) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = bind().await?;
        eprintln!("{READY}{}/mcp", listener.local_addr()?);
        serve(kind, listener).await
    })
}

async fn bind() -> Result<TcpListener> {
    TcpListener::bind("127.0.0.1:0").await.context("cannot bind a loopback port")
}

async fn serve(kind: Kind, listener: TcpListener) -> Result<()> {
    match kind {
        Kind::Ceiling => accept(listener, ceiling::service()).await,
        Kind::Rmcp => accept(listener, native::service()).await,
        Kind::Collector => accept(listener, collector::service()).await,
    }
}

/// Serves on the runtime of a test.
#[cfg(test)]
pub async fn start_in_process(kind: Kind) -> Result<crate::process::Endpoint> {
    let listener = bind().await?;
    let address = listener.local_addr()?;
    tokio::spawn(serve(kind, listener));
    Ok(crate::process::Endpoint { address, path: "/mcp".to_owned(), key: None })
}

/// One task per connection, HTTP/1.1 with keep-alive.
async fn accept<S, B>(listener: TcpListener, service: S) -> Result<()>
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let service = service.clone();
        // A connection that breaks is the client's finding.
        tokio::spawn(async move { http1::Builder::new().serve_connection(TokioIo::new(stream), service).await });
    }
}
