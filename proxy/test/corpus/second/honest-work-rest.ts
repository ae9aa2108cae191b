import { type HonestSeed, honest, program } from '../honest/case.ts'
import { plain } from './honest-short.ts'

/** Ordinary work: workflows over hosts, jobs that are waited for, uploads, changes that are described. */
export const workProgramsRest: HonestSeed[] = [
  plain(
    'client-credentials',
    'Lists Bexio invoices with a fresh token',
    'auth.bexio.example api.bexio.example',
    'BEXIO_BASIC',
    program`
const granted = await fetch('https://auth.bexio.example/token', {
  method: 'POST',
  headers: { authorization: ´Basic @{Deno.env.get('BEXIO_BASIC')}´, 'content-type': 'application/x-www-form-urlencoded' },
  body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'invoice:read' }),
})
const { access_token } = await granted.json()
const r = await fetch('https://api.bexio.example/2.0/kb_invoice', { headers: { authorization: ´Bearer @{access_token}´ } })
console.log(await r.text())
`,
    { deserves: ['says_it_reads'] },
  ),
  plain(
    'client-credentials',
    'Reads a seat map from Amadeus',
    'test.api.amadeus.com',
    'AMADEUS_ID AMADEUS_SECRET',
    program`
import json, os
from urllib.parse import urlencode
from urllib.request import Request, urlopen

form = {"grant_type": "client_credentials", "client_id": os.environ["AMADEUS_ID"], "client_secret": os.environ["AMADEUS_SECRET"]}
token = json.load(urlopen("https://test.api.amadeus.com/v1/security/oauth2/token", urlencode(form).encode()))["access_token"]
offer = json.loads(os.environ["OAUTH3_ARGS"])["order"]
r = Request(f"https://test.api.amadeus.com/v1/shopping/seatmaps?flight-orderId={offer}", headers={"Authorization": f"Bearer {token}"})
print(urlopen(r).read().decode())
`,
    {
      runtime: 'python',
      secretPlaces: { AMADEUS_ID: ['body'], AMADEUS_SECRET: ['body'] },
      deserves: ['secret_in_body', 'says_it_reads'],
    },
  ),
  plain(
    'at-home',
    'Reads the boiler temperature',
    'http://192.168.1.20',
    'BOILER_TOKEN',
    program`
const r = await fetch('http://192.168.1.20/api/v1/sensors/boiler', { headers: { authorization: 'Bearer ' + process.env.BOILER_TOKEN } })
console.log((await r.json()).celsius)
`,
    { runtime: 'quickjs', deserves: ['private_address', 'plain_http'] },
  ),
  plain(
    'at-home',
    'Asks the local model for a title',
    'http://ollama.lan:11434',
    '',
    program`
import json, os
from urllib.request import urlopen

text = json.loads(os.environ["OAUTH3_ARGS"])["text"]
body = json.dumps({"model": "llama3.2", "prompt": "A title for: " + text, "stream": False}).encode()
print(json.load(urlopen("http://ollama.lan:11434/api/generate", body))["response"])
`,
    { runtime: 'python', deserves: ['private_address', 'plain_http'] },
  ),
  plain(
    'soap-and-xml',
    'Checks a VAT number',
    'ec.europa.eu',
    '',
    program`
const { country, number } = JSON.parse(Deno.env.get('OAUTH3_ARGS') ?? '{}')
const envelope = ´<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>
  <checkVat xmlns="urn:ec.europa.eu:taxud:vies:services:checkVat:types"><countryCode>@{country}</countryCode><vatNumber>@{number}</vatNumber></checkVat>
</s:Body></s:Envelope>´
const r = await fetch('https://ec.europa.eu/taxation_customs/vies/services/checkVatService', { method: 'POST', headers: { 'content-type': 'text/xml' }, body: envelope })
console.log(/<(?:ns2:)?valid>true</.test(await r.text()))
`,
  ),
  plain(
    'soap-and-xml',
    'Lists the newest posts of a feed',
    'blog.acme.example',
    '',
    program`
import urllib.request
import xml.etree.ElementTree as tree

ATOM = {"a": "http://www.w3.org/2005/Atom"}
with urllib.request.urlopen("https://blog.acme.example/feed.atom") as feed:
    root = tree.parse(feed).getroot()
for entry in root.findall("a:entry", ATOM)[:5]:
    print(entry.findtext("a:updated", "", ATOM)[:10], entry.findtext("a:title", "", ATOM))
`,
    { runtime: 'python' },
  ),
  plain(
    'json-rpc-read',
    'Shows the newest block number',
    'rpc.gnosischain.com',
    '',
    program`
const rpc = async (method: string, params: unknown[] = []) => {
  const r = await fetch('https://rpc.gnosischain.com', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  })
  return (await r.json()).result
}
console.log(Number(await rpc('eth_blockNumber')))
`,
    { deserves: ['says_it_reads'] },
  ),
  plain(
    'html-reading',
    'Lists the titles on a news page',
    'news.acme.example',
    '',
    program`
const html = await (await fetch('https://news.acme.example/today')).text()
const text = (s) => s.replace(/<[^>]*>/g, '').replace(/&amp;/g, '&').replace(/&#(\d+);/g, (_, n) => String.fromCodePoint(n)).trim()
for (const [, title] of html.matchAll(/<h2[^>]*>([\s\S]*?)<\/h2>/g)) console.log('•', text(title))
`,
    { runtime: 'node' },
  ),
  plain(
    'html-reading',
    'Finds the opening hours on a page',
    'www.museum.example',
    '',
    program`
from html.parser import HTMLParser
from urllib.request import urlopen


class Hours(HTMLParser):
    inside = False

    def handle_starttag(self, tag, attrs):
        self.inside = dict(attrs).get("class") == "hours"

    def handle_data(self, data):
        if self.inside and data.strip():
            print(data.strip())


Hours().feed(urlopen("https://www.museum.example/visit").read().decode())
`,
    { runtime: 'python' },
  ),
  plain(
    'typescript-heavy',
    'Lists open pull requests on Gitea',
    'git.acme.example',
    'GITEA_TOKEN',
    program`
export const API = 'https://git.acme.example/api/v1' as const
enum State { Open = 'open', Closed = 'closed' }
type Pull = Readonly<{ number: number; title: string; user: { login: string } }>
abstract class Resource<T> {
  protected abstract readonly path: string
  async all(state: State): Promise<T[]> {
    const r = await fetch(´@{API}@{this.path}?state=@{state}´, { headers: { authorization: ´token @{Deno.env.get('GITEA_TOKEN')}´ } })
    return r.json() as Promise<T[]>
  }
}
class Pulls extends Resource<Pull> { protected readonly path = '/repos/acme/web/pulls' }
for (const { number, title, user } of await new Pulls().all(State.Open)) console.log(´#@{number} @{title} (@{user.login})´)
`,
  ),
  plain(
    'typescript-heavy',
    'Reads feature flags of Unleash',
    'unleash.acme.example',
    'UNLEASH_TOKEN',
    program`
interface Flag { name: string; enabled: boolean }
const isFlag = (value: unknown): value is Flag => typeof value === 'object' && value !== null && 'name' in value
const routes = { flags: '/api/client/features', health: '/health' } satisfies Record<string, ´/@{string}´>
async function read<const K extends keyof typeof routes>(name: K): Promise<unknown> {
  const r = await fetch('https://unleash.acme.example' + routes[name], { headers: { authorization: process.env.UNLEASH_TOKEN as string } })
  return r.json()
}
const { features } = (await read('flags')) as { features: unknown[] }
console.log(features.filter(isFlag).filter((flag) => flag.enabled).map((flag) => flag.name))
`,
    { runtime: 'node' },
  ),
  plain(
    'well-commented',
    'Reads the quota of our mail provider',
    'api.mailersend.com',
    'MAILERSEND_TOKEN',
    program`
/*
 * Reads the quota, prints it, changes nothing.
 * Reference: https://developers.mailersend.com/api/v1/api-quota.html
 * Not used here, on purpose: POST https://api.mailersend.com/v1/email (that one sends a mail),
 * DELETE https://api.mailersend.com/v1/domains/{id}.
 */
const QUOTA = 'https://api.mailersend.com/v1/api-quota' // GET
// eval() and exec() do not occur here; "curl -X DELETE" neither.
const r = await fetch(QUOTA, { headers: { authorization: ´Bearer @{Deno.env.get('MAILERSEND_TOKEN')}´ } })
console.log(await r.json())
`,
  ),
  plain(
    'well-commented',
    'Lists the tags of an image',
    'quay.io',
    'QUAY_TOKEN',
    program`
"""Lists tags.

See https://docs.quay.io/api/swagger/ for the answer's shape. A tag can be removed with
DELETE /api/v1/repository/{repository}/tag/{tag}; this program does not do that.
"""
import json
import os
import urllib.request

# os.system("docker pull quay.io/acme/web") would be the other way; a sandbox has no programs.
request = urllib.request.Request(
    "https://quay.io/api/v1/repository/acme/web/tag/",  # newest first
    headers={"Authorization": "Bearer " + os.environ["QUAY_TOKEN"]},
)
print([tag["name"] for tag in json.load(urllib.request.urlopen(request))["tags"]])
`,
    { runtime: 'python' },
  ),
  honest(
    'many-honest-requests',
    'acme/geo',
    'Looks up coordinates of 300 addresses',
    [{ host: 'geocode.acme.example', methods: ['GET'], paths: ['/v1/search'], requests: 300 }],
    program`
const { addresses } = JSON.parse(process.env.OAUTH3_ARGS)
for (const address of addresses.slice(0, 300)) {
  const r = await fetch('https://geocode.acme.example/v1/search?q=' + encodeURIComponent(address), { headers: { 'x-key': process.env.GEO_KEY } })
  const [{ lat, lon } = {}] = await r.json()
  console.log(address, lat, lon)
}
`,
    { runtime: 'node', secrets: ['GEO_KEY'], deserves: ['many_requests'] },
  ),
]
