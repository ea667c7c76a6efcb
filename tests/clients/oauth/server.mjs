// An authorization server of standing, `oidc-provider`, for one resource: `server.mjs RESOURCE [--ttl SECONDS]`.
//
// It behaves as one in the wild, with two exceptions: whoever is sent to its login page is logged in there and consents
// (as `login_hint` says, or as alice), and under `/operator` the test does what an operator or a thief of keys would.
// Under `/elsewhere` is another service, which takes only tokens made for itself; tokens for the resource are exchanged for
// such (RFC 8693).
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { createLocalJWKSet, createRemoteJWKSet, exportJWK, generateKeyPair, importJWK, jwtVerify, SignJWT } from 'jose';
import Provider, { errors } from 'oidc-provider';

const ALG = 'ES256';
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const GROUPS = { alice: ['developers', 'admins'], bob: ['guests'] };
const SCOPES = ['tools:read', 'tools:write', 'tools:admin'];

const options = { ttl: { type: 'string', default: '300' } };
const { values, positionals } = parseArgs({ allowPositionals: true, options });
const [resource] = positionals;
/** How long an access token lives, in seconds. */
const ttl = Number(values.ttl);

const server = createServer((request, response) => handle(request, response));
await new Promise(listening => server.listen(0, '127.0.0.1', listening));
const issuer = `http://127.0.0.1:${server.address().port}`;
/** What else its tokens can be for. */
const elsewhere = `${issuer}/elsewhere`;
/** How exchanges go wrong, if they do. */
let trouble;
/** What was asked of the token endpoint by those who exchange, and of the service elsewhere. */
const exchanged = [];
const visits = [];

/** All keys there are, the one that signs first. */
let keys = [await newKey()];
let provider = start();
console.log(`listening on ${issuer}`);

async function newKey() {
  const { privateKey } = await generateKeyPair(ALG, { extractable: true });
  return { ...(await exportJWK(privateKey)), alg: ALG, use: 'sig', kid: crypto.randomUUID() };
}

/** A server with the keys of now. What it remembers is the process's, so it goes on where the one before stopped. */
function start() {
  const made = new Provider(issuer, {
    jwks: { keys },
    cookies: { keys: ['only this machine sees them'] },
    scopes: ['openid', 'offline_access', ...SCOPES],
    clients: [
      { ...code('app'), token_endpoint_auth_method: 'none' },
      { ...code('opaque-app'), token_endpoint_auth_method: 'none' },
      { ...code('bound-app'), token_endpoint_auth_method: 'none', dpop_bound_access_tokens: true },
      { client_id: 'machine', client_secret: 'machine-secret', ...grants('client_credentials') },
      { client_id: 'toolcell', client_secret: 'a secret: 100% of it +/&=', ...grants(EXCHANGE) },
    ],
    clientDefaults: { id_token_signed_response_alg: ALG },
    enabledJWA: { idTokenSigningAlgValues: [ALG], dPoPSigningAlgValues: [ALG, 'EdDSA'] },
    // Clients register with the scopes they know of then, and ask for more later: what they may have the consent says.
    extraClientMetadata: { properties: ['software_id'], validator: (_, __, ___, metadata) => delete metadata.scope },
    pkce: { required: () => true },
    features: {
      devInteractions: { enabled: false },
      registration: { enabled: true },
      introspection: { enabled: true, allowedPolicy: (_, client) => client.clientId === 'toolcell' },
      revocation: { enabled: true, allowedPolicy: (_, client, token) => token.clientId === client.clientId },
      clientCredentials: { enabled: true },
      dPoP: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_, asked, client) => about(asked, client),
      },
    },
    ttl: { AccessToken: ttl, ClientCredentials: ttl, RefreshToken: 3600, Interaction: 600, Session: 3600, Grant: 3600 },
    issueRefreshToken: (_, client) => client.grantTypeAllowed('refresh_token'),
    extraTokenClaims: (_, token) => ({ groups: GROUPS[token.accountId] ?? ['machines'] }),
    findAccount: (_, sub) => (sub in GROUPS ? { accountId: sub, claims: () => ({ sub }) } : undefined),
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  });
  made.registerGrantType(EXCHANGE, exchange, ['subject_token', 'subject_token_type', 'requested_token_type', 'resource', 'scope']);
  made.on('server_error', (_, error) => console.error(error));
  return made;
}

/** What a token is for. */
function about(asked, client) {
  if (![resource, elsewhere].includes(asked)) {
    throw new errors.InvalidTarget();
  }
  const accessTokenFormat = client.clientId === 'opaque-app' ? 'opaque' : 'jwt';
  return { audience: asked, scope: SCOPES.join(' '), accessTokenFormat, jwt: { sign: { alg: ALG } } };
}

/** A token for elsewhere in exchange for one for the resource (RFC 8693, 2.1 and 2.2). */
async function exchange(ctx) {
  const { client, params } = ctx.oidc;
  exchanged.push({ client: client.clientId, ...params });
  if (trouble !== undefined) {
    return troubles[trouble](ctx);
  }
  if (params.subject_token_type !== ACCESS_TOKEN || params.resource !== elsewhere) {
    throw new errors.InvalidRequest('only access tokens, and only for elsewhere');
  }
  let subject;
  try {
    const known = createLocalJWKSet({ keys: keys.map(({ d, ...published }) => published) });
    subject = (await jwtVerify(params.subject_token, known, { issuer, audience: resource })).payload;
  } catch (why) {
    throw new errors.InvalidRequest(`the subject token is refused: ${why.code}`);
  }
  const token = new provider.AccessToken({ accountId: subject.sub, client, gty: 'token_exchange', scope: params.scope });
  token.resourceServer = new provider.ResourceServer(elsewhere, about(elsewhere, client));
  ctx.body = {
    access_token: await token.save(),
    issued_token_type: ACCESS_TOKEN,
    token_type: 'Bearer',
    expires_in: token.expiration,
  };
}

const troubles = {
  slow: () => sleep(60_000, undefined, { ref: false }),
  down: ctx => ctx.req.socket.destroy(),
  huge: ctx => (ctx.body = { access_token: 'x'.repeat(20_000_000), token_type: 'Bearer', issued_token_type: ACCESS_TOKEN }),
  same: ctx => (ctx.body = { access_token: ctx.oidc.params.subject_token, token_type: 'Bearer', expires_in: 300 }),
};

/** A service that knows the authorization server by its published keys only. It says back what it was sent. */
const published = createRemoteJWKSet(new URL(`${issuer}/jwks`));
async function serve(request, response) {
  const { authorization = '' } = request.headers;
  const token = authorization.replace(/^Bearer /, '');
  visits.push(authorization);
  try {
    const { payload } = await jwtVerify(token, published, { issuer, audience: elsewhere });
    const { sub, aud, client_id, scope } = payload;
    const said = [token, btoa(token), Buffer.from(token).toString('hex'), encodeURIComponent(token)];
    response.writeHead(200, { 'content-type': 'application/json', 'x-said': token });
    response.write(`${JSON.stringify({ sub, aud, client_id, scope })}\n`);
    // In pieces, so that none of them holds all of it.
    for (const piece of said.join('\n').match(/[^]{1,50}/g)) {
      response.write(piece);
    }
    response.end();
  } catch (why) {
    response.writeHead(401, { 'content-type': 'text/plain' }).end(`refused: ${why.code}`);
  }
}

function code(client_id) {
  return { client_id, application_type: 'native', redirect_uris: ['http://127.0.0.1/callback'] };
}

function grants(...grant_types) {
  return { grant_types, response_types: [], redirect_uris: [] };
}

async function handle(request, response) {
  try {
    const { pathname } = new URL(request.url, issuer);
    if (pathname.startsWith('/interaction/')) {
      await interact(request, response);
    } else if (pathname.startsWith('/elsewhere')) {
      await serve(request, response);
    } else if (pathname.startsWith('/operator/')) {
      const done = await operators[pathname.slice('/operator/'.length)](request);
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(done));
    } else {
      provider.callback()(request, response);
    }
  } catch (why) {
    console.error(why);
    response.writeHead(500).end(String(why));
  }
}

/** The login page and the consent page, with the person in front of them. */
async function interact(request, response) {
  const { prompt, params, session, grantId } = await provider.interactionDetails(request, response);
  if (prompt.name === 'login') {
    return provider.interactionFinished(request, response, { login: { accountId: params.login_hint ?? 'alice' } });
  }
  const { accountId } = session;
  const clientId = params.client_id;
  const grant = grantId ? await provider.Grant.find(grantId) : new provider.Grant({ accountId, clientId });
  const { missingOIDCScope, missingResourceScopes } = prompt.details;
  if (missingOIDCScope) {
    grant.addOIDCScope(missingOIDCScope.join(' '));
  }
  for (const [indicator, scopes] of Object.entries(missingResourceScopes ?? {})) {
    grant.addResourceScope(indicator, scopes.join(' '));
  }
  const consent = { grantId: await grant.save() };
  return provider.interactionFinished(request, response, { consent }, { mergeWithLastSubmission: true });
}

const operators = {
  /** Makes exchanges go wrong as the body says; well, if it says nothing. */
  trouble: async request => {
    trouble = JSON.parse(Buffer.concat(await Array.fromAsync(request))).how;
    return {};
  },
  /** What was asked since the last time. */
  asked: () => ({ exchanged: exchanged.splice(0), visits: visits.splice(0) }),
  /** Signs with a new key from now on; the old ones stay published. */
  rotate: async () => {
    keys = [await newKey(), ...keys];
    provider = start();
    return { kid: keys[0].kid };
  },
  /** Signs whatever is wanted: `{ header, claims }`. */
  sign: async request => {
    const { header, claims } = JSON.parse(Buffer.concat(await Array.fromAsync(request)));
    const [key] = keys;
    const token = new SignJWT(claims).setProtectedHeader({ alg: ALG, kid: key.kid, typ: 'at+jwt', ...header });
    return { token: await token.sign(await importJWK(key, ALG)) };
  },
};
