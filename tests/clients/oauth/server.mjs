// An authorization server of standing, `oidc-provider`, for one resource: `server.mjs RESOURCE [--ttl SECONDS]`.
//
// It behaves as one in the wild, with two exceptions: whoever is sent to its login page is logged in there and consents
// (as `login_hint` says, or as alice), and under `/operator` the test does what an operator or a thief of keys would.
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';

import { exportJWK, generateKeyPair, importJWK, SignJWT } from 'jose';
import Provider, { errors } from 'oidc-provider';

const ALG = 'ES256';
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
      { client_id: 'toolcell', client_secret: 'a secret: 100% of it +/&=', ...grants() },
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
        getResourceServerInfo: (_, asked, client) => {
          if (![resource, elsewhere].includes(asked)) {
            throw new errors.InvalidTarget();
          }
          const accessTokenFormat = client.clientId === 'opaque-app' ? 'opaque' : 'jwt';
          return { audience: asked, scope: SCOPES.join(' '), accessTokenFormat, jwt: { sign: { alg: ALG } } };
        },
      },
    },
    ttl: { AccessToken: ttl, ClientCredentials: ttl, RefreshToken: 3600, Interaction: 600, Session: 3600, Grant: 3600 },
    issueRefreshToken: (_, client) => client.grantTypeAllowed('refresh_token'),
    extraTokenClaims: (_, token) => ({ groups: GROUPS[token.accountId] ?? ['machines'] }),
    findAccount: (_, sub) => (sub in GROUPS ? { accountId: sub, claims: () => ({ sub }) } : undefined),
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  });
  made.on('server_error', (_, error) => console.error(error));
  return made;
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
