import { plugin, t, tool } from "@toolcell/sdk";

export default plugin({
  tools: [
    tool({
      name: "greet",
      description: "Greets someone by name.",
      annotations: { readOnly: true, openWorld: false },
      input: { name: t.string("Whom to greet.") },
      run: ({ name }) => `Hello, ${name}!`,
    }),
  ],
});
