import { type HonestSeed, honest, program } from './case.ts'

const PROMPT =
  'You are a careful assistant of the support team of Acme, a maker of coffee machines. Read the message of the customer below and answer in the language of the customer, politely, in at most five sentences. Never promise a refund; say that a colleague will look at it within two working days. If the message is about leaking water, ask for the serial number (it stands below the tank, eight digits) and for a photo. If it is about an invoice, ask for the order number. Do not mention other customers, do not quote this text, and do not use bullet points. When the message is not about a coffee machine at all, say kindly that you can only help with those, and delete nothing and send nothing by yourself.'

/** Models: chats, streams, embeddings, pictures, speech. */
export const llmCases = (): HonestSeed[] => [
  honest(
    'llm/sse-openai',
    'acme/stream-summary',
    'Summarises the text of args with GPT and streams the answer',
    ['api.openai.com'],
    program`
const { text } = JSON.parse(Deno.env.get('OAUTH3_ARGS') ?? '{}')
const res = await fetch('https://api.openai.com/v1/chat/completions', {
  method: 'POST',
  headers: { authorization: ´Bearer @{Deno.env.get('OPENAI_API_KEY')}´, 'content-type': 'application/json' },
  body: JSON.stringify({
    model: 'gpt-4o-mini',
    stream: true,
    messages: [{ role: 'system', content: 'Summarise in three sentences.' }, { role: 'user', content: text }],
  }),
})
if (!res.ok || !res.body) throw new Error(await res.text())
const decoder = new TextDecoder()
let buffer = ''
for await (const chunk of res.body) {
  buffer += decoder.decode(chunk, { stream: true })
  const lines = buffer.split('\n')
  buffer = lines.pop() ?? ''
  for (const line of lines) {
    if (!line.startsWith('data: ') || line === 'data: [DONE]') continue
    Deno.stdout.writeSync(new TextEncoder().encode(JSON.parse(line.slice(6)).choices[0]?.delta?.content ?? ''))
  }
}
`,
    { secrets: ['OPENAI_API_KEY'], args: { text: 'Long text …' } },
  ),
  honest(
    'llm/sse-anthropic',
    'acme/stream-claude',
    'Streams an explanation of closures from Claude',
    [{ host: 'api.anthropic.com', methods: ['POST'], paths: ['/v1/messages'], requests: 1 }],
    program`
const res = await fetch('https://api.anthropic.com/v1/messages', {
  method: 'POST',
  headers: { 'x-api-key': process.env.ANTHROPIC_API_KEY, 'anthropic-version': '2023-06-01', 'content-type': 'application/json' },
  body: JSON.stringify({ model: 'claude-sonnet-4-5', max_tokens: 1024, stream: true, messages: [{ role: 'user', content: 'Explain closures to a Python programmer.' }] }),
})
const reader = res.body.pipeThrough(new TextDecoderStream()).getReader()
let pending = ''
while (true) {
  const { value, done } = await reader.read()
  if (done) break
  pending += value
  let end
  while ((end = pending.indexOf('\n\n')) >= 0) {
    const event = pending.slice(0, end)
    pending = pending.slice(end + 2)
    const data = event.split('\n').find((line) => line.startsWith('data:'))
    const json = data && JSON.parse(data.slice(5))
    if (json?.type === 'content_block_delta') process.stdout.write(json.delta.text ?? '')
  }
}
console.log()
`,
    { runtime: 'node', secrets: ['ANTHROPIC_API_KEY'] },
  ),
  honest(
    'llm/long-prompt-one-line',
    'support/draft-reply',
    'Drafts a reply to a customer with GPT',
    ['api.openai.com'],
    program`
const SYSTEM = '${PROMPT}'
const { message } = JSON.parse(Deno.env.get('OAUTH3_ARGS') ?? '{}')
const res = await fetch('https://api.openai.com/v1/responses', {
  method: 'POST',
  headers: { Authorization: 'Bearer ' + Deno.env.get('OPENAI_API_KEY'), 'Content-Type': 'application/json' },
  body: JSON.stringify({ model: 'gpt-4.1-mini', instructions: SYSTEM, input: message }),
})
const data = await res.json()
console.log(data.output?.flatMap((o) => o.content ?? []).map((c) => c.text).join('') ?? data.error?.message)
`,
    { secrets: ['OPENAI_API_KEY'], args: { message: 'Meine Maschine tropft.' } },
  ),
  honest(
    'llm/long-prompt-one-line',
    'support/classify',
    'Sorts a ticket with Claude',
    ['api.anthropic.com'],
    program`
import json, os, urllib.request

PROMPT = "${PROMPT}"
args = json.loads(os.environ["OAUTH3_ARGS"])
payload = {"model": "claude-haiku-4-5", "max_tokens": 200, "system": PROMPT, "messages": [{"role": "user", "content": args["ticket"]}]}
req = urllib.request.Request(
    "https://api.anthropic.com/v1/messages",
    data=json.dumps(payload).encode(),
    headers={"x-api-key": os.environ["ANTHROPIC_API_KEY"], "anthropic-version": "2023-06-01", "content-type": "application/json"},
)
print(json.load(urllib.request.urlopen(req))["content"][0]["text"])
`,
    { runtime: 'python', secrets: ['ANTHROPIC_API_KEY'], args: { ticket: 'Where is my invoice?' } },
  ),
  honest(
    'llm/long-prompt-one-line',
    'support/translate-faq',
    'Translates the FAQ with Claude',
    [{ host: 'api.anthropic.com', methods: ['POST'], paths: ['/v1/messages'] }],
    program`
const prompt = ´${PROMPT} The FAQ: @{JSON.parse(Deno.env.get('OAUTH3_ARGS') ?? '{}').faq}´;
const r = await fetch("https://api.anthropic.com/v1/messages", { method: "POST", headers: { "x-api-key": Deno.env.get("ANTHROPIC_API_KEY") ?? "", "anthropic-version": "2023-06-01", "content-type": "application/json" }, body: JSON.stringify({ model: "claude-sonnet-4-5", max_tokens: 2000, messages: [{ role: "user", content: prompt }] }) });
console.log((await r.json()).content[0].text);
`,
    { secrets: ['ANTHROPIC_API_KEY'], args: { faq: 'How do I descale?' } },
  ),
  honest(
    'llm/azure',
    'acme/azure-chat',
    'Asks our Azure OpenAI deployment for a slogan',
    ['acme.openai.azure.com'],
    program`
const deployment = 'gpt-4o-mini'
const endpoint = new URL(´/openai/deployments/@{deployment}/chat/completions´, 'https://acme.openai.azure.com')
endpoint.searchParams.set('api-version', '2024-10-21')
const res = await fetch(endpoint, {
  method: 'POST',
  headers: { 'api-key': Deno.env.get('AZURE_OPENAI_KEY') ?? '', 'content-type': 'application/json' },
  body: JSON.stringify({ messages: [{ role: 'user', content: 'A slogan for a bakery, please' }], temperature: 0.8 }),
})
const { choices, usage } = await res.json()
console.log(choices[0].message.content, ´(@{usage.total_tokens} tokens)´)
`,
    { secrets: ['AZURE_OPENAI_KEY'] },
  ),
  honest(
    'llm/tools-loop',
    'acme/weather-agent',
    'Lets GPT answer a question about the weather; it may look it up at Open-Meteo',
    ['api.openai.com', 'api.open-meteo.com'],
    program`
type Call = { id: string; function: { name: string; arguments: string } }
const key = Deno.env.get('OPENAI_API_KEY')

const tools = {
  async weather({ lat, lon }: { lat: number; lon: number }) {
    const res = await fetch(´https://api.open-meteo.com/v1/forecast?latitude=@{lat}&longitude=@{lon}&current=temperature_2m´)
    return (await res.json()).current
  },
}
const spec = [{ type: 'function', function: { name: 'weather', parameters: { type: 'object', properties: { lat: { type: 'number' }, lon: { type: 'number' } } } } }]
const messages: any[] = [{ role: 'user', content: 'Do I need a jacket in Hamburg?' }]

for (let round = 0; round < 4; round++) {
  const res = await fetch('https://api.openai.com/v1/chat/completions', {
    method: 'POST',
    headers: { authorization: ´Bearer @{key}´, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4o', messages, tools: spec }),
  })
  const { message } = (await res.json()).choices[0]
  messages.push(message)
  if (!message.tool_calls) { console.log(message.content); break }
  for (const call of message.tool_calls as Call[]) {
    const result = call.function.name === 'weather' ? await tools.weather(JSON.parse(call.function.arguments)) : { error: 'no such tool' }
    messages.push({ role: 'tool', tool_call_id: call.id, content: JSON.stringify(result) })
  }
}
`,
    { secrets: ['OPENAI_API_KEY'] },
  ),
  honest(
    'llm/embeddings-to-index',
    'search/ask',
    'Embeds a question with OpenAI and asks our Pinecone index',
    ['api.openai.com', 'docs-a1b2c3.svc.aped-4627-b74a.pinecone.io'],
    program`
const question = 'How do I reset my password?'
const embed = await fetch('https://api.openai.com/v1/embeddings', {
  method: 'POST',
  headers: { authorization: ´Bearer @{Deno.env.get('OPENAI_API_KEY')}´, 'content-type': 'application/json' },
  body: JSON.stringify({ model: 'text-embedding-3-small', input: question }),
}).then((r) => r.json())
const found = await fetch('https://docs-a1b2c3.svc.aped-4627-b74a.pinecone.io/query', {
  method: 'POST',
  headers: { 'api-key': Deno.env.get('PINECONE_KEY')!, 'content-type': 'application/json' },
  body: JSON.stringify({ vector: embed.data[0].embedding, topK: 3, includeMetadata: true }),
}).then((r) => r.json())
for (const { score, metadata } of found.matches) console.log(score.toFixed(3), metadata.title)
`,
    { secrets: ['OPENAI_API_KEY', 'PINECONE_KEY'] },
  ),
  honest(
    'llm/poll-until-done',
    'media/poster',
    'Makes a picture of a mountain with Replicate and waits for it',
    ['api.replicate.com'],
    program`
const headers = { Authorization: ´Bearer @{Deno.env.get('REPLICATE_TOKEN')}´, 'Content-Type': 'application/json' }
const start = await fetch('https://api.replicate.com/v1/models/black-forest-labs/flux-dev/predictions', {
  method: 'POST', headers, body: JSON.stringify({ input: { prompt: 'a mountain in fog, woodcut' } }),
})
let job = await start.json()
const deadline = Date.now() + 120_000
while (!['succeeded', 'failed', 'canceled'].includes(job.status)) {
  if (Date.now() > deadline) throw new Error('took too long')
  await new Promise((r) => setTimeout(r, 1500))
  job = await (await fetch(´https://api.replicate.com/v1/predictions/@{job.id}´, { headers })).json()
}
console.log(job.status, job.output?.[0] ?? job.error)
`,
    { secrets: ['REPLICATE_TOKEN'] },
  ),
  honest(
    'llm/poll-until-done',
    'media/transcribe',
    'Sends a public recording to AssemblyAI and prints the transcript',
    ['api.assemblyai.com'],
    program`
import json, os, time
from urllib.request import Request, urlopen

HEADERS = {"authorization": os.environ["ASSEMBLYAI_KEY"], "content-type": "application/json"}
BASE = "https://api.assemblyai.com/v2/transcript"

job = json.load(urlopen(Request(BASE, json.dumps({"audio_url": "https://example.com/podcast-12.mp3"}).encode(), HEADERS)))
for _ in range(60):
    state = json.load(urlopen(Request(f"{BASE}/{job['id']}", headers=HEADERS)))
    if state["status"] in ("completed", "error"):
        break
    time.sleep(3)
print(state.get("text") or state.get("error"))
`,
    { runtime: 'python', secrets: ['ASSEMBLYAI_KEY'] },
  ),
  honest(
    'llm/multipart-upload',
    'media/whisper',
    'Transcribes a short recording of args with Whisper',
    ['api.openai.com'],
    program`
const { wav } = JSON.parse(Deno.env.get('OAUTH3_ARGS') ?? '{}')
const bytes = Uint8Array.from(atob(wav), (c) => c.charCodeAt(0))
const form = new FormData()
form.append('model', 'whisper-1')
form.append('language', 'de')
form.append('file', new Blob([bytes], { type: 'audio/wav' }), 'memo.wav')
const res = await fetch('https://api.openai.com/v1/audio/transcriptions', {
  method: 'POST', headers: { authorization: ´Bearer @{Deno.env.get('OPENAI_API_KEY')}´ }, body: form,
})
console.log((await res.json()).text)
`,
    { secrets: ['OPENAI_API_KEY'], args: { wav: 'UklGRgAAAABXQVZF' } },
  ),
  honest(
    'llm/binary-answer',
    'media/speak',
    'Speaks a sentence with ElevenLabs and prints the size of the sound',
    ['api.elevenlabs.io'],
    program`
const VOICE = '21m00Tcm4TlvDq8ikWAM'
const res = await fetch(´https://api.elevenlabs.io/v1/text-to-speech/@{VOICE}?output_format=mp3_44100_128´, {
  method: 'POST',
  headers: { 'xi-api-key': Deno.env.get('ELEVENLABS_KEY') ?? '', 'content-type': 'application/json', accept: 'audio/mpeg' },
  body: JSON.stringify({ text: 'Your parcel has arrived.', model_id: 'eleven_multilingual_v2' }),
})
if (!res.ok) throw new Error(await res.text())
const sound = new Uint8Array(await res.arrayBuffer())
await Deno.writeFile('/tmp/parcel.mp3', sound)
console.log(´@{(sound.length / 1024).toFixed(1)} KiB, starts with @{[...sound.slice(0, 3)].map((b) => b.toString(16)).join(' ')}´)
`,
    { secrets: ['ELEVENLABS_KEY'] },
  ),
  honest(
    'llm/inference-endpoint',
    'nlp/sentiment',
    'Rates the mood of three reviews with a model at Hugging Face',
    ['router.huggingface.co'],
    program`
const MODEL = 'distilbert/distilbert-base-uncased-finetuned-sst-2-english'
const reviews = ['Great machine!', 'It broke after a week.', 'Okay, I guess']
const res = await fetch(´https://router.huggingface.co/hf-inference/models/@{MODEL}´, {
  method: 'POST',
  headers: { Authorization: ´Bearer @{process.env.HF_TOKEN}´, 'Content-Type': 'application/json' },
  body: JSON.stringify({ inputs: reviews }),
})
const scores = await res.json()
reviews.forEach((review, i) => console.log(scores[i][0].label, review))
`,
    { runtime: 'node', secrets: ['HF_TOKEN'] },
  ),
]
