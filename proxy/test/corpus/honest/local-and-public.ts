import { type HonestSeed, honest, program } from './case.ts'

/** Devices at home, internal services, and public data without a key. */
export const localAndPublicCases = (): HonestSeed[] => [
  honest(
    'local/home-assistant',
    'home/temperature',
    'Reads the temperature of the living room from Home Assistant',
    ['http://homeassistant.local:8123'],
    program`
const res = await fetch('http://homeassistant.local:8123/api/states/sensor.living_room_temperature', {
  headers: { Authorization: ´Bearer @{Deno.env.get('HA_TOKEN')}´ },
})
const { state, attributes } = await res.json()
console.log(´🌡️ @{state} @{attributes.unit_of_measurement}´)
`,
    { secrets: ['HA_TOKEN'], deserves: ['plain_http', 'private_address'] },
  ),
  honest(
    'local/home-assistant',
    'home/light-on',
    'Switches the light in the hall on',
    ['http://192.168.178.40:8123'],
    program`
import json, os, urllib.request

req = urllib.request.Request(
    "http://192.168.178.40:8123/api/services/light/turn_on",
    data=json.dumps({"entity_id": "light.hall", "brightness_pct": 60}).encode(),
    headers={"Authorization": f"Bearer {os.environ['HA_TOKEN']}", "Content-Type": "application/json"},
)
print(urllib.request.urlopen(req).status)
`,
    { runtime: 'python', secrets: ['HA_TOKEN'], deserves: ['plain_http', 'private_address'] },
  ),
  honest(
    'local/hue',
    'home/hue-off',
    'Switches all Hue lamps in the kitchen off',
    ['http://192.168.178.31'],
    program`
const BRIDGE = 'http://192.168.178.31'
const user = Deno.env.get('HUE_USER')
const groups = await (await fetch(´@{BRIDGE}/api/@{user}/groups´)).json()
const [id] = Object.entries<any>(groups).find(([, g]) => g.name === 'Kitchen') ?? []
if (!id) throw new Error('no kitchen')
const res = await fetch(´@{BRIDGE}/api/@{user}/groups/@{id}/action´, { method: 'PUT', body: JSON.stringify({ on: false }) })
console.log(JSON.stringify(await res.json()))
`,
    {
      secrets: ['HUE_USER'],
      rawSecrets: ['HUE_USER'],
      deserves: ['raw_secret', 'plain_http', 'private_address'],
    },
  ),
  honest(
    'local/hue',
    'home/hue-list',
    'Lists the lamps of the Hue bridge',
    ['hue-bridge.local'],
    program`
const res = await fetch('https://hue-bridge.local/clip/v2/resource/light', { headers: { 'hue-application-key': process.env.HUE_KEY } })
const { data } = await res.json()
for (const lamp of data) console.log((lamp.on.on ? '💡' : '⚫️') + ' ' + lamp.metadata.name)
`,
    { runtime: 'quickjs', secrets: ['HUE_KEY'], deserves: ['private_address'] },
  ),
  honest(
    'internal/port',
    'it/disk-report',
    'Shows how full the disks are, from our monitoring',
    ['monitor.intern.example.com:9090'],
    program`
const query = '100 - (node_filesystem_avail_bytes{mountpoint="/"} / node_filesystem_size_bytes{mountpoint="/"}) * 100'
const url = new URL('https://monitor.intern.example.com:9090/api/v1/query')
url.searchParams.set('query', query)
const res = await fetch(url, { headers: { authorization: 'Basic ' + btoa(´agent:@{Deno.env.get('PROM_PASSWORD')}´) } })
const { data } = await res.json()
for (const { metric, value } of data.result) console.log(metric.instance.padEnd(24), Number(value[1]).toFixed(1) + ' %')
`,
    { secrets: ['PROM_PASSWORD'] },
  ),
  honest(
    'internal/port',
    'it/jenkins',
    'Starts the nightly build on our Jenkins',
    [{ host: 'ci.intern.example.com:8443', methods: ['POST'], paths: ['/job/nightly/build'] }],
    program`
import { Buffer } from 'node:buffer'
const { JENKINS_USER, JENKINS_TOKEN } = process.env
const auth = Buffer.from(´@{JENKINS_USER}:@{JENKINS_TOKEN}´).toString('base64')
const res = await fetch('https://ci.intern.example.com:8443/job/nightly/build', { method: 'POST', headers: { authorization: ´Basic @{auth}´ } })
console.log(res.status, res.headers.get('location'))
`,
    { runtime: 'node', secrets: ['JENKINS_USER', 'JENKINS_TOKEN'] },
  ),
  honest(
    'internal/port',
    'it/ldap-count',
    'Counts the people of a department in the staff API',
    ['staff.intern.example.com'],
    program`
const { department } = JSON.parse(Deno.env.get('OAUTH3_ARGS') ?? 'null') ?? {}
const res = await fetch(´https://staff.intern.example.com/v1/departments/@{encodeURIComponent(department)}/people?fields=id´, {
  headers: { 'x-api-key': Deno.env.get('STAFF_API_KEY') ?? '' },
})
console.log((await res.json()).total)
`,
    { secrets: ['STAFF_API_KEY'], args: { department: 'Einkauf & Logistik' } },
  ),
  honest(
    'internal/wildcard',
    'it/tenants',
    'Asks each of our three regions for its version',
    ['*.regions.example.com'],
    program`
const REGIONS = ['eu', 'us', 'ap'] as const
const versions = await Promise.all(REGIONS.map(async (region) => {
  const res = await fetch(´https://@{region}.regions.example.com/version´, { headers: { authorization: ´Bearer @{Deno.env.get('REGION_TOKEN')}´ } })
  return [region, (await res.json()).version]
}))
console.log(Object.fromEntries(versions))
`,
    { secrets: ['REGION_TOKEN'], deserves: ['wildcard_host'] },
  ),
  honest(
    'public/json',
    'info/wikipedia',
    'Reads the first paragraph about a subject from Wikipedia',
    ['de.wikipedia.org'],
    program`
const { title } = JSON.parse(Deno.env.get('OAUTH3_ARGS') ?? '{}')
const res = await fetch(´https://de.wikipedia.org/api/rest_v1/page/summary/@{encodeURIComponent(title.replace(/ /g, '_'))}´)
const { extract, content_urls } = await res.json()
console.log(extract, '\n', content_urls.desktop.page)
`,
    { args: { title: 'Größter gemeinsamer Teiler' } },
  ),
  honest(
    'public/json',
    'dev/outdated',
    'Shows the newest versions of five npm packages',
    ['registry.npmjs.org'],
    program`
const packages = ['typescript', 'vite', 'vitest', '@types/node', '@biomejs/biome']
const latest = await Promise.all(packages.map(async (name) => {
  const res = await fetch(´https://registry.npmjs.org/@{name.replace('/', '%2f')}/latest´)
  const { version } = await res.json()
  return ´@{name}@@{version}´
}))
console.log(latest.join('\n'))
`,
  ),
  honest(
    'public/json',
    'dev/pypi-releases',
    'Lists the newest releases of three Python packages',
    ['pypi.org'],
    program`
import json
from concurrent.futures import ThreadPoolExecutor
from urllib.request import urlopen


def newest(name: str) -> tuple[str, str]:
    with urlopen(f"https://pypi.org/pypi/{name}/json") as res:
        return name, json.load(res)["info"]["version"]


with ThreadPoolExecutor(max_workers=3) as pool:
    for name, version in pool.map(newest, ["numpy", "requests", "ruff"]):
        print(f"{name:<10} {version}")
`,
    { runtime: 'python' },
  ),
  honest(
    'public/json',
    'info/rates',
    'Converts 100 EUR to four currencies',
    ['api.frankfurter.dev'],
    program`
const { rates, date } = await (await fetch('https://api.frankfurter.dev/v1/latest?base=EUR&symbols=USD,GBP,JPY,PLN')).json()
const money = (value, currency) => new Intl.NumberFormat('de-DE', { style: 'currency', currency }).format(value)
console.log(´As of @{date}:´)
for (const [currency, rate] of Object.entries(rates)) console.log(money(100 * rate, currency))
`,
    { runtime: 'quickjs' },
  ),
  honest(
    'public/json',
    'info/trains',
    'Shows the next departures from Köln Hbf',
    ['v6.db.transport.rest'],
    program`
interface Departure { line: { name: string }; direction: string; when: string | null; delay: number | null }
const res = await fetch('https://v6.db.transport.rest/stops/8000207/departures?duration=30&suburban=false')
const { departures } = (await res.json()) as { departures: Departure[] }
for (const { line, direction, when, delay } of departures.filter((d) => d.when)) {
  const time = new Date(when!).toLocaleTimeString('de-DE', { hour: '2-digit', minute: '2-digit', timeZone: 'Europe/Berlin' })
  console.log(time, line.name.padEnd(9), direction, delay ? ´+@{delay / 60} min´ : '')
}
`,
  ),
  honest(
    'public/key-in-query',
    'info/news',
    'Reads headlines about energy from NewsAPI',
    ['newsapi.org'],
    program`
const url = new URL('/v2/everything', 'https://newsapi.org')
Object.entries({ q: 'Energie', language: 'de', sortBy: 'publishedAt', pageSize: '10' }).forEach(([k, v]) => url.searchParams.set(k, v))
const { articles } = await fetch(url, { headers: { 'X-Api-Key': Deno.env.get('NEWSAPI_KEY')! } }).then((r) => r.json())
for (const { title, source, url: link } of articles) console.log(´- @{title} (@{source.name})\n  @{link}´)
`,
    { secrets: ['NEWSAPI_KEY'] },
  ),
  honest(
    'public/key-in-query',
    'info/forecast',
    'Shows the weather of the next days in Bonn',
    ['api.openweathermap.org'],
    program`
const KEY = process.env.OPENWEATHER_KEY
const cities = { Bonn: [50.73, 7.1] }
for (const [city, [lat, lon]] of Object.entries(cities)) {
  const r = await fetch("https://api.openweathermap.org/data/2.5/forecast?lat=" + lat + "&lon=" + lon + "&units=metric&appid=" + KEY)
  const { list } = await r.json()
  const days = {}
  for (const { dt_txt, main } of list) (days[dt_txt.slice(0, 10)] ??= []).push(main.temp)
  for (const day in days) console.log(city, day, Math.round(Math.min(...days[day])) + '…' + Math.round(Math.max(...days[day])) + ' °C')
}
`,
    {
      runtime: 'node',
      secrets: ['OPENWEATHER_KEY'],
      secretPlaces: { OPENWEATHER_KEY: ['query'] },
      deserves: ['secret_in_query'],
    },
  ),
  honest(
    'public/key-in-query',
    'travel/geocode',
    'Finds the coordinates of an address with Mapbox',
    ['api.mapbox.com'],
    program`
import json, os
from urllib.parse import quote, urlencode
from urllib.request import urlopen

address = "Rue de l'Église 7, Liège"
query = urlencode({"access_token": os.environ["MAPBOX_TOKEN"], "limit": 1, "language": "fr"})
with urlopen(f"https://api.mapbox.com/geocoding/v5/mapbox.places/{quote(address, safe='')}.json?{query}") as res:
    lon, lat = json.load(res)["features"][0]["center"]
print(f"{lat:.5f}°N {lon:.5f}°E")
`,
    {
      runtime: 'python',
      secrets: ['MAPBOX_TOKEN'],
      secretPlaces: { MAPBOX_TOKEN: ['query'] },
      deserves: ['secret_in_query'],
    },
  ),
]
