use std::fmt::{self, Display, Formatter};
use toolcell_sdk::http;
use toolcell_sdk::prelude::*;

/// Where the service is, if `DEPLOY_API` does not say.
const DEFAULT_API: &str = "http://deploy.internal:8080";
/// An answer longer than this is none, in bytes.
const MAX_ANSWER: usize = 64 * 1024;

#[derive(Deserialize, JsonSchema)]
struct StatusArgs {
    /// The service's name, such as `billing`.
    #[schemars(regex(pattern = "^[a-z0-9-]+$"))]
    service: String,
    /// Where it runs.
    environment: Environment,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Environment {
    Development,
    Staging,
    Production,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Status {
    Healthy,
    Degraded,
    Failed,
    Rolling,
}

/// What is deployed.
#[derive(Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
struct Deployment {
    /// The service.
    service: String,
    /// Where it runs.
    environment: Environment,
    /// The version that is deployed there.
    version: String,
    /// How it is.
    status: Status,
    /// When that was found out.
    updated_at: String,
}

impl Display for Environment {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Development => "development",
            Self::Staging => "staging",
            Self::Production => "production",
        })
    }
}

impl Deployment {
    fn sentence(&self) -> String {
        let Self { service, environment, version, status, updated_at } = self;
        let status = match status {
            Status::Healthy => "is healthy",
            Status::Degraded => "is degraded",
            Status::Failed => "has failed",
            Status::Rolling => "is being rolled out",
        };
        format!("{service} {version} {status} in {environment}, as of {updated_at}.")
    }
}

#[derive(Default)]
struct Deployments;

/// Says what is deployed where.
#[plugin(
    name = "get-deployment-status",
    request(host = "http://*:*", why = "asks the deployment service, where DEPLOY_API says it is"),
    request(host = "https://*:*", why = "asks the deployment service, where DEPLOY_API says it is"),
    request(env = "DEPLOY_API", why = "where the deployment service is")
)]
impl Deployments {
    /// Says which version of a service is deployed in an environment, and how it is.
    #[tool(name = "get-deployment-status", title = "Deployment status", read_only, idempotent, open_world, output = Deployment)]
    fn status(&self, args: StatusArgs) -> Result<ToolResult, ToolError> {
        let api = std::env::var("DEPLOY_API").unwrap_or_else(|_| DEFAULT_API.to_owned());
        let response = http::get(url(&api, &args))?;
        let deployment = answer(&args, response.status(), &response.text(MAX_ANSWER)?)?;
        ToolResult::text(deployment.sentence()).with_structured(&deployment)
    }
}

fn url(api: &str, args: &StatusArgs) -> String {
    format!("{}/v1/services/{}/deployments/{}", api.trim_end_matches('/'), args.service, args.environment)
}

fn answer(args: &StatusArgs, status: u16, body: &str) -> Result<Deployment, ToolError> {
    let StatusArgs { service, environment } = args;
    match status {
        200 => serde_json::from_str(body).context("the deployment service answered something else than a deployment"),
        404 => tool_bail!(
            "no deployment of {service} in {environment} is known; check the service's name and that it is deployed there"
        ),
        _ => tool_bail!("the deployment service answered {status}; try again later, or tell whoever runs it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use toolcell_sdk::testing;

    fn args() -> StatusArgs {
        StatusArgs { service: "billing".into(), environment: Environment::Production }
    }

    const BODY: &str = r#"{"service":"billing","environment":"production","version":"2.4.1","status":"healthy",
        "updated_at":"2026-01-02T03:04:05Z"}"#;

    #[test]
    fn a_deployment_is_told_in_a_sentence() {
        let deployment = answer(&args(), 200, BODY).unwrap();
        assert_eq!(deployment.sentence(), "billing 2.4.1 is healthy in production, as of 2026-01-02T03:04:05Z.");
        assert_eq!(
            serde_json::to_value(&deployment).unwrap(),
            serde_json::from_str::<serde_json::Value>(BODY).unwrap()
        );
    }

    #[test]
    fn what_went_wrong_says_what_to_do() {
        let told = |status, body| answer(&args(), status, body).unwrap_err().to_string();
        assert_eq!(
            told(404, ""),
            "no deployment of billing in production is known; check the service's name and that it is deployed there"
        );
        assert!(told(500, "").contains("answered 500; try again later"));
        assert!(told(200, "<html>").starts_with("the deployment service answered something else"));
    }

    #[test]
    fn the_service_is_asked_where_the_variable_says() {
        assert_eq!(url(DEFAULT_API, &args()), "http://deploy.internal:8080/v1/services/billing/deployments/production");
        assert_eq!(url("https://x/", &args()), "https://x/v1/services/billing/deployments/production");
    }

    #[test]
    fn the_schema_says_what_fits() {
        let tools = testing::tools::<Deployments>().unwrap();
        let schema: serde_json::Value = serde_json::from_str(&tools[0].input_schema).unwrap();
        assert_eq!(schema["properties"]["service"]["pattern"], "^[a-z0-9-]+$");
        assert_eq!(
            schema["properties"]["environment"]["enum"],
            serde_json::json!(["development", "staging", "production"])
        );
        assert_eq!(schema["required"], serde_json::json!(["service", "environment"]));
        assert!(tools[0].output_schema.is_some());
    }
}
