// What the organisation holds: the seed, and what was done to it since.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { plain } from './org.mjs';
import { expect } from './report.mjs';

export const STATES = ['active', 'inactive', 'deleted'];
export const DIVISIONS = '/api/v2/authorization/divisions';

export class Truth {
  constructor(folder, home) {
    this.home = { id: home.id, name: home.name, selfUri: `${DIVISIONS}/${home.id}` };
    const users = JSON.parse(readFileSync(join(folder, 'truth.json'), 'utf8'));
    this.users = new Map(users.map((user) => [user.id, { ...user, division: this.home }]));
  }

  ids(state = 'any') {
    return [...this.users.values()].filter((user) => state === 'any' || user.state === state).map((user) => user.id);
  }

  /** The first `n` users of a state that have an address and what else is asked for. */
  some(state, n = 1, where = (user) => user.email) {
    const found = [...this.users.values()].filter((user) => user.state === state && where(user)).slice(0, n);
    if (found.length < n) throw new Error(`the seed has too few ${state} users`);
    return found;
  }

  note(user) {
    this.users.set(user.id, user);
  }

  /** That `shown` are these users in this order, field by field. */
  check(what, shown, ids, { expanded = false } = {}) {
    expect(`${what}: how many`, ids.length, shown.length);
    const seen = shown.map((user) => {
      const { chat, headers, ...rest } = plain(user);
      const local = `${rest.id?.replaceAll('-', '')}@`;
      expect(`${what}: chat.jabberId ${chat?.jabberId} is of its user`, true, Boolean(chat?.jabberId?.startsWith(local)));
      return rest;
    });
    const wanted = ids.map((id) => {
      const { employerInfo, ...rest } = this.users.get(id);
      return expanded && employerInfo ? { ...rest, employerInfo } : rest;
    });
    expect(what, wanted, seen);
  }
}
