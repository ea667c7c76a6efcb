// `@modelcontextprotocol/ext-tasks` on top of `@modelcontextprotocol/client` 2.x: one tool call as a task with input.
import { createApplicationInputHandler, createTaskSessionFromClient } from '@modelcontextprotocol/ext-tasks/client';
import { resultFromTaskOutcome } from '@modelcontextprotocol/ext-tasks/client';

import { answer, fill } from './rounds.mjs';

/**
 * The client refuses results that are tasks, so ext-tasks wants a way around it: requests with identifiers of our own,
 * whose answers the client never sees.
 */
function rawDispatch(transport) {
  const waiting = new Map();
  const forward = transport.onmessage;
  transport.onmessage = (message, extra) => {
    const settle = message.method === undefined ? waiting.get(message.id) : undefined;
    if (settle) {
      waiting.delete(message.id);
      settle(message);
    } else {
      forward(message, extra);
    }
  };
  let sent = 0;
  return async (request, { context } = {}) => {
    const id = `task-${(sent += 1)}`;
    const answered = new Promise(resolve => waiting.set(id, resolve));
    await transport.send({ jsonrpc: '2.0', id, ...request }, { headers: context?.headers });
    const { error, result } = await answered;
    return error ? { kind: 'error', error } : { kind: 'result', result };
  };
}

/** Returns the result, and every status that the task was seen in. */
export async function runTask(plan, client, transport, { info, capabilities }, name, args) {
  const session = createTaskSessionFromClient(client, {
    endpointId: 'toolcell',
    rawDispatch: rawDispatch(transport),
    v2RequestFraming: { protocolVersion: plan.version, clientInfo: info, clientCapabilities: capabilities },
    onInputRequest: createApplicationInputHandler({
      elicitation: ({ params }) => fill(plan, params),
      sampling: () => answer(plan),
      roots: () => ({ roots: [] }),
    }),
  });
  const execution = await session.callTool(name, args);
  const seen = [execution.kind];
  const { outcome } = await execution.settle({
    onEvent: event => {
      if (event.type === 'task') {
        seen.push(event.task.status);
      }
    },
  });
  seen.push(outcome.status);
  const result = resultFromTaskOutcome(outcome);
  await session.close();
  return { result, seen };
}
