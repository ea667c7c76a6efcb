// Echo on the official TypeScript SDK, as its documentation has it: no sessions, plain node:http.
import { createServer } from 'node:http';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { McpServer, createMcpHandler } from '@modelcontextprotocol/server';
import { z } from 'zod';

const handler = createMcpHandler(() => {
  const server = new McpServer({ name: 'echo', version: '1.0.0' });
  server.registerTool(
    'echo',
    { description: 'Says back the message, unchanged.', inputSchema: z.object({ message: z.string() }) },
    async ({ message }) => ({ content: [{ type: 'text', text: message }] }),
  );
  return server;
});

const listener = createServer(toNodeHandler(handler)).listen(0, '127.0.0.1', () => {
  console.error(`listening on http://127.0.0.1:${listener.address().port}/mcp`);
});
