import { type HonestSeed, honest, program } from './case.ts'

/** Payments, banks, exchange rates and shares. */
export const moneyCases = (): HonestSeed[] => [
  honest(
    'money/form-body',
    'shop/refund',
    'Refunds the charge of args in full',
    ['api.stripe.com'],
    program`
const { charge } = JSON.parse(Deno.env.get('OAUTH3_ARGS') ?? '{}')
const res = await fetch('https://api.stripe.com/v1/refunds', {
  method: 'POST',
  headers: {
    Authorization: 'Basic ' + btoa(Deno.env.get('STRIPE_KEY') + ':'),
    'Content-Type': 'application/x-www-form-urlencoded',
  },
  body: new URLSearchParams({ charge, reason: 'requested_by_customer' }),
})
const refund = await res.json()
console.log(refund.id ?? refund.error.message)
`,
    { secrets: ['STRIPE_KEY'], args: { charge: 'ch_1' } },
  ),
  honest(
    'money/form-body',
    'shop/create-price',
    'Creates a product "Mug" in Stripe and a price of 12.50 EUR for it',
    [{ host: 'api.stripe.com', methods: ['POST'], paths: ['/v1/products', '/v1/prices'], requests: 2 }],
    program`
const key = process.env.STRIPE_KEY;
const post = async (path, form) => {
  const res = await fetch("https://api.stripe.com/v1" + path, {
    method: "POST",
    headers: { authorization: "Bearer " + key, "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams(form).toString(),
  });
  const json = await res.json();
  if (json.error) throw new Error(json.error.message);
  return json;
};
const product = await post("/products", { name: "Mug" });
const price = await post("/prices", { product: product.id, currency: "eur", unit_amount: "1250" });
console.log(product.id, price.id);
`,
    { runtime: 'node', secrets: ['STRIPE_KEY'] },
  ),
  honest(
    'money/form-body',
    'finance/mrr',
    'Computes the monthly recurring revenue from active Stripe subscriptions',
    ['api.stripe.com'],
    program`
import base64, json, os
from decimal import Decimal
from urllib.parse import urlencode
from urllib.request import Request, urlopen

AUTH = "Basic " + base64.b64encode((os.environ["STRIPE_KEY"] + ":").encode()).decode()


def subscriptions():
    params = {"status": "active", "limit": 100}
    while True:
        req = Request("https://api.stripe.com/v1/subscriptions?" + urlencode(params), headers={"Authorization": AUTH})
        page = json.load(urlopen(req))
        yield from page["data"]
        if not page["has_more"]:
            return
        params["starting_after"] = page["data"][-1]["id"]


mrr = Decimal(0)
for sub in subscriptions():
    for item in sub["items"]["data"]:
        price = item["price"]
        amount = Decimal(price["unit_amount"] or 0) / 100 * item["quantity"]
        mrr += amount if price["recurring"]["interval"] == "month" else amount / 12
print(f"MRR: {mrr:.2f} €")
`,
    { runtime: 'python', secrets: ['STRIPE_KEY'] },
  ),
  honest(
    'money/cursor-by-last-id',
    'shop/count-charges',
    'Counts the charges of the last 30 days',
    ['api.stripe.com'],
    program`
const key = Deno.env.get('STRIPE_KEY')
const since = Math.floor(Date.now() / 1000) - 30 * 86_400
let count = 0, sum = 0, after
do {
  const q = new URLSearchParams({ limit: '100', 'created[gte]': ´@{since}´ })
  if (after) q.append('starting_after', after)
  const page = await (await fetch(´https://api.stripe.com/v1/charges?@{q}´, { headers: { Authorization: ´Bearer @{key}´ } })).json()
  for (const c of page.data) { count += 1; sum += c.amount - c.amount_refunded }
  after = page.has_more ? page.data.at(-1).id : undefined
} while (after)
console.log({ count, sum: (sum / 100).toFixed(2) })
`,
    { secrets: ['STRIPE_KEY'] },
  ),
  honest(
    'money/oauth-then-call',
    'shop/paypal-balance',
    'Logs in to PayPal and shows the balances',
    ['api-m.paypal.com'],
    program`
const PAYPAL = 'https://api-m.paypal.com'
const id = Deno.env.get('PAYPAL_CLIENT_ID'), secret = Deno.env.get('PAYPAL_SECRET')

const login = await fetch(PAYPAL + '/v1/oauth2/token', {
  method: 'POST',
  headers: { authorization: ´Basic @{btoa(´@{id}:@{secret}´)}´ },
  body: new URLSearchParams({ grant_type: 'client_credentials' }),
})
const { access_token } = await login.json()
const res = await fetch(PAYPAL + '/v1/reporting/balances', { headers: { authorization: ´Bearer @{access_token}´ } })
const { balances } = await res.json()
for (const b of balances) console.log(b.currency, b.total_balance.value)
`,
    { secrets: ['PAYPAL_CLIENT_ID', 'PAYPAL_SECRET'] },
  ),
  honest(
    'money/oauth-then-call',
    'acme/spotify-refresh',
    'Refreshes the Spotify token and lists the last 20 songs heard',
    ['accounts.spotify.com', 'api.spotify.com'],
    program`
const env = (name: string) => Deno.env.get(name) ?? ''
const { access_token } = await fetch('https://accounts.spotify.com/api/token', {
  method: 'POST',
  headers: {
    'content-type': 'application/x-www-form-urlencoded',
    authorization: 'Basic ' + btoa(env('SPOTIFY_CLIENT_ID') + ':' + env('SPOTIFY_CLIENT_SECRET')),
  },
  body: ´grant_type=refresh_token&refresh_token=@{env('SPOTIFY_REFRESH_TOKEN')}´,
}).then((r) => r.json())
const played = await fetch('https://api.spotify.com/v1/me/player/recently-played?limit=20', {
  headers: { authorization: 'Bearer ' + access_token },
}).then((r) => r.json())
console.log(played.items.map(({ track, played_at }) => ´@{played_at.slice(0, 16)}  @{track.artists[0].name} – @{track.name}´).join('\n'))
`,
    {
      secrets: ['SPOTIFY_CLIENT_ID', 'SPOTIFY_CLIENT_SECRET', 'SPOTIFY_REFRESH_TOKEN'],
      secretPlaces: { SPOTIFY_REFRESH_TOKEN: ['body'] },
      deserves: ['secret_in_body'],
    },
  ),
  honest(
    'money/oauth-then-call',
    'acme/zoom-users',
    'Gets a Zoom token for the account and lists its users',
    ['zoom.us', 'api.zoom.us'],
    program`
import base64, json, os, urllib.parse, urllib.request as u

basic = base64.b64encode(f"{os.environ['ZOOM_CLIENT_ID']}:{os.environ['ZOOM_CLIENT_SECRET']}".encode()).decode()
form = urllib.parse.urlencode({"grant_type": "account_credentials", "account_id": "acme123"}).encode()
token = json.load(u.urlopen(u.Request("https://zoom.us/oauth/token", form, {"Authorization": "Basic " + basic})))["access_token"]
users = json.load(u.urlopen(u.Request("https://api.zoom.us/v2/users?page_size=300", headers={"Authorization": "Bearer " + token})))
for user in users["users"]:
    print(user["email"], user["type"])
`,
    { runtime: 'python', secrets: ['ZOOM_CLIENT_ID', 'ZOOM_CLIENT_SECRET'] },
  ),
  honest(
    'money/hmac-signed',
    'trading/accounts',
    'Shows the Coinbase Exchange accounts; signs each request',
    ['api.exchange.coinbase.com'],
    program`
import { createHmac } from 'node:crypto'

const { CB_KEY, CB_SECRET, CB_PASSPHRASE } = process.env
async function signed(method, path, body = '') {
  const timestamp = (Date.now() / 1000).toFixed(3)
  const signature = createHmac('sha256', Buffer.from(CB_SECRET, 'base64')).update(timestamp + method + path + body).digest('base64')
  const res = await fetch('https://api.exchange.coinbase.com' + path, {
    method,
    headers: {
      'CB-ACCESS-KEY': CB_KEY,
      'CB-ACCESS-SIGN': signature,
      'CB-ACCESS-TIMESTAMP': timestamp,
      'CB-ACCESS-PASSPHRASE': CB_PASSPHRASE,
    },
    body: body || undefined,
  })
  if (!res.ok) throw new Error(await res.text())
  return res.json()
}
const accounts = await signed('GET', '/accounts')
for (const { currency, balance } of accounts.filter((a) => Number(a.balance) > 0)) console.log(currency.padEnd(6), balance)
`,
    {
      runtime: 'node',
      secrets: ['CB_KEY', 'CB_SECRET', 'CB_PASSPHRASE'],
      rawSecrets: ['CB_SECRET'],
      deserves: ['raw_secret'],
    },
  ),
  honest(
    'money/hmac-signed',
    'trading/kraken-balance',
    'Reads the balance at Kraken with a signed request',
    ['api.kraken.com'],
    program`
import base64, hashlib, hmac, json, os, time, urllib.parse, urllib.request

nonce = str(int(time.time() * 1000))
path = "/0/private/Balance"
data = urllib.parse.urlencode({"nonce": nonce})
digest = hashlib.sha256((nonce + data).encode()).digest()
mac = hmac.new(base64.b64decode(os.environ["KRAKEN_SECRET"]), path.encode() + digest, hashlib.sha512)
req = urllib.request.Request(
    "https://api.kraken.com" + path,
    data=data.encode(),
    headers={"API-Key": os.environ["KRAKEN_KEY"], "API-Sign": base64.b64encode(mac.digest()).decode()},
)
print(json.load(urllib.request.urlopen(req))["result"])
`,
    {
      runtime: 'python',
      secrets: ['KRAKEN_KEY', 'KRAKEN_SECRET'],
      rawSecrets: ['KRAKEN_SECRET'],
      deserves: ['raw_secret'],
    },
  ),
  honest(
    'money/key-in-query',
    'crypto/eth-balance',
    'Shows the ETH balance of an address',
    ['api.etherscan.io'],
    program`
const { address } = JSON.parse(Deno.env.get('OAUTH3_ARGS')!)
const url = new URL('https://api.etherscan.io/v2/api')
url.search = new URLSearchParams({
  chainid: '1', module: 'account', action: 'balance', tag: 'latest', address, apikey: Deno.env.get('ETHERSCAN_KEY')!,
}).toString()
const { status, message, result } = await (await fetch(url)).json()
if (status !== '1') throw new Error(message)
console.log(´@{Number(BigInt(result) / 10n ** 12n) / 1e6} ETH´)
`,
    {
      secrets: ['ETHERSCAN_KEY'],
      secretPlaces: { ETHERSCAN_KEY: ['query'] },
      args: { address: '0xde0B295669a9FD93d5F28D9Ec85E40f4cb697BAe' },
      deserves: ['secret_in_query'],
    },
  ),
  honest(
    'money/key-in-query',
    'finance/share-price',
    'Reads the last price of three shares',
    ['www.alphavantage.co'],
    program`
const key = Deno.env.get('ALPHAVANTAGE_KEY')
for (const symbol of ['SAP.DEX', 'IBM', 'NVDA']) {
  const res = await fetch(´https://www.alphavantage.co/query?function=GLOBAL_QUOTE&symbol=@{symbol}&apikey=@{key}´)
  const quote = (await res.json())['Global Quote']
  console.log(symbol, quote?.['05. price'] ?? 'no data')
  await new Promise((done) => setTimeout(done, 1200))
}
`,
    {
      secrets: ['ALPHAVANTAGE_KEY'],
      secretPlaces: { ALPHAVANTAGE_KEY: ['query'] },
      deserves: ['secret_in_query'],
    },
  ),
  honest(
    'money/key-in-query',
    'finance/eur-usd',
    'Reads the rates of the euro from Open Exchange Rates',
    ['openexchangerates.org'],
    program`
import json, os
from urllib.request import urlopen

app_id = os.environ["OXR_APP_ID"]
rates = json.load(urlopen(f"https://openexchangerates.org/api/latest.json?app_id={app_id}&symbols=EUR,GBP,CHF"))["rates"]
for currency, rate in sorted(rates.items()):
    print(f"1 EUR = {rate / rates['EUR']:.4f} {currency}")
`,
    {
      runtime: 'python',
      secrets: ['OXR_APP_ID'],
      secretPlaces: { OXR_APP_ID: ['query'] },
      deserves: ['secret_in_query'],
    },
  ),
  honest(
    'money/secret-in-body',
    'finance/plaid-balances',
    'Asks Plaid for the balances of the linked account',
    ['production.plaid.com'],
    program`
const body = {
  client_id: Deno.env.get('PLAID_CLIENT_ID'),
  secret: Deno.env.get('PLAID_SECRET'),
  access_token: Deno.env.get('PLAID_ACCESS_TOKEN'),
}
const res = await fetch('https://production.plaid.com/accounts/balance/get', {
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(body),
})
const { accounts = [], error_message } = await res.json()
if (error_message) throw new Error(error_message)
console.log(accounts.map((a: any) => ´@{a.name}: @{a.balances.current} @{a.balances.iso_currency_code}´).join('\n'))
`,
    {
      secrets: ['PLAID_CLIENT_ID', 'PLAID_SECRET', 'PLAID_ACCESS_TOKEN'],
      secretPlaces: { PLAID_CLIENT_ID: ['body'], PLAID_SECRET: ['body'], PLAID_ACCESS_TOKEN: ['body'] },
      deserves: ['secret_in_body'],
    },
  ),
  honest(
    'money/quote-and-transfer',
    'finance/pay-invoice',
    'Pays the invoice of args: makes a Wise quote, a transfer and funds it',
    [
      {
        host: 'api.wise.com',
        methods: ['POST'],
        paths: ['/v3/profiles/77/quotes', '/v1/transfers', '/v3/profiles/77/transfers/*/payments'],
        requests: 3,
      },
    ],
    program`
const { recipient, amount, reference } = JSON.parse(Deno.env.get('OAUTH3_ARGS') ?? '{}')
const PROFILE = 77
const headers = { Authorization: ´Bearer @{Deno.env.get('WISE_TOKEN')}´, 'Content-Type': 'application/json' }

async function post(path: string, body: unknown) {
  const res = await fetch('https://api.wise.com' + path, { method: 'POST', headers, body: JSON.stringify(body) })
  if (!res.ok) throw new Error(´@{path}: @{res.status} @{await res.text()}´)
  return res.json()
}

const quote = await post(´/v3/profiles/@{PROFILE}/quotes´, { sourceCurrency: 'EUR', targetCurrency: 'EUR', targetAmount: amount })
const transfer = await post('/v1/transfers', {
  targetAccount: recipient, quoteUuid: quote.id, customerTransactionId: crypto.randomUUID(), details: { reference },
})
const paid = await post(´/v3/profiles/@{PROFILE}/transfers/@{transfer.id}/payments´, { type: 'BALANCE' })
console.log(transfer.id, paid.status)
`,
    { secrets: ['WISE_TOKEN'], args: { recipient: 5501, amount: 120, reference: 'RE-2026-118' } },
  ),
]
