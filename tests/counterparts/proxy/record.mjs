// Stands in front of a server on loopback and writes every exchange as a line of JSON: what came, what went back.
//
//   node record.mjs UPSTREAM FILE [LOSE]     prints "listening on http://127.0.0.1:PORT"
//
// Of the creates every LOSE-th reply is written but not delivered: the connection is cut, as a bad network does it.

import fs from 'node:fs';
import http from 'node:http';

const [upstream, file, lose = '0'] = process.argv.slice(2);
const target = new URL(upstream);
const out = fs.openSync(file, 'w', 0o600);
let creates = 0;

async function bytes(stream) {
  const parts = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

// One connection a request: a kept one may be closed by the other side just when it is used again.
function forward(request, body) {
  const headers = { ...request.headers, host: target.host, connection: 'close' };
  const options = { host: target.hostname, port: target.port, method: request.method, path: request.url, headers };
  return new Promise((resolve, reject) => {
    http.request(options, resolve).on('error', reject).end(body);
  });
}

async function exchange(request, response) {
  const sent = await bytes(request);
  const reply = await forward(request, sent);
  const body = await bytes(reply);
  const creating = request.method === 'POST' && request.url === '/api/v2/users';
  const lost = creating && Number(lose) > 0 && ++creates % Number(lose) === 0;
  const { pathname, search } = new URL(request.url, upstream);
  fs.writeSync(out, JSON.stringify({
    method: request.method, path: pathname, query: search.slice(1), sent: sent.toString(),
    status: reply.statusCode, headers: reply.headers, body: body.toString(), lost,
  }) + '\n');
  if (lost) return response.destroy();
  const { 'transfer-encoding': _, connection: __, ...headers } = reply.headers;
  response.writeHead(reply.statusCode, { ...headers, 'content-length': body.length }).end(body);
}

const server = http.createServer((request, response) => {
  exchange(request, response).catch((error) => {
    console.error(`${request.method} ${request.url}: ${error}`);
    response.destroy();
  });
});
server.keepAliveTimeout = 600_000;
server.listen(0, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${server.address().port}`));
