#!/usr/bin/env bash
# Guess:   an SDK whose base address is `http://127.0.0.1:PORT/path` speaks HTTP/1.1 there, and opens a WebSocket with `ws:`; its vendor's
#          other clients do the same.
# Real:    the Realtime classes of openai begin TLS at that port, and refuse an address of one's own that is not `wss:`; the Responses class
#          of the same package does as guessed. assemblyai throws before it sends anything. AWS' client for Bedrock speaks HTTP/2 from the
#          first byte, without asking; `requestHandler: new NodeHttpHandler()` ends that. @ai-sdk/amazon-bedrock speaks HTTP/1.1, and
#          @google/genai opens its live sessions by `ws:`.
# Version: openai 7.59.0, assemblyai 4.41.5, @google/genai 3.3.0, @aws-sdk/client-bedrock-runtime 3.1164.0 with @smithy/node-http-handler 4.14.2,
#          @ai-sdk/amazon-bedrock 5.0.101
# Matters: a proxy at a plain address of this machine is told "wrong version number" or "Protocol error" by clients that work with the vendor,
#          and sees no request at all. Realtime with openai wants TLS in front of it; Bedrock the other handler, or an SDK by others.
# Seen:    the table at the end of the probe: the first bytes that came
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts --legacy-peer-deps openai@7.59.0 assemblyai@4.41.5 @google/genai@3.3.0 \
  @aws-sdk/client-bedrock-runtime@3.1164.0 @smithy/node-http-handler@4.14.2 @ai-sdk/amazon-bedrock@5.0.101 zod@4.6.7 ws@8.18.3 >/dev/null 2>&1
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import net from 'node:net'
import { createAmazonBedrock } from '@ai-sdk/amazon-bedrock'
import { BedrockRuntimeClient, ConverseCommand } from '@aws-sdk/client-bedrock-runtime'
import { GoogleGenAI } from '@google/genai'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { AssemblyAI } from 'assemblyai'
import OpenAI from 'openai'
import { OpenAIRealtimeWebSocket } from 'openai/realtime/websocket'
import { OpenAIRealtimeWS } from 'openai/realtime/ws'
import { ResponsesWS } from 'openai/resources/responses/ws'

// Tells what the first bytes of a connection are, and answers HTTP/1.1 as a server does that can nothing else.
let came
const server = net.createServer((socket) => {
  socket.on('error', () => {})
  socket.once('data', (bytes) => {
    const [line] = bytes.toString('latin1').split('\r\n')
    if (bytes[0] === 0x16) came('TLS')
    else if (line.startsWith('PRI * HTTP/2.0')) came('HTTP/2')
    else came(`HTTP/1.1${/^upgrade: websocket/im.test(bytes.toString('latin1')) ? ' WebSocket' : ''} ${line.split(' ')[1].split(/[?/]/)[1]}`)
    socket.end('HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}')
  })
})
await new Promise((done) => server.listen(0, '127.0.0.1', done))
const base = `http://127.0.0.1:${server.address().port}/llm`

const apiKey = 'example'
process.env.AWS_BEARER_TOKEN_BEDROCK = apiKey
const aws = { region: 'us-east-1', endpoint: base, maxAttempts: 1, credentials: { accessKeyId: 'example', secretAccessKey: 'example' } }
const openai = new OpenAI({ apiKey, baseURL: base, dangerouslyAllowBrowser: true, maxRetries: 0 })
const converse = () => new ConverseCommand({ modelId: 'm', messages: [{ role: 'user', content: [{ text: 'x' }] }] })
function listened(client) {
  client.on('error', () => {})
  return client
}
const clients = {
  'openai Realtime': () => listened(new OpenAIRealtimeWS({ model: 'm' }, openai)),
  'openai Realtime, own address': () =>
    listened(new OpenAIRealtimeWS({ model: 'm', buildRealtimeURL: () => new URL(`${base.replace('http', 'ws')}/realtime`) }, openai)),
  'openai Realtime, as in a browser': () => listened(new OpenAIRealtimeWebSocket({ model: 'm', dangerouslyAllowBrowser: true }, openai)),
  'openai Responses': () => listened(new ResponsesWS(openai)),
  assemblyai: () =>
    listened(new AssemblyAI({ apiKey, baseUrl: base }).streaming.transcriber({ sampleRate: 16_000, websocketBaseUrl: base.replace('http', 'ws') })).connect(),
  'google live': () =>
    new GoogleGenAI({ apiKey, httpOptions: { baseUrl: base } }).live.connect({ model: 'm', callbacks: { onmessage() {}, onerror() {} } }),
  bedrock: () => new BedrockRuntimeClient(aws).send(converse()),
  'bedrock, other handler': () => new BedrockRuntimeClient({ ...aws, requestHandler: new NodeHttpHandler() }).send(converse()),
  'ai bedrock': () =>
    createAmazonBedrock({ region: 'us-east-1', apiKey, baseURL: base })('m').doGenerate({ prompt: [{ role: 'user', content: [{ type: 'text', text: 'x' }] }] }),
}
// What a client that was turned away throws later is nobody's here.
process.on('unhandledRejection', () => {})
process.on('uncaughtException', () => {})
const seen = {}
for (const [name, call] of Object.entries(clients)) {
  seen[name] = await new Promise((resolve) => {
    came = resolve
    Promise.resolve()
      .then(call)
      .catch((error) => setTimeout(() => resolve(`nothing: ${error.message}`), 300))
    setTimeout(() => resolve('nothing'), 10_000)
  })
  console.log(name, '·', seen[name])
}
process.removeAllListeners('uncaughtException')
assert.deepEqual(seen, {
  'openai Realtime': 'TLS',
  'openai Realtime, own address': 'nothing: Custom Realtime WebSocket URLs must use the wss: protocol.',
  'openai Realtime, as in a browser': 'TLS',
  'openai Responses': 'HTTP/1.1 WebSocket llm',
  assemblyai: 'nothing: Invalid protocol, must be wss',
  'google live': 'HTTP/1.1 WebSocket llm',
  bedrock: 'HTTP/2',
  'bedrock, other handler': 'HTTP/1.1 llm',
  'ai bedrock': 'HTTP/1.1 llm',
})
console.log('ok')
process.exit(0)
PROBE
node --no-warnings probe.mjs
