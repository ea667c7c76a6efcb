//! The attributes as a plugin author uses them, called as the host calls them.
#![forbid(unsafe_code)]

use toolcell_sdk::prelude::*;
use toolcell_sdk::testing;
use toolcell_sdk::types::{CallError, Continuation, FormAnswer, InputAnswer, InputResponse};

#[derive(Deserialize, JsonSchema)]
struct DivideArgs {
    /// What is divided.
    dividend: i64,
    /// By what.
    divisor: i64,
}

#[derive(Serialize, JsonSchema)]
struct Division {
    quotient: i64,
    remainder: i64,
}

#[derive(Deserialize, JsonSchema)]
struct Name {
    name: String,
}

#[derive(Default)]
struct Sampler;

/// One tool of each kind.
#[plugin(
    name = "sampler",
    version = "3.0.0",
    request(dir = "/*", access = "read-only", why = "to see that it compiles")
)]
impl Sampler {
    /// Divides two numbers.
    ///
    /// The remainder has the sign of the dividend.
    #[tool(title = "Divide", read_only, idempotent, open_world = false)]
    fn divide(&self, args: DivideArgs) -> Result<Json<Division>, ToolError> {
        let DivideArgs { dividend, divisor } = args;
        let quotient = dividend.checked_div(divisor).context("the divisor must not be 0")?;
        Ok(Json(Division { quotient, remainder: dividend % divisor }))
    }

    #[tool(name = "parse.number", output = Division, meta = r#"{"x/y":1}"#)]
    fn parse(&self, Name { name }: Name) -> Result<ToolResult, ToolError> {
        let quotient = name.parse()?;
        if quotient < 0 {
            tool_bail!("{quotient} is too small");
        }
        ToolResult::pretty_json(&Division { quotient, remainder: 0 })
    }

    /// Greets whoever says who it is.
    #[tool]
    fn greet(&self, call: &Call) -> Outcome {
        match call.answer("who") {
            Some(InputAnswer::Form(FormAnswer::Accept(Some(json)))) => ToolResult::text(json).into(),
            _ => InputRequired::new().form::<Name>("who", "Who are you?").state(*b"asked").into(),
        }
    }

    #[tool]
    fn report(&self, call: &Call, args: Name) {
        progress::report(1.0, Some(2.0), Some(&args.name));
        log::info(call.name());
        log::named("part").warning(context::current().remaining_ms);
    }

    #[tool]
    fn motto(&self) -> &'static str {
        self.helper()
    }

    fn helper(&self) -> &'static str {
        "small"
    }
}

fn call(name: &str, arguments: &str) -> Result<Outcome, CallError> {
    toolcell_sdk::Plugin::call(&Sampler, &Call::new(name, arguments))
}

fn complete(name: &str, arguments: &str) -> ToolResult {
    match call(name, arguments) {
        Ok(Outcome::Complete(result)) => result,
        other => panic!("{other:?}"),
    }
}

#[test]
fn tools_are_listed_as_they_are_described() {
    let tools = testing::tools::<Sampler>().unwrap();
    let names: Vec<_> = tools.iter().map(|tool| &*tool.name).collect();
    assert_eq!(names, ["divide", "parse.number", "greet", "report", "motto"]);

    let divide = &tools[0];
    assert_eq!(divide.title.as_deref(), Some("Divide"));
    assert_eq!(
        divide.description.as_deref(),
        Some("Divides two numbers.\n\nThe remainder has the sign of the dividend.")
    );
    assert_eq!(
        divide.input_schema,
        r#"{"type":"object","properties":{"dividend":{"type":"integer","description":"What is divided."},"divisor":{"type":"integer","description":"By what."}},"required":["dividend","divisor"]}"#
    );
    let division = r#"{"type":"object","properties":{"quotient":{"type":"integer"},"remainder":{"type":"integer"}},"required":["quotient","remainder"]}"#;
    assert_eq!(divide.output_schema.as_deref(), Some(division));
    let hints = divide.annotations.unwrap();
    assert_eq!(
        (hints.read_only, hints.destructive, hints.idempotent, hints.open_world),
        (Some(true), None, Some(true), Some(false))
    );

    let parse = &tools[1];
    assert_eq!(parse.output_schema.as_deref(), Some(division));
    assert_eq!(parse.meta.as_deref(), Some(r#"{"x/y":1}"#));
    assert_eq!((parse.description.as_deref(), parse.annotations), (None, None));

    assert_eq!(tools[4].input_schema, r#"{"type":"object","additionalProperties":false}"#);
}

#[test]
fn results_are_what_the_method_returned() {
    let divided = complete("divide", r#"{"dividend":-7,"divisor":2}"#);
    let json = r#"{"quotient":-3,"remainder":-1}"#;
    assert_eq!(divided.structured.as_deref(), Some(json));
    assert_eq!(testing::text(&divided.into()), json);
    assert_eq!(testing::text(&complete("motto", "{}").into()), "small");
    assert_eq!(complete("report", r#"{"name":"a"}"#), ToolResult::empty());
}

#[test]
fn errors_are_results_the_model_can_read() {
    let cases = [
        ("divide", r#"{"dividend":1,"divisor":0}"#, "the divisor must not be 0"),
        ("parse.number", r#"{"name":"x"}"#, "invalid digit found in string"),
        ("parse.number", r#"{"name":"-1"}"#, "-1 is too small"),
    ];
    for (name, arguments, expected) in cases {
        assert_eq!(complete(name, arguments), ToolResult::text(expected).error(), "{name} {arguments}");
    }
}

#[test]
fn what_is_not_the_tools_fault_is_a_call_error() {
    assert_eq!(
        call("divide", r#"{"dividend":1}"#),
        Err(CallError::InvalidArguments("arguments of `divide`: missing field `divisor`".into()))
    );
    assert_eq!(call("parse", "{}"), Err(CallError::NotFound("this plugin has no tool `parse`".into())));
}

#[test]
fn a_tool_can_ask_and_is_called_again() {
    let Ok(Outcome::InputRequired(questions)) = call("greet", "{}") else { panic!("no question") };
    assert_eq!(questions.state.as_deref(), Some(&b"asked"[..]));
    let answer = InputAnswer::Form(FormAnswer::Accept(Some(r#"{"name":"Ada"}"#.into())));
    let responses = vec![InputResponse { key: "who".into(), answer }];
    let again = Call::new("greet", "{}").continued(Continuation { responses, state: questions.state });
    let outcome = toolcell_sdk::Plugin::call(&Sampler, &again).unwrap();
    assert_eq!(testing::text(&outcome), r#"{"name":"Ada"}"#);
}
