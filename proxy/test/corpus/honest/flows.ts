import { type HonestSeed, honest, program } from './case.ts'

/** Tasks of several steps: look and then change, two services, files that are built and sent. */
export const flowCases = (): HonestSeed[] => [
  honest(
    'flow/find-then-change',
    'dev/close-stale',
    'Closes issues of acme/shop with the label "stale" that nobody touched for 90 days',
    ['api.github.com'],
    program`
const api = async (method: 'GET' | 'PATCH', path: string, body?: object) => {
  const res = await fetch('https://api.github.com' + path, {
    method,
    headers: { authorization: ´Bearer @{Deno.env.get('GITHUB_TOKEN')}´, accept: 'application/vnd.github+json' },
    body: body && JSON.stringify(body),
  })
  if (!res.ok) throw new Error(´@{method} @{path} → @{res.status}´)
  return res.json()
}
const limit = Date.now() - 90 * 24 * 3600 * 1000
const issues = await api('GET', '/repos/acme/shop/issues?labels=stale&state=open&per_page=100')
let closed = 0
for (const issue of issues) {
  if (Date.parse(issue.updated_at) > limit) continue
  await api('PATCH', ´/repos/acme/shop/issues/@{issue.number}´, { state: 'closed', state_reason: 'not_planned' })
  closed++
}
console.log(´@{closed} of @{issues.length} closed´)
`,
    { secrets: ['GITHUB_TOKEN'] },
  ),
  honest(
    'flow/find-then-change',
    'dns/set-record',
    'Sets the A record of www.example.com at Cloudflare to the address of args',
    [
      {
        host: 'api.cloudflare.com',
        methods: ['GET', 'PUT'],
        paths: ['/client/v4/zones/z1/dns_records', '/client/v4/zones/z1/dns_records/*'],
      },
    ],
    program`
const { ip } = JSON.parse(Deno.env.get('OAUTH3_ARGS') ?? '{}')
if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(ip)) throw new Error('no IPv4 address')
const base = 'https://api.cloudflare.com/client/v4/zones/z1/dns_records'
const headers = { authorization: ´Bearer @{Deno.env.get('CLOUDFLARE_TOKEN')}´, 'content-type': 'application/json' }
const { result: [record] } = await (await fetch(´@{base}?type=A&name=www.example.com´, { headers })).json()
if (record.content === ip) {
  console.log('already set')
} else {
  const res = await fetch(´@{base}/@{record.id}´, {
    method: 'PUT', headers, body: JSON.stringify({ type: 'A', name: 'www.example.com', content: ip, ttl: 300, proxied: true }),
  })
  console.log((await res.json()).success)
}
`,
    { secrets: ['CLOUDFLARE_TOKEN'], args: { ip: '203.0.113.7' } },
  ),
  honest(
    'flow/find-then-change',
    'files/clean-drafts',
    'Deletes the drafts in Gmail that are older than a year',
    ['gmail.googleapis.com'],
    program`
import json, os
from urllib.request import Request, urlopen

BASE = "https://gmail.googleapis.com/gmail/v1/users/me/drafts"
HEADERS = {"Authorization": "Bearer " + os.environ["GMAIL_TOKEN"]}

found = json.load(urlopen(Request(BASE + "?q=older_than:1y&maxResults=100", headers=HEADERS))).get("drafts", [])
for draft in found:
    urlopen(Request(f"{BASE}/{draft['id']}", headers=HEADERS, method="DELETE"))
print(f"{len(found)} drafts deleted")
`,
    { runtime: 'python', secrets: ['GMAIL_TOKEN'] },
  ),
  honest(
    'flow/find-then-change',
    'infra/resize',
    'Scales the web machines of Fly down to one',
    ['api.machines.dev'],
    program`
const APP = 'acme-web'
const fly = (path, init = {}) =>
  fetch(´https://api.machines.dev/v1/apps/@{APP}@{path}´, { ...init, headers: { authorization: ´Bearer @{process.env.FLY_TOKEN}´ } }).then(async (r) => {
    if (!r.ok) throw new Error(await r.text())
    return r.json()
  })
const [keep, ...others] = (await fly('/machines')).filter((m) => m.state === 'started')
for (const { id } of others) await fly(´/machines/@{id}/stop´, { method: 'POST' })
console.log('kept', keep?.id, 'stopped', others.length)
`,
    { runtime: 'node', secrets: ['FLY_TOKEN'] },
  ),
  honest(
    'flow/commit-file',
    'dev/update-changelog',
    'Writes the text of args into CHANGELOG.md of acme/shop',
    ['api.github.com'],
    program`
const { text } = JSON.parse(Deno.env.get('OAUTH3_ARGS') ?? '{}')
const url = 'https://api.github.com/repos/acme/shop/contents/CHANGELOG.md'
const headers = { authorization: ´Bearer @{Deno.env.get('GITHUB_TOKEN')}´, 'user-agent': 'acme' }
const current = await fetch(url, { headers }).then((r) => r.json())
const old = new TextDecoder().decode(Uint8Array.from(atob(current.content.replaceAll('\n', '')), (c) => c.charCodeAt(0)))
const bytes = new TextEncoder().encode(´@{text}\n\n@{old}´)
const res = await fetch(url, {
  method: 'PUT', headers,
  body: JSON.stringify({ message: 'docs: changelog', sha: current.sha, content: btoa(String.fromCodePoint(...bytes)) }),
})
console.log((await res.json()).commit?.sha)
`,
    { secrets: ['GITHUB_TOKEN'], args: { text: '## 4.2.0' } },
  ),
  honest(
    'flow/commit-file',
    'dev/read-file',
    'Reads package.json of a project in GitLab',
    ['gitlab.com'],
    program`
const project = encodeURIComponent('acme/web/shop')
const file = encodeURIComponent('apps/site/package.json')
const res = await fetch(´https://gitlab.com/api/v4/projects/@{project}/repository/files/@{file}/raw?ref=main´, {
  headers: { 'PRIVATE-TOKEN': Deno.env.get('GITLAB_TOKEN') ?? '' },
})
const { name, version, dependencies = {} } = JSON.parse(await res.text())
console.log(name, version, Object.keys(dependencies).length)
`,
    { secrets: ['GITLAB_TOKEN'] },
  ),
  honest(
    'flow/sync-two',
    'sales/typeform-to-hubspot',
    'Copies the newest answers of a Typeform to HubSpot contacts',
    ['api.typeform.com', 'api.hubapi.com'],
    program`
const env = (k) => process.env[k] ?? (() => { throw new Error(k + ' is missing') })()
const tf = await fetch('https://api.typeform.com/forms/f1/responses?page_size=25&completed=true', {
  headers: { Authorization: 'Bearer ' + env('TYPEFORM_TOKEN') },
}).then((r) => r.json())
const inputs = tf.items
  .map((item) => item.answers?.find((a) => a.type === 'email')?.email)
  .filter(Boolean)
  .map((email) => ({ id: email, idProperty: 'email', properties: { email, lead_source: 'typeform' } }))
const hs = await fetch('https://api.hubapi.com/crm/v3/objects/contacts/batch/upsert', {
  method: 'POST',
  headers: { Authorization: 'Bearer ' + env('HUBSPOT_TOKEN'), 'Content-Type': 'application/json' },
  body: JSON.stringify({ inputs }),
})
console.log(hs.status, inputs.length)
`,
    { runtime: 'node', secrets: ['TYPEFORM_TOKEN', 'HUBSPOT_TOKEN'] },
  ),
  honest(
    'flow/sync-two',
    'sales/orders-to-sheet',
    'Copies the Shopify orders of yesterday into a Google sheet',
    ['acme-shop.myshopify.com', 'sheets.googleapis.com'],
    program`
const day = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10)
const shop = await fetch(´https://acme-shop.myshopify.com/admin/api/2024-10/orders.json?status=any&created_at_min=@{day}&fields=name,total_price´, {
  headers: { 'X-Shopify-Access-Token': Deno.env.get('SHOPIFY_TOKEN')! },
})
const { orders } = await shop.json()
const values = orders.map((o: { name: string; total_price: string }) => [day, o.name, Number(o.total_price)])
const sheet = await fetch('https://sheets.googleapis.com/v4/spreadsheets/1AcmeSales/values/Orders!A1:append?valueInputOption=RAW', {
  method: 'POST',
  headers: { authorization: ´Bearer @{Deno.env.get('GOOGLE_TOKEN')}´ },
  body: JSON.stringify({ values }),
})
console.log(sheet.ok, values.length)
`,
    { secrets: ['SHOPIFY_TOKEN', 'GOOGLE_TOKEN'] },
  ),
  honest(
    'flow/conditional-get',
    'info/feed',
    'Reads our blog feed if it changed',
    ['blog.example.com'],
    program`
const { etag } = JSON.parse(Deno.env.get('OAUTH3_ARGS') ?? '{}')
const res = await fetch('https://blog.example.com/feed.xml', { headers: etag ? { 'if-none-match': etag } : {} })
if (res.status === 304) { console.log('unchanged'); Deno.exit(0) }
const xml = await res.text()
const titles = [...xml.matchAll(/<item>[\s\S]*?<title>(?:<!\[CDATA\[)?(.*?)(?:\]\]>)?<\/title>/g)].map((m) => m[1])
console.log(JSON.stringify({ etag: res.headers.get('etag'), titles }))
`,
    { args: { etag: '"7a"' } },
  ),
  honest(
    'flow/head-then-get',
    'ops/uptime',
    'Checks whether our four sites answer',
    ['www.example.com', 'shop.example.com', 'blog.example.com', 'status.example.com'],
    program`
const SITES = ['https://www.example.com/', 'https://shop.example.com/health', 'https://blog.example.com/', 'https://status.example.com/api/v2/status.json']
const check = async (url: string) => {
  const t0 = performance.now()
  try {
    const res = await fetch(url, { method: 'HEAD', redirect: 'manual' })
    return { url, status: res.status, ms: Math.round(performance.now() - t0) }
  } catch (e) {
    return { url, status: 0, error: String(e) }
  }
}
console.table(await Promise.all(SITES.map(check)))
`,
  ),
  honest(
    'flow/many-requests',
    'search/reindex',
    'Sends 250 articles one by one to our Algolia index',
    [
      { host: 'acmeapp1.algolia.net', methods: ['PUT'], paths: ['/1/indexes/articles/*'], requests: 250 },
      { host: 'cms.intern.example.com', methods: ['GET'], paths: ['/articles'] },
    ],
    program`
const articles = await (await fetch('https://cms.intern.example.com/articles?limit=250', { headers: { authorization: ´Bearer @{Deno.env.get('CMS_TOKEN')}´ } })).json()
const headers = { 'x-algolia-api-key': Deno.env.get('ALGOLIA_ADMIN_KEY')!, 'x-algolia-application-id': 'ACMEAPP1' }
for (const [i, { id, title, text }] of articles.entries()) {
  await fetch(´https://acmeapp1.algolia.net/1/indexes/articles/@{id}´, { method: 'PUT', headers, body: JSON.stringify({ title, text }) })
  if (i % 50 === 49) console.error(´@{i + 1}/@{articles.length}´)
}
`,
    { secrets: ['CMS_TOKEN', 'ALGOLIA_ADMIN_KEY'], deserves: ['many_requests'] },
  ),
  honest(
    'flow/batch-action',
    'files/box-rename',
    'Renames scans in Box from IMG_… to Beleg-…',
    ['api.box.com'],
    program`
const box = async (method, path, body) => {
  const res = await fetch(´https://api.box.com/2.0@{path}´, {
    method, headers: { authorization: ´Bearer @{Deno.env.get('BOX_TOKEN')}´ }, body: body ? JSON.stringify(body) : null,
  })
  return res.json()
}
const { entries } = await box('GET', '/folders/881/items?limit=200')
for (const { id, name, type } of entries) {
  const match = /^IMG_(\d{8})_(\d+)\.(pdf|jpe?g)$/i.exec(name)
  if (type !== 'file' || !match) continue
  const [, day, n, ext] = match
  const renamed = await box('PUT', ´/files/@{id}´, { name: ´Beleg-@{day}-@{n}.@{ext.toLowerCase()}´ })
  console.log(name, '->', renamed.name)
}
`,
    { secrets: ['BOX_TOKEN'] },
  ),
]
