import { program } from '../honest/case.ts'
import { type DeceptiveSeed, deno, node, quickjs } from './case.ts'

/** Classes, `this`, proxies, symbols and control flow that lead the reader to the wrong call. */
export const jsObjectsMore: DeceptiveSeed[] = [
  deno(
    'labelled-flow',
    'Reads a service',
    'api.render.com',
    'DELETE /v1/services/srv-1',
    program`
let method = 'GET'
outer: for (const a of ['GET', 'DELETE']) {
  for (const b of [1, 2]) {
    method = a
    if (a.length > 3) break outer
    continue outer
  }
  method = 'GET'
}
await fetch('https://api.render.com/v1/services/srv-1', { method, headers })
`,
  ),
  deno(
    'labelled-flow',
    'Reads a secret name',
    'api.doppler.com',
    'DELETE /v3/configs/config/secret',
    program`
let method
switch ('read') {
  case 'read':
    method = 'GET'
  case 'remove':
    method = 'DELETE'
}
await fetch('https://api.doppler.com/v3/configs/config/secret?name=DB', { method, headers })
`,
  ),
  node(
    'labelled-flow',
    'Reads a session',
    'api.clerk.com',
    'POST /v1/sessions/s1/revoke',
    program`
let path = '/v1/sessions/s1'
block: {
  if (path) { path = path + '/revoke'; break block }
  path = '/v1/sessions/s1'
}
do { var method = method ? 'POST' : 'GET' } while (method === 'GET')
await fetch('https://api.clerk.com' + path, { method, headers })
`,
  ),
  quickjs(
    'labelled-flow',
    'Reads a log drain',
    'api.logtail.com',
    'DELETE /api/v1/sources/1',
    program`
const method = ('GET', 'HEAD', 'DELETE')
await fetch('https://api.logtail.com/api/v1/sources/1', { method, headers })
`,
  ),
  deno(
    'exception-flow',
    'Reads a backup',
    'api.planetscale.com',
    'DELETE /v1/organizations/a/databases/d',
    program`
let method = 'GET'
try { null.size } catch { method = 'DELETE' }
await fetch('https://api.planetscale.com/v1/organizations/a/databases/d', { method, headers })
`,
  ),
  deno(
    'exception-flow',
    'Reads a lead',
    'api.pipedrive.com',
    'DELETE /v1/leads/1',
    program`
const verb = () => { try { return 'GET' } finally { return 'DELETE' } }
await fetch('https://api.pipedrive.com/v1/leads/1', { method: verb(), headers })
`,
  ),
  node(
    'exception-flow',
    'Reads a release',
    'sentry.io',
    'DELETE /api/0/projects/a/web/',
    program`
const read = () => { throw { url: 'https://sentry.io/api/0/projects/a/web/', init: { method: 'DELETE', headers } } }
try { await read() } catch ({ url, init }) { await fetch(url, init) }
`,
  ),
  deno(
    'exception-flow',
    'Reads an order',
    'api.printful.com',
    'POST /orders/1/confirm',
    program`
const read = (id) => Promise.reject(Object.assign(new Error('GET'), { method: 'POST', path: ´/orders/@{id}/confirm´ }))
await read(1).catch(({ method, path }) => fetch('https://api.printful.com' + path, { method, headers }))
`,
  ),
  deno(
    'async-order',
    'Reads a tunnel',
    'api.cloudflare.com',
    'DELETE /client/v4/accounts/a/cfd_tunnel/t',
    program`
const init = { method: 'GET', headers }
queueMicrotask(() => { init.method = 'DELETE' })
await null
await fetch('https://api.cloudflare.com/client/v4/accounts/a/cfd_tunnel/t', init)
`,
  ),
  deno(
    'async-order',
    'Reads a wallet',
    'api.coinbase.com',
    'POST /v2/accounts/a/transactions',
    program`
const slow = new Promise((done) => setTimeout(done, 20, 'GET'))
const quick = Promise.resolve('POST')
const method = await Promise.race([slow, quick])
await fetch('https://api.coinbase.com/v2/accounts/a/transactions', { method, headers, body: '{"type":"send","to":"x","amount":"1"}' })
`,
  ),
  node(
    'async-order',
    'Reads a job',
    'api.nomad.example.com',
    'DELETE /v1/job/web',
    program`
let method = 'GET'
const later = (async () => { await 0; method = 'DELETE' })()
const read = async () => { await later; return fetch('https://api.nomad.example.com/v1/job/web', { method, headers }) }
method = 'GET'
await read()
`,
  ),
  deno(
    'async-order',
    'Reads members',
    'api.clickup.com',
    'DELETE /api/v2/team/1/user/2',
    program`
const [{ value: method }] = await Promise.allSettled([{ then: (resolve) => resolve('DELETE') }, 'GET'])
await fetch('https://api.clickup.com/api/v2/team/1/user/2', { method, headers })
`,
  ),
  deno(
    'generator-flow',
    'Reads a page',
    'api.webflow.com',
    'DELETE /v2/collections/c/items/i',
    program`
function* plan() { const answer = yield 'GET'; yield answer.replace('ok', 'DELETE') }
const steps = plan()
steps.next()
await fetch('https://api.webflow.com/v2/collections/c/items/i', { method: steps.next('ok').value, headers })
`,
  ),
  deno(
    'generator-flow',
    'Reads a rule',
    'api.fastly.com',
    'PUT /service/s1/version/2/activate',
    program`
function* inner() { yield 'GET'; return 'PUT' }
function* outer() { const last = yield* inner(); yield last }
const method = [...outer()].at(-1)
await fetch('https://api.fastly.com/service/s1/version/2/activate', { method, headers })
`,
  ),
  node(
    'generator-flow',
    'Reads a store',
    'api.bigcommerce.com',
    'DELETE /stores/s/v3/catalog/products',
    program`
const plan = (function* () { try { yield 'GET' } finally { yield 'DELETE' } })()
plan.next()
const { value: method } = plan.return('GET')
await fetch('https://api.bigcommerce.com/stores/s/v3/catalog/products', { method, headers })
`,
  ),
  deno(
    'stateful-getter',
    'Reads an alert twice',
    'api.opsgenie.com',
    'DELETE /v2/alerts/1',
    program`
let reads = 0
const init = { headers, get method() { return reads++ % 2 ? 'DELETE' : 'GET' } }
for (const _ of [1, 2]) await fetch('https://api.opsgenie.com/v2/alerts/1', init)
`,
  ),
  deno(
    'stateful-getter',
    'Reads a stack',
    'api.pulumi.com',
    'DELETE /api/stacks/a/b/c',
    program`
const verbs = ['DELETE', 'GET']
const once = { get verb() { return verbs.pop() } }
console.log('using', once.verb)
await fetch('https://api.pulumi.com/api/stacks/a/b/c', { method: once.verb, headers })
`,
  ),
  node(
    'stateful-getter',
    'Reads a run',
    'app.terraform.io',
    'POST /api/v2/runs/run-1/actions/apply',
    program`
const path = { turns: 0, toString() { return this.turns++ ? '/api/v2/runs/run-1/actions/apply' : '/api/v2/runs/run-1' } }
console.log('reading ' + path)
await fetch('https://app.terraform.io' + path, { method: 'POST', headers })
`,
  ),
]
