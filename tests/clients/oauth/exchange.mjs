// A caller's token is exchanged for one that is for another service, by the server and for its caller alone.
//
// `exchange.mjs PLAN`: { url, issuer, key }. `key` is an API key.
import { deepStrictEqual, match, notStrictEqual, ok, strictEqual } from 'node:assert';
import { readFile } from 'node:fs/promises';

import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { decodeJwt } from 'jose';

import { discover, operate, personAt } from './people.mjs';

const MODERN = '2026-07-28';
const HANDSHAKE = 'legacy';
const plan = JSON.parse(await readFile(process.argv[2], 'utf8'));
const elsewhere = `${plan.issuer}/elsewhere`;
const idp = await discover(plan.issuer);
const asked = () => operate(plan.issuer, 'asked');

async function tokenOf(hint, scope = 'tools:read', more) {
  return (await personAt(idp, hint, scope, plan.url, more)).access_token;
}

/** Has the tool visit the other service; returns whether it failed, and what came of it. */
async function visit(credential, era = MODERN, path = '/me') {
  const client = new Client(
    { name: 'toolcell-tests-exchange', version: '1.0.0' },
    { versionNegotiation: { mode: era === MODERN ? { pin: MODERN } : era } }
  );
  const requestInit = { headers: { authorization: `Bearer ${credential}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(plan.url), { requestInit }));
  const result = await client.callTool({ name: 'fetch', arguments: { url: `${elsewhere}${path}`, raw: true } });
  await client.close();
  return [result.isError === true, result.content.map(block => block.text).join('\n')];
}

// ---- Each caller has a token of its own, and nobody sees it.

for (const [hint, era] of [['alice', MODERN], ['bob', HANDSHAKE]]) {
  const own = await tokenOf(hint);
  const [failed, said] = await visit(own, era);
  ok(!failed, said);
  const { exchanged, visits } = await asked();
  strictEqual(exchanged.length, 1);
  strictEqual(exchanged[0].subject_token, own, 'the authorization server alone has the own one');
  const [sent] = visits.map(authorization => authorization.replace('Bearer ', ''));
  strictEqual(visits.length, 1);
  notStrictEqual(sent, own);
  const { sub, aud, client_id, exp } = decodeJwt(sent);
  deepStrictEqual([sub, aud, client_id], [hint, elsewhere, 'toolcell']);
  match(said, new RegExp(`"sub":"${hint}"`));
  const writings = [sent, btoa(sent), Buffer.from(sent).toString('hex'), own, sent.split('.')[2], own.split('.')[2]];
  for (const secret of writings) {
    ok(!said.includes(secret), `the guest was told ${secret} in ${said}`);
  }
  // Kept until shortly before its end, for this token alone.
  ok(exp > Date.now() / 1000 + 60);
  ok(!(await visit(own, era))[0] && !(await visit(own))[0]);
  const again = await asked();
  strictEqual(again.exchanged.length, 0);
  deepStrictEqual([...new Set(again.visits)], [`Bearer ${sent}`]);
  const other = await tokenOf(hint, 'tools:read tools:write');
  ok(!(await visit(other))[0]);
  strictEqual((await asked()).exchanged.length, 1, 'what a token is good for goes no further than itself');
}
console.log('ok exchange');

// ---- Who has no token to exchange gets none, and the service hears nothing of it.

const opaque = await tokenOf('alice', 'tools:read', { client_id: 'opaque-app' });
for (const [what, credential] of [['an API key', plan.key], ['a token of another issuer', opaque]]) {
  const [failed, said] = await visit(credential);
  ok(failed && said.includes('the secret `elsewhere` is made of an access token of "idp"'), `${what}: ${said}`);
  deepStrictEqual(await asked(), { exchanged: [], visits: [] }, what);
}
console.log('ok nothing to exchange');

// ---- Authorization servers in trouble.

for (const how of ['down', 'huge', 'same', 'slow']) {
  await operate(plan.issuer, 'trouble', { how });
  const own = await tokenOf('alice');
  const started = Date.now();
  const [failed, said] = await visit(own);
  ok(failed && said.includes('the secret `elsewhere` cannot be had'), `${how}: ${said}`);
  ok(!said.includes(own), said);
  ok(Date.now() - started < 15_000, `${how} took ${Date.now() - started} ms`);
  const before = await asked();
  deepStrictEqual(before.visits, [], `${how}: the service hears nothing`);
  if (how !== 'slow') {
    // A refusal is not asked for again at once, however often the guest tries.
    await Promise.all(Array.from({ length: 10 }, () => visit(own)));
    ok((await asked()).exchanged.length <= 2, how);
  }
}
await operate(plan.issuer, 'trouble', {});
const [failed, said] = await visit(await tokenOf('alice'));
ok(!failed, said);
console.log('done');
