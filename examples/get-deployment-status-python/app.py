"""How a service is deployed, as the company's own deployment API tells it."""

import os
from dataclasses import dataclass
from typing import Annotated, Literal

from toolcell import Field, ToolError, ToolResult, Unavailable, http, tool

Service = Annotated[str, Field("The service's name, such as `billing`.", pattern="^[a-z0-9-]+$")]
Environment = Annotated[Literal["development", "staging", "production"], "Where it runs."]


@dataclass
class Deployment:
    """What runs, and how it is."""

    service: str
    environment: str
    version: str
    status: Literal["healthy", "degraded", "failed", "rolling"]
    updated_at: Annotated[str, "When that was last known, ISO 8601."]


SENTENCES = {
    "healthy": "runs and is healthy",
    "degraded": "runs, but is degraded",
    "failed": "has failed",
    "rolling": "is being rolled out",
}


@tool(name="get-deployment-status", title="Get deployment status", read_only=True)
def get_deployment_status(service: Service, environment: Environment) -> ToolResult[Deployment]:
    """Tells which version of a service runs in an environment, and whether it is healthy."""
    api = os.environ.get("DEPLOY_API", "http://deploy.internal:8080").rstrip("/")
    response = http.get(f"{api}/v1/services/{service}/deployments/{environment}", timeout=10)
    if response.status == 404:
        raise ToolError(f"{service} is not deployed in {environment}; check the service's name and the environment")
    if response.status >= 500:
        raise Unavailable(f"the deployment API answered {response.status}; try again later")
    found = response.raise_for_status().json()
    try:
        deployment = Deployment(**{name: found[name] for name in Deployment.__dataclass_fields__})
        doing = SENTENCES[deployment.status]
    except (KeyError, TypeError):
        raise ToolError("the deployment API answered with something that is no deployment; is DEPLOY_API right?") from None
    text = f"{service} {deployment.version} {doing} in {environment} (as of {deployment.updated_at})."
    return ToolResult(text, structured=deployment)
