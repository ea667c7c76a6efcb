import assert from "node:assert/strict";
import { test } from "node:test";
import { harness } from "@toolcell/sdk/testing";
import echo from "../src/index.ts";

test("it says back the message, unchanged", async () => {
  const host = harness(echo);
  for (const message of ["", "hello", "\0", "🎉 é", "x".repeat(65536)]) {
    const { content } = await host.call("echo", { message });
    assert.deepEqual(content, [{ type: "text", text: message }]);
  }
});
