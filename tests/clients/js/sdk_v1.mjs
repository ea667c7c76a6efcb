// `@modelcontextprotocol/sdk` 1.x: the handshake era.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';

import { event, main } from './script.mjs';

await main(async plan => {
  const client = new Client({ name: 'toolcell-tests-sdk-v1', version: '1.0.0' });
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
    close: async () => {
      if (!plan.command) {
        await transport.terminateSession();
      }
      await client.close();
    },
  };
});
