// What was expected and what came: every difference is told, by where it is.

let section = '';
let nHeld = 0;
const wrong = [];
const TOLD_MAX = 25;

/** Holds if both are the same JSON value. */
export function expect(what, wanted, got) {
  const told = [...differences('', wanted, got)];
  if (told.length === 0) nHeld += 1;
  wrong.push(...told.map((line) => `${section}: ${what}${line}`));
  return told.length === 0;
}

const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);
const show = (value) => (value === undefined ? 'nothing' : JSON.stringify(value));

/** A line for every place in which two JSON values differ. */
function* differences(path, wanted, got) {
  if (isObject(wanted) && isObject(got)) {
    for (const key of new Set([...Object.keys(wanted), ...Object.keys(got)])) {
      yield* differences(`${path}.${key}`, wanted[key], got[key]);
    }
  } else if (Array.isArray(wanted) && Array.isArray(got) && wanted.length === got.length) {
    for (let at = 0; at < wanted.length; at += 1) yield* differences(`${path}[${at}]`, wanted[at], got[at]);
  } else if (show(wanted) !== show(got)) {
    yield `${path}: expected ${show(wanted)}, got ${show(got)}`;
  }
}

/** Runs `body`; what it dies of is one more thing that is wrong, and the others still run. */
export async function inSection(name, body) {
  section = name;
  const nBefore = wrong.length;
  try {
    await body();
  } catch (error) {
    wrong.push(`${name}: broke off: ${error?.stack ?? JSON.stringify(error)}`);
  }
  console.log(`  ${wrong.length === nBefore ? 'ok    ' : 'WRONG '} ${name}`);
}

/** Says what is wrong, one line of those about the same place of the same thing; the exit code. */
export function close() {
  const kinds = new Map();
  for (const line of wrong) {
    const kind = line.split(': expected ')[0].replace(/\[\d+\]/g, '[]');
    kinds.set(kind, [...(kinds.get(kind) ?? []), line]);
  }
  for (const lines of [...kinds.values()].slice(0, TOLD_MAX)) {
    console.log(`  ${lines[0]}${lines.length > 1 ? ` (and ${lines.length - 1} like it)` : ''}`);
  }
  if (kinds.size > TOLD_MAX) console.log(`  and ${kinds.size - TOLD_MAX} other kinds`);
  console.log(`${nHeld} expectations held, ${wrong.length} did not`);
  return wrong.length > 0 || nHeld === 0 ? 1 : 0;
}
