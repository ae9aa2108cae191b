import { type HonestSeed, honest, program } from './case.ts'

/** Messages to people and channels; streams and sockets that are read. */
export const messagingCases = (): HonestSeed[] => [
  honest(
    'message/own-slack-webhook',
    'ops/notify-deploy',
    'Posts the version of args to our #deploys channel through our Slack webhook',
    ['hooks.slack.com'],
    program`
const { version } = JSON.parse(Deno.env.get('OAUTH3_ARGS') ?? '{}')
const path = Deno.env.get('SLACK_WEBHOOK_PATH')
const res = await fetch('https://hooks.slack.com/services/' + path, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ text: ´:rocket: *@{version}* is live´, blocks: [{ type: 'section', text: { type: 'mrkdwn', text: ´*@{version}* is live´ } }] }),
})
console.log(await res.text())
`,
    {
      secrets: ['SLACK_WEBHOOK_PATH'],
      rawSecrets: ['SLACK_WEBHOOK_PATH'],
      args: { version: '4.2.0' },
      deserves: ['raw_secret', 'webhook_url_secret'],
    },
  ),
  honest(
    'message/own-slack-webhook',
    'ops/notify-discord',
    'Posts "Backup done" to our Discord channel by webhook',
    ['discord.com'],
    program`
import json, os, urllib.request

url = f"https://discord.com/api/webhooks/1180/{os.environ['DISCORD_WEBHOOK_TOKEN']}"
payload = {"username": "backup", "embeds": [{"title": "Backup done ✅", "color": 0x2ECC71}]}
req = urllib.request.Request(url, json.dumps(payload).encode(), {"Content-Type": "application/json", "User-Agent": "acme/1.0"})
print(urllib.request.urlopen(req).status)
`,
    {
      runtime: 'python',
      secrets: ['DISCORD_WEBHOOK_TOKEN'],
      rawSecrets: ['DISCORD_WEBHOOK_TOKEN'],
      deserves: ['raw_secret', 'webhook_url_secret'],
    },
  ),
  honest(
    'message/telegram-bot',
    'home/remind',
    'Sends a reminder to my Telegram chat',
    ['api.telegram.org'],
    program`
const token = Deno.env.get('TELEGRAM_BOT_TOKEN')
const api = (method: string, params: Record<string, unknown>) =>
  fetch(´https://api.telegram.org/bot@{token}/@{method}´, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(params),
  }).then((r) => r.json())
const { ok, description } = await api('sendMessage', { chat_id: 77001, text: '⏰ Put the bins out!', disable_notification: false })
console.log(ok ? 'sent' : description)
`,
    { secrets: ['TELEGRAM_BOT_TOKEN'], rawSecrets: ['TELEGRAM_BOT_TOKEN'], deserves: ['raw_secret'] },
  ),
  honest(
    'message/telegram-bot',
    'home/telegram-updates',
    'Reads the newest messages to my bot',
    ['api.telegram.org'],
    program`
import json, os
from urllib.request import urlopen

BASE = "https://api.telegram.org/bot" + os.environ["TELEGRAM_BOT_TOKEN"]
updates = json.load(urlopen(BASE + "/getUpdates?limit=20"))["result"]
for update in updates:
    message = update.get("message") or {}
    print(message.get("from", {}).get("first_name"), ":", message.get("text"))
`,
    {
      runtime: 'python',
      secrets: ['TELEGRAM_BOT_TOKEN'],
      rawSecrets: ['TELEGRAM_BOT_TOKEN'],
      deserves: ['raw_secret'],
    },
  ),
  honest(
    'message/twilio-form',
    'ops/sms',
    'Sends an SMS to the person on call',
    ['api.twilio.com'],
    program`
const SID = 'AC1acme'
const body = new URLSearchParams()
body.set('To', '+4915100000000')
body.set('From', '+4930000000')
body.set('Body', 'Disk of db-1 is 91 % full')
const res = await fetch(´https://api.twilio.com/2010-04-01/Accounts/@{SID}/Messages.json´, {
  method: 'POST', headers: { authorization: 'Basic ' + btoa(SID + ':' + Deno.env.get('TWILIO_TOKEN')) }, body,
})
const { sid, status, message } = await res.json()
console.log(sid ?? message, status)
`,
    { secrets: ['TWILIO_TOKEN'] },
  ),
  honest(
    'message/twilio-form',
    'mail/mailgun',
    'Mails the newsletter to the list with Mailgun',
    [{ host: 'api.eu.mailgun.net', methods: ['POST'], paths: ['/v3/mg.example.com/messages'] }],
    program`
const form = new FormData()
form.append('from', 'Acme <news@example.com>')
form.append('to', 'newsletter@mg.example.com')
form.append('subject', 'November ☕')
form.append('html', '<h1>Hello</h1><p>See <a href="https://example.com/news">our news</a>.</p>')
form.append('attachment', new Blob(['a;b\n1;2\n'], { type: 'text/csv' }), 'prices.csv')
const res = await fetch('https://api.eu.mailgun.net/v3/mg.example.com/messages', {
  method: 'POST', headers: { Authorization: 'Basic ' + Buffer.from('api:' + process.env.MAILGUN_KEY).toString('base64') }, body: form,
})
console.log(res.status, await res.json())
`,
    { runtime: 'node', secrets: ['MAILGUN_KEY'] },
  ),
  honest(
    'message/read-here-post-there',
    'dev/release-notes',
    'Reads the latest release of acme/shop and posts it to #releases',
    ['api.github.com', 'slack.com'],
    program`
const gh = await fetch('https://api.github.com/repos/acme/shop/releases/latest', {
  headers: { authorization: ´Bearer @{Deno.env.get('GITHUB_TOKEN')}´, accept: 'application/vnd.github+json' },
})
const release = await gh.json()
const text = [´*@{release.name}*´, release.body?.slice(0, 2500), ´<@{release.html_url}|On GitHub>´].filter(Boolean).join('\n\n')
const post = await fetch('https://slack.com/api/chat.postMessage', {
  method: 'POST',
  headers: { authorization: ´Bearer @{Deno.env.get('SLACK_BOT_TOKEN')}´, 'content-type': 'application/json; charset=utf-8' },
  body: JSON.stringify({ channel: '#releases', text, unfurl_links: false }),
})
console.log((await post.json()).ok)
`,
    { secrets: ['GITHUB_TOKEN', 'SLACK_BOT_TOKEN'] },
  ),
  honest(
    'message/read-here-post-there',
    'ops/incident-summary',
    'Reads open PagerDuty incidents and posts a summary to #ops when there are any',
    [
      { host: 'api.pagerduty.com', methods: ['GET'], paths: ['/incidents'] },
      { host: 'slack.com', methods: ['POST'], paths: ['/api/chat.postMessage'] },
    ],
    program`
const params = new URLSearchParams([['statuses[]', 'triggered'], ['statuses[]', 'acknowledged']])
const { incidents } = await fetch('https://api.pagerduty.com/incidents?' + params, {
  headers: { Authorization: ´Token token=@{process.env.PAGERDUTY_TOKEN}´ },
}).then((r) => r.json())
if (incidents.length === 0) {
  console.log('quiet')
} else {
  const lines = incidents.map((i) => ´• <@{i.html_url}|#@{i.incident_number}> @{i.title}´)
  await fetch('https://slack.com/api/chat.postMessage', {
    method: 'POST',
    headers: { Authorization: ´Bearer @{process.env.SLACK_BOT_TOKEN}´, 'Content-Type': 'application/json' },
    body: JSON.stringify({ channel: 'C0OPS', text: lines.join('\n') }),
  })
  console.log(´posted @{incidents.length}´)
}
`,
    { runtime: 'node', secrets: ['PAGERDUTY_TOKEN', 'SLACK_BOT_TOKEN'] },
  ),
  honest(
    'message/read-here-post-there',
    'home/weather-to-discord',
    'Sends the weather of Graz to our Discord channel',
    ['api.openweathermap.org', 'discord.com'],
    program`
import json, os
from urllib.request import Request, urlopen

key = os.environ["OPENWEATHER_KEY"]
w = json.load(urlopen(f"https://api.openweathermap.org/data/2.5/weather?q=Graz,AT&units=metric&lang=de&appid={key}"))
text = f"🌤️ Graz: {w['main']['temp']:.0f} °C, {w['weather'][0]['description']}"
urlopen(Request(
    "https://discord.com/api/v10/channels/111/messages",
    data=json.dumps({"content": text}).encode(),
    headers={"Authorization": "Bot " + os.environ["DISCORD_BOT_TOKEN"], "Content-Type": "application/json"},
))
print(text)
`,
    {
      runtime: 'python',
      secrets: ['OPENWEATHER_KEY', 'DISCORD_BOT_TOKEN'],
      secretPlaces: { OPENWEATHER_KEY: ['query'] },
      deserves: ['secret_in_query'],
    },
  ),
  honest(
    'socket/read-feed',
    'trading/ticker',
    'Reads ten prices of BTC-EUR from the Coinbase feed by WebSocket',
    [{ host: 'ws-feed.exchange.coinbase.com', websocket: true }],
    program`
const socket = new WebSocket('wss://ws-feed.exchange.coinbase.com')
const prices: number[] = []
await new Promise<void>((resolve, reject) => {
  socket.onopen = () => socket.send(JSON.stringify({ type: 'subscribe', product_ids: ['BTC-EUR'], channels: ['ticker'] }))
  socket.onerror = () => reject(new Error('no connection'))
  socket.onmessage = ({ data }) => {
    const event = JSON.parse(data)
    if (event.type === 'ticker') prices.push(Number(event.price))
    if (prices.length === 10) { socket.close(); resolve() }
  }
})
console.log(Math.min(...prices), Math.max(...prices))
`,
    { deserves: ['websocket'] },
  ),
  honest(
    'socket/read-feed',
    'home/ha-states',
    'Opens a WebSocket to Home Assistant and reads the states',
    ['ha.example.com:8123'],
    program`
const ws = new WebSocket('wss://ha.example.com:8123/api/websocket');
const say = (message) => ws.send(JSON.stringify(message));
ws.addEventListener('message', ({ data }) => {
  const message = JSON.parse(data);
  switch (message.type) {
    case 'auth_required':
      say({ type: 'auth', access_token: process.env.HA_TOKEN });
      break;
    case 'auth_ok':
      say({ id: 1, type: 'get_states' });
      break;
    case 'result':
      console.log(message.result.map((s) => s.entity_id + '=' + s.state).join('\n'));
      ws.close();
  }
});
`,
    {
      runtime: 'node',
      secrets: ['HA_TOKEN'],
      rawSecrets: ['HA_TOKEN'],
      deserves: ['raw_secret', 'websocket'],
    },
  ),
  honest(
    'socket/read-feed',
    'social/jetstream',
    'Watches new Bluesky posts about coffee for 20 seconds by WebSocket',
    ['jetstream2.us-east.bsky.network'],
    program`
const url = new URL('/subscribe', 'wss://jetstream2.us-east.bsky.network')
url.searchParams.append('wantedCollections', 'app.bsky.feed.post')
const ws = new WebSocket(url)
const timer = setTimeout(() => ws.close(), 20_000)
let hits = 0
ws.onmessage = (event) => {
  const text: string = JSON.parse(event.data).commit?.record?.text ?? ''
  if (/\bcoffee\b/i.test(text)) console.log(++hits, text.replaceAll('\n', ' ').slice(0, 120))
}
await new Promise((resolve) => ws.addEventListener('close', resolve))
clearTimeout(timer)
`,
    { deserves: ['websocket'] },
  ),
  honest(
    'socket/event-stream',
    'social/mastodon-stream',
    'Watches my Mastodon notifications for half a minute',
    ['mastodon.social'],
    program`
const res = await fetch('https://mastodon.social/api/v1/streaming/user/notification', {
  headers: { Authorization: ´Bearer @{Deno.env.get('MASTODON_TOKEN')}´ },
  signal: AbortSignal.timeout(30_000),
})
try {
  for await (const line of res.body!.pipeThrough(new TextDecoderStream())) {
    if (line.startsWith(':')) continue
    console.log(line.trim())
  }
} catch (error) {
  if ((error as Error).name !== 'TimeoutError') throw error
}
`,
    { secrets: ['MASTODON_TOKEN'] },
  ),
  honest(
    'webhook/register',
    'dev/register-hook',
    'Registers our own webhook hooks.example.com/github in acme/shop',
    ['api.github.com'],
    program`
const res = await fetch('https://api.github.com/repos/acme/shop/hooks', {
  method: 'POST',
  headers: { authorization: ´Bearer @{Deno.env.get('GITHUB_TOKEN')}´, accept: 'application/vnd.github+json' },
  body: JSON.stringify({
    name: 'web', active: true, events: ['push', 'pull_request'],
    config: { url: 'https://hooks.example.com/github', content_type: 'json', insecure_ssl: '0' },
  }),
})
console.log(res.status, (await res.json()).id)
`,
    { secrets: ['GITHUB_TOKEN'] },
  ),
  honest(
    'webhook/verify',
    'shop/verify-signature',
    'Checks the signature of a Stripe event in args',
    [],
    program`
const { payload, header } = JSON.parse(Deno.env.get('OAUTH3_ARGS') ?? '{}')
const parts = Object.fromEntries(header.split(',').map((kv: string) => kv.split('=', 2)))
const key = await crypto.subtle.importKey(
  'raw', new TextEncoder().encode(Deno.env.get('STRIPE_WEBHOOK_SECRET')), { name: 'HMAC', hash: 'SHA-256' }, false, ['verify'],
)
const signature = Uint8Array.from(parts.v1.match(/../g).map((byte: string) => parseInt(byte, 16)))
const good = await crypto.subtle.verify('HMAC', key, signature, new TextEncoder().encode(´@{parts.t}.@{payload}´))
console.log(good ? 'valid' : 'NOT valid')
`,
    {
      secrets: ['STRIPE_WEBHOOK_SECRET'],
      rawSecrets: ['STRIPE_WEBHOOK_SECRET'],
      args: { payload: '{}', header: 't=1,v1=00' },
      deserves: ['raw_secret'],
    },
  ),
]
