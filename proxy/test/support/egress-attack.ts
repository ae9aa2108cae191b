import type { EgressKit, RunAnswer, RunCodeOptions } from './egress-kit.ts'

/**
 * What attacking code has at hand inside the sandbox, as the source of a program: raw bytes to the gateway's relay, a
 * tunnel with TLS of any name in it, and `tell`, whose entries come back to the test. They come in a form that no scrubber
 * reads: the test sees what the code really held, not what the daemon made of its output.
 */
const PRELUDE = String.raw`
const report = {}
const tell = (name, value) => { report[name] = value }
const key = (name) => Deno.env.get(name)
const bytesOf = (text) => Uint8Array.from(text, (c) => c.charCodeAt(0))
const textOf = (bytes) => { let text = ''; for (const byte of bytes) text += String.fromCharCode(byte); return text }
const endpoint = () => Deno.connect({ hostname: '127.0.0.1', port: 3128 })
async function writeAll(conn, text) {
  for (let rest = bytesOf(text); rest.length > 0; ) rest = rest.subarray(await conn.write(rest))
}
const headEnds = (text) => text.includes('\r\n\r\n')
function answerEnds(text) {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return false
  const head = text.slice(0, end).toLowerCase()
  const length = /\r\ncontent-length: *([0-9]+)/.exec(head)
  if (length) return text.length >= end + 4 + Number(length[1])
  return head.includes('chunked') && text.endsWith('0\r\n\r\n')
}
async function read(conn, ends) {
  let got = ''
  const buffer = new Uint8Array(65536)
  const timer = setTimeout(() => { try { conn.close() } catch { /* closed already */ } }, 6000)
  try {
    while (!ends(got)) {
      const count = await conn.read(buffer)
      if (count === null) break
      got += textOf(buffer.subarray(0, count))
    }
  } catch (error) { got ||= '(' + error.name + ')' } finally {
    clearTimeout(timer)
    if (ends !== headEnds) try { conn.close() } catch { /* closed already */ }
  }
  return got
}
function printReport() {
  const bytes = new TextEncoder().encode(JSON.stringify(report))
  let hex = ''
  for (const [at, byte] of bytes.entries()) hex += (byte ^ (at * 7 + 90 & 255)).toString(16).padStart(2, '0')
  console.log('REPORT ' + hex)
}
const ruleOf = (text) => /"rule":"([a-z_]+)"/.exec(text)?.[1] ?? null
const told = (text) => ({ line: text.split('\r\n')[0], rule: ruleOf(text), text: text.slice(0, 2000) })
async function raw(text) {
  const conn = await endpoint()
  await writeAll(conn, text)
  return told(await read(conn, answerEnds))
}
async function tunnelled(target, request, sni) {
  const conn = await endpoint()
  await writeAll(conn, 'CONNECT ' + target + ' HTTP/1.1\r\nHost: ' + target + '\r\n\r\n')
  const head = await read(conn, headEnds)
  if (!/^HTTP\/1\.1 200/.test(head)) { try { conn.close() } catch { /* closed already */ } return told(head) }
  if (sni === null) { await writeAll(conn, request); return told(await read(conn, answerEnds)) }
  let tls
  try {
    tls = await Deno.startTls(conn, { hostname: sni ?? target.replace(/:[0-9]+$/, ''), alpnProtocols: ['http/1.1'] })
    await tls.handshake()
  } catch (error) { return { line: 'TLS ' + error.name, rule: null, text: error.message } }
  for (const part of [request].flat()) await writeAll(tls, part)
  return told(await read(tls, answerEnds))
}
async function get(url, init) {
  try {
    const answer = await fetch(url, { redirect: 'manual', ...init })
    const text = await answer.text()
    return { status: answer.status, rule: ruleOf(text), text: text.slice(0, 2000), headers: Object.fromEntries(answer.headers) }
  } catch (error) { return { status: 0, rule: null, text: String(error.message), headers: {} } }
}
`

interface AttackReport {
  /** What the code told, by name. */
  // biome-ignore lint/suspicious/noExplicitAny: each test reads the form that its own code gave it
  readonly report: Record<string, any>
  readonly answer: RunAnswer
}

/** Runs `body` behind the prelude, approved, and reads what it told. Values of `given` stand in it as constants. */
export async function attack(
  kit: EgressKit,
  body: string,
  options: RunCodeOptions & { readonly given?: Readonly<Record<string, unknown>> } = {},
): Promise<AttackReport> {
  const { given = {}, ...rest } = options
  const constants = Object.entries({ PORT: kit.upstream.port, ...given })
    .map(([name, value]) => `const ${name} = ${JSON.stringify(value)}`)
    .join('\n')
  const code = `${constants}\n${PRELUDE}\n${body}\nprintReport()\n`
  const answer = await kit.runCode(code, rest)
  const line = answer.stdout?.split('\n').find((text) => text.startsWith('REPORT '))
  if (line === undefined) throw new Error(`the attack did not report: ${JSON.stringify(answer)}`)
  const bytes = Buffer.from(line.slice('REPORT '.length), 'hex').map(
    (byte, at) => byte ^ ((at * 7 + 90) & 255),
  )
  return { report: JSON.parse(Buffer.from(bytes).toString()), answer }
}

/** Rules that the answer to the agent names, sorted and once each. */
export const rulesOf = (answer: RunAnswer): string[] =>
  [...new Set(answer.network.refused.map(({ rule }) => rule))].sort()
