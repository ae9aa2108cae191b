/** Outputs that look like those of real programs, and such as are made to be dear. */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'

const WORDS =
  'the run answered with status and wrote nineteen rows to a table near demo value of its own Server error retry account'.split(
    ' ',
  )

const KINDS: readonly (() => string)[] = [
  () => `sk-proj-${randomBytes(36).toString('base64url')}`,
  () => `ghp_${randomBytes(27).toString('base64url')}`,
  () => randomBytes(20).toString('hex'),
  () => `Demo-2024-${randomBytes(4).toString('hex')}!`,
  () => `AKIA${randomBytes(12).toString('hex').toUpperCase()}`,
]

/** Of the kinds that people keep, in turn. */
export const demoSecrets = (count: number): Map<string, string> =>
  new Map(
    Array.from({ length: count }, (_, index) => [
      `SECRET_${index}`,
      (KINDS[index % KINDS.length] as () => string)(),
    ]),
  )

export function scrubInputs(bytes: number, secrets: ReadonlyMap<string, string>): [string, Buffer][] {
  const values = [...secrets.values()]
  const first = values[0] ?? ''
  const random = randomBytes(bytes)
  const base64 = random.subarray(0, (bytes / 4) * 3).toString('base64')
  const repeated = (line: (index: number) => string): Buffer => {
    const out = Buffer.allocUnsafe(bytes)
    let at = 0
    for (let index = 0; at < bytes; index++) at += out.write(line(index), at, 'utf8') || bytes
    return out
  }
  return [
    ['text', repeated((n) => `${words(n, 16)} ${n}.\n`)],
    ['JSON', repeated((n) => `${JSON.stringify(item(n))},`)],
    ['JSON, indented', repeated((n) => `${JSON.stringify(item(n), null, 2)},\n`)],
    ['stream of a model', repeated((n) => `data: ${JSON.stringify(delta(n))}\n\n`)],
    [
      'log',
      repeated(
        (n) =>
          `2025-11-28T09:${n % 60}:12.${n % 999}Z INFO id=${number(n)} path=/v1/${word(n)}?limit=100&at=${n} status=200 ${words(n, 6)}\n`,
      ),
    ],
    [
      'HTML',
      repeated(
        (n) =>
          `<div class="row ${word(n)}" id="i-${n}">\n  <a href="/x?a=${n}&amp;b=1">${words(n, 4)}</a>&nbsp;<p>${words(n, 14)}</p>\n</div>\n`,
      ),
    ],
    [
      'CSV',
      repeated(
        (n) => `${n},"${words(n, 2)}",${number(n)},${word(n)},2024-01-${10 + (n % 18)},,${n % 100}\r\n`,
      ),
    ],
    [
      'JavaScript, minified',
      repeated(
        (n) =>
          `function ${word(n)}(t,e){return t&&e?${n % 90}:t.map(n=>n.id===e||"${word(n + 1)}"+n)}var ${word(n + 2)}=!0;`,
      ),
    ],
    ['percent-encoded', repeated((n) => `${encodeURIComponent(`${words(n, 8)}/?&=é`)}&`)],
    ['base64', Buffer.from(base64)],
    ['base64 in lines', Buffer.from(base64.replace(/.{76}/g, '$&\r\n'))],
    ['hexadecimal', Buffer.from(random.subarray(0, bytes / 2).toString('hex'))],
    ['a program (binary)', readFileSync(process.execPath).subarray(20_000_000, 20_000_000 + bytes)],
    ['near misses: a secret less its last character', repeated(() => first.slice(0, -1))],
    [
      'near misses: growing beginnings of all secrets',
      repeated((n) => (values[n % values.length] ?? '').slice(0, 1 + (n % 30))),
    ],
    ['a secret in every 4 KiB', repeated((n) => (n % 40 === 0 ? first : `${words(n, 16)} ${n}.\n`))],
    ['nothing but secrets', repeated(() => first)],
  ]
}

const word = (n: number): string => WORDS[(n * 7) % WORDS.length] as string
const words = (n: number, count: number): string =>
  Array.from({ length: count }, (_, at) => WORDS[(n * 7 + at * at) % WORDS.length]).join(' ')
const number = (n: number): number => Math.imul(n + 1, 0x9e3779b1) >>> 0
const item = (n: number) => ({
  id: number(n),
  name: words(n, 2),
  url: `https://api.example.com/v1/items/${n}?a=b%20c&page=2`,
  text: `${words(n, 12)}\n"${word(n)}"`,
  price: number(n) / 1000,
  ok: true,
})
const delta = (n: number) => ({
  id: 'chatcmpl-demo',
  object: 'chat.completion.chunk',
  model: 'gpt-demo',
  choices: [
    { index: 0, delta: { content: ` ${word(n)}${n % 10 === 0 ? '\n\n' : ''}` }, finish_reason: null },
  ],
})
