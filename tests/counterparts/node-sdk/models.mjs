// The models as the SDK publishes them: it hands replies over as they come, so its `index.d.ts` is what they are held to.

import { readFileSync } from 'node:fs';

/** `{name: {field: {required, type}}}` of every interface of `namespace Models`. */
export function readModels(file) {
  const text = readFileSync(file, 'utf8').split('namespace Models')[1];
  const models = new Map();
  for (const [, name, body] of text.matchAll(/^\texport interface (\w+) \{ *\n([^}]*(?:\{ \[key[^}]*\}[^}]*)*)\n\t\}/gm)) {
    const fields = [...body.matchAll(/^\t\t"(\w+)"(\??): (.+);$/gm)];
    models.set(name, Object.fromEntries(fields.map(([, field, mark, type]) => [field, { required: mark === '', type }])));
  }
  return models;
}

/** A line for everything in which a value is not of its published type. */
export function* disagreements(models, type, value, path) {
  const list = /^Array<(.+)>$/.exec(type);
  const map = /^\{ \[key: string\]: (.+); \}$/.exec(type);
  if (list) {
    if (!Array.isArray(value)) yield `${path} is not a list`;
    else for (const [at, one] of value.entries()) yield* disagreements(models, list[1], one, `${path}[${at}]`);
  } else if (map) {
    for (const [key, one] of Object.entries(value)) yield* disagreements(models, map[1], one, `${path}.${key}`);
  } else if (type.startsWith('Models.')) {
    yield* ofModel(models, type.slice('Models.'.length), value, path);
  } else if (typeof value !== type) {
    yield `${path} is a ${typeof value} and not a ${type}`;
  }
}

function* ofModel(models, name, value, path) {
  const fields = models.get(name);
  if (!fields) throw new Error(`index.d.ts has no model ${name}`);
  for (const [field, { required }] of Object.entries(fields)) {
    if (required && (value[field] ?? null) === null) yield `${path}.${field} is required by ${name} and did not come`;
  }
  for (const [field, one] of Object.entries(value)) {
    if (!(field in fields)) yield `${path}.${field} is no field of ${name}`;
    else if (one !== null) yield* disagreements(models, fields[field].type, one, `${path}.${field}`);
  }
}
