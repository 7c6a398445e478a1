// The rate limit, and the other side of what the service may do.

import { readFileSync } from 'node:fs';

import { ask, connect, refused } from './org.mjs';
import { loginRefused } from './places.mjs';
import { ALL_STATES, criterion, search } from './reading.mjs';
import { expect } from './report.mjs';
import { stale, wanted } from './writing.mjs';

/** The count goes up by one with every call of a token, and starts again with the next window. */
export async function rateHeaders(org) {
  let last;
  for (let n = 0; n < 6; n += 1) {
    const { headers } = await ask('Organization', org.organization.getOrganizationsMe());
    const [count, allowed, reset] = ['count', 'allowed', 'reset'].map((name) => Number(headers[`inin-ratelimit-${name}`]));
    expect('allowed', 1_000_000, allowed);
    expect(`reset ${reset} lies in the window`, true, reset > 0 && reset <= 60);
    expect(`count ${count} after ${last}`, true, last === undefined || count === last + 1 || count === 1);
    last = count;
  }
}

/** This SDK sends nothing again: a 429 is the caller's, with the seconds to wait, after which the call is let through. */
export async function throttled(url, rate, windowS, record) {
  const org = await connect(url);
  const post = (n) => org.users.postUsers(wanted(`throttled${n}@example.com`));
  let nPassed = 0;
  let refusal;
  while (!refusal && nPassed <= 20 * rate) {
    refusal = await post(nPassed).then(() => undefined, (error) => error);
    nPassed += refusal ? 0 : 1;
  }
  expect(`a 429 came after ${nPassed} calls`, true, nPassed >= rate && nPassed <= 20 * rate);
  const body = await refused(429, 'too.many.requests.retry.after', Promise.reject(refusal));
  const wait = body.headers['retry-after'];
  expect(`Retry-After ${wait} is a number of seconds`, true, /^\d+$/.test(wait) && Number(wait) >= 1 && Number(wait) <= windowS);
  expect('the words', `Rate limit exceeded the maximum. Retry the request in [${wait}] seconds`, body.message);
  const recorded = readFileSync(record, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
  const n429 = recorded.filter((line) => line.reply?.status === 429).length;
  expect('a 429 is sent once and not again', 1, n429);
  // A timer of Node may fire a millisecond early.
  await new Promise((resolve) => setTimeout(resolve, Number(wait) * 1000 + 5));
  const made = await ask('User', post(nPassed));
  expect('the next try is let through', `throttled${nPassed}@example.com`, made.email);
}

/** No cursor, free addresses of deleted users, a search that knows case and no usernames, capped pages, no headers. */
export async function otherSide(url, truth) {
  const org = await connect(url);
  await refused(404, 'not.found', org.users.getUsersQuery());
  const [someone] = truth.some('active');
  expect('upper case', 0, (await search(org, [criterion('email', [someone.email.toUpperCase()])])).total);
  const query = [criterion('username', ['a'])];
  await refused(400, 'invalid.value', org.users.postUsersSearch({ query }));
  const page = await ask('UserEntityListing', org.users.getUsers({ state: 'any', pageSize: 50, pageNumber: 4 }));
  expect('rate headers', [], Object.keys(page.headers).filter((name) => name.includes('ratelimit')));
  await refused(400, 'bad.request', org.users.getUsers({ state: 'any', pageSize: 50, pageNumber: 5 }));
  const [gone] = truth.some('deleted');
  const made = await ask('User', org.users.postUsers(wanted(gone.email)));
  expect("a deleted user's address is free", gone.email, made.email);
}

/** With an index that never catches up: a create is there by its id, and holds its address, at once. */
export async function lagging(url) {
  const org = await connect(url);
  const made = await ask('User', org.users.postUsers(wanted('early@example.com')));
  expect('by id', made.id, (await ask('User', org.users.getUser(made.id))).id);
  expect('listed', 0, (await ask('UserEntityListing', org.users.getUsers({ state: 'any' }))).total);
  const found = await search(org, [criterion('email', ['early@example.com']), ALL_STATES]);
  expect('searched', 0, found.total);
  await refused(409, 'general.conflict', org.users.postUsers(wanted('early@example.com')));
}

/** Refusals that may come with another status, and a cursor that is forbidden. */
export async function statuses(url) {
  const org = await connect(url);
  const made = await ask('User', org.users.postUsers(wanted('stale@example.com')));
  await stale(org, made.id, made.version, 400, 'bad.request', 'does not match the current version');
  await refused(403, 'missing.permissions', org.users.getUsersQuery());
  await ask('object', org.users.deleteUser(made.id));
  const refusal = await org.users.postUsers(wanted('stale@example.com')).catch((error) => error);
  expect('a deleted holder', 400, refusal.status);
  await loginRefused(await connect(url, { login: false }), 401);
}

/** A token that has expired, and a login that comes too soon. */
export async function expired(url) {
  const org = await connect(url);
  await refused(401, 'credentials.expired', org.users.getUsers());
  const refusal = await connect(url).catch((error) => error.response);
  expect('a second login', [400, 'invalid_request'], [refusal?.status, refusal?.data?.error]);
  expect('the words', true, Boolean(refusal?.data?.description?.startsWith('rate limit exceeded;')));
}
