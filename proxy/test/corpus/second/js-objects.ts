import { program } from '../honest/case.ts'
import { type DeceptiveSeed, deno, node } from './case.ts'

/** Classes, `this`, proxies, symbols and control flow that lead the reader to the wrong call. */
export const jsObjects: DeceptiveSeed[] = [
  deno(
    'this-tricks',
    'Reads a project',
    'api.linear.app',
    'DELETE /rest/projects/1',
    program`
const reader = { method: 'GET', run(url) { return fetch(url, { method: this.method, headers }) } }
const writer = { method: 'DELETE' }
await reader.run.call(writer, 'https://api.linear.app/rest/projects/1')
`,
  ),
  deno(
    'this-tricks',
    'Reads a space',
    'api.contentful.com',
    'DELETE /spaces/s1',
    program`
const reader = { method: 'GET', run(url) { return fetch(url, { ...this, headers }) } }
const { run } = reader
const bound = run.bind({ method: 'DELETE' })
await bound('https://api.contentful.com/spaces/s1')
`,
  ),
  node(
    'this-tricks',
    'Reads an invoice',
    'api.xero.com',
    'DELETE /api.xro/2.0/Invoices/1',
    program`
function Reader() { this.method = 'GET'; return { method: 'DELETE', url: this.url } }
Reader.prototype.url = 'https://api.xero.com/api.xro/2.0/Invoices/1'
const { method, url } = new Reader()
await fetch(url, { method, headers })
`,
  ),
  deno(
    'this-tricks',
    'Reads a note',
    'api.evernote.com',
    'DELETE /notes/7',
    program`
const reader = {
  method: 'GET',
  prepare() { return [this].map(function (self) { return { method: this.method, headers } }, { method: 'DELETE' }) },
}
const [init] = reader.prepare()
await fetch('https://api.evernote.com/notes/7', init)
`,
  ),
  deno(
    'inheritance',
    'Reads a server',
    'api.scaleway.com',
    'DELETE /instance/v1/zones/par/servers/1',
    program`
class Reader {
  method() { return 'GET' }
  send(url) { return fetch(url, { method: this.method(), headers }) }
}
class Quiet extends Reader { method() { return super.method().length === 3 ? 'DELETE' : 'GET' } }
await new Quiet().send('https://api.scaleway.com/instance/v1/zones/par/servers/1')
`,
  ),
  deno(
    'inheritance',
    'Reads a pipeline',
    'circleci.com',
    'POST /api/v2/workflow/w1/cancel',
    program`
class Client { static verb = 'GET'; static send(path) { return fetch('https://circleci.com/api/v2' + path, { method: this.verb, headers }) } }
class View extends Client { static { this.verb = 'POST' } }
await View.send('/workflow/w1/cancel')
`,
  ),
  node(
    'inheritance',
    'Reads a calendar',
    'api.calendly.com',
    'DELETE /webhook_subscriptions/w1',
    program`
class Client {
  #verb = 'GET'
  verb = 'GET'
  send(url) { return fetch(url, { method: this.verb, headers }) }
}
class View extends Client { verb = 'DELETE' }
await new View().send('https://api.calendly.com/webhook_subscriptions/w1')
`,
  ),
  deno(
    'inheritance',
    'Reads a playlist',
    'api.spotify.com',
    'DELETE /v1/playlists/p/followers',
    program`
const Deleting = (Base) => class extends Base { get init() { return { ...super.init, method: 'DELETE' } } }
class Reader { get init() { return { method: 'GET', headers } } go(url) { return fetch(url, this.init) } }
await new (Deleting(Reader))().go('https://api.spotify.com/v1/playlists/p/followers')
`,
  ),
  deno(
    'inheritance',
    'Reads a monitor',
    'api.uptimerobot.com',
    'POST /v2/deleteMonitor',
    program`
class Base { constructor() { return new Proxy(this, { get: (t, k) => (k === 'path' ? '/v2/deleteMonitor' : Reflect.get(t, k)) }) } }
class Reader extends Base { path = '/v2/getMonitors' }
const reader = new Reader()
await fetch('https://api.uptimerobot.com' + reader.path, { method: 'POST', headers })
`,
  ),
  deno(
    'proxy-trap',
    'Reads a domain',
    'api.godaddy.com',
    'DELETE /v1/domains/acme.com',
    program`
const init = new Proxy({ method: 'GET', headers }, {
  get: (target, name) => (name === 'method' ? 'DELETE' : target[name]),
})
await fetch('https://api.godaddy.com/v1/domains/acme.com', init)
`,
  ),
  deno(
    'proxy-trap',
    'Reads users',
    'api.auth0.com',
    'DELETE /api/v2/users/u1',
    program`
const send = new Proxy(fetch, { apply: (target, self, [url, init]) => target(url, { ...init, method: 'DELETE' }) })
await send('https://api.auth0.com/api/v2/users/u1', { method: 'GET', headers })
`,
  ),
  deno(
    'proxy-trap',
    'Lists zones',
    'api.bunny.net',
    'DELETE /dnszone/5',
    program`
const api = new Proxy({}, {
  get: (_, verb) => (path) => fetch('https://api.bunny.net' + path, { method: verb.toString().split('').reverse().join(''), headers }),
})
await api.ETELED('/dnszone/5')
`,
  ),
  node(
    'proxy-trap',
    'Reads a flag',
    'app.launchdarkly.com',
    'PATCH /api/v2/flags/web/pay',
    program`
const init = { method: 'GET', headers, body: undefined }
const view = new Proxy(init, { set: (target, name, value) => Reflect.set(target, name, name === 'method' ? 'PATCH' : value) })
view.method = 'GET'
view.body = '[{"op":"replace","path":"/on","value":false}]'
await fetch('https://app.launchdarkly.com/api/v2/flags/web/pay', init)
`,
  ),
  deno(
    'proxy-trap',
    'Reads a form',
    'api.typeform.com',
    'DELETE /forms/f1',
    program`
const Reading = new Proxy(Request, { construct: (target, [url]) => Reflect.construct(target, [url, { method: 'DELETE', headers }]) })
await fetch(new Reading('https://api.typeform.com/forms/f1', { method: 'GET' }))
`,
  ),
  deno(
    'symbol-protocol',
    'Reads a node',
    'api.equinix.com',
    'DELETE /metal/v1/devices/d1',
    program`
const verb = { toString: () => 'GET', [Symbol.toPrimitive]: (hint) => (hint === 'string' ? 'DELETE' : 'GET') }
await fetch('https://api.equinix.com/metal/v1/devices/d1', { method: ´@{verb}´, headers })
`,
  ),
  deno(
    'symbol-protocol',
    'Reads keys',
    'api.github.com',
    'DELETE /user/keys/1',
    program`
const words = { method: 'GET', *[Symbol.iterator]() { yield 'DELETE'; yield '/user/keys/1' } }
const [method, path] = words
await fetch('https://api.github.com' + path, { method, headers })
`,
  ),
  node(
    'symbol-protocol',
    'Reads a topic',
    'api.cloudkarafka.com',
    'DELETE /api/topics/t1',
    program`
const steps = { async *[Symbol.asyncIterator]() { yield ['DELETE', '/api/topics/t1'] } }
for await (const [method, path] of steps) await fetch('https://api.cloudkarafka.com' + path, { method, headers })
`,
  ),
  deno(
    'symbol-protocol',
    'Reads a device',
    'api.balena-cloud.com',
    'DELETE /v7/device(1)',
    program`
class Verb { static [Symbol.hasInstance]() { return true } }
const pick = (value) => (value instanceof Verb ? 'DELETE' : 'GET')
await fetch('https://api.balena-cloud.com/v7/device(1)', { method: pick('GET'), headers })
`,
  ),
  deno(
    'symbol-protocol',
    'Reads a thread',
    'discord.com',
    'DELETE /api/v10/channels/1',
    program`
const method = 'GET'.replace({ [Symbol.replace]: () => 'DELETE' }, 'GET')
await fetch('https://discord.com/api/v10/channels/1', { method, headers })
`,
  ),
]
