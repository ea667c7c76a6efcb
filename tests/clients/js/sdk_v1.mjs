// `@modelcontextprotocol/sdk` 1.x: the handshake era.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';

import { answer, fill } from './rounds.mjs';
import { main } from './script.mjs';
import { event } from './wait.mjs';

await main(async plan => {
  const client = new Client(
    { name: 'toolcell-tests-sdk-v1', version: '1.0.0' },
    { capabilities: plan.rounds ? { elicitation: {}, sampling: {} } : {} }
  );
  if (plan.rounds) {
    client.setRequestHandler(ElicitRequestSchema, async ({ params }) => fill(plan, params));
    client.setRequestHandler(CreateMessageRequestSchema, async () => answer(plan));
  }
  const listening = event();
  let transport;
  if (plan.command) {
    transport = new StdioClientTransport({ command: plan.command[0], args: plan.command.slice(1), stderr: 'inherit' });
    listening.happen();
  } else {
    transport = new StreamableHTTPClientTransport(new URL(plan.url), {
      // The SDK does not say when the stream for notifications is open; its response does.
      fetch: async (url, init) => {
        const response = await fetch(url, init);
        if (init?.method === 'GET' && response.ok) {
          listening.happen();
        }
        return response;
      },
    });
  }
  // The SDK tells the revision agreed on only to a transport that wants to know.
  let version;
  const forward = transport.setProtocolVersion?.bind(transport);
  transport.setProtocolVersion = agreed => {
    version = agreed;
    forward?.(agreed);
  };
  await client.connect(transport);
  return {
    version: () => version,
    page: cursor => client.listTools(cursor === undefined ? undefined : { cursor }),
    call: (name, args, { onProgress, signal }) =>
      client.callTool({ name, arguments: args }, undefined, { onprogress: onProgress, signal }),
    subscribe: async changed => {
      client.setNotificationHandler(ToolListChangedNotificationSchema, async () => changed());
      await listening.happened;
    },
    listenToLog: async told => {
      client.setNotificationHandler(LoggingMessageNotificationSchema, async ({ params }) => told(params));
      await client.setLoggingLevel('info');
    },
    resources: async () => (await client.listResources()).resources,
    templates: async () => (await client.listResourceTemplates()).resourceTemplates,
    read: uri => client.readResource({ uri }),
    prompts: async () => (await client.listPrompts()).prompts,
    prompt: (name, args) => client.getPrompt({ name, arguments: args }),
    complete: params => client.complete(params),
    watch: async (uri, updated) => {
      client.setNotificationHandler(ResourceUpdatedNotificationSchema, async ({ params }) => updated(params.uri));
      await listening.happened;
      await client.subscribeResource({ uri });
      return () => client.unsubscribeResource({ uri });
    },
    close: async () => {
      if (!plan.command) {
        await transport.terminateSession();
      }
      await client.close();
    },
  };
});
