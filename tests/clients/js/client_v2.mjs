// `@modelcontextprotocol/client` 2.x: pinned to 2026-07-28, or the handshake if the plan says so.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

import { event, main } from './script.mjs';

const MODERN = '2026-07-28';

await main(async plan => {
  const modern = plan.version === MODERN;
  const client = new Client(
    { name: 'toolcell-tests-client-v2', version: '1.0.0' },
    { versionNegotiation: { mode: modern ? { pin: MODERN } : 'legacy' } }
  );
  const listening = event();
  let transport;
  if (plan.command) {
    transport = new StdioClientTransport({ command: plan.command[0], args: plan.command.slice(1), stderr: 'inherit' });
    listening.happen();
  } else {
    transport = new StreamableHTTPClientTransport(new URL(plan.url), {
      fetch: async (url, init) => {
        const response = await fetch(url, init);
        if (init?.method === 'GET' && response.ok) {
          listening.happen();
        }
        return response;
      },
    });
  }
  await client.connect(transport);
  // Lets the SDK check every structured result against the schema that the tool declared.
  await client.listTools();
  return {
    version: () => client.getNegotiatedProtocolVersion(),
    // `listTools` would walk all pages itself, or answer from its cache.
    page: cursor => client.request({ method: 'tools/list', params: cursor === undefined ? {} : { cursor } }),
    call: (name, args, { onProgress, signal }) =>
      client.callTool({ name, arguments: args }, { onprogress: onProgress, signal }),
    subscribe: async changed => {
      client.setNotificationHandler('notifications/tools/list_changed', () => changed());
      if (modern) {
        const subscription = await client.listen({ toolsListChanged: true });
        if (!subscription.honoredFilter.toolsListChanged) {
          throw new Error(`asked for toolsListChanged, got ${JSON.stringify(subscription.honoredFilter)}`);
        }
      } else {
        await listening.happened;
      }
    },
    close: async () => {
      if (!modern && !plan.command) {
        await transport.terminateSession();
      }
      await client.close();
    },
  };
});
