// Drives simulators with the SDK: `drive.mjs FOLDER`, which holds truth.json; their URLs are in the environment.

import { ask, connect } from './org.mjs';
import * as places from './places.mjs';
import * as reading from './reading.mjs';
import { close, inSection } from './report.mjs';
import * as switches from './switches.mjs';
import { Truth } from './truth.mjs';
import * as writing from './writing.mjs';

const folder = process.argv[2];
const { SIMULATED, SIMULATED_FEW, SIMULATED_OTHER, SIMULATED_LAGGING, SIMULATED_STATUSES, SIMULATED_TOKENS } =
  process.env;
const RATE_FEW = 3;
const WINDOW_FEW_S = 4;

async function truthOf(org) {
  return new Truth(folder, await ask('AuthzDivision', org.authorization.getAuthorizationDivisionsHome()));
}

async function main() {
  await inSection('tokens', () => places.tokens(SIMULATED));
  const org = await connect(SIMULATED);
  const truth = await truthOf(org);
  for (const body of [
    places.organisation, places.limits, places.divisions, places.unknownPath,
    reading.pages, reading.orders, reading.byId, reading.badPages, reading.expansions, reading.cursor,
    reading.searches, reading.searchPages, reading.searchLogic, reading.badSearches, reading.oneUser,
    writing.creates, writing.badCreates, writing.conflicts, writing.changes, writing.deleteAndRestore, writing.everybody,
    switches.rateHeaders,
  ]) {
    await inSection(body.name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`), () => body(org, truth));
  }
  await inSection('throttled', () => switches.throttled(SIMULATED_FEW, RATE_FEW, WINDOW_FEW_S, `${folder}/few.jsonl`));
  await inSection('other side', async () => switches.otherSide(SIMULATED_OTHER, await truthOf(await connect(SIMULATED_OTHER))));
  await inSection('lagging', () => switches.lagging(SIMULATED_LAGGING));
  await inSection('statuses', () => switches.statuses(SIMULATED_STATUSES));
  await inSection('expired', () => switches.expired(SIMULATED_TOKENS));
  return close();
}

// The SDK watches for a file of settings: without an exit it would do so for ever.
process.exit(await main());
