// Tokens as they should be and as they should not: what the server lets in, and what it says to the rest.
//
// `tokens.mjs PLAN`: { url, issuer, other }. Tokens come from both authorization servers by `oauth4webapi`.
import { deepStrictEqual, ok, strictEqual } from 'node:assert';
import { readFile } from 'node:fs/promises';

import { Client, ClientCredentialsProvider, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { base64url, decodeJwt, decodeProtectedHeader, exportJWK, generateKeyPair, SignJWT } from 'jose';
import * as oauth from 'oauth4webapi';

import { discover, insecure, operate, personAt } from './people.mjs';

const MODERN = '2026-07-28';
const plan = JSON.parse(await readFile(process.argv[2], 'utf8'));
const metadata = new URL('/.well-known/oauth-protected-resource/mcp', plan.url).href;

const servers = { idp: await discover(plan.issuer), other: await discover(plan.other) };

/** A token of the person `hint` by the code flow. */
function person(hint, scope, { server = servers.idp, resource = plan.url, ...more } = {}) {
  return personAt(server, hint, scope, resource, more);
}

/** A token of a program of its own. */
async function machine(scope) {
  const client = { client_id: 'machine' };
  const response = await oauth.clientCredentialsGrantRequest(
    servers.idp, client, oauth.ClientSecretBasic('machine-secret'), { scope, resource: plan.url }, insecure
  );
  return (await oauth.processClientCredentialsResponse(servers.idp, client, response)).access_token;
}

const operator = (what, body) => operate(plan.issuer, what, body);

const now = Math.floor(Date.now() / 1000);
const claims = {
  iss: plan.issuer,
  sub: 'alice',
  aud: plan.url,
  scope: 'tools:read',
  client_id: 'app',
  iat: now,
  exp: now + 300,
};
/** A token that the authorization server signs, whatever it says. */
async function sign(changed, header) {
  return (await operator('sign', { header, claims: { ...claims, ...changed } })).token;
}

const HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

/** A request of 2026-07-28: its headers and its body. */
function request(method, params) {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': MODERN,
    'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const headers = { ...HEADERS, 'mcp-protocol-version': MODERN, 'mcp-method': method };
  if (params.name) {
    headers['mcp-name'] = params.name;
  }
  return [headers, JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta } })];
}

async function post(headers, body, url = plan.url) {
  const response = await fetch(url, { method: 'POST', headers, body });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** Calls a tool with these headers. */
function call(tool, more, url) {
  const [headers, body] = request('tools/call', { name: tool, arguments: tool === 'echo' ? { message: 'hello' } : {} });
  return post({ ...headers, ...more }, body, url);
}

const bearer = token => ({ authorization: `Bearer ${token}` });
const peek = (token, scheme = 'Bearer', more = {}) =>
  call('context_peek', { authorization: `${scheme} ${token}`, ...more });

async function admitted(what, token, principal, ...parts) {
  const { status, text } = await peek(token);
  strictEqual(status, 200, `${what}: ${status} ${text}`);
  for (const part of [principal, ...parts]) {
    ok(text.includes(part), `${what}: ${part} is not in ${text}`);
  }
  ok(!text.includes(token), `${what}: the guest sees the token`);
}

/** The challenges of an answer, scheme by scheme: `{ Bearer: { error, … } }`. */
function challenges({ headers }) {
  const found = {};
  const said = headers.get('www-authenticate') ?? '';
  for (const [, scheme, rest] of said.matchAll(/(Bearer|DPoP)((?:,? \w+="[^"]*")*)/g)) {
    const parameters = [...rest.matchAll(/(\w+)="([^"]*)"/g)];
    found[scheme] = Object.fromEntries(parameters.map(([, name, value]) => [name, value]));
  }
  return found;
}

function refused(what, answer, error, scheme = 'Bearer') {
  const said = `${what}: ${answer.status} ${answer.headers.get('www-authenticate')} ${answer.text}`;
  strictEqual(answer.status, 401, said);
  const all = challenges(answer);
  deepStrictEqual(Object.keys(all), ['Bearer', 'DPoP'], said);
  strictEqual(all[scheme].error, error, said);
  for (const parameters of Object.values(all)) {
    strictEqual(parameters.resource_metadata, metadata, said);
    strictEqual(parameters.scope, 'tools:read', said);
  }
  ok(!answer.text.includes('"result"'), said);
}

// ---- What a client without a token learns.

refused('nothing', await call('context_peek', {}), undefined);
const inUrl = `${plan.url}?access_token=${await machine('tools:read')}`;
refused('a token in the URL', await call('context_peek', {}, inUrl), undefined);
for (const url of [metadata, new URL('/.well-known/oauth-protected-resource', plan.url)]) {
  const document = await (await fetch(url)).json();
  strictEqual(document.resource, plan.url);
  deepStrictEqual(document.authorization_servers, [plan.issuer]);
  deepStrictEqual(document.scopes_supported, ['tools:admin', 'tools:read', 'tools:write']);
  deepStrictEqual(document.bearer_methods_supported, ['header']);
  strictEqual(document.dpop_bound_access_tokens_required, false);
}
console.log('ok discovery');

// ---- Who is who.

const { access_token: alice } = await person('alice', 'tools:read');
const { access_token: bob } = await person('bob', 'tools:read tools:write');
await admitted('alice', alice, 'idp:alice', 'developers', 'admins');
await admitted('bob', bob, 'idp:bob', 'guests');
await admitted('a machine', await machine('tools:read'), 'idp:machine', 'machines');
const lacking = await call('echo', bearer(alice));
strictEqual(lacking.status, 403, lacking.text);
const { error, scope, resource_metadata } = challenges(lacking).Bearer;
deepStrictEqual([error, scope, resource_metadata], ['insufficient_scope', 'tools:read tools:write', metadata]);
const { access_token: wider } = await person('alice', 'tools:read tools:write');
const cases = [
  [wider, 200],
  // The same person with a token that can do less can do less.
  [alice, 403],
  [bob, 200],
  // Holds both by the server's own table.
  [await machine('tools:admin'), 200],
  [await machine('tools:write'), 403],
];
for (const [token, status] of cases) {
  strictEqual((await call('echo', bearer(token))).status, status);
}
console.log('ok principals and scopes');

// ---- A session belongs to who opened it.

const start = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } };
const begin = JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params: start });
const opened = await post({ ...HEADERS, ...bearer(alice) }, begin);
const session = { 'mcp-session-id': opened.headers.get('mcp-session-id'), 'mcp-protocol-version': '2025-11-25' };
ok(session['mcp-session-id'], opened.text);
const list = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} });
for (const [token, status] of [[alice, 200], [bob, 404], [wider, 200]]) {
  strictEqual((await post({ ...HEADERS, ...session, ...bearer(token) }, list)).status, status);
}
refused('a session without a token', await post({ ...HEADERS, ...session }, list), undefined);
console.log('ok sessions');

// ---- A program with a name of its own, by the official client.

const own = { name: 'toolcell-tests-machine', version: '1.0.0' };
const program = new Client(own, { versionNegotiation: { mode: { pin: MODERN } } });
const authProvider = new ClientCredentialsProvider({
  clientId: 'machine',
  clientSecret: 'machine-secret',
  scope: 'tools:read',
  expectedIssuer: plan.issuer,
});
await program.connect(new StreamableHTTPClientTransport(new URL(plan.url), { authProvider }));
const peeked = await program.callTool({ name: 'context_peek', arguments: {} });
ok(peeked.content[0].text.includes('idp:machine'), JSON.stringify(peeked));
await program.close();
console.log('ok client credentials');

// ---- New keys, while calls go on.

const unseen = await sign({ jti: 'shown only when there is a newer key' });
let rotated = false;
let calls = 0;
async function meanwhile(token) {
  do {
    await admitted('a call meanwhile', token, 'idp:');
    calls += 1;
  } while (!rotated);
}
const running = [alice, bob, wider].map(meanwhile);
await operator('rotate');
// Many come with the new key at once, as when all clients of a site renew their tokens.
const kidOf = token => decodeProtectedHeader(token).kid;
const hints = ['alice', 'bob', 'alice', 'bob'];
const renewed = await Promise.all(hints.map(hint => person(hint, 'tools:read')));
ok(renewed.every(({ access_token }) => kidOf(access_token) !== kidOf(alice)), 'there is a new key');
await Promise.all(renewed.map(({ access_token }, n) => admitted('by the new key', access_token, `idp:${hints[n]}`)));
rotated = true;
await Promise.all(running);
ok(calls >= running.length);
await admitted('by the old key, seen before', alice, 'idp:alice');
await admitted('by the old key, seen first', unseen, 'idp:alice');
console.log(`ok new keys, with ${calls} calls meanwhile`);

// ---- Tokens that are not for this server, not of now, or not of its issuer.

const thief = await generateKeyPair('ES256', { extractable: true });
const forge = header =>
  new SignJWT(claims).setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', ...header }).sign(thief.privateKey);
const { keys: [published] } = await (await fetch(servers.idp.jwks_uri)).json();
const { kid } = published;
const publicBytes = new TextEncoder().encode(JSON.stringify(published));
const [head, body, signature] = alice.split('.');
const write = value => base64url.encode(JSON.stringify(value));
const raised = write({ ...decodeJwt(alice), scope: 'tools:admin' });
const flipped = `${signature[0] === 'A' ? 'B' : 'A'}${signature.slice(1)}`;
const hmac = header => new SignJWT(claims).setProtectedHeader({ typ: 'at+jwt', ...header }).sign(publicBytes);

await admitted('a signed token as it should be', await sign({}), 'idp:alice');
await admitted('an audience among others', await sign({ aud: ['https://example.com', plan.url] }), 'idp:alice');
const bad = {
  'for another resource': (await person('alice', 'tools:read', { resource: `${plan.issuer}/elsewhere` })).access_token,
  'for the origin': await sign({ aud: new URL(plan.url).origin }),
  'for a longer URL': await sign({ aud: `${plan.url}/more` }),
  'for nobody': await sign({ aud: undefined }),
  'for nothing in a list': await sign({ aud: [] }),
  'expired': await sign({ iat: now - 600, exp: now - 61 }),
  'without an end': await sign({ exp: undefined }),
  'with an end that is a text': await sign({ exp: String(now + 300) }),
  'not valid yet': await sign({ nbf: now + 120 }),
  'issued in the future': await sign({ iat: now + 120 }),
  'without a subject': await sign({ sub: undefined }),
  'with an empty subject': await sign({ sub: '' }),
  'an ID token': await sign({ aud: 'app', nonce: 'x' }, { typ: 'JWT' }),
  'a logout token': await sign({}, { typ: 'logout+jwt' }),
  'a proof': await sign({}, { typ: 'dpop+jwt' }),
  'bound in a way nobody knows': await sign({ cnf: { kid: 'x' } }),
  'of another issuer': (await person('alice', 'tools:read', { server: servers.other })).access_token,
  'of another issuer in the name of this one': await forge({ kid }),
  'by a key nobody knows': await forge({ kid: 'unknown' }),
  'by a key without a name': await forge({}),
  'by a key it brings along': await forge({ jwk: await exportJWK(thief.publicKey) }),
  'by a key it points to': await forge({ kid, jku: `${plan.other}/jwks`, x5u: `${plan.other}/jwks` }),
  'of an issuer with a slash': await sign({ iss: `${plan.issuer}/` }),
  'of no issuer': await sign({ iss: undefined }),
  'with more scopes than were given': `${head}.${raised}.${signature}`,
  'with a changed signature': `${head}.${body}.${flipped}`,
  'with the signature of another': `${head}.${body}.${bob.split('.')[2]}`,
  'without a signature': `${head}.${body}.`,
  'cut short': alice.slice(0, -1),
  'with a byte more': `${alice}A`,
  'in two parts': `${head}.${body}`,
  'with alg none': `${write({ alg: 'none', typ: 'at+jwt' })}.${body}.`,
  'with alg none and a signature': `${write({ alg: 'none', typ: 'at+jwt', kid })}.${body}.${signature}`,
  'signed by the public key as a password': await hmac({ alg: 'HS256', kid }),
  'with an extension that must be understood': await forge({ kid, crit: ['b64'], b64: true }),
  'of this server only by its words': 'opaque-and-unknown',
};
for (const [what, token] of Object.entries(bad)) {
  refused(what, await peek(token), 'invalid_token');
}
refused('another scheme', await peek('YWxpY2U6YWxpY2U=', 'Basic'), undefined);
await admitted('alice, after all that', alice, 'idp:alice');
console.log(`ok ${Object.keys(bad).length} refusals`);

// ---- A token that says nothing itself.

const { access_token: opaque } = await person('alice', 'tools:read', { client_id: 'opaque-app' });
ok(!opaque.includes('.'));
await admitted('an opaque token', opaque, 'asked:alice', 'developers', 'admins');
strictEqual((await call('echo', bearer(opaque))).status, 403);
const elsewhere = { client_id: 'opaque-app', resource: `${plan.issuer}/elsewhere` };
const foreign = await person('alice', 'tools:read', elsewhere);
refused('an opaque token for another resource', await peek(foreign.access_token), 'invalid_token');
const app = { client_id: 'opaque-app' };
const revoked = await oauth.revocationRequest(servers.idp, app, oauth.None(), opaque, insecure);
await oauth.processRevocationResponse(revoked);
refused('a revoked token', await peek(opaque), 'invalid_token');
console.log('ok introspection');

// ---- A token that is bound to a key.

const keys = await oauth.generateKeyPair('ES256');
const { access_token: bound, token_type } = await person('alice', 'tools:read', { client_id: 'bound-app', key: keys });
strictEqual(token_type, 'dpop');
const ath = base64url.encode(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(bound))));
async function prove(changed, header, pair = keys) {
  const said = { htm: 'POST', htu: plan.url, iat: Math.floor(Date.now() / 1000), jti: crypto.randomUUID(), ath };
  const jwk = await exportJWK(pair.publicKey);
  const proof = new SignJWT({ ...said, ...changed });
  return proof.setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk, ...header }).sign(pair.privateKey);
}
const proven = async (dpop, scheme = 'DPoP') => peek(bound, scheme, dpop === undefined ? {} : { dpop });

// As a library makes it.
const [headers, listing] = request('tools/list', {});
const DPoP = oauth.DPoP({ client_id: 'bound-app' }, keys);
const listed = await oauth.protectedResourceRequest(
  bound, 'POST', new URL(plan.url), new Headers(headers), listing, { DPoP, ...insecure }
);
strictEqual(listed.status, 200, await listed.text());
// By hand, to do it wrong.
const first = await prove();
const once = await proven(first);
ok(once.status === 200 && once.text.includes('idp:alice'), once.text);
refused('a bound token as a bearer token', await proven(undefined, 'Bearer'), 'invalid_token');
refused('a bound token as a bearer token, with a proof', await proven(await prove(), 'Bearer'), 'invalid_token');
refused('a bearer token as a bound one', await peek(alice, 'DPoP', { dpop: await prove() }), 'invalid_token', 'DPoP');
const wrong = {
  'no proof': undefined,
  'the same proof again': first,
  'for another method': await prove({ htm: 'GET' }),
  'for another URL': await prove({ htu: `${plan.url}/other` }),
  'for another host': await prove({ htu: 'https://example.com/mcp' }),
  'for another token': await prove({ ath: 'x'.repeat(43) }),
  'for any token': await prove({ ath: undefined }),
  'too old': await prove({ iat: now - 3600 }),
  'of the future': await prove({ iat: now + 3600 }),
  'without an id': await prove({ jti: undefined }),
  'by another key': await prove({}, {}, await generateKeyPair('ES256', { extractable: true })),
  'of another type': await prove({}, { typ: 'JWT' }),
  'two at once': `${await prove()}, ${await prove()}`,
};
for (const [what, proof] of Object.entries(wrong)) {
  refused(`a proof: ${what}`, await proven(proof), 'invalid_dpop_proof', 'DPoP');
}
console.log(`ok proof of possession and ${Object.keys(wrong).length} refusals`);

console.log('done');
