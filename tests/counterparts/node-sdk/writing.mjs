// Creating, changing, deleting and restoring users.

import { ask, refused } from './org.mjs';
import { ALL_STATES, criterion, search } from './reading.mjs';
import { expect } from './report.mjs';
import { DIVISIONS, STATES } from './truth.mjs';

const CONFLICT = 'The request conflicts with the current state of the target resource.';

export const wanted = (email, more = {}) => ({ name: 'Neu Angelegt', email, state: 'active', ...more });

const CONTACTS = [
  { address: '+4930123456', mediaType: 'PHONE', type: 'WORK' },
  { address: '+4930123457', mediaType: 'PHONE', type: 'PRIMARY', countryCode: 'DE', display: '0301 23457' },
  { extension: '4711', mediaType: 'PHONE', type: 'WORK2' },
  { address: '+491701234567', mediaType: 'SMS', type: 'MOBILE' },
];

async function divisions(org) {
  const listing = await ask('AuthzDivisionEntityListing', org.authorization.getAuthorizationDivisions());
  return listing.entities.map(({ id, name }) => ({ id, name, selfUri: `${DIVISIONS}/${id}` }));
}

/** Creates, and compares the reply, the user read again, the search and the listing with what was sent. */
async function create(org, truth, body) {
  const made = await ask('User', org.users.postUsers(body));
  const { divisionId, password, ...kept } = body;
  const primary = { address: body.email, mediaType: 'EMAIL', type: 'PRIMARY' };
  truth.note({
    state: 'inactive',
    addresses: [],
    ...kept,
    id: made.id,
    username: body.email,
    primaryContactInfo: [primary, ...(body.addresses ?? []).filter((one) => one.type === 'PRIMARY')],
    division: (await divisions(org)).find((one) => one.id === divisionId) ?? truth.home,
    version: 1,
    acdAutoAnswer: false,
    selfUri: `/api/v2/users/${made.id}`,
  });
  truth.check('the reply of a create', [made], [made.id]);
  truth.check('read again', [await ask('User', org.users.getUser(made.id))], [made.id]);
  const found = await search(org, [criterion('email', [body.email]), ALL_STATES]);
  truth.check('searched', found.results, [made.id]);
  const listed = await ask('UserEntityListing', org.users.getUsers({ state: 'any', pageSize: 1, sortOrder: 'DESC' }));
  truth.check('listed', listed.entities, [made.id]);
  return made;
}

const total = async (org) => (await ask('UserEntityListing', org.users.getUsers({ state: 'any' }))).total;

export async function creates(org, truth) {
  const other = (await divisions(org))[2].id;
  const more = { department: 'Sales, North', title: 'Agent', divisionId: other, addresses: CONTACTS, password: 'Not-a-real-1' };
  await create(org, truth, wanted('full@example.com', { name: 'Łukasz «Full» 🦊', ...more }));
  await create(org, truth, wanted('Bare.Case@Example.COM'));
  const made = await create(org, truth, { name: 'Silent', email: 'silent@example.com' });
  expect('a create without a state', 'inactive', made.state);
}

export async function badCreates(org) {
  const before = await total(org);
  const post = (body) => org.users.postUsers(body);
  await refused(400, 'bad.request', post(wanted('nowhere@example.com', { divisionId: 'nowhere' })));
  await refused(400, 'bad.request', post({ email: 'nameless@example.com' }));
  await refused(400, 'bad.request', post({ name: 'Without Address' }));
  await refused(400, 'invalid.value', post(wanted('no-address')));
  await refused(400, 'invalid.value', post(wanted('typed@example.com', { department: 7 })));
  const strange = { address: '+4930123456', mediaType: 'FAX', type: 'WORK' };
  await refused(400, 'invalid.value', post(wanted('strange@example.com', { addresses: [strange] })));
  const large = await refused(413, 'request.entity.too.large', post(wanted('large@example.com', { title: 'x'.repeat(520_000) })));
  expect('the 413 says how many', true, Boolean(large?.message.includes('512000')));
  expect('nobody was created', before, await total(org));
}

export async function conflicts(org, truth) {
  const before = await total(org);
  const swapped = (text) => [...text].map((c) => (c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase())).join('');
  for (const state of STATES) {
    const [holder] = truth.some(state);
    const [renamed] = truth.some(state, 1, (user) => user.email !== user.username);
    for (const email of [holder.email, swapped(holder.email), renamed.username]) {
      const body = await refused(409, 'general.conflict', org.users.postUsers(wanted(email)));
      expect(`a ${state} holder: the words`, CONFLICT, body?.message);
    }
  }
  expect('nobody was created', before, await total(org));
}

/** One PATCH, for the version that the truth knows. */
async function change(org, truth, id, fields) {
  const user = truth.users.get(id);
  const patched = await ask('User', org.users.patchUser(id, { version: user.version, ...fields }));
  truth.note({ ...user, ...fields, version: user.version + 1 });
  const what = `a PATCH of ${Object.keys(fields)}`;
  truth.check(`the reply of ${what}`, [patched], [id]);
  truth.check(`read after ${what}`, [await ask('User', org.users.getUser(id, { state: 'any' }))], [id]);
}

export async function changes(org, truth) {
  const [{ id }] = truth.some('active', 1, (user) => user.department);
  await change(org, truth, id, { name: 'Umbenannt, Ü.' });
  await change(org, truth, id, { department: 'Elsewhere', title: 'Other' });
  await change(org, truth, id, { addresses: CONTACTS.slice(0, 1) });
  const stolen = { address: 'stolen@example.com', mediaType: 'EMAIL', type: 'PRIMARY' };
  const { version } = truth.users.get(id);
  await refused(400, 'bad.request', org.users.patchUser(id, { version, addresses: [stolen] }));
  await change(org, truth, id, { state: 'inactive' });
  await change(org, truth, id, { state: 'active' });
  await stale(org, id, truth.users.get(id).version, 409, 'general.conflict', 'Unexpected version');
  await refused(400, 'bad.request', org.users.patchUser(id, { name: 'Without a version' }));
  await refused(404, 'not.found', org.users.patchUser('nobody', { version: 1, name: 'Nobody' }));
  truth.check('nothing else happened', [await ask('User', org.users.getUser(id))], [id]);
}

export async function stale(org, id, version, status, code, words) {
  for (const other of [version - 1, version + 1]) {
    const body = await refused(status, code, org.users.patchUser(id, { version: other, title: 'Never' }));
    expect('a stale version: the words', true, Boolean(body?.message.includes(words)));
  }
}

export async function deleteAndRestore(org, truth) {
  const divisionId = (await divisions(org))[1].id;
  const { id } = await create(org, truth, wanted('come.back@example.com', { addresses: CONTACTS, divisionId }));
  const { headers, ...nothing } = await ask('object', org.users.deleteUser(id));
  expect('the reply of a delete', {}, nothing);
  const user = { ...truth.users.get(id), state: 'deleted', version: 2 };
  truth.note(user);
  truth.check('deleted', [await ask('User', org.users.getUser(id, { state: 'deleted' }))], [id]);
  await refused(404, 'not.found', org.users.getUser(id));
  await refused(404, 'not.found', org.users.deleteUser(id));
  await refused(409, 'general.conflict', org.users.postUsers(wanted('come.back@example.com')));
  await refused(409, 'general.conflict', org.users.patchUser(id, { version: 1, state: 'active' }));
  // What a restored user does not get back: its division and its extensions.
  truth.note({ ...user, division: truth.home, addresses: CONTACTS.filter((one) => !one.extension) });
  await change(org, truth, id, { state: 'active' });
  await change(org, truth, id, { name: 'Wieder da', title: 'Returned' });
}

/** At the end, everybody once more: what was not touched is as it was. */
export async function everybody(org, truth) {
  for (const state of STATES) {
    const asked = { state, pageSize: 500, expand: ['employerInfo'] };
    const page = await ask('UserEntityListing', org.users.getUsers(asked));
    truth.check(`everybody ${state}`, page.entities, truth.ids(state), { expanded: true });
  }
}
