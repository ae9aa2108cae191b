#!/usr/bin/env bash
# Guess:   an SDK raises an error on every HTTP status from 400 up, whatever the body is.
# Real:    stripe resolves a 403 and, after its retries, a 503 as a result when the JSON has no truthy `error` member:
#          the caller holds the refusal as if it were the object asked for. node-zendesk resolves whatever carries
#          Retry-After, a 403 too, with an Error object in place of the ticket.
# Version: stripe 23.1.0, node-zendesk 6.0.1
# Matters: a gateway that refuses with JSON of its own must put an object under `error`, or code goes on as if the
#          charge had been listed; a Retry-After on a refusal hides it from node-zendesk.
# Seen:    stripe 403 {"message"}        -> resolved with that body, 1 request
#          stripe 503 {"message"}        -> resolved with that body, 3 requests
#          stripe 403 {"error":{...}}    -> StripePermissionError, 1 request
#          zendesk 403, Retry-After      -> resolved, its result is an Error that says 429
#          zendesk 403 without it        -> raised
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts stripe@23.1.0 node-zendesk@6.0.1 >/dev/null
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import http from 'node:http'
import Stripe from 'stripe'
import zendesk from 'node-zendesk'

let status, body, requests, headers
const server = http.createServer((req, res) => {
  requests += 1
  req.resume()
  res.writeHead(status, { 'content-type': 'application/json', ...headers })
  res.end(JSON.stringify(body))
})
await new Promise((done) => server.listen(0, '127.0.0.1', done))
const { port } = server.address()

const stripe = new Stripe('sk_test_example', { host: '127.0.0.1', port, protocol: 'http' })
const desk = zendesk.createClient({
  username: 'u@example.com',
  token: 'example',
  endpointUri: `http://127.0.0.1:${port}/api/v2`,
})
async function ask(name, answer, json, call, more = {}) {
  ;[status, body, requests, headers] = [answer, json, 0, more]
  let outcome
  try {
    outcome = `resolved ${JSON.stringify(await call())}`
  } catch (error) {
    outcome = `raised ${error.constructor.name}`
  }
  const line = `${name} ${answer}: ${outcome}, ${requests} request(s)`
  console.log(line)
  return line
}
const plain = { message: 'not approved' }
const nested = { error: { message: 'not approved' } }
const list = () => stripe.charges.list()
const show = () => desk.tickets.show(1).then(({ result }) => result instanceof Error && `an Error of ${result.statusCode}`)
assert.deepEqual(
  [
    await ask('stripe', 403, plain, list),
    await ask('stripe', 503, plain, list),
    await ask('stripe', 403, nested, list),
    await ask('zendesk', 403, nested, show, { 'retry-after': '1' }),
    await ask('zendesk', 403, nested, show),
  ],
  [
    'stripe 403: resolved {"message":"not approved"}, 1 request(s)',
    'stripe 503: resolved {"message":"not approved"}, 3 request(s)',
    'stripe 403: raised StripePermissionError, 1 request(s)',
    'zendesk 403: resolved "an Error of 429", 1 request(s)',
    'zendesk 403: raised Error, 1 request(s)',
  ],
)
console.log('ok')
process.exit(0)
PROBE
node probe.mjs
