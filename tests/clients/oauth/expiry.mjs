// Streams end when the time of the token is over that opened them, unless their caller comes with a newer one.
//
// `expiry.mjs PLAN`: { url, issuer }.
import { ok, strictEqual } from 'node:assert';
import { readFile } from 'node:fs/promises';

import { operate } from './people.mjs';

const MODERN = '2026-07-28';
const HANDSHAKE = '2025-11-25';
/** What clocks may differ by, in seconds: so much longer is a token taken. */
const LEEWAY = 60;
const plan = JSON.parse(await readFile(process.argv[2], 'utf8'));

/** A token of alice that is taken for so many seconds. */
async function token(seconds) {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: plan.issuer, sub: 'alice', aud: plan.url, scope: 'tools:read', client_id: 'app', iat: now - 300, exp: now - LEEWAY + seconds };
  return (await operate(plan.issuer, 'sign', { claims })).token;
}

const HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
const post = (authorization, more, message) =>
  fetch(plan.url, {
    method: 'POST',
    headers: { ...HEADERS, authorization: `Bearer ${authorization}`, ...more },
    body: JSON.stringify({ jsonrpc: '2.0', ...message }),
  });

/** Reads to the end; returns after how many seconds it came. */
async function end(response) {
  strictEqual(response.status, 200);
  const started = Date.now();
  for await (const _ of response.body) {
    // What is said does not matter.
  }
  return (Date.now() - started) / 1000;
}

function listen(authorization) {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': MODERN,
    'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const params = { notifications: { toolsListChanged: true }, _meta };
  const headers = { 'mcp-protocol-version': MODERN, 'mcp-method': 'subscriptions/listen' };
  return post(authorization, headers, { id: 1, method: 'subscriptions/listen', params });
}

/** A session with its stream for news, opened with this. */
async function session(authorization) {
  const params = { protocolVersion: HANDSHAKE, capabilities: {}, clientInfo: { name: 'raw', version: '1' } };
  const opened = await post(authorization, {}, { id: 0, method: 'initialize', params });
  strictEqual(opened.status, 200, await opened.text());
  const more = { 'mcp-session-id': opened.headers.get('mcp-session-id'), 'mcp-protocol-version': HANDSHAKE };
  strictEqual((await post(authorization, more, { method: 'notifications/initialized' })).status, 202);
  const headers = { accept: 'text/event-stream', authorization: `Bearer ${authorization}`, ...more };
  return [more, await fetch(plan.url, { headers })];
}

const short = 5;
const subscription = await listen(await token(short));
const [, news] = await session(await token(short));
const [renewed, kept] = await session(await token(short));
const [told, heard] = [subscription, news].map(end);
const fresh = await token(300);
const list = await post(fresh, renewed, { id: 2, method: 'tools/list', params: {} });
strictEqual(list.status, 200, await list.text());
const lasting = end(kept).then(() => 'ended');
for (const seconds of await Promise.all([told, heard])) {
  ok(seconds < short + 3, `it went on for ${seconds} s`);
}
// The other goes on: one that is over would have ended by now, for it was opened with what ends when they do.
const outcome = await Promise.race([lasting, new Promise(wake => setTimeout(wake, 3000, 'goes on'))]);
strictEqual(outcome, 'goes on');
strictEqual((await post(fresh, renewed, { id: 3, method: 'tools/list', params: {} })).status, 200);
console.log('done');
process.exit();
