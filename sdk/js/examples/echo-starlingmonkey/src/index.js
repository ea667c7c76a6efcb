import { plugin, t, tool } from "@toolcell/sdk";

export default plugin({
  tools: [
    tool({
      name: "echo",
      title: "Echo",
      description: "Says back the message, unchanged.",
      annotations: { readOnly: true, idempotent: true, openWorld: false },
      input: { message: t.string("What to say back.") },
      run: ({ message }) => message,
    }),
  ],
});
