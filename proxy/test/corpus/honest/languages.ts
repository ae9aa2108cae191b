import { type HonestSeed, honest, program } from './case.ts'

/** Descriptions, comments and output in many languages; emoji, accents, Greek letters in formulas. */
export const languageCases = (): HonestSeed[] => [
  honest(
    'language/german',
    'buero/offene-rechnungen',
    'Zählt die offenen Rechnungen und summiert die Beträge',
    ['api.lexware.io'],
    program`
// Liest alle offenen Belege seitenweise und rechnet sie zusammen.
const schlüssel = Deno.env.get('LEXWARE_KEY')
let seite = 0, summe = 0, anzahl = 0
while (true) {
  const antwort = await fetch(´https://api.lexware.io/v1/voucherlist?voucherType=invoice&voucherStatus=open&page=@{seite}´, {
    headers: { authorization: ´Bearer @{schlüssel}´, accept: 'application/json' },
  })
  if (!antwort.ok) throw new Error(´Fehler @{antwort.status}: @{await antwort.text()}´)
  const { content, last } = await antwort.json()
  for (const beleg of content) { summe += beleg.openAmount; anzahl++ }
  if (last) break
  seite++
}
console.log(´@{anzahl} offene Rechnungen, zusammen @{summe.toLocaleString('de-DE', { style: 'currency', currency: 'EUR' })}´)
`,
    { secrets: ['LEXWARE_KEY'] },
  ),
  honest(
    'language/german',
    'haus/muellkalender',
    'Trägt die Müllabfuhr in den Kalender ein',
    ['www.googleapis.com'],
    program`
// Größe, Straße, Fußweg – Umlaute dürfen hier stehen.
const termine = { 'Restmüll': '2026-12-03', 'Papier': '2026-12-08', 'Gelber Sack': '2026-12-10' }
for (const [art, tag] of Object.entries(termine)) {
  const antwort = await fetch('https://www.googleapis.com/calendar/v3/calendars/primary/events', {
    method: 'POST',
    headers: { authorization: 'Bearer ' + Deno.env.get('GOOGLE_TOKEN'), 'content-type': 'application/json' },
    body: JSON.stringify({ summary: ´🗑️ @{art}´, start: { date: tag }, end: { date: tag } }),
  })
  console.log(antwort.ok ? '✔️' : '❌', art, tag)
}
`,
    { secrets: ['GOOGLE_TOKEN'] },
  ),
  honest(
    'language/spanish',
    'tienda/pedidos-hoy',
    'Muestra cuántos pedidos entraron hoy en la tienda',
    ['acme-shop.myshopify.com'],
    program`
# Cuenta los pedidos de hoy. ¿Por qué no ayer? Porque así lo pidió el dueño.
import json
import os
from datetime import date
from urllib.request import Request, urlopen

hoy = date.today().isoformat()
peticion = Request(
    f"https://acme-shop.myshopify.com/admin/api/2024-10/orders/count.json?status=any&created_at_min={hoy}T00:00:00",
    headers={"X-Shopify-Access-Token": os.environ["SHOPIFY_TOKEN"]},
)
with urlopen(peticion) as respuesta:
    número = json.load(respuesta)["count"]
print(f"¡Hoy hay {número} pedidos! 🎉" if número else "Hoy no hay pedidos todavía…")
`,
    { runtime: 'python', secrets: ['SHOPIFY_TOKEN'] },
  ),
  honest(
    'language/spanish',
    'ventas/nuevo-contacto',
    'Crea un contacto en HubSpot con los datos de args',
    [{ host: 'api.hubapi.com', methods: ['POST'], paths: ['/crm/v3/objects/contacts'] }],
    program`
const { nombre, correo } = JSON.parse(Deno.env.get('OAUTH3_ARGS') ?? '{}')
const respuesta = await fetch('https://api.hubapi.com/crm/v3/objects/contacts', {
  method: 'POST',
  headers: { authorization: ´Bearer @{Deno.env.get('HUBSPOT_TOKEN')}´, 'content-type': 'application/json' },
  body: JSON.stringify({ properties: { firstname: nombre, email: correo } }), // nada más
})
console.log(respuesta.status === 201 ? 'Contacto creado' : await respuesta.text())
`,
    { secrets: ['HUBSPOT_TOKEN'], args: { nombre: 'Íñigo', correo: 'inigo@example.com' } },
  ),
  honest(
    'language/japanese',
    'kaisha/kyuka',
    '今月の休暇の予定をNotionから読みます',
    ['api.notion.com'],
    program`
// 休暇データベースから今月の予定を取得して表示する。
const トークン = Deno.env.get('NOTION_TOKEN')
const 今日 = new Date()
const 月初 = new Date(今日.getFullYear(), 今日.getMonth(), 1).toISOString().slice(0, 10)
const res = await fetch('https://api.notion.com/v1/databases/7c1d/query', {
  method: 'POST',
  headers: { Authorization: ´Bearer @{トークン}´, 'Notion-Version': '2022-06-28', 'Content-Type': 'application/json' },
  body: JSON.stringify({ filter: { property: '日付', date: { on_or_after: 月初 } }, page_size: 50 }),
})
const { results } = await res.json()
for (const page of results) console.log('・', page.properties['名前'].title[0]?.plain_text ?? '(なし)')
`,
    { secrets: ['NOTION_TOKEN'] },
  ),
  honest(
    'language/japanese',
    'tenki/tokyo',
    '東京の天気を調べて表示します',
    ['api.open-meteo.com'],
    program`
const res = await fetch('https://api.open-meteo.com/v1/forecast?latitude=35.68&longitude=139.69&daily=temperature_2m_max&timezone=Asia%2FTokyo')
const { daily } = await res.json()
daily.time.forEach((日, i) => console.log(´@{日}:@{daily.temperature_2m_max[i]}℃´))
`,
    { runtime: 'node' },
  ),
  honest(
    'language/russian',
    'sklad/ostatki',
    'Показывает остатки на складе',
    ['lager.example.com:8443'],
    program`
// Читаем остатки и печатаем те, что кончаются.
const ответ = await fetch('https://lager.example.com:8443/v1/stock?below=5', {
  headers: { authorization: 'Bearer ' + Deno.env.get('LAGER_TOKEN') },
})
const { rows } = await ответ.json()
for (const строка of rows) console.log(строка.name, '—', строка.amount, 'шт.')
console.log('Всего позиций: ' + rows.length)
`,
    { secrets: ['LAGER_TOKEN'] },
  ),
  honest(
    'language/russian',
    'zadachi/segodnya',
    'Читает задачи на сегодня из Todoist',
    ['api.todoist.com'],
    program`
import json, os
from urllib.request import Request, urlopen

запрос = Request("https://api.todoist.com/api/v1/tasks/filter?query=today", headers={"Authorization": "Bearer " + os.environ["TODOIST_TOKEN"]})
задачи = json.load(urlopen(запрос))["results"]
for номер, задача in enumerate(задачи, 1):
    print(f"{номер}. {задача['content']}")
print("Готово!" if not задачи else f"Осталось: {len(задачи)}")
`,
    { runtime: 'python', secrets: ['TODOIST_TOKEN'] },
  ),
  honest(
    'language/french',
    'compta/taux',
    "Lit le taux de change de l'euro et calcule le montant",
    ['api.wise.com'],
    program`
// Où en est l'euro ? Aperçu à midi – déjà vérifié.
const réponse = await fetch('https://api.wise.com/v1/rates?source=EUR&target=CHF', { headers: { Authorization: ´Bearer @{Deno.env.get('WISE_TOKEN')}´ } })
const [{ rate, time }] = await réponse.json()
console.log(´1\u00a0000 € = @{(1000 * rate).toFixed(2)} CHF (le @{new Date(time).toLocaleDateString('fr-FR')})´)
`,
    { secrets: ['WISE_TOKEN'] },
  ),
  honest(
    'language/polish-turkish',
    'biuro/zadania',
    'Pokazuje zadania z Asany na ten tydzień',
    ['app.asana.com'],
    program`
// Żółta łódź: sprawdzamy, czy znaki są w porządku.
const { data } = await fetch('https://app.asana.com/api/1.0/tasks?assignee=me&workspace=1200&opt_fields=name,due_on', {
  headers: { authorization: ´Bearer @{Deno.env.get('ASANA_TOKEN')}´ },
}).then((odpowiedź) => odpowiedź.json())
const tydzień = new Date(Date.now() + 7 * 864e5).toISOString().slice(0, 10)
data.filter((z) => z.due_on && z.due_on <= tydzień).forEach((z) => console.log(z.due_on, z.name))
`,
    { secrets: ['ASANA_TOKEN'] },
  ),
  honest(
    'language/polish-turkish',
    'ofis/toplantilar',
    'Yaklaşan Zoom toplantılarını gösterir',
    ['api.zoom.us'],
    program`
const yanıt = await fetch('https://api.zoom.us/v2/users/me/meetings?type=upcoming', { headers: { authorization: ´Bearer @{process.env.ZOOM_TOKEN}´ } })
const { meetings } = await yanıt.json()
for (const { topic, start_time } of meetings) console.log(new Date(start_time).toLocaleString('tr-TR'), topic)
if (meetings.length === 0) console.log('Hiç toplantı yok, iyi günler 🌞')
`,
    { runtime: 'node', secrets: ['ZOOM_TOKEN'] },
  ),
  honest(
    'language/greek-formulas',
    'labor/statistics',
    'Computes mean and deviation of the measurements in the lab API',
    ['lab.intern.example.com'],
    program`
import json, math, os
from urllib.request import Request, urlopen

values = json.load(urlopen(Request("https://lab.intern.example.com/v1/series/12", headers={"X-Api-Key": os.environ["LAB_KEY"]})))["values"]
n = len(values)
μ = sum(values) / n
σ = math.sqrt(sum((x - μ) ** 2 for x in values) / (n - 1))
α = 0.05
Δ = 1.96 * σ / math.sqrt(n)
print(f"μ = {μ:.3f} ± {Δ:.3f} (α = {α}), σ = {σ:.3f}")
`,
    { runtime: 'python', secrets: ['LAB_KEY'] },
  ),
  honest(
    'language/greek-formulas',
    'energy/solar',
    'Estimates the yield of our solar panels from the radiation of today',
    ['api.open-meteo.com'],
    program`
import json
from math import cos, pi, radians, sin
from urllib.request import urlopen

φ, λ, β = 48.14, 11.58, 30  # latitude, longitude, tilt of the panels
data = json.load(urlopen(f"https://api.open-meteo.com/v1/forecast?latitude={φ}&longitude={λ}&hourly=shortwave_radiation&forecast_days=1"))
δ = 23.45 * sin(2 * pi * (284 + 332) / 365)
η = 0.19
θ = radians(φ - δ - β)
E = sum(data["hourly"]["shortwave_radiation"]) / 1000 * η * 24.5 * max(cos(θ), 0)
print(f"≈ {E:.1f} kWh")
`,
    { runtime: 'python' },
  ),
  honest(
    'language/greek-formulas',
    'trading/beta',
    'Computes beta of a share from daily prices',
    ['api.twelvedata.com'],
    program`
const key = Deno.env.get('TWELVEDATA_KEY')
const series = async (symbol: string): Promise<number[]> => {
  const res = await fetch(´https://api.twelvedata.com/time_series?symbol=@{symbol}&interval=1day&outputsize=250´, { headers: { authorization: ´apikey @{key}´ } })
  return (await res.json()).values.map((v: { close: string }) => Number(v.close)).reverse()
}
const returns = (p: number[]) => p.slice(1).map((x, i) => x / p[i]! - 1)
const [r, m] = (await Promise.all([series('SAP'), series('SPY')])).map(returns) as [number[], number[]]
const μ = (xs: number[]) => xs.reduce((Σ, x) => Σ + x, 0) / xs.length
const cov = μ(r.map((x, i) => (x - μ(r)) * (m[i]! - μ(m))))
const σ2 = μ(m.map((x) => (x - μ(m)) ** 2))
console.log('β =', (cov / σ2).toFixed(2))
`,
    { secrets: ['TWELVEDATA_KEY'] },
  ),
  honest(
    'look/emoji-with-selector',
    'ops/status-emoji',
    'Shows the state of our servers with emoji',
    ['api.hetzner.cloud'],
    program`
const ICONS = { running: '✔️', off: '⚠️', starting: '⏱️', unknown: '❓️' }
const FLAGS = ['🇩🇪', '🇫🇮']
const { servers } = await fetch('https://api.hetzner.cloud/v1/servers', { headers: { authorization: ´Bearer @{Deno.env.get('HCLOUD_TOKEN')}´ } }).then((r) => r.json())
for (const s of servers) console.log(ICONS[s.status] ?? ICONS.unknown, s.name, '❤️', FLAGS.length, '1️⃣')
`,
    { secrets: ['HCLOUD_TOKEN'] },
  ),
  honest(
    'look/emoji-with-selector',
    'home/shopping',
    'Prints the shopping list of Todoist ☀️',
    ['api.todoist.com'],
    program`
import json, os, urllib.request

ICON = {"Brot": "🍞", "Milch": "🥛", "Salz": "☑️"}
req = urllib.request.Request("https://api.todoist.com/api/v1/tasks?project_id=6a1", headers={"Authorization": f"Bearer {os.environ['TODOIST_TOKEN']}"})
for task in json.load(urllib.request.urlopen(req))["results"]:
    print(ICON.get(task["content"], "▪️"), task["content"])
print("👨‍👩‍👧 fertig ✌️")
`,
    { runtime: 'python', secrets: ['TODOIST_TOKEN'] },
  ),
  honest(
    'look/escaped-accent',
    'office/cafe-list',
    'Lists cafés in Airtable',
    ['api.airtable.com'],
    program`
const name = 'Caf\u00e9s'
const res = await fetch('https://api.airtable.com/v0/appAcme/' + encodeURIComponent('Orte') + '?maxRecords=20', {
  headers: { authorization: ´Bearer @{Deno.env.get('AIRTABLE_PAT')}´ },
})
const { records } = await res.json()
console.log(name, records.map((r) => r.fields.Name).join(', '))
`,
    { secrets: ['AIRTABLE_PAT'] },
  ),
  honest(
    'look/escaped-accent',
    'office/price-list',
    'Prints the price list of our shop in euro',
    ['acme-shop.myshopify.com'],
    program`
import json, os, urllib.request

EURO = "\u20ac"
req = urllib.request.Request("https://acme-shop.myshopify.com/admin/api/2024-10/products.json?limit=50", headers={"X-Shopify-Access-Token": os.environ["SHOPIFY_TOKEN"]})
for p in json.load(urllib.request.urlopen(req))["products"]:
    print(f"{p['title']:<30}{p['variants'][0]['price']:>9} {EURO}")
`,
    { runtime: 'python', secrets: ['SHOPIFY_TOKEN'] },
  ),
]
