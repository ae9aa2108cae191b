import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sampleCard } from '../../../test/support/sample-card.ts'
import {
  type SampleChange,
  sampleConsent,
  sampleRawSecret,
  sampleSecret,
} from '../../../test/support/sample-consent.ts'
import type { Consent } from '../../approvals/consent/index.ts'
import type { CardInput } from '../../executions/card/index.ts'
import { sha256Hex } from '../../kernel/index.ts'
import { MESSAGE_LIMIT } from '../bot-api/index.ts'
import { CARD_LINES, pageButton, renderCard, renderPlainCard } from './card-message.ts'
import { phoneLines, plainText } from './html.ts'

const TOKEN = 'A'.repeat(22)
const NOW = Date.UTC(2030, 0, 2, 13, 5)

const consentOf = (change: SampleChange, code: string): Consent =>
  sampleConsent({
    description: '',
    code: { sha256: sha256Hex(code), bytes: Buffer.byteLength(code) },
    agent: { id: 'agt_0123456789abcdef', name: 'demo-agent' },
    ...change,
  })

function render(change: SampleChange = {}, code = 'console.log(1)\n', input: Partial<CardInput> = {}) {
  const model = sampleCard({
    requestId: `req_${'0'.repeat(32)}`,
    consent: consentOf(change, code),
    code,
    changes: [],
    missing: [],
    expiresAt: NOW + 3_600_000,
    ...input,
  })
  const message = renderCard({ model, exactCode: code, token: TOKEN, now: NOW })
  return { ...message, seen: plainText(message.html), model }
}

const secret = (name: string, hosts: string[]) => sampleSecret({ name, hosts })

const WORST: SampleChange = {
  skill_id: 's'.repeat(128),
  description: 'd & <b>'.repeat(80),
  source: { url: `https://example.com/${'u'.repeat(900)}`, relation: 'different' },
  agent: { id: 'agt_0123456789abcdef', name: 'a'.repeat(64) },
  runtime: { name: 'deno', image: 'sha256:0', isolation: 'embedded' },
  network: Array.from({ length: 40 }, (_, index) => `host-${index}.${'long-label.'.repeat(5)}example.com`),
  secrets: Array.from({ length: 25 }, (_, index) =>
    sampleRawSecret({
      name: `SECRET_${index}_${'N'.repeat(100)}`,
      hosts: [`h${index}.example.com`, 'x.example.com'],
    }),
  ),
  args: JSON.stringify({ a: '😀'.repeat(2_000) }),
}
const WORST_CODE =
  `// @secrets OTHER\neval("1"); import(x)\nconst a\u202e = 1; const p\u0430y = 2\n${'y'.repeat(900)}\n`.repeat(
    30,
  )
const CHANGES = Array.from(
  { length: 20 },
  (_, index) => `network: + added-${index}.${'z'.repeat(90)}.example.com`,
)

describe('the card as a message', () => {
  it('shows a small request whole, with its code, on one screen and without files', () => {
    const { seen, documents } = render(
      { secrets: [secret('DEMO_KEY', ['api.example.com'])], network: ['api.example.com'] },
      'await fetch("https://api.example.com/v1", { headers: { a: Deno.env.get("DEMO_KEY") } })\n',
    )
    expect(documents).toEqual([])
    expect(seen).toContain('await fetch(')
    expect(seen).toContain('🌐 Sends: GET api.example.com/v1')
    expect(seen).toContain('expires in 60 min (14:05 UTC)')
    expect(seen.split('\n')[0]).toBe('🔑 DEMO_KEY → api.example.com (in headers)')
    expect(phoneLines(seen)).toBeLessThanOrEqual(CARD_LINES)
  })

  it('stays within one screen in the worst case, and sends everything that it cuts as a file first', () => {
    const { seen, documents, model } = render(WORST, WORST_CODE, { changes: CHANGES })
    expect(phoneLines(seen)).toBeLessThanOrEqual(CARD_LINES)
    expect(seen.length).toBeLessThanOrEqual(MESSAGE_LIMIT)
    expect(seen.split('\n')[0]).toBe('🔺 NOT what you approved before:')
    expect(seen).toContain('… and 19 more changes')
    expect(seen).toContain('… and 24 more secrets')
    expect(seen).toContain(model.codeHash.slice(0, 12))
    expect(documents.map(({ document }) => document.fileName)).toEqual([
      expect.stringMatching(/^s{40}-[0-9a-f]{12}\.ts\.txt$/),
      expect.stringMatching(/^s{40}-[0-9a-f]{12}-hidden-shown\.txt$/),
      `details-req_${'0'.repeat(32)}.txt`,
    ])
    const details = Buffer.from(documents[2]?.document.bytes ?? []).toString()
    for (const host of WORST.network ?? []) expect(details).toContain(`GET ${host}/v1`)
    for (const { name } of WORST.secrets ?? []) expect(details).toContain(name)
    for (const change of CHANGES) expect(details).toContain(change)
    expect(details).toContain(WORST.args)
  })

  it('names every kind of danger however many there are, and counts what it does not spell out', () => {
    const { model, seen } = render(WORST, WORST_CODE, { changes: CHANGES })
    expect(model.warnings.length).toBeGreaterThan(8)
    const words = seen.replaceAll(/\s+/g, ' ')
    for (const { short, text } of model.warnings) {
      expect(words.includes(short) || words.includes(text.slice(0, 24)), short).toBe(true)
    }
    expect(seen).toMatch(/⚠️ [0-9]+(?: more)?:/)
  })

  it('marks a value that the code reads, at the head and on its line', () => {
    const { seen, html } = render(
      {
        secrets: [
          secret('DEMO_KEY', ['a.example']),
          sampleRawSecret({ name: 'RAW_KEY', hosts: ['a.example'] }),
        ],
        network: ['a.example'],
      },
      'await fetch("https://a.example/v1", { headers: { a: Deno.env.get("DEMO_KEY"), b: Deno.env.get("RAW_KEY") } })\n',
    )
    expect(seen.split('\n').slice(0, 3)).toEqual([
      '⚠️ the code reads the real value of RAW_KEY and can send it to the network below',
      '🔑 DEMO_KEY → a.example (in headers)',
      '🔓 RAW_KEY → a.example (the code READS the value)',
    ])
    expect(html).toContain('(<b>the code READS the value</b>)')
  })

  it('keeps the mark of such a value on its line however much is cut', () => {
    const { seen } = render(WORST, WORST_CODE, { changes: CHANGES })
    const lines = seen.split('\n').filter((line) => line.startsWith('🔓'))
    expect(lines.length).toBeGreaterThan(0)
    for (const line of lines) expect(line).toMatch(/\(the code READS the value\)$/)
  })

  it('says where a secret that may go nowhere is bound to', () => {
    const { seen } = render(
      {
        secrets: [sampleSecret({ name: 'DEMO_KEY', hosts: [], bound_to: ['b.example'] })],
        network: ['a.example'],
      },
      'await fetch("https://a.example/v1", { headers: { a: Deno.env.get("DEMO_KEY") } })\n',
    )
    expect(seen.split('\n').slice(0, 2)).toEqual([
      '⚠️ DEMO_KEY is bound to b.example, which this code may not reach: it will not be sent',
      '🔑 DEMO_KEY → no host: it will not be sent',
    ])
  })

  it('puts what contradicts or hides before what is merely risky', () => {
    const { model } = render(
      { secrets: [secret('REAL', ['a.example'])], network: ['http://a.example'] },
      '// @secrets SHOWN\neval("x")\n// a\u200b\nawait fetch("http://a.example/v1")\n',
    )
    expect(model.warnings[0]?.text).toContain("gets secrets REAL, though the code's comment names SHOWN")
    expect(model.warnings[1]?.text).toContain('invisible')
    expect(model.warnings[2]?.text).toContain('eval')
    expect(model.warnings.at(-1)?.text).toContain('plain http')
  })

  it('sends long code as a file with exactly its bytes, named after the skill without anything odd', () => {
    const code = `\ufeff${'console.log("ä")\r\n'.repeat(60)}\t `
    const { documents, seen } = render({ skill_id: 'a/../b:c' }, code)
    expect(documents[0]?.document.fileName).toMatch(/^a-b-c-[0-9a-f]{12}\.ts\.txt$/)
    expect(sha256Hex(documents[0]?.document.bytes ?? '')).toBe(sha256Hex(code))
    expect(documents[0]?.caption).toContain(sha256Hex(code))
    expect(seen).toContain('Read the code in the file above')
  })

  it('writes hidden characters out where the code is shown', () => {
    expect(render({}, 'let a\u202e = 1\r\n').seen).toContain('let a⟨U+202E⟩ = 1⟨U+000D⟩')
  })

  it('does not let a run of blanks push the rest of a text out unseen', () => {
    const { seen } = render({ args: JSON.stringify(`${' '.repeat(3_000)}evil`) })
    expect(seen).toContain('evil')
  })

  it('keeps every button within 64 bytes, in the order of the contract', () => {
    const { keyboard } = render({ args: '{}' })
    expect(
      keyboard
        .flat()
        .map(({ text }) => text)
        .slice(0, 4),
    ).toEqual(['✅ Run Once', '❌ Deny', '⏱ Trust 24h', '♾ Always Trust'])
    for (const button of keyboard.flat())
      expect(Buffer.byteLength('callback_data' in button ? button.callback_data : '')).toBeLessThanOrEqual(64)
  })

  it('links to the console at a public name alone, since Telegram refuses a card with any other address', () => {
    const page = 'https://console.example/console/requests/req_1'
    expect(pageButton(page)).toEqual([[{ text: '🔐 Decide in the console', url: page }]])
    for (const none of [null, 'http://localhost:3737/console/requests/req_1'])
      expect(pageButton(none)).toEqual([])
  })

  it('sends code and details as files with the plain card', () => {
    const { model } = render()
    const plain = renderPlainCard({ model, exactCode: 'console.log(1)\n', token: TOKEN, now: NOW })
    expect(plain.documents).toHaveLength(2)
    expect(plain.html.length).toBeLessThanOrEqual(MESSAGE_LIMIT)
  })

  it('fits one screen and either shows all or sends all as files, whatever the texts are', () => {
    const text = fc.string({ unit: 'binary', maxLength: 400 }).map((value) => value.toWellFormed())
    const host = fc.domain()
    fc.assert(
      fc.property(
        text,
        text,
        fc.array(host, { maxLength: 12 }),
        fc.array(text, { maxLength: 6 }),
        text,
        (description, args, network, changes, body) => {
          const code = `${body}\n;`
          const { seen, documents, html } = render(
            {
              description,
              args,
              network,
              secrets: network.map((name, index) =>
                (index % 2 === 0 ? sampleSecret : sampleRawSecret)({ name: `S${index}`, hosts: [name] }),
              ),
            },
            code,
            { changes },
          )
          expect(phoneLines(seen)).toBeLessThanOrEqual(CARD_LINES)
          expect(seen.length).toBeLessThanOrEqual(MESSAGE_LIMIT)
          expect(html.replace(/<\/?(b|code|pre)>/g, '')).not.toMatch(/[<>]|&(?!(amp|lt|gt|quot);)/)
          const details = documents.find(({ document }) => document.fileName.startsWith('details-'))
          const everywhere = seen + Buffer.from(details?.document.bytes ?? []).toString()
          for (const name of network) expect(everywhere).toContain(name)
        },
      ),
      { numRuns: 150 },
    )
  })
})
