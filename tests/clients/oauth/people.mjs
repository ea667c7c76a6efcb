// People and programs with access tokens, by `oauth4webapi`, and what only the operator of the authorization server can do.
import { strictEqual } from 'node:assert';

import * as oauth from 'oauth4webapi';

import { browse } from './browser.mjs';

/** Nobody listens there: what is sent there is read from the redirect. */
const CALLBACK = 'http://127.0.0.1/callback';
export const insecure = { [oauth.allowInsecureRequests]: true };

/** What an authorization server says of itself. */
export async function discover(issuer) {
  const response = await oauth.discoveryRequest(new URL(issuer), { algorithm: 'oauth2', ...insecure });
  return oauth.processDiscoveryResponse(new URL(issuer), response);
}

/** A token of the person `hint` by the code flow. */
export async function personAt(server, hint, scope, resource, { client_id = 'app', key } = {}) {
  const client = { client_id };
  const DPoP = key && oauth.DPoP(client, key);
  const [verifier, state] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomState()];
  const url = new URL(server.authorization_endpoint);
  const sent = { client_id, redirect_uri: CALLBACK, response_type: 'code', scope, state, resource };
  const challenge = { code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' };
  url.search = new URLSearchParams({ ...sent, ...challenge });
  const parameters = oauth.validateAuthResponse(server, client, await browse(url, CALLBACK, hint), state);
  const more = { DPoP, additionalParameters: { resource }, ...insecure };
  const response = await oauth.authorizationCodeGrantRequest(
    server, client, oauth.None(), parameters, CALLBACK, verifier, more
  );
  return oauth.processAuthorizationCodeResponse(server, client, response);
}

/** Has the operator of an authorization server do something. */
export async function operate(issuer, what, body) {
  const response = await fetch(`${issuer}/operator/${what}`, { method: 'POST', body: JSON.stringify(body ?? {}) });
  strictEqual(response.status, 200);
  return response.json();
}
