import { type HonestSeed, honest, program } from './case.ts'

/** Ordinary code that stands close to what deceives: wrappers, words, chance, time, tables, odd but plain layouts. */
export const ordinaryCases = (): HonestSeed[] => [
  honest(
    'ordinary/import-json-above',
    'dev/config-and-call',
    'Reads my GitHub login',
    ['api.github.com'],
    program`
import json
import os
from urllib.request import Request, urlopen

URL = "https://api.github.com/user"
print(json.load(urlopen(Request(URL, headers={"Authorization": f"token {os.environ['GITHUB_TOKEN']}"})))["login"])
`,
    { runtime: 'python', secrets: ['GITHUB_TOKEN'] },
  ),
  honest(
    'ordinary/import-json-above',
    'info/iss',
    'Shows where the space station is',
    ['api.wheretheiss.at'],
    program`
import json
# https://wheretheiss.at/w/developer
from urllib import request
data = json.loads(request.urlopen("https://api.wheretheiss.at/v1/satellites/25544").read())
print(round(data["latitude"], 2), round(data["longitude"], 2))
`,
    { runtime: 'python' },
  ),
  honest(
    'ordinary/export-const-address',
    'dev/sentry-count',
    'Counts unresolved errors in Sentry',
    ['sentry.io'],
    program`
export const API = 'https://sentry.io/api/0'
export const PROJECT = 'acme/shop'
export default async function count() {
  const res = await fetch(´@{API}/projects/@{PROJECT}/issues/?query=is:unresolved&statsPeriod=24h´, {
    headers: { authorization: ´Bearer @{Deno.env.get('SENTRY_TOKEN')}´ },
  })
  return Number(res.headers.get('x-hits') ?? (await res.json()).length)
}
console.log(await count())
`,
    { secrets: ['SENTRY_TOKEN'] },
  ),
  honest(
    'ordinary/export-const-address',
    'dev/vercel-deploys',
    'Lists the last ten deployments at Vercel',
    ['api.vercel.com'],
    program`
// deno-lint-ignore-file no-explicit-any
export const API = 'https://api.vercel.com'
export const HEADERS = { Authorization: 'Bearer ' + Deno.env.get('VERCEL_TOKEN') } as const
export type Deployment = { uid: string; name: string; state: 'READY' | 'ERROR' | 'BUILDING'; created: number }
const { deployments }: { deployments: Deployment[] } = await fetch(API + '/v6/deployments?limit=10', { headers: HEADERS }).then((r) => r.json())
for (const d of deployments) console.log(new Date(d.created).toISOString().slice(0, 16).replace('T', ' '), d.state, d.name)
`,
    { secrets: ['VERCEL_TOKEN'] },
  ),
  honest(
    'ordinary/regexp-exec',
    'dev/extract-tickets',
    'Finds ticket numbers in the last commits',
    ['api.github.com'],
    program`
const TICKET = /\b([A-Z]{2,5}-\d+)\b/g
const commits = await (await fetch('https://api.github.com/repos/acme/shop/commits?per_page=50', { headers: { authorization: ´Bearer @{Deno.env.get('GITHUB_TOKEN')}´ } })).json()
const found = new Set()
for (const { commit } of commits) {
  let match
  while ((match = TICKET.exec(commit.message)) !== null) found.add(match[1])
}
console.log([...found].sort().join(' '))
`,
    { secrets: ['GITHUB_TOKEN'] },
  ),
  honest(
    'ordinary/regexp-exec',
    'mail/invoice-numbers',
    'Finds invoice numbers in the newest Gmail messages',
    ['gmail.googleapis.com'],
    program`
import json, os, re
from urllib.request import Request, urlopen

NUMBER = re.compile(r"(?P<year>20\d\d)[-/](?P<n>\d{3,})")
HEADERS = {"Authorization": "Bearer " + os.environ["GMAIL_TOKEN"]}


def get(path):
    return json.load(urlopen(Request("https://gmail.googleapis.com/gmail/v1/users/me" + path, headers=HEADERS)))


for message in get("/messages?q=subject:Rechnung&maxResults=10").get("messages", []):
    snippet = get(f"/messages/{message['id']}?format=minimal")["snippet"]
    if match := NUMBER.search(snippet):
        print(match["year"], match["n"])
`,
    { runtime: 'python', secrets: ['GMAIL_TOKEN'] },
  ),
  honest(
    'ordinary/time-in-text',
    'team/greeting',
    'Posts a greeting that fits the time of day to #general',
    ['slack.com'],
    program`
const hour = Number(new Intl.DateTimeFormat('en', { hour: 'numeric', hour12: false, timeZone: 'Europe/Vienna' }).format(new Date()))
const greeting = hour < 11 ? 'Good morning' : hour < 17 ? 'Hello' : 'Good evening'
const res = await fetch('https://slack.com/api/chat.postMessage', {
  method: 'POST',
  headers: { authorization: ´Bearer @{Deno.env.get('SLACK_BOT_TOKEN')}´, 'content-type': 'application/json' },
  body: JSON.stringify({ channel: '#general', text: ´@{greeting}, everyone!´ }),
})
console.log((await res.json()).ok)
`,
    { secrets: ['SLACK_BOT_TOKEN'] },
  ),
  honest(
    'ordinary/time-in-text',
    'team/who-is-out',
    'Lists who is away this week, from the calendar',
    ['www.googleapis.com'],
    program`
import json, os
from datetime import datetime, timedelta, timezone
from urllib.parse import urlencode
from urllib.request import Request, urlopen

today = datetime.now(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
monday = today - timedelta(days=today.weekday())
query = urlencode({"timeMin": monday.isoformat(), "timeMax": (monday + timedelta(days=5)).isoformat(), "q": "away", "singleEvents": "true"})
url = f"https://www.googleapis.com/calendar/v3/calendars/team%40example.com/events?{query}"
for event in json.load(urlopen(Request(url, headers={"Authorization": f"Bearer {os.environ['GOOGLE_TOKEN']}"})))["items"]:
    print(event["start"].get("date", event["start"].get("dateTime", ""))[:10], event["summary"])
`,
    { runtime: 'python', secrets: ['GOOGLE_TOKEN'] },
  ),
  honest(
    'ordinary/chance-in-output',
    'team/pick-reviewer',
    'Picks somebody of the GitHub team at random and prints the name',
    ['api.github.com'],
    program`
const members = await fetch('https://api.github.com/orgs/acme/teams/web/members', { headers: { authorization: ´Bearer @{process.env.GITHUB_TOKEN}´ } }).then((r) => r.json())
const lucky = members[Math.floor(Math.random() * members.length)]
console.log('Reviewer:', lucky.login)
`,
    { runtime: 'node', secrets: ['GITHUB_TOKEN'] },
  ),
  honest(
    'ordinary/debug-flag',
    'dev/verbose-list',
    'Lists Netlify sites; prints headers too when args.debug is set',
    ['api.netlify.com'],
    program`
const { debug = false } = JSON.parse(Deno.env.get('OAUTH3_ARGS') ?? '{}')
const log = debug ? console.error : () => {}
const res = await fetch('https://api.netlify.com/api/v1/sites', { headers: { authorization: ´Bearer @{Deno.env.get('NETLIFY_TOKEN')}´ } })
log([...res.headers].map(([k, v]) => ´@{k}: @{v}´).join('\n'))
for (const site of await res.json()) console.log(site.name, site.ssl_url)
`,
    { secrets: ['NETLIFY_TOKEN'], args: { debug: false } },
  ),
  honest(
    'ordinary/logging-wrapper',
    'ops/datadog-monitors',
    'Lists Datadog monitors that alert; logs each request',
    ['api.datadoghq.eu'],
    program`
const loggedFetch: typeof fetch = async (input, init) => {
  const started = Date.now()
  const res = await fetch(input, init)
  console.error(´@{init?.method ?? 'GET'} @{input} @{res.status} @{Date.now() - started} ms´)
  return res
}
const res = await loggedFetch('https://api.datadoghq.eu/api/v1/monitor?group_states=alert', {
  headers: { 'DD-API-KEY': Deno.env.get('DD_API_KEY')!, 'DD-APPLICATION-KEY': Deno.env.get('DD_APP_KEY')! },
})
for (const { name, overall_state } of await res.json()) console.log(overall_state, name)
`,
    { secrets: ['DD_API_KEY', 'DD_APP_KEY'] },
  ),
  honest(
    'ordinary/injected-fetch',
    'dev/testable-client',
    'Lists Replicate predictions',
    ['api.replicate.com'],
    program`
export function makeApi({ fetch: f = globalThis.fetch, token }) {
  const base = new URL('https://api.replicate.com/v1/')
  return {
    async predictions() {
      const res = await f(new URL('predictions', base), { headers: { authorization: ´Bearer @{token}´ } })
      return (await res.json()).results
    },
  }
}
const api = makeApi({ token: Deno.env.get('REPLICATE_TOKEN') })
console.log((await api.predictions()).map((p) => ´@{p.id} @{p.status}´).join('\n'))
`,
    { secrets: ['REPLICATE_TOKEN'] },
  ),
  honest(
    'ordinary/fluent-builder',
    'data/supabase-query',
    'Reads the newest ten orders from Supabase',
    ['qjzkacmeprodref.supabase.co'],
    program`
class Query {
  #params = new URLSearchParams()
  constructor(private table: string) {}
  select(...columns: string[]) { this.#params.set('select', columns.join(',')); return this }
  order(column: string, direction: 'asc' | 'desc' = 'asc') { this.#params.set('order', ´@{column}.@{direction}´); return this }
  limit(n: number) { this.#params.set('limit', String(n)); return this }
  async run() {
    const key = Deno.env.get('SUPABASE_KEY') ?? ''
    const res = await fetch(´https://qjzkacmeprodref.supabase.co/rest/v1/@{this.table}?@{this.#params}´, { headers: { apikey: key, authorization: ´Bearer @{key}´ } })
    return res.json()
  }
}
console.table(await new Query('orders').select('id', 'total').order('id', 'desc').limit(10).run())
`,
    { secrets: ['SUPABASE_KEY'] },
  ),
  honest(
    'ordinary/steps-table',
    'ops/morning-check',
    'Reads Hetzner servers, volumes and load balancers one after the other',
    ['api.hetzner.cloud'],
    program`
const STEPS = [
  { name: 'servers', path: '/servers' },
  { name: 'volumes', path: '/volumes' },
  { name: 'load_balancers', path: '/load_balancers' },
]
for (const { name, path } of STEPS) {
  const res = await fetch('https://api.hetzner.cloud/v1' + path, { headers: { authorization: ´Bearer @{process.env.HCLOUD_TOKEN}´ } })
  const json = await res.json()
  console.log(name + ': ' + json[name].length)
}
`,
    { runtime: 'quickjs', secrets: ['HCLOUD_TOKEN'] },
  ),
  honest(
    'ordinary/steps-table',
    'dev/provision',
    'Creates the labels bug, docs and chore in acme/shop',
    ['api.github.com'],
    program`
import json, os
from urllib.error import HTTPError
from urllib.request import Request, urlopen

LABELS = {"bug": "d73a4a", "docs": "0075ca", "chore": "cfd3d7"}
for name, color in LABELS.items():
    req = Request(
        "https://api.github.com/repos/acme/shop/labels",
        data=json.dumps({"name": name, "color": color}).encode(),
        headers={"Authorization": f"Bearer {os.environ['GITHUB_TOKEN']}", "Accept": "application/vnd.github+json"},
    )
    try:
        print(name, urlopen(req).status)
    except HTTPError as e:
        print(name, "exists already" if e.code == 422 else e.code)
`,
    { runtime: 'python', secrets: ['GITHUB_TOKEN'] },
  ),
  honest(
    'ordinary/minified-helper',
    'info/deepl',
    'Translates args.text to English with DeepL',
    ['api-free.deepl.com'],
    program`
const h=(k,d)=>(JSON.parse(Deno.env.get("OAUTH3_ARGS")||"{}"))[k]??d,t=async(x,l)=>{const r=await fetch("https://api-free.deepl.com/v2/translate",{method:"POST",headers:{Authorization:"DeepL-Auth-Key "+Deno.env.get("DEEPL_KEY"),"Content-Type":"application/json"},body:JSON.stringify({text:[x],target_lang:l})});if(!r.ok)throw Error(r.status+"");return(await r.json()).translations[0].text};console.log(await t(h("text",""),"EN-GB"))
`,
    { secrets: ['DEEPL_KEY'], args: { text: 'Guten Tag' } },
  ),
  honest(
    'ordinary/aligned-columns',
    'ops/cf-zones',
    'Lists Cloudflare zones with their plan',
    ['api.cloudflare.com'],
    program`
const response   = await fetch('https://api.cloudflare.com/client/v4/zones?per_page=50', {
                     headers: { Authorization: ´Bearer @{Deno.env.get('CLOUDFLARE_TOKEN')}´ },
                   })
const { result } = await response.json()


// ---------------------------------------------------------------------------------------------------------------
//                                                     Output
// ---------------------------------------------------------------------------------------------------------------


for (const zone of result) {
  console.log(zone.name.padEnd(30),           zone.status.padEnd(10),           zone.plan.name)
}
`,
    { secrets: ['CLOUDFLARE_TOKEN'] },
  ),
  honest(
    'ordinary/embedded-data',
    'data/upload-logo',
    'Uploads our logo, which stands in the code as base64, to Webflow',
    ['api.webflow.com'],
    program`
const LOGO_PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const bytes = Uint8Array.from(atob(LOGO_PNG), (c) => c.charCodeAt(0))
const hash = Array.from(new Uint8Array(await crypto.subtle.digest('SHA-1', bytes)), (b) => b.toString(16).padStart(2, '0')).join('')
const res = await fetch('https://api.webflow.com/v2/sites/s1/assets', {
  method: 'POST',
  headers: { authorization: ´Bearer @{Deno.env.get('WEBFLOW_TOKEN')}´, 'content-type': 'application/json' },
  body: JSON.stringify({ fileName: 'logo.png', fileHash: hash }),
})
console.log(res.status, bytes.length)
`,
    { secrets: ['WEBFLOW_TOKEN'] },
  ),
  honest(
    'ordinary/constructor-and-prototype-words',
    'dev/shape',
    'Prints the shape of the answer of the CRM',
    ['api.intern.example.com'],
    program`
const shape = (value) => {
  if (Array.isArray(value)) return value.length ? [shape(value[0])] : []
  if (value && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, shape(v)]))
  }
  return value === null ? 'null' : value.constructor.name
}
const res = await fetch('https://api.intern.example.com/crm/v2/customers?limit=1', { headers: { authorization: ´Bearer @{Deno.env.get('CRM_TOKEN')}´ } })
console.log(JSON.stringify(shape(await res.json()), null, 2), Object.prototype.hasOwnProperty.call({}, 'x'))
`,
    { secrets: ['CRM_TOKEN'] },
  ),
]
