// The SDK, logged in to one simulated organisation. Nothing of it is replaced.

import { createRequire } from 'node:module';
import { join } from 'node:path';

import { readModels, disagreements } from './models.mjs';
import { expect } from './report.mjs';

const folder = process.argv[2];
const require = createRequire(join(folder, 'package.json'));
const sdk = require('purecloud-platform-client-v2');
const models = readModels(join(folder, 'node_modules/purecloud-platform-client-v2/index.d.ts'));

export const SECRET = 'demo-secret';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** What the words of a field may be; the SDK for Node publishes no such lists, that for Python does. */
const WORDS = {
  state: ['active', 'inactive', 'deleted'],
  mediaType: ['PHONE', 'EMAIL', 'SMS'],
  type: ['PRIMARY', 'WORK', 'WORK2', 'WORK3', 'WORK4', 'HOME', 'MOBILE', 'MAIN', 'OTHER'],
};

/** The SDK has one client for all: this points it to an organisation, with or without logging in. */
export async function connect(url, { login = true } = {}) {
  const client = sdk.ApiClient.instance;
  const { hostname, port } = new URL(url);
  client.setGateway({ host: hostname, protocol: 'http', port: Number(port) });
  client.setReturnExtendedResponses(true);
  client.clearAccessToken();
  client.authentications['PureCloud OAuth'].accessToken = '';
  if (login) await client.loginClientCredentialsGrant('demo-client', SECRET);
  return {
    client,
    users: new sdk.UsersApi(),
    organization: new sdk.OrganizationApi(),
    authorization: new sdk.AuthorizationApi(),
    groups: new sdk.GroupsApi(),
  };
}

/** The body and headers of a 200, after the body was held to the model that the SDK publishes for it. */
export async function ask(model, promise) {
  const reply = await promise.catch((refusal) => {
    throw new Error(`refused: ${refusal.status} ${JSON.stringify(refusal.body ?? String(refusal))}`);
  });
  expect(`${model}: status`, 200, reply.status);
  checkHeaders(model, reply.headers);
  checkModel(model, reply.body);
  return { ...reply.body, headers: reply.headers };
}

/** The `ErrorBody` and headers of a refusal. */
export async function refused(status, code, promise) {
  let refusal;
  try {
    const reply = await promise;
    expect(`refused with ${code}`, status, reply.status);
    return undefined;
  } catch (error) {
    refusal = error;
  }
  const { body, headers } = refusal;
  if (!headers) throw refusal;
  expect('status and code', [status, status, code], [refusal.status, body?.status, body?.code]);
  checkHeaders('a refusal', headers);
  checkModel('ErrorBody', body);
  expect('contextId is the correlation id', headers['inin-correlation-id'], body.contextId);
  expect('has a message', true, Boolean(body.message));
  return { ...body, headers };
}

function checkHeaders(what, headers) {
  expect(`${what}: content-type`, 'application/json', headers['content-type']);
  const correlation = headers['inin-correlation-id'] ?? '';
  expect(`${what}: correlation id ${correlation} is a UUID`, true, UUID.test(correlation));
}

function checkModel(model, body) {
  if (model === 'object') return;
  const told = [...disagreements(models, `Models.${model}`, body, model)];
  for (const line of told) expect(line, 'as published', 'otherwise');
  if (told.length === 0) expect(`${model} as published`, true, true);
  checkWords(model, body);
}

function checkWords(path, value) {
  if (Array.isArray(value)) value.forEach((one, at) => checkWords(`${path}[${at}]`, one));
  else if (value !== null && typeof value === 'object') {
    for (const [field, one] of Object.entries(value)) {
      const words = WORDS[field];
      if (words && typeof one === 'string') expect(`${path}.${field} ${one} is one of ${words}`, true, words.includes(one));
      else checkWords(`${path}.${field}`, one);
    }
  }
}

/** Without nulls, as a client reads it. */
export function plain(value) {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== null).map(([key, one]) => [key, plain(one)]));
}
