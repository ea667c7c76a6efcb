import assert from "node:assert/strict";
import { test } from "node:test";
import { HttpError, harness } from "@toolcell/sdk/testing";
import deployments from "../src/index.ts";

const billing = { service: "billing", environment: "production", version: "1.4.2", status: "healthy", updated_at: "2026-11-02T09:30:00Z" };
const args = { service: "billing", environment: "production" };

test("a deployment is told as data and as a sentence", async () => {
  const url = "http://deploy.internal:8080/v1/services/billing/deployments/production";
  const { structured, text } = await harness(deployments, { http: { [url]: { json: billing } } }).call("get-deployment-status", args);
  assert.deepEqual(structured, billing);
  assert.equal(text, "billing 1.4.2 is healthy in production, since 2026-11-02T09:30:00Z.");
});

test("the API is where the variable says", async () => {
  const http = { "https://deploy.example.com/v1/services/billing/deployments/production": { json: billing } };
  const host = harness(deployments, { http, env: { DEPLOY_API: "https://deploy.example.com/" } });
  assert.equal((await host.call("get-deployment-status", args)).isError, false);
});

test("whatever goes wrong says what to check", async () => {
  for (const [answer, expected] of [
    [{ status: 404 }, /there is no service `billing` in production; check its name/],
    [{ status: 503 }, /answered 503; try again later/],
    [{ json: { version: 1 } }, /is no deployment; check DEPLOY_API/],
    [{ body: "<html>" }, /did not answer with JSON/],
    [new HttpError("failed", "the request failed: nobody listens at that port"), /does not answer .*nobody listens.*check DEPLOY_API/],
    [new HttpError("host", "not granted: add hosts"), /^not granted: add hosts$/],
  ] as const) {
    const { isError, text } = await harness(deployments, { http: () => answer }).call("get-deployment-status", args);
    assert.equal(isError, true);
    assert.match(text, expected);
  }
});
