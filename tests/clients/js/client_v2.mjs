// `@modelcontextprotocol/client` 2.x: pinned to 2026-07-28, or the handshake if the plan says so.
import { Client, LOG_LEVEL_META_KEY, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

import { answer, fill } from './rounds.mjs';
import { main } from './script.mjs';
import { runTask } from './task_v2.mjs';
import { event } from './wait.mjs';

const MODERN = '2026-07-28';

await main(async plan => {
  const modern = plan.version === MODERN;
  const info = { name: 'toolcell-tests-client-v2', version: '1.0.0' };
  const capabilities = plan.rounds ? { elicitation: {}, sampling: {} } : {};
  const client = new Client(info, {
    capabilities,
    versionNegotiation: { mode: modern ? { pin: MODERN } : 'legacy' },
  });
  if (plan.rounds) {
    client.setRequestHandler('elicitation/create', async ({ params }) => fill(plan, params));
    client.setRequestHandler('sampling/createMessage', async () => answer(plan));
  }
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

  const listen = async (filter, honored) => {
    const subscription = await client.listen(filter);
    if (!honored(subscription.honoredFilter)) {
      throw new Error(`asked for ${JSON.stringify(filter)}, got ${JSON.stringify(subscription.honoredFilter)}`);
    }
    return () => subscription.close();
  };
  return {
    version: () => client.getNegotiatedProtocolVersion(),
    // `listTools` would walk all pages itself, or answer from its cache.
    page: cursor => client.request({ method: 'tools/list', params: cursor === undefined ? {} : { cursor } }),
    call: (name, args, { onProgress, signal, logLevel }) => {
      const meta = modern && logLevel ? { _meta: { [LOG_LEVEL_META_KEY]: logLevel } } : {};
      return client.callTool({ name, arguments: args, ...meta }, { onprogress: onProgress, signal });
    },
    subscribe: async changed => {
      client.setNotificationHandler('notifications/tools/list_changed', () => changed());
      if (modern) {
        await listen({ toolsListChanged: true }, honored => honored.toolsListChanged);
      } else {
        await listening.happened;
      }
    },
    listenToLog: async told => {
      client.setNotificationHandler('notifications/message', ({ params }) => told(params));
      if (!modern) {
        await client.setLoggingLevel('info');
      }
    },
    resources: async () => (await client.listResources()).resources,
    templates: async () => (await client.listResourceTemplates()).resourceTemplates,
    read: uri => client.readResource({ uri }),
    prompts: async () => (await client.listPrompts()).prompts,
    prompt: (name, args) => client.getPrompt({ name, arguments: args }),
    complete: params => client.complete(params),
    watch: async (uri, updated) => {
      client.setNotificationHandler('notifications/resources/updated', ({ params }) => updated(params.uri));
      if (modern) {
        return listen({ resourceSubscriptions: [uri] }, honored => honored.resourceSubscriptions?.includes(uri));
      }
      await listening.happened;
      await client.subscribeResource({ uri });
      return () => client.unsubscribeResource({ uri });
    },
    ...(modern && { task: (name, args) => runTask(plan, client, transport, { info, capabilities }, name, args) }),
    close: async () => {
      if (!modern && !plan.command) {
        await transport.terminateSession();
      }
      await client.close();
    },
  };
});
