use std::sync::Arc;
use toolcell::registry::*;
#[tokio::main]
async fn main() {
    let engine = Engine::new(&toolcell::sandbox::EngineConfig::default()).unwrap();
    let registry = Registry::new(engine, Arc::new(toolcell::policy::AllowAll));
    let t = std::time::Instant::now();
    let snap = registry.load(&[PluginSpec::new("echo", Source::File("target/plugins/echo.wasm".into()))], "start").await;
    println!("load {:?} problems {:?}", t.elapsed(), snap.problems());
    let tool = snap.tool("echo").unwrap();
    println!("{:?}", tool.call(r#"{"message":"hi"}"#, CallCtx::default()).await);
    println!("{:?}", tool.call(r#"{"messag":"hi"}"#, CallCtx::default()).await);
    for _ in 0..3 {
        let t = std::time::Instant::now();
        for _ in 0..20000 { tool.call(r#"{"message":"hi"}"#, CallCtx::default()).await.unwrap(); }
        println!("{:?} per call", t.elapsed() / 20000);
    }
}
