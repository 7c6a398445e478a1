// Listing, walking, searching and reading one user.

import { ask, refused } from './org.mjs';
import { expect } from './report.mjs';
import { STATES } from './truth.mjs';

const ceil = (n, size) => Math.ceil(n / size);
const given = (fields) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

/** Every state in several page sizes, to the first empty page. */
export async function pages(org, truth) {
  for (const state of [undefined, ...STATES, 'any']) {
    for (const size of [undefined, 9, 100, 500]) {
      await walk(org, truth, given({ state, pageSize: size }), truth.ids(state ?? 'active'), size ?? 25);
    }
  }
}

async function walk(org, truth, asked, ids, size) {
  const what = `pages of ${JSON.stringify(asked)}`;
  const count = ceil(ids.length, size);
  const users = [];
  for (let number = 1; number <= count + 1; number += 1) {
    const page = await ask('UserEntityListing', org.users.getUsers({ ...asked, pageNumber: number }));
    const numbers = [page.pageSize, page.pageNumber, page.total, page.pageCount];
    expect(`${what}: numbers`, [size, number, ids.length, count], numbers);
    checkLinks(what, page, asked, count);
    users.push(...page.entities);
  }
  truth.check(what, users, ids);
}

function checkLinks(what, page, asked, count) {
  const number = page.pageNumber;
  const wanted = {
    firstUri: 1,
    lastUri: count,
    selfUri: number,
    previousUri: number > 1 ? number - 1 : null,
    nextUri: number < count ? number + 1 : null,
  };
  for (const [link, to] of Object.entries(wanted)) {
    const uri = page[link] && new URL(page[link], 'http://127.0.0.1');
    const query = given({ state: asked.state, pageSize: String(page.pageSize), pageNumber: String(to) });
    const sorted = (object) => Object.entries(object).sort();
    const got = uri && [uri.pathname, sorted(Object.fromEntries(uri.searchParams))];
    expect(`${what}: ${link}`, to && ['/api/v2/users', sorted(query)], got);
  }
}

export async function orders(org, truth) {
  for (const [sortOrder, turned] of [['ASC', false], ['ascending', false], ['DESC', true], ['descending', true]]) {
    const page = await ask('UserEntityListing', org.users.getUsers({ state: 'any', pageSize: 500, sortOrder }));
    truth.check(`sortOrder ${sortOrder}`, page.entities, turned ? truth.ids().reverse() : truth.ids());
  }
}

export async function byId(org, truth) {
  const ids = truth.ids().slice(40, 140);
  const page = await ask('UserEntityListing', org.users.getUsers({ state: 'any', pageSize: 100, id: ids }));
  truth.check('a hundred ids', page.entities, ids);
  const jabberId = page.entities.filter((user) => user.state === 'active').slice(0, 3).map((user) => user.chat.jabberId);
  const few = await ask('UserEntityListing', org.users.getUsers({ jabberId }));
  expect('jabberId', jabberId, few.entities.map((user) => user.chat.jabberId));
  await refused(400, 'max.user.ids', org.users.getUsers({ state: 'any', id: truth.ids().slice(0, 101) }));
}

export async function badPages(org) {
  for (const asked of [{ pageSize: 501 }, { pageSize: 0 }, { pageNumber: 0 }, { state: 'gone' }, { sortOrder: 'up' }]) {
    const body = await refused(400, 'invalid.value', org.users.getUsers(asked));
    const [value] = Object.values(asked);
    expect(`${JSON.stringify(asked)}: the message names it`, true, Boolean(body?.message.includes(`[${value}]`)));
  }
}

export async function expansions(org, truth) {
  const some = truth.ids('active').slice(0, 50);
  const expand = ['employerInfo', 'locations', 'groups', 'authorization'];
  const page = await ask('UserEntityListing', org.users.getUsers({ pageSize: 50, expand }));
  truth.check('expand', page.entities, some, { expanded: true });
  const walked = await ask('UserCursorEntityListing', org.users.getUsersQuery({ pageSize: 50, expand }));
  truth.check('expand of the cursor', walked.entities, some, { expanded: true });
  const one = await ask('User', org.users.getUser(some[1], { expand }));
  truth.check('expand of one', [one], [some[1]], { expanded: true });
  const found = await search(org, [criterion('id', some)], { expand });
  truth.check('expand of a search', found.results, some, { expanded: true });
}

export async function cursor(org, truth) {
  for (const state of [undefined, ...STATES, 'any']) {
    for (const pageSize of [9, 100, 500]) {
      const users = await follow(org, given({ state, pageSize }));
      truth.check(`cursor ${state} ${pageSize}`, users, truth.ids(state ?? 'active'));
    }
  }
  const turned = await follow(org, { state: 'any', pageSize: 100, sortOrder: 'DESC' });
  truth.check('cursor, descending', turned, truth.ids().reverse());
  await refused(400, 'bad.request', org.users.getUsersQuery({ cursor: 'nonsense' }));
}

async function follow(org, asked) {
  const users = [];
  let at = {};
  for (;;) {
    const page = await ask('UserCursorEntityListing', org.users.getUsersQuery({ ...asked, ...at }));
    users.push(...page.entities);
    expect('cursor: results', page.entities.length, page.results);
    const linked = page.nextUri && new URL(page.nextUri, 'http://127.0.0.1').searchParams.get('cursor');
    expect('cursor: nextUri goes with it', page.cursor, linked);
    if (!page.cursor) return users;
    at = { cursor: page.cursor };
  }
}

export const criterion = (field, values, more = {}) => ({ fields: [field], type: 'EXACT', values, ...more });
export const ALL_STATES = criterion('state', STATES);

export function search(org, query, more = {}) {
  return ask('UsersSearchResponse', org.users.postUsersSearch({ pageSize: 100, query, ...more }));
}

export async function searches(org, truth) {
  const [someone] = truth.some('active');
  for (const text of [someone.email, someone.email.toUpperCase()]) {
    truth.check('search by address', (await search(org, [criterion('email', [text])])).results, [someone.id]);
  }
  const named = await search(org, [{ fields: ['name'], type: 'EXACT', value: someone.name }]);
  truth.check('search by name', named.results, [someone.id]);
  for (const state of STATES) {
    const users = truth.some(state, 20);
    const addresses = criterion('email', users.map((user) => user.email));
    const found = await search(org, [addresses, criterion('state', [state])]);
    truth.check(`search among ${state}`, found.results, users.map((user) => user.id));
    expect(`search among ${state}: total`, [20, 1, ['users']], [found.total, found.pageCount, found.types]);
  }
  const [gone] = truth.some('deleted');
  expect('deleted, without a state', [], (await search(org, [criterion('email', [gone.email])])).results);
  const found = await search(org, [criterion('email', [gone.email]), ALL_STATES]);
  truth.check('deleted, with all states', found.results, [gone.id]);
}

/** By the tokens that lead from page to page. */
export async function searchPages(org, truth) {
  for (const sortOrder of ['ASC', 'DESC']) {
    const ids = sortOrder === 'ASC' ? truth.ids() : truth.ids().reverse();
    const users = [];
    let page = await search(org, [ALL_STATES], { pageNumber: 1, sortOrder });
    for (;;) {
      expect('search: numbers', [ids.length, ceil(ids.length, 100), 100], [page.total, page.pageCount, page.pageSize]);
      users.push(...page.results);
      if (!page.nextPage) break;
      page = await ask('UsersSearchResponse', org.users.getUsersSearch(page.nextPage));
    }
    truth.check(`search ${sortOrder}`, users, ids);
  }
  const body = JSON.stringify({ query: [ALL_STATES], pageSize: 10, pageNumber: 5 });
  const mine = await ask('UsersSearchResponse', org.users.getUsersSearch(Buffer.from(body).toString('base64')));
  truth.check('a token of one\'s own', mine.results, truth.ids().slice(40, 50));
}

export async function searchLogic(org, truth) {
  const [a, b, c] = truth.some('active', 3);
  const both = (first, second) => [
    criterion('email', [a.email, b.email], first),
    criterion('email', [b.email, c.email], second),
  ];
  for (const [first, second, wanted] of [[{}, {}, [b]], [{}, { operator: 'NOT' }, [a]], [{ operator: 'OR' }, { operator: 'OR' }, [a, b, c]]]) {
    const found = await search(org, both(first, second));
    truth.check(`search ${JSON.stringify(second)}`, found.results, wanted.map((user) => user.id));
  }
}

export async function badSearches(org) {
  const post = (query, pageSize = 100) => org.users.postUsersSearch({ pageSize, query });
  const many = Array.from({ length: 101 }, (_, n) => `nobody${n}@example.com`);
  await refused(400, 'bad.request', post([criterion('email', many)]));
  await refused(400, 'invalid.value', post([criterion('email', ['a@example.com'])], 101));
  await refused(400, 'invalid.value', post([criterion('shoeSize', ['44'])]));
  await refused(400, 'invalid.value', post([criterion('email', ['a@example.com'], { type: 'ALIKE' })]));
  await refused(400, 'invalid.value', post([criterion('email', ['a@example.com'], { operator: 'XOR' })]));
  await refused(400, 'bad.request', org.users.getUsersSearch('!'));
}

export async function oneUser(org, truth) {
  for (const state of ['active', 'inactive']) {
    const [user] = truth.some(state);
    truth.check(`one ${state}`, [await ask('User', org.users.getUser(user.id))], [user.id]);
  }
  const [{ id }] = truth.some('deleted');
  await refused(404, 'not.found', org.users.getUser(id));
  truth.check('one deleted', [await ask('User', org.users.getUser(id, { state: 'deleted' }))], [id]);
  await refused(404, 'not.found', org.users.getUser('nobody'));
}
