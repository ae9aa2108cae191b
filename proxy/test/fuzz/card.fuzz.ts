import fc from 'fast-check'
import { sha256Hex } from '../../src/kernel/index.ts'
import { renderCard } from '../../src/notify/telegram/card-message.ts'
import { sampleCard } from '../support/sample-card.ts'
import { sampleConsent, sampleSecret } from '../support/sample-consent.ts'
import { parseTelegramHtml } from '../support/telegram-html.ts'
import { holds } from './property.ts'

/** Tags that no card uses: one that is read as a tag came from a field. */
const tag = fc.constantFrom(
  '<u>',
  '</u>',
  '<s>x</s>',
  '<a href="tg://x">',
  '<',
  '>',
  '&',
  '&lt;',
  '"',
  '</pre>',
  '</b>',
)
const text = fc
  .array(
    fc.oneof(
      tag,
      fc.string({ unit: 'grapheme', maxLength: 20 }),
      fc.string({ unit: 'binary', maxLength: 8 }),
      fc.constantFrom('\n', '\u202e', ' '.repeat(90), 'long'.repeat(60)),
    ),
    {
      maxLength: 8,
    },
  )
  .map((parts) => parts.join('').toWellFormed())
const NOW = Date.UTC(2030, 0, 2, 13, 5)
const HOSTS = ['api.example.com', '*.example.org', 'http://plain.example.com', '10.0.0.7:8443']

const card = fc.record({
  skill: text,
  description: text,
  agent: text,
  args: fc.option(fc.json()),
  url: fc.option(text),
  names: fc.uniqueArray(fc.stringMatching(/^[A-Z][A-Z0-9_]{0,60}$/), { maxLength: 12 }),
  network: fc.subarray(HOSTS),
  code: fc.oneof(
    text,
    fc.array(text, { maxLength: 40 }).map((lines) => lines.join('\n')),
  ),
  changes: fc.array(text, { maxLength: 12 }),
  modules: fc.option(fc.array(text, { maxLength: 20 })),
  mode: fc.constantFrom('placeholder' as const, 'raw' as const),
})

export const cardProperties = [
  holds(
    'a card is always made, fits a message, and shows no field as markup',
    fc.property(card, (input) => {
      const consent = sampleConsent({
        skill_id: input.skill,
        description: input.description,
        code: { sha256: sha256Hex(input.code), bytes: Buffer.byteLength(input.code) },
        agent: { id: 'agt_0123456789abcdef', name: input.agent },
        args: input.args,
        source: input.url === null ? null : { url: input.url, relation: 'different' },
        network: input.network,
        secrets: input.names.map((name) => sampleSecret({ name, mode: input.mode, hosts: input.network })),
        imports:
          input.modules === null
            ? null
            : { lock: sha256Hex('lock'), files: input.modules.length, bytes: 1_000, modules: input.modules },
      })
      const model = sampleCard({
        requestId: `req_${'0'.repeat(32)}`,
        consent,
        code: input.code,
        changes: input.changes,
        missing: input.names.slice(0, 1),
        expiresAt: NOW + 3_600_000,
      })
      const { html } = renderCard({ model, exactCode: input.code, token: 'A'.repeat(22), now: NOW })
      const { text: seen, entities } = parseTelegramHtml(html)
      if (seen.length > 4096) throw new Error(`${seen.length} characters`)
      if (entities.some(({ type }) => ['u', 's', 'a'].includes(type)))
        throw new Error('a field became markup')
    }),
  ),
]
