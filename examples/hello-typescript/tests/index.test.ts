import assert from "node:assert/strict";
import { test } from "node:test";
import { harness } from "@toolcell/sdk/testing";
import greeter from "../src/index.ts";

test("it greets by name", async () => {
  const { text, isError } = await harness(greeter).call("greet", { name: "Ada" });
  assert.match(text, /, Ada!$/);
  assert.equal(isError, false);
});
