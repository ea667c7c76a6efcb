// Proofs of possession with and without the proxy that clients are to come through.
//
// `past.mjs PLAN`: { url, direct, issuer }. `url` is what clients know, `direct` is where the server is.
import { ok, strictEqual } from 'node:assert';
import { readFile } from 'node:fs/promises';

import { base64url, exportJWK, SignJWT } from 'jose';
import * as oauth from 'oauth4webapi';

import { discover, personAt } from './people.mjs';

const MODERN = '2026-07-28';
const plan = JSON.parse(await readFile(process.argv[2], 'utf8'));
const keys = await oauth.generateKeyPair('ES256');
const idp = await discover(plan.issuer);
const { access_token: token } = await personAt(idp, 'alice', 'tools:read', plan.url, { client_id: 'bound-app', key: keys });
const ath = base64url.encode(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token))));

async function status(url, htu, more = {}) {
  const said = { htm: 'POST', htu, iat: Math.floor(Date.now() / 1000), jti: crypto.randomUUID(), ath };
  const header = { alg: 'ES256', typ: 'dpop+jwt', jwk: await exportJWK(keys.publicKey) };
  const dpop = await new SignJWT(said).setProtectedHeader(header).sign(keys.privateKey);
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': MODERN,
    'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    authorization: `DPoP ${token}`,
    dpop,
    'mcp-protocol-version': MODERN,
    'mcp-method': 'tools/list',
    ...more,
  };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta } });
  const answer = await fetch(url, { method: 'POST', headers, body });
  ok((await answer.text()).length > 0);
  return answer.status;
}

const { origin } = new URL(plan.url);
strictEqual(await status(plan.url, plan.url), 200, 'through the proxy');
strictEqual(await status(plan.url, plan.direct), 401, 'where the server is is no URL of clients');
strictEqual(await status(plan.url, `${origin}/mcp`), 401, 'nor is what is left of it');
strictEqual(await status(plan.url, `${plan.url}/more`), 401);
strictEqual(await status(plan.url, 'https://elsewhere.example/tools/mcp'), 401);
// What a client says of proxies does not get through the proxy.
const forged = { 'x-forwarded-host': 'elsewhere.example', 'x-forwarded-proto': 'https', forwarded: 'host=elsewhere.example' };
strictEqual(await status(plan.url, 'https://elsewhere.example/tools/mcp', forged), 401);
console.log('done');
