// The organisation itself, its limits, its divisions; tokens and who has none.

import { SECRET, ask, connect, refused } from './org.mjs';
import { expect } from './report.mjs';
import { DIVISIONS } from './truth.mjs';

const OTHERS = ['Berlin', 'São Paulo', 'Berlin Süd'];
const LIFETIME_S = 86_399;

export async function organisation(org) {
  const me = await ask('Organization', org.organization.getOrganizationsMe());
  expect('organizations/me', ['Simulated Organisation', 'active', '/api/v2/organizations/me'], [me.name, me.state, me.selfUri]);
}

export async function limits(org) {
  const model = 'LimitsEntityListing';
  const own = await ask(model, org.organization.getOrganizationsLimitsNamespace('platform.api'));
  const usual = await ask(model, org.organization.getOrganizationsLimitsNamespaceDefaults('platform.api'));
  const value = (listing, key) => listing.entities.find((one) => one.key === key)?.value;
  expect('limits', [1_000_000, 512_000], [value(own, 'token.rate.per.minute'), value(own, 'request.bytes.max')]);
  expect('defaults', 300, value(usual, 'token.rate.per.minute'));
  await refused(404, 'not.found', org.organization.getOrganizationsLimitsNamespace('no.such'));
}

export async function divisions(org, truth) {
  const list = (asked) => ask('AuthzDivisionEntityListing', org.authorization.getAuthorizationDivisions(asked));
  const listing = await list();
  expect('names', ['Home', ...OTHERS], listing.entities.map((one) => one.name));
  expect('links', listing.entities.map((one) => `${DIVISIONS}/${one.id}`), listing.entities.map((one) => one.selfUri));
  expect('envelope', [25, 1, 4, 1], [listing.pageSize, listing.pageNumber, listing.total, listing.pageCount]);
  const page = await list({ pageSize: 3, pageNumber: 2 });
  expect('second page', [OTHERS.slice(2), 4, 2], [page.entities.map((one) => one.name), page.total, page.pageCount]);
  const home = await ask('AuthzDivision', org.authorization.getAuthorizationDivisionsHome());
  expect('home division', [truth.home.id, 'Home', true], [home.id, home.name, home.homeDivision]);
}

/** The SDK leaves a refused login as its HTTP client throws it. */
export async function loginRefused(org, status) {
  for (const [id, secret] of [['demo-client', 'wrong'], ['nobody', SECRET]]) {
    try {
      await org.client.loginClientCredentialsGrant(id, secret);
      expect(`login of ${id} with ${secret}`, status, 200);
    } catch (error) {
      if (!error.response) throw error;
      const { data } = error.response;
      expect('wrong secret', [status, 'invalid_client'], [error.response.status, data.error]);
      expect('wrong secret: members', ['description', 'error', 'error_description'], Object.keys(data).sort());
    }
  }
}

export async function tokens(url) {
  const org = await connect(url, { login: false });
  await refused(401, 'authentication.required', org.users.getUsers());
  org.client.setAccessToken('nonsense');
  await refused(401, 'bad.credentials', org.users.getUsers());
  await loginRefused(org, 400);
  const before = Date.now();
  const auth = await org.client.loginClientCredentialsGrant('demo-client', SECRET);
  expect('a token', true, /^\S{20,}$/.test(auth.accessToken));
  // Both ends of the call: what passes in between is no matter of time.
  const lived = [auth.tokenExpiryTime - before, auth.tokenExpiryTime - Date.now()].map((ms) => ms / 1000);
  expect(`expires_in is ${LIFETIME_S} s`, true, lived[0] >= LIFETIME_S && lived[1] <= LIFETIME_S);
  await ask('UserEntityListing', org.users.getUsers());
}

export async function unknownPath(org) {
  await refused(404, 'not.found', org.users.getUserRoles('somebody'));
  await refused(404, 'not.found', org.groups.getGroups());
  await refused(405, 'method.not.allowed', org.organization.putOrganizationsMe({ body: {} }));
}
