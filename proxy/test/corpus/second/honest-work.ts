import { type HonestSeed, program } from '../honest/case.ts'
import { plain } from './honest-short.ts'

/** Ordinary work: workflows over hosts, jobs that are waited for, uploads, changes that are described. */
export const workPrograms: HonestSeed[] = [
  plain(
    'two-hosts',
    'Copies open Redmine issues into a Grist table',
    'redmine.acme.example docs.getgrist.com',
    'REDMINE_KEY GRIST_KEY',
    program`
const issues = await fetch('https://redmine.acme.example/issues.json?status_id=open', { headers: { 'x-redmine-api-key': Deno.env.get('REDMINE_KEY') ?? '' } })
const records = (await issues.json()).issues.map(({ id, subject }) => ({ fields: { Issue: id, Subject: subject } }))
const r = await fetch('https://docs.getgrist.com/api/docs/d1/tables/Issues/records', {
  method: 'POST',
  headers: { authorization: ´Bearer @{Deno.env.get('GRIST_KEY')}´, 'content-type': 'application/json' },
  body: JSON.stringify({ records }),
})
console.log(r.status, records.length)
`,
  ),
  plain(
    'two-hosts',
    'Mails me tomorrow’s weather',
    'api.open-meteo.com api.brevo.com',
    'BREVO_KEY',
    program`
import json
import os
from urllib.request import Request, urlopen

with urlopen("https://api.open-meteo.com/v1/forecast?latitude=47.07&longitude=15.44&daily=temperature_2m_max&timezone=auto") as r:
    warm = json.load(r)["daily"]["temperature_2m_max"][1]
mail = {"sender": {"email": "me@acme.example"}, "to": [{"email": "me@acme.example"}], "subject": "Weather", "textContent": f"{warm} °C"}
send = Request("https://api.brevo.com/v3/smtp/email", json.dumps(mail).encode(), {"api-key": os.environ["BREVO_KEY"], "content-type": "application/json"})
print(urlopen(send).status)
`,
    { runtime: 'python' },
  ),
  plain(
    'two-hosts',
    'Compares prices in euro and krona',
    'api.frankfurter.dev prices.acme.example',
    'PRICES_TOKEN',
    program`
const [rate, list] = await Promise.all([
  fetch('https://api.frankfurter.dev/v1/latest?base=EUR&symbols=SEK').then((r) => r.json()),
  fetch('https://prices.acme.example/v1/list', { headers: { authorization: 'Bearer ' + process.env.PRICES_TOKEN } }).then((r) => r.json()),
])
for (const { sku, eur } of list) console.log(sku, eur, (eur * rate.rates.SEK).toFixed(2))
`,
    { runtime: 'node' },
  ),
  plain(
    'wait-for-job',
    'Starts a transcription and waits for it',
    'api.assemblyai.com',
    'ASSEMBLY_KEY',
    program`
const headers = { authorization: Deno.env.get('ASSEMBLY_KEY') ?? '', 'content-type': 'application/json' }
const { audio_url } = JSON.parse(Deno.env.get('OAUTH3_ARGS') ?? '{}')
const start = await fetch('https://api.assemblyai.com/v2/transcript', { method: 'POST', headers, body: JSON.stringify({ audio_url }) })
const { id } = await start.json()
const deadline = Date.now() + 280_000
while (Date.now() < deadline) {
  const job = await (await fetch(´https://api.assemblyai.com/v2/transcript/@{id}´, { headers })).json()
  if (job.status === 'completed') { console.log(job.text); break }
  if (job.status === 'error') throw new Error(job.error)
  await new Promise((done) => setTimeout(done, 3000))
}
`,
  ),
  plain(
    'wait-for-job',
    'Waits until the Apify run is over',
    'api.apify.com',
    'APIFY_TOKEN',
    program`
import json
import os
import time
from urllib.request import Request, urlopen

run = json.loads(os.environ["OAUTH3_ARGS"])["run"]
headers = {"authorization": "Bearer " + os.environ["APIFY_TOKEN"]}
start = time.monotonic()
while time.monotonic() - start < 240:
    with urlopen(Request(f"https://api.apify.com/v2/actor-runs/{run}", headers=headers)) as r:
        status = json.load(r)["data"]["status"]
    if status not in ("READY", "RUNNING"):
        print(status)
        break
    time.sleep(5)
else:
    raise SystemExit("still running")
`,
    { runtime: 'python' },
  ),
  plain(
    'wait-for-job',
    'Renders a video with Shotstack',
    'api.shotstack.io',
    'SHOTSTACK_KEY',
    program`
import { setTimeout as sleep } from 'node:timers/promises'

const headers = { 'x-api-key': process.env.SHOTSTACK_KEY, 'content-type': 'application/json' }
const edit = JSON.parse(process.env.OAUTH3_ARGS)
const queued = await fetch('https://api.shotstack.io/edit/v1/render', { method: 'POST', headers, body: JSON.stringify(edit) })
const { response: { id } } = await queued.json()
for (let turn = 0; turn < 60; turn += 1) {
  await sleep(4000)
  const { response } = await (await fetch('https://api.shotstack.io/edit/v1/render/' + id, { headers })).json()
  console.error(response.status)
  if (response.status === 'done') { console.log(response.url); process.exit(0) }
  if (response.status === 'failed') throw new Error(response.error)
}
`,
    { runtime: 'node' },
  ),
  plain(
    'uploads',
    'Uploads a note to Paperless',
    'paperless.acme.example',
    'PAPERLESS_TOKEN',
    program`
const { name, text } = JSON.parse(Deno.env.get('OAUTH3_ARGS') ?? '{}')
const form = new FormData()
form.append('document', new File([text], name, { type: 'text/plain' }))
form.append('title', name.replace(/\.\w+$/, ''))
const r = await fetch('https://paperless.acme.example/api/documents/post_document/', {
  method: 'POST',
  headers: { authorization: ´Token @{Deno.env.get('PAPERLESS_TOKEN')}´ },
  body: form,
})
console.log(r.status, await r.text())
`,
  ),
  plain(
    'uploads',
    'Puts a report on our Nextcloud',
    'cloud.acme.example',
    'CLOUD_BASIC',
    program`
import os
from urllib.parse import quote
from urllib.request import Request, urlopen

body = "Datum;Wert\n2026-01-01;4,2\n".encode("utf-8-sig")
url = "https://cloud.acme.example/remote.php/dav/files/agent/Berichte/" + quote("Übersicht.csv")
print(urlopen(Request(url, body, {"Authorization": "Basic " + os.environ["CLOUD_BASIC"]}, method="PUT")).status)
`,
    { runtime: 'python' },
  ),
  plain(
    'event-streams',
    'Streams an answer from Together',
    'api.together.xyz',
    'TOGETHER_KEY',
    program`
const r = await fetch('https://api.together.xyz/v1/chat/completions', {
  method: 'POST',
  headers: { authorization: ´Bearer @{Deno.env.get('TOGETHER_KEY')}´, 'content-type': 'application/json' },
  body: JSON.stringify({ model: 'mistralai/Mixtral-8x7B-Instruct-v0.1', stream: true, messages: [{ role: 'user', content: 'Three facts about moss' }] }),
})
const decoder = new TextDecoder()
let rest = ''
for await (const chunk of r.body!) {
  rest += decoder.decode(chunk, { stream: true })
  const lines = rest.split('\n')
  rest = lines.pop() ?? ''
  for (const line of lines) {
    if (!line.startsWith('data: ') || line.includes('[DONE]')) continue
    Deno.stdout.writeSync(new TextEncoder().encode(JSON.parse(line.slice(6)).choices[0]?.delta?.content ?? ''))
  }
}
`,
  ),
  plain(
    'event-streams',
    'Follows changes of the wiki for a moment',
    'stream.wikimedia.org',
    '',
    program`
const stop = AbortSignal.timeout(5000)
const r = await fetch('https://stream.wikimedia.org/v2/stream/recentchange', { signal: stop }).catch(() => null)
const lines = r.body.pipeThrough(new TextDecoderStream())
try {
  for await (const text of lines) for (const [, title] of text.matchAll(/"title":"([^"]+)"/g)) console.log(title)
} catch (error) {
  if (error.name !== 'TimeoutError') throw error
}
`,
    { runtime: 'node' },
  ),
  plain(
    'decodes-content',
    'Shows the README of a Codeberg repository',
    'codeberg.org',
    'CODEBERG_TOKEN',
    program`
const { owner, repo } = JSON.parse(Deno.env.get('OAUTH3_ARGS') ?? '{}')
const r = await fetch(´https://codeberg.org/api/v1/repos/@{owner}/@{repo}/contents/README.md´, { headers: { authorization: ´token @{Deno.env.get('CODEBERG_TOKEN')}´ } })
const { content } = await r.json()
console.log(new TextDecoder().decode(Uint8Array.from(atob(content), (c) => c.charCodeAt(0))))
`,
  ),
  plain(
    'decodes-content',
    'Reads an etcd key through its gateway',
    'etcd.acme.example',
    'ETCD_TOKEN',
    program`
import base64
import json
import os
from urllib.request import Request, urlopen

key = base64.b64encode(b"/config/web").decode()
request = Request("https://etcd.acme.example/v3/kv/range", json.dumps({"key": key}).encode(), {"authorization": os.environ["ETCD_TOKEN"]})
for kv in json.load(urlopen(request)).get("kvs", []):
    print(base64.b64decode(kv["value"]).decode())
`,
    { runtime: 'python', deserves: ['says_it_reads'] },
  ),
  plain(
    'decodes-content',
    'Unpacks a gzipped sitemap and counts pages',
    'www.acme.example',
    '',
    program`
import { gunzipSync } from 'node:zlib'

const r = await fetch('https://www.acme.example/sitemap.xml.gz')
const xml = gunzipSync(Buffer.from(await r.arrayBuffer())).toString('utf8')
console.log(xml.match(/<loc>/g)?.length ?? 0)
`,
    { runtime: 'node' },
  ),
  plain(
    'own-subdomain',
    'Counts today’s orders of our shop',
    'acme-tea.myshopify.com',
    'SHOPIFY_TOKEN',
    program`
const day = new Date().toISOString().slice(0, 10)
const r = await fetch(´https://acme-tea.myshopify.com/admin/api/2025-01/orders/count.json?created_at_min=@{day}´, { headers: { 'x-shopify-access-token': Deno.env.get('SHOPIFY_TOKEN') ?? '' } })
console.log((await r.json()).count)
`,
  ),
  plain(
    'own-subdomain',
    'Lists tables in our Supabase project',
    'abcdefghij.supabase.co',
    'SUPABASE_KEY',
    program`
import os
from urllib.request import Request, urlopen

key = os.environ["SUPABASE_KEY"]
print(urlopen(Request("https://abcdefghij.supabase.co/rest/v1/clients?select=name", headers={"apikey": key})).read().decode())
`,
    { runtime: 'python' },
  ),
]
