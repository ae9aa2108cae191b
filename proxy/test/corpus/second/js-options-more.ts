import { program } from '../honest/case.ts'
import { type DeceptiveSeed, deno, node } from './case.ts'

/** Options objects that read as a harmless request where they are written and are another where they are used. */
export const jsOptionsMore: DeceptiveSeed[] = [
  node(
    'property-definition',
    'Reads a payment',
    'api.mollie.com',
    'DELETE /v2/payments/tr_1',
    program`
const init = { __proto__: { method: 'DELETE' }, headers }
await fetch('https://api.mollie.com/v2/payments/tr_1', init)
`,
  ),
  deno(
    'property-definition',
    'Reads a volume',
    'api.linode.com',
    'DELETE /v4/volumes/8',
    program`
const init = { headers }
Object.setPrototypeOf(init, { get method() { return 'DELETE' } })
await fetch('https://api.linode.com/v4/volumes/8', init)
`,
  ),
  deno(
    'property-definition',
    'Reads a webhook',
    'api.github.com',
    'DELETE /repos/acme/web/hooks/1',
    program`
const init = {
  headers,
  stored: 'GET',
  get method() { return this.stored },
  set method(value) { this.stored = value === 'GET' ? 'DELETE' : value },
}
init.method = 'GET'
await fetch('https://api.github.com/repos/acme/web/hooks/1', init)
`,
  ),
  deno(
    'property-definition',
    'Reads a customer',
    'api.stripe.com',
    'DELETE /v1/customers/cus_1',
    program`
const init = Object.defineProperties({}, {
  headers: { value: headers },
  method: { value: 'GET', writable: true },
})
Reflect.set(init, 'method', 'DELETE')
await fetch('https://api.stripe.com/v1/customers/cus_1', init)
`,
  ),
  deno(
    'computed-member',
    'Reads a mailbox',
    'api.fastmail.com',
    'DELETE /mail/m1',
    program`
const init = { method: 'GET', headers }
const [first] = Object.keys(init)
init[first] = 'DELETE'
await fetch('https://api.fastmail.com/mail/m1', init)
`,
  ),
  deno(
    'computed-member',
    'Shows the queue',
    'api.cloudamqp.com',
    'DELETE /api/instances/7',
    program`
const part = ['me', 'thod']
const init = { headers, ['mode']: 'cors', [part.join('')]: 'DELETE' }
await fetch('https://api.cloudamqp.com/api/instances/7', init)
`,
  ),
  node(
    'computed-member',
    'Reads a database',
    'console.neon.tech',
    'DELETE /api/v2/projects/p1',
    program`
const init = { method: 'GET', headers }
for (const name in init) if (name.length === 6) init[name] = 'DELETE'
await fetch('https://console.neon.tech/api/v2/projects/p1', init)
`,
  ),
  deno(
    'computed-member',
    'Shows the API key names',
    'api.sendgrid.com',
    'DELETE /v3/api_keys/k1',
    program`
const init = { method: 'GET', headers }
const alphabet = 'abcdefghijklmnopqrstuvwxyz'
init[[12, 4, 19, 7, 14, 3].map((i) => alphabet[i]).join('')] = 'DELETE'
await fetch('https://api.sendgrid.com/v3/api_keys/k1', init)
`,
  ),
  node(
    'arguments-object',
    'Reads a repository',
    'api.github.com',
    'DELETE /repos/acme/old',
    program`
function read(method) {
  arguments[0] = 'DELETE'
  return fetch('https://api.github.com/repos/acme/old', { method, headers })
}
read('GET')
`,
  ),
  node(
    'arguments-object',
    'Reads a bucket policy',
    'api.backblazeb2.com',
    'POST /b2api/v3/b2_delete_bucket',
    program`
function call(path) {
  const method = arguments.length > 1 ? arguments[arguments.length - 1] : 'GET'
  return fetch('https://api.backblazeb2.com/b2api/v3/' + path, { method, headers })
}
call('b2_delete_bucket', 'GET', 'POST')
`,
  ),
  deno(
    'arguments-object',
    'Reads a plan',
    'api.paddle.com',
    'POST /subscriptions/sub_1/cancel',
    program`
const read = (...parts) => fetch(parts.shift(), parts.pop())
await read('https://api.paddle.com/subscriptions/sub_1/cancel', { method: 'GET', headers }, { method: 'POST', headers })
`,
  ),
  node(
    'arguments-object',
    'Reads the balance',
    'api.wise.com',
    'POST /v3/profiles/1/transfers/2/payments',
    program`
const request = { method: 'GET', headers }
function adjust() { Array.prototype.shift.call(arguments).method = 'POST' }
adjust(request)
fetch('https://api.wise.com/v3/profiles/1/transfers/2/payments', request)
`,
  ),
  deno(
    'default-parameter-effects',
    'Reads a droplet',
    'api.digitalocean.com',
    'DELETE /v2/droplets/3',
    program`
let verb = 'GET'
const read = (url, unused = (verb = 'DELETE')) => fetch(url, { method: verb, headers })
await read('https://api.digitalocean.com/v2/droplets/3')
`,
  ),
  deno(
    'default-parameter-effects',
    'Reads a ticket',
    'acme.zendesk.com',
    'DELETE /api/v2/tickets/5',
    program`
const read = ({ id, method = 'GET' } = {}, { method: real = 'DELETE' } = {}) =>
  fetch(´https://acme.zendesk.com/api/v2/tickets/@{id}´, { method: real, headers })
await read({ id: 5, method: 'GET' })
`,
  ),
  deno(
    'default-parameter-effects',
    'Reads a list',
    'us1.api.mailchimp.com',
    'DELETE /3.0/lists/l1',
    program`
const read = (url, method = 'GET', init = { method: method.replace('GET', 'DELETE'), headers }) => fetch(url, init)
await read('https://us1.api.mailchimp.com/3.0/lists/l1', undefined)
`,
  ),
  node(
    'default-parameter-effects',
    'Reads a channel',
    'slack.com',
    'POST /api/conversations.archive',
    program`
const calls = []
const note = (name, kept = calls.push(name)) => kept
note('conversations.archive')
note('conversations.info')
const [name] = calls
await fetch('https://slack.com/api/' + name, { method: calls.length > 1 ? 'POST' : 'GET', headers })
`,
  ),
]
