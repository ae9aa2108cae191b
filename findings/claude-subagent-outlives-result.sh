#!/usr/bin/env bash
# Guess:   with -p a subagent (tool Task) is done when its tool result is there, and the result of the turn comes behind it.
# Real:    the model is told "Async agent launched" at once, and the result comes while the subagent still works, unless
#          CLAUDE_CODE_DISABLE_BACKGROUND_TASKS=1. The permission request calls the tool Agent, whatever the model called it.
# Version: @anthropic-ai/claude-code 2.1.332
# Matters: who ends the process at the result loses what the subagent does; a list of allowed tools that has Task denies Agent.
# Seen:    plain: launched, result · with the variable: subagent answered, its answer, result · can_use_tool: Agent
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts --force "@anthropic-ai/claude-code-linux-$(node -p process.arch)@2.1.332" >/dev/null
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import http from 'node:http'
import { createInterface } from 'node:readline'

const TASK = { description: 'look up', prompt: 'Look it up.', subagent_type: 'general-purpose' }
let events = []
const server = http.createServer(async (req, res) => {
  let raw = ''
  for await (const part of req) raw += part
  const body = JSON.parse(raw)
  const texts = JSON.stringify(body.messages)
  const isSubagent = body.messages[0].content !== undefined && !texts.includes('Begin.')
  const isFirst = !isSubagent && !texts.includes('tool_result')
  if (!isSubagent && !isFirst) events.push(texts.includes('Async agent launched') ? 'told: launched' : 'told: its answer')
  if (isSubagent) {
    await new Promise((done) => setTimeout(done, 1_500))
    if (!events.includes('subagent answered')) events.push('subagent answered')
  }
  const usage = { input_tokens: 1, output_tokens: 1 }
  const block = isFirst
    ? { type: 'tool_use', id: 'toolu_1', name: 'Task', input: {} }
    : { type: 'text', text: '' }
  const delta = isFirst
    ? { type: 'input_json_delta', partial_json: JSON.stringify(TASK) }
    : { type: 'text_delta', text: 'ok' }
  res.writeHead(200, { 'content-type': 'text/event-stream' })
  const event = (type, rest) => res.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`)
  event('message_start', { message: { id: 'msg_1', type: 'message', role: 'assistant', model: body.model, content: [], usage } })
  event('content_block_start', { index: 0, content_block: block })
  event('content_block_delta', { index: 0, delta })
  event('content_block_stop', { index: 0 })
  event('message_delta', { delta: { stop_reason: isFirst ? 'tool_use' : 'end_turn' }, usage })
  event('message_stop', {})
  res.end()
})
await new Promise((done) => server.listen(0, '127.0.0.1', done))

async function run(more) {
  events = []
  const claude = `node_modules/@anthropic-ai/claude-code-linux-${process.arch}/claude`
  const args = '-p --verbose --input-format stream-json --output-format stream-json --permission-prompt-tool stdio'
  const settings = JSON.stringify({ permissions: { ask: ['Task'] } })
  const env = {
    PATH: process.env.PATH,
    HOME: process.cwd(),
    ANTHROPIC_BASE_URL: `http://127.0.0.1:${server.address().port}`,
    ANTHROPIC_API_KEY: 'example',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    ...more,
  }
  const child = spawn(claude, [...args.split(' '), '--safe-mode', '--settings', settings, '--tools', 'Task', '--model', 'sonnet'], {
    env,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const write = (value) => child.stdin.write(`${JSON.stringify(value)}\n`)
  const names = []
  write({ type: 'user', message: { role: 'user', content: 'Begin.' }, parent_tool_use_id: null })
  for await (const line of createInterface({ input: child.stdout })) {
    const message = JSON.parse(line)
    if (message.type === 'control_request' && message.request.subtype === 'can_use_tool') {
      names.push(message.request.tool_name)
      const response = { behavior: 'allow', updatedInput: message.request.input }
      write({ type: 'control_response', response: { subtype: 'success', request_id: message.request_id, response } })
    }
    if (message.type !== 'result') continue
    events.push('result')
    break
  }
  child.kill('SIGKILL')
  return { names, events }
}

const plain = await run({})
const waiting = await run({ CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: '1' })
console.log({ plain, waiting })
assert.deepEqual(plain, { names: ['Agent'], events: ['told: launched', 'result'] })
assert.deepEqual(waiting, { names: ['Agent'], events: ['subagent answered', 'told: its answer', 'result'] })
console.log('ok')
process.exit(0)
PROBE
node probe.mjs
