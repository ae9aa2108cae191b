import { type HonestSeed, honest, program } from '../honest/case.ts'

type Options = Parameters<typeof honest>[5]

/** As `honest`, with the hosts separated by blanks and the skill id made from the family and the first host. */
export const plain = (
  family: string,
  description: string,
  hosts: string,
  secrets: string,
  code: string,
  options: Options = {},
): HonestSeed =>
  honest(
    family,
    `acme/${family}-${(hosts.split(/[ .:/]+/).filter((part) => !['', 'api', 'www', 'http', '*'].includes(part))[0] ?? 'local').toLowerCase()}`,
    description,
    hosts.split(' ').filter(Boolean),
    code,
    { secrets: secrets.split(' ').filter(Boolean), ...options },
  )

/** Short programs, each for one thing. */
export const shortPrograms: HonestSeed[] = [
  plain(
    'graphql-read',
    'Lists my latest boards on monday',
    'api.monday.com',
    'MONDAY_TOKEN',
    program`
const query = ´query ($limit: Int!) { boards(limit: $limit) { id name items_count } }´
const r = await fetch('https://api.monday.com/v2', {
  method: 'POST',
  headers: { authorization: Deno.env.get('MONDAY_TOKEN')!, 'content-type': 'application/json' },
  body: JSON.stringify({ query, variables: { limit: 10 } }),
})
console.log(JSON.stringify((await r.json()).data.boards))
`,
  ),
  plain(
    'graphql-read',
    'Shows what I read on Hardcover',
    'api.hardcover.app',
    'HARDCOVER_TOKEN',
    program`
import json, os, urllib.request

QUERY = """
query Reading {
  me { user_books(where: {status_id: {_eq: 2}}) { book { title pages } } }
}
"""
body = json.dumps({"query": QUERY}).encode()
request = urllib.request.Request(
    "https://api.hardcover.app/v1/graphql",
    data=body,
    headers={"authorization": os.environ["HARDCOVER_TOKEN"], "content-type": "application/json"},
)
print(urllib.request.urlopen(request).read().decode())
`,
    { runtime: 'python' },
  ),
  plain(
    'graphql-read',
    'Zeigt die Strompreise von heute',
    'api.tibber.com',
    'TIBBER_TOKEN',
    program`
const gql = (document) => fetch('https://api.tibber.com/v1-beta/gql', {
  method: 'POST',
  headers: { authorization: 'Bearer ' + process.env.TIBBER_TOKEN, 'content-type': 'application/json' },
  body: JSON.stringify({ query: document }),
}).then((r) => r.json())

const { data } = await gql('{ viewer { homes { currentSubscription { priceInfo { today { total startsAt } } } } } }')
for (const { total, startsAt } of data.viewer.homes[0].currentSubscription.priceInfo.today) {
  console.log(startsAt.slice(11, 16), total.toFixed(4), '█'.repeat(Math.round(total * 100)))
}
`,
    { runtime: 'node' },
  ),
  plain(
    'graphql-change',
    'Sets my Buildkite pipeline to archived',
    'graphql.buildkite.com',
    'BUILDKITE_TOKEN',
    program`
const mutation = ´mutation Archive($id: ID!) { pipelineArchive(input: { id: $id }) { pipeline { name archived } } }´
const { id } = JSON.parse(Deno.env.get('OAUTH3_ARGS') ?? '{}')
const r = await fetch('https://graphql.buildkite.com/v1', {
  method: 'POST',
  headers: { authorization: ´Bearer @{Deno.env.get('BUILDKITE_TOKEN')}´ },
  body: JSON.stringify({ query: mutation, variables: { id } }),
})
console.log(await r.text())
`,
    { deserves: ['mutation'] },
  ),
  plain(
    'graphql-change',
    'Marks an episode as watched on AniList',
    'graphql.anilist.co',
    'ANILIST_TOKEN',
    program`
const body = {
  query: 'mutation ($id: Int, $n: Int) { SaveMediaListEntry(mediaId: $id, progress: $n) { id progress } }',
  variables: { id: args.id, n: args.episode },
}
const r = await fetch('https://graphql.anilist.co', {
  method: 'POST',
  headers: { authorization: 'Bearer ' + process.env.ANILIST_TOKEN, 'content-type': 'application/json' },
  body: JSON.stringify(body),
})
console.log(r.status, await r.text())
`,
    { runtime: 'quickjs', deserves: ['mutation'] },
  ),
  plain(
    'websocket-read',
    'Listens to Bluesky posts for ten seconds',
    'jetstream2.us-east.bsky.network',
    '',
    program`
const socket = new WebSocket('wss://jetstream2.us-east.bsky.network/subscribe?wantedCollections=app.bsky.feed.post')
let posts = 0
socket.onmessage = () => { posts += 1 }
await new Promise((done) => setTimeout(done, 10_000))
socket.close()
console.log({ posts })
`,
    { deserves: ['websocket'] },
  ),
  plain(
    'websocket-read',
    'Reads one price from the Bitvavo stream',
    'ws.bitvavo.com',
    '',
    program`
const socket = new WebSocket('wss://ws.bitvavo.com/v2/')
socket.addEventListener('open', () => {
  socket.send(JSON.stringify({ action: 'subscribe', channels: [{ name: 'ticker', markets: ['BTC-EUR'] }] }))
})
socket.addEventListener('message', ({ data }) => {
  const message = JSON.parse(data)
  if (message.lastPrice) {
    console.log(message.lastPrice)
    socket.close()
  }
})
`,
    { runtime: 'node', deserves: ['websocket'] },
  ),
  plain(
    'signed-requests',
    'Reads my Bitstamp balance',
    'www.bitstamp.net',
    'BITSTAMP_KEY BITSTAMP_SECRET',
    program`
import hashlib
import hmac
import os
import time
import urllib.request
import uuid

key, secret = os.environ["BITSTAMP_KEY"], os.environ["BITSTAMP_SECRET"].encode()
nonce, stamp = str(uuid.uuid4()), str(int(time.time() * 1000))
path = "/api/v2/account_balances/"
text = f"BITSTAMP {key}POSTwww.bitstamp.net{path}{nonce}{stamp}v2"
signature = hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()
request = urllib.request.Request(
    "https://www.bitstamp.net" + path,
    method="POST",
    headers={
        "X-Auth": "BITSTAMP " + key,
        "X-Auth-Signature": signature,
        "X-Auth-Nonce": nonce,
        "X-Auth-Timestamp": stamp,
        "X-Auth-Version": "v2",
    },
)
print(urllib.request.urlopen(request).read().decode())
`,
    { runtime: 'python', rawSecrets: ['BITSTAMP_SECRET'], deserves: ['raw_secret', 'says_it_reads'] },
  ),
  plain(
    'signed-requests',
    'Lists objects in our R2 bucket',
    'acct.r2.cloudflarestorage.com',
    'R2_SECRET',
    program`
import { createHash, createHmac } from 'node:crypto'

const hmac = (key, text) => createHmac('sha256', key).update(text).digest()
const sha = (text) => createHash('sha256').update(text).digest('hex')
const now = new Date().toISOString().replace(/[-:]|\.\d{3}/g, '')
const day = now.slice(0, 8)
const host = 'acct.r2.cloudflarestorage.com'
const canonical = ['GET', '/reports', 'list-type=2', 'host:' + host, 'x-amz-date:' + now, '', 'host;x-amz-date', sha('')].join('\n')
const scope = day + '/auto/s3/aws4_request'
const toSign = ['AWS4-HMAC-SHA256', now, scope, sha(canonical)].join('\n')
const key = [day, 'auto', 's3', 'aws4_request'].reduce(hmac, 'AWS4' + process.env.R2_SECRET)
const signature = createHmac('sha256', key).update(toSign).digest('hex')
const authorization = ´AWS4-HMAC-SHA256 Credential=acme/@{scope}, SignedHeaders=host;x-amz-date, Signature=@{signature}´
const r = await fetch('https://acct.r2.cloudflarestorage.com/reports?list-type=2', { headers: { authorization, 'x-amz-date': now } })
console.log(await r.text())
`,
    { runtime: 'node', rawSecrets: ['R2_SECRET'], deserves: ['raw_secret', 'object_store'] },
  ),
  plain(
    'signed-requests',
    'Reads my Zoho desk tickets with a signed token',
    'desk.example.com',
    'DESK_HMAC',
    program`
const enc = new TextEncoder()
const key = await crypto.subtle.importKey('raw', enc.encode(Deno.env.get('DESK_HMAC')), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
const b64 = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '')
const head = b64(enc.encode(JSON.stringify({ alg: 'HS256', typ: 'JWT' })))
const claims = b64(enc.encode(JSON.stringify({ sub: 'agent', exp: Math.floor(Date.now() / 1000) + 60 })))
const mac = new Uint8Array(await crypto.subtle.sign('HMAC', key, enc.encode(´@{head}.@{claims}´)))
const r = await fetch('https://desk.example.com/api/tickets', { headers: { authorization: ´Bearer @{head}.@{claims}.@{b64(mac)}´ } })
console.log(await r.text())
`,
    { rawSecrets: ['DESK_HMAC'], deserves: ['raw_secret'] },
  ),
  plain(
    'key-in-query',
    'Says how the air is in Graz',
    'api.waqi.info',
    'WAQI_TOKEN',
    program`
const url = new URL('https://api.waqi.info/feed/graz/')
url.searchParams.set('token', Deno.env.get('WAQI_TOKEN') ?? '')
const { data } = await (await fetch(url)).json()
console.log(´AQI @{data.aqi} (@{data.dominentpol})´)
`,
    { secretPlaces: { WAQI_TOKEN: ['query'] }, deserves: ['secret_in_query'] },
  ),
  plain(
    'key-in-query',
    'Looks up trains at a station',
    'api.rejseplanen.example',
    'REJSE_KEY',
    program`
import json, os
from urllib.parse import urlencode
from urllib.request import urlopen

q = urlencode({"accessId": os.environ["REJSE_KEY"], "id": "8600626", "format": "json"})
with urlopen("https://api.rejseplanen.example/departureBoard?" + q) as r:
    for d in json.load(r).get("Departure", []):
        print(d["time"][:5], d["name"], d["direction"])
`,
    { runtime: 'python', secretPlaces: { REJSE_KEY: ['query'] }, deserves: ['secret_in_query'] },
  ),
  plain(
    'key-in-query',
    'Finds a recipe with leeks',
    'api.spoonacular.com',
    'SPOON_KEY',
    program`
const r = await fetch(´https://api.spoonacular.com/recipes/complexSearch?query=leek&number=3&apiKey=@{process.env.SPOON_KEY}´)
const { results } = await r.json()
console.log(results.map(({ id, title }) => ´@{id}: @{title}´).join('\n'))
`,
    { runtime: 'quickjs', secretPlaces: { SPOON_KEY: ['query'] }, deserves: ['secret_in_query'] },
  ),
  plain(
    'key-in-body',
    'Searches the web with Tavily',
    'api.tavily.com',
    'TAVILY_KEY',
    program`
const { question } = JSON.parse(Deno.env.get('OAUTH3_ARGS') ?? '{}')
const r = await fetch('https://api.tavily.com/search', {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ api_key: Deno.env.get('TAVILY_KEY'), query: question, max_results: 5 }),
})
for (const hit of (await r.json()).results) console.log(hit.title, hit.url)
`,
    { secretPlaces: { TAVILY_KEY: ['body'] }, deserves: ['secret_in_body'] },
  ),
  plain(
    'key-in-body',
    'Sends a push message to my phone',
    'api.pushover.net',
    'PUSHOVER_TOKEN PUSHOVER_USER',
    program`
import os
from urllib.parse import urlencode
from urllib.request import urlopen

form = urlencode({"token": os.environ["PUSHOVER_TOKEN"], "user": os.environ["PUSHOVER_USER"], "message": "Wäsche ist fertig 🧺"})
print(urlopen("https://api.pushover.net/1/messages.json", data=form.encode()).read().decode())
`,
    {
      runtime: 'python',
      secretPlaces: { PUSHOVER_TOKEN: ['body'], PUSHOVER_USER: ['body'] },
      deserves: ['secret_in_body'],
    },
  ),
]
