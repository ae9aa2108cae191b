#!/usr/bin/env bash
# Guess:   a library asks the vendor whose key it holds, and what it computes (a number of tokens, say) it computes by itself.
# Real:    LangChain counts tokens with a table that it fetches from tiktoken.pages.dev; for gpt-4o it takes that of GPT-2. Refused, it asks
#          seven times and waits over a minute, then divides the letters by four and goes on; its TokenTextSplitter fails after as long.
#          mem0ai asks the vendor whose key it holds, and tells PostHog that e-mail address, each call and the names of its arguments.
#          Composio asks the package registry for its newest version, and tells a host for statistics each call.
# Version: @langchain/core 1.4.0, @langchain/openai 1.6.0, @langchain/textsplitters 1.0.2, mem0ai 3.3.1, @composio/core 0.19.0
# Matters: a run that was approved for the vendor's host wants one or two more, and one of them learns who owns the key. Refused, mem0ai and
#          Composio work as before; a count of tokens uses up the time of the run first. MEM0_TELEMETRY=false, and allowTracking and
#          disableVersionCheck of Composio, end what the two ask.
# Seen:    the table at the end of the probe
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts @langchain/core@1.4.0 @langchain/openai@1.6.0 @langchain/textsplitters@1.0.2 \
  mem0ai@3.3.1 @composio/core@0.19.0 >/dev/null 2>&1
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'

// Nothing gets out: vendors are answered here, everybody else is refused.
const owner = 'owner@vendor.example'
const answers = {
  'api.mem0.ai/v1/ping/': { status: 'ok', org_id: 'o', project_id: 'p', user_email: owner },
  'api.mem0.ai/v3/memories/search/': { results: [] },
  'backend.composio.dev/api/v3.1/toolkits': { items: [], total_pages: 0, current_page: 1 },
}
let asked
globalThis.fetch = async (input, init) => {
  const request = new Request(input, init)
  const { host, pathname } = new URL(request.url)
  const sent = `${JSON.stringify([...request.headers])} ${await request.text()}`
  const told = [sent.includes(owner) && 'owner', /"event":|"functionName":/.test(sent) && 'calls'].filter(Boolean)
  const where = pathname.endsWith('/latest') ? 'the package registry' : host === 'tiktoken.pages.dev' ? host + pathname : host
  asked.push([where, ...told].join(' + '))
  return answers[host + pathname] ? Response.json(answers[host + pathname]) : Response.json({ error: 'refused' }, { status: 403 })
}
// Waits between LangChain's tries are added up, and cut.
let waited, cuts
const original = globalThis.setTimeout
globalThis.setTimeout = (work, ms = 0, ...rest) => {
  if (!cuts || ms < 1000) return original(work, ms, ...rest)
  waited += ms
  return original(work, 20, ...rest)
}
const { error } = console
console.warn = console.error = () => {}
const { Composio } = await import('@composio/core')
const { ChatOpenAI } = await import('@langchain/openai')
const { TokenTextSplitter } = await import('@langchain/textsplitters')
const { MemoryClient } = await import('mem0ai')
const calls = {
  'langchain, count': () => new ChatOpenAI({ model: 'gpt-4o', apiKey: 'example' }).getNumTokens('eight letters and more'),
  'langchain, split': () => new TokenTextSplitter({ encodingName: 'o200k_base' }).splitText('a text'),
  mem0: () => new MemoryClient({ apiKey: 'm0-example' }).search('nuts', { filters: { user_id: 'u' } }),
  composio: () => new Composio({ apiKey: 'ak_example' }).toolkits.get({}),
}
const seen = {}
for (const [name, call] of Object.entries(calls)) {
  ;[asked, waited, cuts] = [[], 0, name.startsWith('langchain')]
  const outcome = await call().then((result) => JSON.stringify(result), () => 'raised')
  const late = waited > 60_000 ? ' after a minute' : ''
  // What is told, is told after the call.
  await sleep(3_000)
  const counts = Map.groupBy(asked, (what) => what)
  seen[name] = `${outcome}${late}: ${[...counts].map(([what, { length }]) => `${length} × ${what}`).sort().join(', ')}`
  console.log(name, '·', seen[name])
}
console.error = error
assert.deepEqual(seen, {
  'langchain, count': '6 after a minute: 7 × tiktoken.pages.dev/js/gpt2.json',
  'langchain, split': 'raised after a minute: 7 × tiktoken.pages.dev/js/o200k_base.json',
  mem0: '{"results":[]}: 2 × api.mem0.ai, 3 × us.i.posthog.com + owner + calls',
  composio: '[]: 1 × backend.composio.dev, 1 × the package registry, 2 × telemetry.composio.dev + calls',
})
console.log('ok')
process.exit(0)
PROBE
HOME="$work" node --no-warnings probe.mjs
