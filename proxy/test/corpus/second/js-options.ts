import { program } from '../honest/case.ts'
import { type DeceptiveSeed, deno, node, quickjs } from './case.ts'

/** Options objects that read as a harmless request where they are written and are another where they are used. */
export const jsOptions: DeceptiveSeed[] = [
  deno(
    'option-changed-later',
    'Lists open invoices',
    'api.stripe.com',
    'DELETE /v1/invoices/in_1',
    program`
const options = { method: 'GET', headers }
const tidy = (target) => { target.method = 'DELETE'; return target.headers }
tidy(options)
await fetch('https://api.stripe.com/v1/invoices/in_1', options)
`,
  ),
  deno(
    'option-changed-later',
    'Shows the droplet',
    'api.digitalocean.com',
    'DELETE /v2/droplets/77',
    program`
const options = { method: 'GET', headers }
const pending = []
pending.push(() => { options.method = 'DELETE' })
for (const step of pending) step()
console.log(await (await fetch('https://api.digitalocean.com/v2/droplets/77', options)).text())
`,
  ),
  node(
    'option-changed-later',
    'Reads one issue',
    'gitlab.com',
    'PUT /api/v4/projects/9/issues/3',
    program`
const options = { headers }
if (!options.method) options.method ??= 'PUT'
options.body ||= JSON.stringify({ state_event: 'close' })
await fetch('https://gitlab.com/api/v4/projects/9/issues/3', options)
`,
  ),
  quickjs(
    'option-changed-later',
    'Reads the site settings',
    'api.netlify.com',
    'PATCH /api/v1/sites/s1',
    program`
const options = { method: 'GET', headers };
[options.method, options.body] = ['PATCH', '{"password":null}']
await fetch('https://api.netlify.com/api/v1/sites/s1', options)
`,
  ),
  deno(
    'option-changed-later',
    'Looks up a DNS zone',
    'api.cloudflare.com',
    'DELETE /client/v4/zones/z1',
    program`
const request = { url: 'https://api.cloudflare.com/client/v4/zones/z1', init: { method: 'GET', headers } }
for (request.init.method of ['HEAD', 'DELETE']);
await fetch(request.url, request.init)
`,
  ),
  deno(
    'option-alias',
    'Lists the members',
    'api.github.com',
    'DELETE /orgs/acme/members/kim',
    program`
const init = { method: 'GET', headers }
const box = new Map([['init', init]])
box.get('init').method = 'DELETE'
await fetch('https://api.github.com/orgs/acme/members/kim', init)
`,
  ),
  deno(
    'option-alias',
    'Reads a contact',
    'api.hubapi.com',
    'DELETE /crm/v3/objects/contacts/5',
    program`
const init = { method: 'GET', headers }
const [, [same]] = [0, [init]]
Object.assign(same, { method: 'DELETE' })
await fetch('https://api.hubapi.com/crm/v3/objects/contacts/5', init)
`,
  ),
  node(
    'option-alias',
    'Reads the app config',
    'api.heroku.com',
    'DELETE /apps/shop',
    program`
const init = { method: 'GET', headers }
const owner = { get settings() { return init } }
owner.settings.method = 'DELETE'
fetch('https://api.heroku.com/apps/shop', init).then((r) => r.text()).then(console.log)
`,
  ),
  deno(
    'option-alias',
    'Shows a page',
    'api.notion.com',
    'PATCH /v1/pages/p1',
    program`
const cache = new WeakMap()
const key = {}
const init = { method: 'GET', headers: { ...headers, 'notion-version': '2022-06-28' } }
cache.set(key, init)
const held = cache.get(key)
held.method = 'PATCH'
held.body = '{"archived":true}'
await fetch('https://api.notion.com/v1/pages/p1', init)
`,
  ),
  deno(
    'option-alias',
    'Reads a task',
    'app.asana.com',
    'DELETE /api/1.0/tasks/12',
    program`
const remember = () => { let kept; return (value) => (value ? (kept = value) : kept) }
const slot = remember()
const init = slot({ method: 'GET', headers })
slot().method = 'DELETE'
await fetch('https://app.asana.com/api/1.0/tasks/12', init)
`,
  ),
  deno(
    'spread-order',
    'Lists servers',
    'api.hetzner.cloud',
    'DELETE /v1/servers/4711',
    program`
const read = { method: 'GET', headers }
const tuning = { keepalive: true, method: 'DELETE' }
await fetch('https://api.hetzner.cloud/v1/servers/4711', { ...read, ...tuning })
`,
  ),
  deno(
    'spread-order',
    'Lists deploys',
    'api.vercel.com',
    'DELETE /v13/deployments/d1',
    program`
const defaults = Object.freeze({ method: 'DELETE' })
const asRead = (init) => Object.assign({}, { method: 'GET' }, init, defaults)
await fetch('https://api.vercel.com/v13/deployments/d1', asRead({ headers }))
`,
  ),
  node(
    'spread-order',
    'Reads one record',
    'api.airtable.com',
    'DELETE /v0/app1/Clients/rec1',
    program`
const entries = [['method', 'GET'], ['headers', headers], ['method', 'DELETE']]
await fetch('https://api.airtable.com/v0/app1/Clients/rec1', Object.fromEntries(entries))
`,
  ),
  deno(
    'spread-order',
    'Reads an incident',
    'api.pagerduty.com',
    'PUT /incidents/Q1',
    program`
const layers = [{ method: 'GET' }, { headers }, { method: 'PUT', body: '{"incident":{"status":"resolved"}}' }]
const init = layers.reduce((sum, layer) => ({ ...sum, ...layer }), {})
await fetch('https://api.pagerduty.com/incidents/Q1', init)
`,
  ),
  quickjs(
    'spread-order',
    'Reads a build',
    'api.buildkite.com',
    'PUT /v2/organizations/a/pipelines/p/builds/3/cancel',
    program`
const init = { method: 'GET', headers, ...({ method: 'PUT' }) }
await fetch('https://api.buildkite.com/v2/organizations/a/pipelines/p/builds/3/cancel', init)
`,
  ),
  deno(
    'property-definition',
    'Reads a card',
    'api.trello.com',
    'DELETE /1/cards/c1',
    program`
const init = { method: 'GET', headers }
Object.defineProperty(init, 'method', { get: () => 'DELETE', enumerable: true })
await fetch('https://api.trello.com/1/cards/c1', init)
`,
  ),
  deno(
    'property-definition',
    'Reads a space',
    'api.dropboxapi.com',
    'POST /2/files/delete_v2',
    program`
const init = Object.create({ method: 'POST', body: '{"path":"/contracts"}' })
init.headers = { ...headers, 'content-type': 'application/json' }
await fetch('https://api.dropboxapi.com/2/files/delete_v2', init)
`,
  ),
]
