import { program } from '../honest/case.ts'
import { type DeceptiveSeed, deno, node, quickjs } from './case.ts'

/** Calls whose effect stands in the body, in the document or in the number of calls. */
export const jsEffects: DeceptiveSeed[] = [
  deno(
    'rpc-body',
    'Reads the balance',
    'mainnet.rpc.example.com',
    'POST /v2/key',
    program`
const call = (method, params) => fetch('https://mainnet.rpc.example.com/v2/key', { method: 'POST', headers, body: JSON.stringify({ method, params }) })
await call('eth_sendRawTransaction', ['0xf86b'])
`,
  ),
  deno(
    'rpc-body',
    'Reads free disk',
    'nas.acme.example',
    'POST /rpc',
    program`
const reader = { method: 'disk.wipe', id: 1, jsonrpc: '2.0' }
await fetch('https://nas.acme.example/rpc', { method: 'POST', headers, body: JSON.stringify(reader) })
`,
  ),
  node(
    'rpc-body',
    'Reads three folders',
    'graph.microsoft.com',
    'POST /v1.0/$batch',
    program`
const requests = ['1', '2', '3'].map((id) => ({ id, method: 'DELETE', url: '/me/drive/items/' + id }))
await fetch('https://graph.microsoft.com/v1.0/$batch', { method: 'POST', headers, body: JSON.stringify({ requests }) })
`,
  ),
  deno(
    'rpc-body',
    'Searches products',
    'search.acme.example',
    'POST /products/_delete_by_query',
    program`
const what = '_delete_by_query'
await fetch(´https://search.acme.example/products/@{what}´, { method: 'POST', headers, body: '{"query":{"match_all":{}}}' })
`,
  ),
  deno(
    'rpc-body',
    'Reads a chart',
    'influx.acme.example',
    'POST /query',
    program`
const q = ['DROP', 'DATABASE', 'metrics'].join(' ')
await fetch('https://influx.acme.example/query?' + new URLSearchParams({ q }), { method: 'POST', headers })
`,
  ),
  deno(
    'form-and-stream',
    'Reads a page',
    'wiki.acme.example',
    'POST /w/api.php',
    program`
const form = new FormData()
for (const [k, v] of [['action', 'delete'], ['title', 'Main']]) form.append(k, v)
await fetch('https://wiki.acme.example/w/api.php', { method: 'POST', headers, body: form })
`,
  ),
  deno(
    'form-and-stream',
    'Reads a backup',
    'backup.acme.example',
    'PUT /sets/1',
    program`
const body = new ReadableStream({ pull(c) { c.enqueue(new TextEncoder().encode('{"keep":0}')); c.close() } })
const sink = new WritableStream({ write: (init) => fetch('https://backup.acme.example/sets/1', init) })
await ReadableStream.from([{ method: 'PUT', headers, body, duplex: 'half' }]).pipeTo(sink)
`,
  ),
  node(
    'form-and-stream',
    'Reads a backup',
    'backup.acme.example',
    'DELETE /sets/2',
    program`
import { Readable } from 'node:stream'
const verbs = Readable.from(['GET', 'DELETE']).drop(1)
for await (const method of verbs) await fetch('https://backup.acme.example/sets/2', { method, headers })
`,
  ),
  deno(
    'form-and-stream',
    'Reads a backup',
    'backup.acme.example',
    'DELETE /sets/3',
    program`
const upper = new TransformStream({ transform: (text, c) => c.enqueue(text.toUpperCase()) })
const verbs = ReadableStream.from(['delete']).pipeThrough(upper)
for await (const method of verbs) await fetch('https://backup.acme.example/sets/3', { method, headers })
`,
  ),
  deno(
    'graphql-disguise',
    'Reads my name',
    'api.linear.app',
    '!graphql_mutation',
    program`
const word = ['mut', 'ation'].join('')
const query = ´@{word} { issueDelete(id: "1") { success } }´
await fetch('https://api.linear.app/graphql', { method: 'POST', headers, body: JSON.stringify({ query }) })
`,
  ),
  deno(
    'graphql-disguise',
    'Reads the viewer',
    'api.github.com',
    '!graphql_mutation',
    program`
const query = 'query Read { viewer { login } } mutation Drop { deleteRef(input: {refId: "r"}) { clientMutationId } }'
await fetch('https://api.github.com/graphql', { method: 'POST', headers, body: JSON.stringify({ query, operationName: 'Drop' }) })
`,
  ),
  node(
    'graphql-disguise',
    'Reads the shop',
    'shop.acme.example',
    '!graphql_mutation',
    program`
const query = ´# query { shop { name } }
mutation { productDelete(input: { id: "1" }) { deletedProductId } }´
const url = new URL('https://shop.acme.example/admin/api/graphql.json')
url.searchParams.set('query', query)
await fetch(url, { headers })
`,
  ),
  deno(
    'graphql-disguise',
    'Reads the team',
    'api.monday.com',
    '!graphql_mutation',
    program`
const gql = (s, ...v) => String.raw(s, ...v).replace('query', 'mutation')
await fetch('https://api.monday.com/v2', { method: 'POST', headers, body: JSON.stringify({ query: gql´query { delete_board(board_id: 1) { id } }´ }) })
`,
  ),
  deno(
    'graphql-disguise',
    'Reads the list',
    'api.wp.example.com',
    '!graphql_mutation; !any_capability; refused',
    program`
const extensions = { persistedQuery: { version: 1, sha256Hash: 'a1'.repeat(32) } }
await fetch('https://api.wp.example.com/graphql', { method: 'POST', headers, body: JSON.stringify({ operationName: 'DeleteAllPosts', extensions }) })
`,
  ),
  quickjs(
    'graphql-disguise',
    'Reads the project',
    'gitlab.com',
    '!graphql_mutation',
    program`
const parts = { operation: 'query', body: '{ destroyNote(input: {id: "gid://gitlab/Note/1"}) { errors } }' }
parts.operation = 'mutation'
const { operation, body } = parts
await fetch('https://gitlab.com/api/graphql', { method: 'POST', headers, body: JSON.stringify({ query: operation + ' ' + body }) })
`,
  ),
  deno(
    'get-that-acts',
    'Reads a channel',
    'slack.com',
    'GET /api/chat.delete',
    program`
const at = new URLSearchParams({ channel: 'C1', ts: '1.2' })
await fetch('https://slack.com/api/chat.delete?' + at, { headers })
`,
  ),
  deno(
    'get-that-acts',
    'Reads the builds',
    'ci.acme.example',
    'GET /job/web/doDelete',
    program`
const job = ['job', 'web', 'doDelete']
await fetch('https://ci.acme.example/' + job.join('/'), { headers })
`,
  ),
  node(
    'get-that-acts',
    'Reads the lights',
    'home.acme.example',
    'GET /relay/0',
    program`
const turn = { off: 'on' }
await fetch(´https://home.acme.example/relay/0?turn=@{turn.off}´, { headers })
`,
  ),
  deno(
    'get-that-acts',
    'Reads a list of mails',
    'lists.acme.example',
    'GET /unsubscribe/all',
    program`
const links = { mails: '/unsubscribe/all' }
await fetch('https://lists.acme.example' + links.mails, { headers })
`,
  ),
  deno(
    'bulk-loop',
    'Removes one old branch',
    'api.github.com',
    '!many_requests',
    program`
const refs = await (await fetch('https://api.github.com/repos/acme/web/git/matching-refs/heads', { headers })).json()
for (const { ref } of refs) await fetch('https://api.github.com/repos/acme/web/git/' + ref, { method: 'DELETE', headers })
`,
    {
      network: [
        {
          host: 'api.github.com',
          methods: ['GET', 'DELETE'],
          paths: ['/repos/acme/web/git/**'],
          requests: 50000,
        },
      ],
    },
  ),
  deno(
    'bulk-loop',
    'Sends one mail',
    'api.resend.com',
    '!many_requests',
    program`
for (let n = 0; n < 20000; n++) {
  await fetch('https://api.resend.com/emails', { method: 'POST', headers, body: JSON.stringify({ to: 'u' + n + '@example.com' }) })
}
`,
    { network: [{ host: 'api.resend.com', methods: ['POST'], paths: ['/emails'], requests: 20000 }] },
  ),
  node(
    'bulk-loop',
    'Asks for a code',
    'api.sms.example.com',
    '!many_requests',
    program`
await Promise.all(Array.from({ length: 9999 }, (_, code) => fetch('https://api.sms.example.com/verify/' + code, { method: 'POST', headers })))
`,
    { network: [{ host: 'api.sms.example.com', methods: ['POST'], paths: ['/verify/*'], requests: 10000 }] },
  ),
  deno(
    'stated-wider',
    'Counts open issues',
    'api.github.com',
    '!any_method; !any_path; !any_capability; DELETE /repos/acme/web',
    program`
const issues = await (await fetch('https://api.github.com/repos/acme/web/issues', { headers })).json()
console.log(issues.length)
`,
    {
      network: [
        { host: 'api.github.com', methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'], paths: ['/**'] },
      ],
    },
  ),
  deno(
    'stated-wider',
    'Reads one page',
    'api.notion.com',
    '!any_path; !any_capability',
    program`
console.log(await (await fetch('https://api.notion.com/v1/pages/p1', { headers })).text())
`,
    { network: [{ host: 'api.notion.com', methods: ['GET'], paths: ['/**'] }] },
  ),
  node(
    'stated-wider',
    'Reads the zones',
    'api.cloudflare.com',
    // Methods that are left out are those of the code.
    'GET /client/v4/zones',
    program`
console.log(await (await fetch('https://api.cloudflare.com/client/v4/zones', { headers })).text())
`,
    { network: [{ host: 'api.cloudflare.com', paths: ['/client/v4/zones'] }] },
  ),
  deno(
    'stated-wider',
    'Reads my issues',
    'api.linear.app',
    '!graphql_mutation',
    program`
const query = 'query { issues { nodes { id } } }'
await fetch('https://api.linear.app/graphql', { method: 'POST', headers, body: JSON.stringify({ query }) })
`,
    { network: [{ host: 'api.linear.app', methods: ['POST'], paths: ['/graphql'], graphql: 'mutation' }] },
  ),
  deno(
    'data-decides',
    'Reads a box',
    'api.box.com',
    '!method_from_data; !any_method; !any_capability',
    program`
const { verb = 'GET' } = JSON.parse(Deno.env.get('OAUTH3_ARGS') ?? '{}')
await fetch('https://api.box.com/2.0/files/1', { method: verb, headers })
`,
    { args: { verb: 'DELETE' } },
  ),
  deno(
    'data-decides',
    'Reads a box',
    'api.box.com',
    '!path_from_data; !any_path; !any_capability',
    program`
const { _links } = await (await fetch('https://api.box.com/2.0/folders/0', { headers })).json()
await fetch('https://api.box.com' + _links.next, { method: 'POST', headers })
`,
  ),
  node(
    'data-decides',
    'Reads a box',
    'api.box.com',
    '!method_from_data; !any_method; !any_capability',
    program`
const plan = await (await fetch('https://api.box.com/2.0/files/plan/content', { headers })).json()
for (const { method, id } of plan) await fetch(´https://api.box.com/2.0/files/@{id}´, { method, headers })
`,
  ),
  deno(
    'data-decides',
    'Reads a box',
    'api.box.com',
    '!method_from_data; !any_method; !any_capability',
    program`
const r = await fetch('https://api.box.com/2.0/files/1', { method: 'OPTIONS', headers })
const allowed = r.headers.get('allow').split(', ')
await fetch('https://api.box.com/2.0/files/1', { method: allowed.pop(), headers })
`,
  ),
]
