/** Family 27: a program that holds a secret prints it in every disguise; a real process, real pipes. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { SecretValue } from '../../src/kernel/index.ts'
import { createOutputCollector } from '../../src/scrub/index.ts'

const VALUE = 'demo-value/"quoted" & 100% +plus'

async function printed(
  program: string,
  limitBytes = Number.POSITIVE_INFINITY,
): Promise<{ stdout: string; stderr: string }> {
  const collector = createOutputCollector(new Map([['KEY', new SecretValue(VALUE)]]))
  const child = spawn(process.execPath, ['-e', `const value = ${JSON.stringify(VALUE)};${program}`], {
    timeout: 20_000,
  })
  let left = limitBytes
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].on('data', (chunk: Buffer) => {
      collector.push(stream, chunk.subarray(0, left))
      left -= Math.min(left, chunk.length)
    })
  }
  await once(child, 'close')
  return collector.end({ truncated: left === 0 })
}

/** Programs found to leak something once, or likely to be tried; each prints the secret and nothing else. */
const DISGUISES: Record<string, string> = {
  plainly: 'console.log(value)',
  'in base64': 'console.log(Buffer.from(value).toString("base64"))',
  'in base64, one byte later': 'console.log(Buffer.from("a" + value + "z").toString("base64"))',
  'in base64, two bytes later': 'console.log(Buffer.from("ab" + value + "zz").toString("base64"))',
  'in base64url': 'console.log(Buffer.from("a:" + value).toString("base64url"))',
  'in base64 lines': 'console.log(Buffer.from(value).toString("base64").replace(/(.{12})/g, "$1\\n"))',
  'in base64 inside JSON':
    'console.log(JSON.stringify(Buffer.from(value).toString("base64").replace(/(.{12})/g, "$1\\n")))',
  'in hexadecimal': 'console.log(Buffer.from(value).toString("hex").toUpperCase())',
  'as the dump of a buffer': 'console.log(Buffer.from(value))',
  'in percent form': 'console.log(encodeURIComponent(value), new URLSearchParams({ value }).toString())',
  'in percent form throughout': 'console.log(Buffer.from(value).toString("hex").replace(/../g, "%$&"))',
  'as JSON': 'console.log(JSON.stringify({ value }))',
  'as JSON in JSON': 'console.log(JSON.stringify({ body: JSON.stringify({ value }) }))',
  'as \\u escapes':
    'console.log([...value].map((c) => "\\\\u" + c.charCodeAt(0).toString(16).padStart(4, "0")).join(""))',
  'escaped here and there':
    'console.log([...value].map((c, i) => (i % 3 ? c : "%" + c.charCodeAt(0).toString(16))).join(""))',
  'in an error': 'try { throw new Error("bad key " + value) } catch (error) { console.error(error.message) }',
  'a character per write': 'for (const c of value) require("fs").writeSync(1, c)',
  'a line per piece': 'console.log(value.slice(0, 9)); console.log(value.slice(9))',
  'its end on stdout, its beginning on stderr':
    'require("fs").writeSync(2, value.slice(0, 13)); require("fs").writeSync(1, value.slice(13))',
  'its beginning on stdout, its end on stderr':
    'require("fs").writeSync(1, "log " + value.slice(0, 13)); require("fs").writeSync(2, value.slice(13) + " log")',
}

describe('a secret printed by a run', () => {
  it.each(Object.entries(DISGUISES))('does not come back %s', async (_name, program) => {
    const { stdout, stderr } = await printed(program)
    const both = stdout + stderr
    expect(both).toContain('[secret:KEY]')
    // What may remain is what stood around the secret: at most the border digits and padding of an encoding.
    const rest = both
      .replaceAll('[secret:KEY]', ' ')
      .replaceAll(/\b(?:log|value|body|bad key|Buffer)\b/g, ' ')
    for (const word of rest.match(/[\w%+/-]+/g) ?? []) expect(word.length).toBeLessThanOrEqual(3)
  })

  it('does not come back in part when the output limit cuts it', async () => {
    const { stdout } = await printed('process.stdout.write("x".repeat(100) + value)', 115)
    expect(stdout).toBe(`${'x'.repeat(100)}[secret:KEY]`)
  })
})
