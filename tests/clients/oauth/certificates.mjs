// `@modelcontextprotocol/client` with a client certificate, in both eras.
//
// `certificates.mjs PLAN`: { url, ca, cert, key, principal, tools }.
import { deepStrictEqual, ok } from 'node:assert';
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { Readable } from 'node:stream';

import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

const MODERN = '2026-07-28';
const plan = JSON.parse(await readFile(process.argv[2], 'utf8'));
const [ca, cert, key] = await Promise.all([plan.ca, plan.cert, plan.key].map(file => readFile(file)));
const agent = new Agent({ ca, cert, key, keepAlive: true });

/** `fetch` over Node's own client of HTTPS, which takes certificates. */
function fetchWithCertificate(url, { method = 'GET', headers, body, signal } = {}) {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent, method, headers: Object.fromEntries(new Headers(headers)), signal }, answer => {
      const fields = new Headers(Object.entries(answer.headers).flatMap(([name, value]) => [value].flat().map(one => [name, one])));
      const empty = [204, 304].includes(answer.statusCode);
      resolve(new Response(empty ? null : Readable.toWeb(answer), { status: answer.statusCode, headers: fields }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

for (const mode of [{ pin: MODERN }, 'legacy']) {
  const client = new Client({ name: 'toolcell-tests-certificates', version: '1.0.0' }, { versionNegotiation: { mode } });
  await client.connect(new StreamableHTTPClientTransport(new URL(plan.url), { fetch: fetchWithCertificate }));
  const tools = (await client.listTools()).tools.map(tool => tool.name);
  deepStrictEqual(tools, plan.tools, 'what this certificate shows');
  const said = await client.callTool({ name: 'context_peek', arguments: {} });
  ok(said.content[0].text.includes(plan.principal), JSON.stringify(said));
  await client.close();
}
agent.destroy();
console.log('done');
