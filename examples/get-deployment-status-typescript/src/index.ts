import { HttpError, ToolError, env, http, plugin, result, t, tool } from "@toolcell/sdk";

const environment = t.enum(["development", "staging", "production"], "Where it runs.");
const status = t.enum(["healthy", "degraded", "failed", "rolling"], "How it is; `rolling` while a version is being replaced.");

const deployment = t.object({
  service: t.string(),
  environment,
  version: t.string("The version that runs."),
  status,
  updated_at: t.string("When it last changed, ISO 8601."),
});

const getDeploymentStatus = tool({
  name: "get-deployment-status",
  title: "Deployment status",
  description: "Tells which version of a service is deployed in an environment, and how it is.",
  annotations: { readOnly: true, idempotent: true, openWorld: false },
  input: {
    service: t.string({ description: "The service's name, such as `billing`.", pattern: "^[a-z0-9-]+$" }),
    environment,
  },
  output: deployment,
  run({ service, environment }) {
    const api = (env.get("DEPLOY_API") ?? "http://deploy.internal:8080").replace(/\/+$/, "");
    const found = ask(`${api}/v1/services/${service}/deployments/${environment}`, service, environment);
    const { version, status, updated_at } = found;
    return result({ structured: found, text: `${service} ${version} is ${status} in ${environment}, since ${updated_at}.` });
  },
});

function ask(url: string, service: string, environment: string) {
  let response;
  try {
    response = http.get(url, { timeoutMs: 10_000, redirects: 0 });
  } catch (error) {
    if (error instanceof HttpError && error.kind !== "host" && error.kind !== "denied") {
      throw new ToolError(`the deployment API does not answer (${error.message}); check DEPLOY_API, or try again later`);
    }
    throw error;
  }
  if (response.status === 404) {
    throw new ToolError(`there is no service \`${service}\` in ${environment}; check its name, and whether it is deployed there`);
  }
  if (!response.ok) throw new ToolError(`the deployment API answered ${response.status}; try again later`);
  const { version, status, updated_at } = response.json();
  const states = ["healthy", "degraded", "failed", "rolling"] as const;
  const known = states.find((state) => state === status);
  if (typeof version !== "string" || typeof updated_at !== "string" || !known) {
    throw new ToolError("the deployment API's answer is no deployment; check DEPLOY_API");
  }
  return { service, environment: environment as "development" | "staging" | "production", version, status: known, updated_at };
}

export default plugin({ tools: [getDeploymentStatus] });
