// `@modelcontextprotocol/client` from the first 401 to the tool, and further to one that needs more scopes.
//
// `client.mjs PLAN`: { url, version, hint, principal, groups, dpop, refresh }.
import { deepStrictEqual, ok, strictEqual } from 'node:assert';
import { readFile } from 'node:fs/promises';

import { Client, DpopSession, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';

import { browse } from './browser.mjs';

const MODERN = '2026-07-28';
/** Nobody listens there: what is sent there is read from the redirect. */
const CALLBACK = 'http://127.0.0.1/callback';

const plan = JSON.parse(await readFile(process.argv[2], 'utf8'));
const session = plan.dpop ? await DpopSession.create() : undefined;
const kept = {};
/** The scopes that were asked for, authorization by authorization. */
const asked = [];
let answered;

const provider = {
  redirectUrl: CALLBACK,
  clientMetadata: {
    client_name: 'toolcell-tests',
    redirect_uris: [CALLBACK],
    token_endpoint_auth_method: 'none',
    ...(plan.dpop && { dpop_bound_access_tokens: true }),
  },
  state: () => (kept.state = crypto.randomUUID()),
  clientInformation: () => kept.client,
  saveClientInformation: client => (kept.client = client),
  tokens: () => kept.tokens,
  saveTokens: tokens => (kept.tokens = tokens),
  codeVerifier: () => kept.verifier,
  saveCodeVerifier: verifier => (kept.verifier = verifier),
  discoveryState: () => kept.discovery,
  saveDiscoveryState: discovery => (kept.discovery = discovery),
  redirectToAuthorization: async url => {
    const sent = url.searchParams;
    strictEqual(sent.get('resource'), plan.url, 'the resource that is asked for');
    strictEqual(sent.get('code_challenge_method'), 'S256');
    asked.push(sent.get('scope').split(' ').filter(scope => scope !== 'offline_access'));
    answered = await browse(url, CALLBACK, plan.hint);
    strictEqual(answered.get('state'), kept.state);
  },
  ...(session && { dpop: () => session }),
};

const statuses = [];
function open() {
  return new StreamableHTTPClientTransport(new URL(plan.url), {
    authProvider: provider,
    fetch: async (url, init) => {
      const response = await fetch(url, init);
      if (String(url) === plan.url && init?.method !== 'GET') {
        statuses.push([response.status, response.headers.get('www-authenticate')]);
      }
      return response;
    },
  });
}

/** Does `what`, and once more with what the browser brought, if it wants authorization. */
async function authorized(what, transport) {
  try {
    return await what();
  } catch (why) {
    if (!(why instanceof UnauthorizedError)) {
      throw why;
    }
    await transport().finishAuth(answered);
    return what();
  }
}

function textOf(result) {
  ok(!result.isError, JSON.stringify(result));
  return result.content.map(block => block.text).join('\n');
}

const modern = plan.version === MODERN;
let client;
let transport;
await authorized(
  async () => {
    client = new Client(
      { name: 'toolcell-tests-oauth', version: '1.0.0' },
      { versionNegotiation: { mode: modern ? { pin: MODERN } : 'legacy' } }
    );
    transport = open();
    await client.connect(transport);
  },
  () => transport
);
strictEqual(client.getNegotiatedProtocolVersion(), plan.version);
deepStrictEqual(asked, [['tools:read']], 'what the first challenge names');
const [status, challenge] = statuses[0];
strictEqual(status, 401);
ok(challenge.includes('resource_metadata="') && !challenge.includes('error='), challenge);
console.log('ok authorized');

// The SDK would answer from its cache.
const names = async () => (await client.listTools({}, { cacheMode: 'refresh' })).tools.map(tool => tool.name);
deepStrictEqual(await names(), ['context_peek'], 'what these scopes show');
const peek = async () => textOf(await client.callTool({ name: 'context_peek', arguments: {} }));
let said = await peek();
for (const part of [plan.principal, ...plan.groups, 'tools:read']) {
  ok(said.includes(part), `${part} is not in ${said}`);
}
ok(!said.includes(kept.tokens.access_token), 'the guest sees no token');
console.log('ok call');

const before = statuses.length;
const echo = () => client.callTool({ name: 'echo', arguments: { message: 'stepped up' } });
strictEqual(textOf(await authorized(echo, () => transport)), 'stepped up');
const refused = statuses.slice(before).find(([status]) => status === 403);
ok(refused?.[1].includes('error="insufficient_scope"'), JSON.stringify(statuses));
deepStrictEqual(asked.map(scopes => scopes.toSorted()), [['tools:read'], ['tools:read', 'tools:write']]);
deepStrictEqual((await names()).toSorted(), ['context_peek', 'echo'], 'what more scopes show');
strictEqual(statuses.filter(([status]) => status === 403).length, 1, 'one step is enough');
console.log('ok step up');

// A token that the server does not take is renewed without a person.
const good = kept.tokens.access_token;
const bad = good.slice(0, -10);
kept.tokens = { ...kept.tokens, access_token: bad };
said = await peek();
ok(said.includes(plan.principal), said);
ok(![good, bad].includes(kept.tokens.access_token), 'there is a new token');
strictEqual(asked.length, 2, 'nobody is asked');
console.log('ok refresh');
strictEqual(kept.tokens.token_type.toLowerCase(), plan.dpop ? 'dpop' : 'bearer');
await client.close();
console.log('done');
