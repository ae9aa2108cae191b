// Fetches what a program imports from elsewhere, without running a line of it. The image's entrypoint runs it in place of
// the runner: in a container of its own, without a secret, behind an endpoint that leads to the import hosts only.
//
// Standard input: 4 bytes big-endian length, then JSON { v: 1, code, hosts, limits: { files, bytes, modules } }.
// Standard output after the ready line: 4 bytes length, then JSON, one of
//   { refused: { line, specifier, reason, why } } | { failed: text } | { modules, files: [{ path, bytes }] }
// the last followed by the files' bytes in their order.

import net from 'node:net'
import { collectFiles } from './import-files.js'
import { evaluateGraph } from './import-graph.js'

const ENDPOINT = '/run/oauth3/gateway.sock'
const MAIN = '/tmp/program/main.ts'
const FETCHED = '/tmp/fetched'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

await relay()
writeAll(encoder.encode('oauth3-ready 1\n'))
const length = new DataView(readFully(4).buffer).getUint32(0)
const { code, hosts, limits } = JSON.parse(decoder.decode(readFully(length)))
const { contents = [], ...answer } = await resolve().catch(failed)
const head = encoder.encode(JSON.stringify(answer))
const size = new Uint8Array(4)
new DataView(size.buffer).setUint32(0, head.length)
for (const bytes of [size, head, ...contents]) writeAll(bytes)
Deno.exit(0)

async function resolve() {
  Deno.mkdirSync('/tmp/program')
  Deno.writeTextFileSync(MAIN, code)
  const allowed = hosts.length === 0 ? '--deny-import' : `--allow-import=${hosts.join(',')}`
  const fetched = evaluateGraph(await info(allowed), `file://${MAIN}`)
  if (fetched.refused !== undefined) return { refused: fetched.refused }
  if (fetched.modules.length > limits.modules) return { failed: 'too_large' }
  const files = collectFiles(FETCHED, fetched, limits)
  return {
    modules: fetched.modules,
    files: [...files].map(([path, bytes]) => ({ path, bytes: bytes.length })),
    contents: [...files.values()],
  }
}

async function info(allowed) {
  const proxies = ['HTTP_PROXY', 'HTTPS_PROXY', 'DENO_CERT']
  const {
    code: status,
    stdout,
    stderr,
  } = await new Deno.Command('/bin/deno', {
    args: ['info', '--json', '--no-config', '--no-lock', allowed, MAIN],
    clearEnv: true,
    env: {
      DENO_DIR: FETCHED,
      HOME: '/tmp',
      NO_COLOR: '1',
      DENO_NO_UPDATE_CHECK: '1',
      ...Object.fromEntries(proxies.map((name) => [name, Deno.env.get(name) ?? ''])),
    },
    stdin: 'null',
    stdout: 'piped',
    stderr: 'piped',
  }).output()
  if (status === 0) return JSON.parse(decoder.decode(stdout))
  throw new Error(decoder.decode(stderr))
}

function failed(error) {
  const text = String(error?.message ?? error)
  if (text === 'too_large' || /No space left|os error 28/.test(text)) return { failed: 'too_large' }
  const said = /^error: (.*)/m.exec(text)?.[1] ?? text.split('\n')[0]
  return { failed: said.slice(0, 300) }
}

function relay() {
  const server = net.createServer({ allowHalfOpen: true }, (near) => {
    const far = net.connect({ path: ENDPOINT, allowHalfOpen: true })
    near.on('error', () => far.destroy()).pipe(far)
    far.on('error', () => near.destroy()).pipe(near)
  })
  return new Promise((done, fail) => server.once('error', fail).listen(3128, '127.0.0.1', done))
}

function readFully(count) {
  const bytes = new Uint8Array(count)
  let filled = 0
  while (filled < count) {
    const read = Deno.stdin.readSync(bytes.subarray(filled))
    if (read === null) Deno.exit(125) // the daemon went away
    filled += read
  }
  return bytes
}

function writeAll(bytes) {
  let written = 0
  while (written < bytes.length) written += Deno.stdout.writeSync(bytes.subarray(written))
}
