//! Says what the host told it of the call.

use toolcell_guests::bindings::toolcell::plugin::context;
use toolcell_guests::{Args, Report, tool};

tool!(context_peek, "Returns all it knows about the call.");

fn context_peek(_: &Args) -> Report {
    let call = context::current();
    let mut report = Report::new();
    let caller = call.caller.map(|caller| format!("{} {}", caller.principal, caller.claims));
    report.add("context", "caller", caller.ok_or("none"));
    let client = call.client.map(|client| format!("{} {}", client.name, client.version));
    report.add("context", "client", client.ok_or("none"));
    report.add("context", "abilities", Ok::<_, &str>(format!("{:?}", call.abilities)));
    report.add("context", "remaining-ms", Ok::<_, &str>(call.remaining_ms));
    report.add("context", "trace", call.trace.map(|trace| trace.traceparent).ok_or("none"));
    report.add("context", "meta", Ok::<_, &str>(call.meta));
    report.add("context", "cancelled", Ok::<_, &str>(context::is_cancelled()));
    report
}
