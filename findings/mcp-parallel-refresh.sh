#!/usr/bin/env bash
# Guess:   an MCP client whose access token has run out refreshes it once, however many calls are under way; the others wait for the new one.
# Real:    both TypeScript SDKs refresh once for each call, all with the same refresh token. Where a refresh replaces that token (OAuth 2.1
#          wants it for public clients) one call is answered; the others hear `invalid_grant`, have the provider drop its tokens, the
#          new ones too, and open the sign-in page once each. From then on every call fails. @ai-sdk/mcp refreshes once.
# Version: @modelcontextprotocol/sdk 1.32.2, @modelcontextprotocol/client 2.4.0, @ai-sdk/mcp 2.0.99
# Matters: models call tools in parallel, and the first such turn after an hour signs the agent out. A server with sign-in of its own
#          takes a replaced refresh token for some seconds more; one for agents without a person at hand takes tokens that do not run out.
# Seen:    three calls at once: answer, error, error and no tokens left (both SDKs); three answers (ai)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts @modelcontextprotocol/sdk@1.32.2 @modelcontextprotocol/client@2.4.0 \
  @ai-sdk/mcp@2.0.99 zod@4.6.7 >/dev/null
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import * as ai from '@ai-sdk/mcp'
import * as two from '@modelcontextprotocol/client'
import { auth } from '@modelcontextprotocol/sdk/client/auth.js'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'

// One access token and one refresh token hold at a time; each refresh replaces both, as OAuth 2.1 wants it for public clients.
let issued = 0
let expired = false
let refreshes = []
function token(form) {
  const given = form.get('refresh_token')
  if (given) refreshes.push(given === `refresh-${issued}` ? 'tokens' : 'invalid_grant')
  if (refreshes.at(-1) === 'invalid_grant') return [400, { error: 'invalid_grant' }]
  issued += 1
  expired = false
  return [200, { access_token: `access-${issued}`, token_type: 'Bearer', expires_in: 3600, refresh_token: `refresh-${issued}` }]
}
const results = {
  'tools/list': { tools: [{ name: 'echo', inputSchema: { type: 'object', properties: {} } }] },
  'tools/call': { content: [{ type: 'text', text: 'hello' }] },
}
const server = http.createServer(async (req, res) => {
  let text = ''
  for await (const part of req) text += part
  const send = (status, body, headers = {}) =>
    res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body && JSON.stringify(body))
  if (req.url === '/.well-known/oauth-protected-resource') return send(200, { resource: url, authorization_servers: [origin] })
  if (req.url === '/.well-known/oauth-authorization-server') return send(200, metadata)
  if (req.url === '/token') {
    const [status, body] = token(new URLSearchParams(text))
    await sleep(500) // All calls of a moment have asked by then.
    return send(status, body)
  }
  if (req.url !== '/mcp') return send(404)
  const challenge = `Bearer error="invalid_token", resource_metadata="${origin}/.well-known/oauth-protected-resource"`
  if (expired || req.headers.authorization !== `Bearer access-${issued}`) return send(401, {}, { 'www-authenticate': challenge })
  if (req.method !== 'POST') {
    send(405)
    return server.emit('listened')
  }
  const { id, method, params } = JSON.parse(text)
  if (id === undefined) return send(202)
  const initialize = { protocolVersion: params?.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'x', version: '1' } }
  const result = method === 'initialize' ? initialize : results[method]
  send(200, { jsonrpc: '2.0', id, ...(result ? { result } : { error: { code: -32601, message: 'Method not found' } }) })
})
await new Promise((done) => server.listen(0, '127.0.0.1', done))
const origin = `http://127.0.0.1:${server.address().port}`
const url = `${origin}/mcp`
const metadata = {
  issuer: origin,
  authorization_endpoint: `${origin}/authorize`,
  token_endpoint: `${origin}/token`,
  response_types_supported: ['code'],
  grant_types_supported: ['authorization_code', 'refresh_token'],
  code_challenge_methods_supported: ['S256'],
  token_endpoint_auth_methods_supported: ['none'],
}
// Keeps what it is given, drops what it is told to.
function createProvider() {
  const kept = { client: { client_id: 'client' } }
  const redirectUrl = 'http://127.0.0.1/callback'
  return {
    kept,
    signIns: 0,
    redirectUrl,
    clientMetadata: { redirect_uris: [redirectUrl], token_endpoint_auth_method: 'none' },
    clientInformation: () => kept.client,
    saveClientInformation: (client) => { kept.client = client },
    tokens: () => kept.tokens,
    saveTokens: (tokens) => { kept.tokens = tokens },
    codeVerifier: () => kept.verifier,
    saveCodeVerifier: (verifier) => { kept.verifier = verifier },
    authorizationServerInformation: () => kept.server,
    saveAuthorizationServerInformation: (server) => { kept.server = server },
    redirectToAuthorization() { this.signIns += 1 },
    discoveryState: () => kept.discovery,
    saveDiscoveryState: (discovery) => { kept.discovery = discovery },
    invalidateCredentials: (what) => { delete kept[what] },
  }
}
const call = { name: 'echo', arguments: {} }
const connected = async (client, transport) => {
  await client.connect(transport)
  return () => client.callTool(call)
}
const me = { name: 'probe', version: '1' }
const clients = {
  'sdk 1': [auth, (authProvider) => connected(new Client(me), new StreamableHTTPClientTransport(new URL(url), { authProvider }))],
  'sdk 2': [two.auth, (authProvider) => connected(new two.Client(me), new two.StreamableHTTPClientTransport(new URL(url), { authProvider }))],
  ai: [
    ai.auth,
    async (authProvider) => {
      const { echo } = await (await ai.createMCPClient({ transport: { type: 'http', url, authProvider } })).tools()
      return () => echo.execute({}, { toolCallId: '1', messages: [] })
    },
  ],
}

const said = (calling) => calling.then(() => 'answer', () => 'error')
const seen = {}
for (const [name, [signIn, connect]] of Object.entries(clients)) {
  const provider = createProvider()
  await signIn(provider, { serverUrl: url })
  await signIn(provider, { serverUrl: url, authorizationCode: 'code' })
  const listened = once(server, 'listened')
  const use = await connect(provider)
  await listened
  const run = async (count) => {
    provider.signIns = 0
    refreshes = []
    const answers = await Promise.all(Array.from({ length: count }, () => said(use())))
    const left = provider.kept.tokens ? 'tokens kept' : 'no tokens left'
    return `${answers.sort().join(', ')} · refreshed: ${refreshes.sort().join(', ')} · ${provider.signIns} sign-ins · ${left}`
  }
  expired = true
  const alone = await run(1)
  expired = true
  seen[name] = { alone, together: await run(3), later: await run(1) }
}
console.log(seen)
const alone = 'answer · refreshed: tokens · 0 sign-ins · tokens kept'
const signedOut = {
  alone,
  together: 'answer, error, error · refreshed: invalid_grant, invalid_grant, tokens · 2 sign-ins · no tokens left',
  later: 'error · refreshed:  · 1 sign-ins · no tokens left',
}
assert.deepEqual(seen, {
  'sdk 1': signedOut,
  'sdk 2': signedOut,
  ai: {
    alone,
    together: 'answer, answer, answer · refreshed: tokens · 0 sign-ins · tokens kept',
    later: 'answer · refreshed:  · 0 sign-ins · tokens kept',
  },
})
console.log('ok')
process.exit(0)
PROBE
node probe.mjs
