import { expect, test } from 'vitest'
import { sampleCard } from '../../test/support/sample-card.ts'
import { sampleConsent, sampleRawSecret, sampleSecret } from '../../test/support/sample-consent.ts'
import type { CardView } from '../contracts/admin/index.ts'
import { styleFor } from './style.ts'
import { renderCard, renderNetwork } from './terminal-card.ts'
import { columnsOf } from './text-layout.ts'

const plain = styleFor({}, {})

test('colour is for terminals that can, and for nobody who does not want it (NO_COLOR)', () => {
  const red = (isTTY: boolean, env: NodeJS.ProcessEnv) => styleFor({ isTTY }, env).red('x')
  for (const env of [{}, { NO_COLOR: '' }]) expect(red(true, env)).toBe('\u001b[31mx\u001b[39m')
  for (const env of [{ NO_COLOR: '1' }, { NO_COLOR: '0' }, { TERM: 'dumb' }]) expect(red(true, env)).toBe('x')
  expect(red(false, {})).toBe('x')
})

test('the card says where each value goes and in which part of a request, and which the code reads', () => {
  const card = sampleCard({
    requestId: 'req_1',
    consent: sampleConsent({
      secrets: [
        sampleSecret({ name: 'OPENAI_API_KEY', hosts: ['api.openai.com'], in: ['header', 'query'] }),
        sampleRawSecret({ name: 'RAW_KEY', hosts: ['api.openai.com'] }),
        sampleSecret({ name: 'ELSEWHERE_KEY', hosts: [], bound_to: ['b.com'] }),
      ],
      network: ['api.openai.com'],
    }),
    code: 'run()\n',
    changes: [],
    missing: ['OPENAI_API_KEY'],
    expiresAt: 0,
  })
  const shown = renderCard(card as unknown as CardView, plain, 0)
  const words = shown.replaceAll(/\s+/g, ' ')
  expect(words).toContain(
    'OPENAI_API_KEY → api.openai.com (in headers, query) · NOT STORED YET: the run waits for it',
  )
  expect(words).toContain('RAW_KEY → api.openai.com (the code READS the value)')
  expect(words).toContain('ELSEWHERE_KEY → no host: it will not be sent')
  expect(words).toContain(
    'WARNING the code reads the real value of RAW_KEY and can send it to the network below',
  )
  expect(words).toContain('WARNING ELSEWHERE_KEY is bound to b.com')
  for (const line of shown.split('\n')) expect(columnsOf(line)).toBeLessThanOrEqual(80)
})

test('on a narrow terminal the card is as wide as that, and says the same', () => {
  const card = sampleCard({
    requestId: 'req_1',
    consent: sampleConsent({
      secrets: [sampleRawSecret({ name: 'RAW_KEY_OF_SOME_LENGTH', hosts: ['api.openai.com'] })],
      network: ['api.openai.com'],
    }),
    code: `run(${JSON.stringify('x'.repeat(120))})\n`,
    changes: ['one host more than what was trusted: files.openai.com'],
    missing: [],
    expiresAt: 0,
  }) as unknown as CardView
  const drawn = (columns: number): string => renderCard(card, styleFor({ columns }, {}), 0)
  for (const columns of [40, 57]) {
    for (const line of drawn(columns).split('\n')) expect(columnsOf(line)).toBeLessThanOrEqual(columns)
    const letters = (text: string): string => text.replaceAll(/[\s─│↳]/g, '')
    expect(letters(drawn(columns))).toBe(letters(drawn(80)))
  }
  expect(drawn(9)).toBe(drawn(40))
  expect(drawn(300)).toBe(drawn(80))
})

test('what a run did on the network is counted, and each refusal has its line', () => {
  const refusal = { rule: 'host_not_approved', origin: 'https://evil.com', secrets: [], count: 2 }
  expect(
    renderNetwork(
      {
        requests: 3,
        refused: [{ ...refusal, said: 'evil.com: not on the approved list (2×)' }],
        more_refused: 4,
      },
      plain,
    ),
  ).toEqual([
    '  Network       3 requests',
    '  REFUSED       evil.com: not on the approved list (2×)',
    '                and 4 more refused',
  ])
  expect(renderNetwork({ requests: 1, refused: [], more_refused: 0 }, plain)).toEqual([
    '  Network       1 request',
  ])
  for (const nothing of [null, { requests: 0, refused: [], more_refused: 0 }])
    expect(renderNetwork(nothing, plain)).toEqual([])
})

test('a refusal that was not made harmless on the way neither steers the terminal nor begins a row', () => {
  const said = `\u001b[2J\u202e\n  Network   none ${'w'.repeat(300)}`
  const refusal = { rule: 'x', origin: said, secrets: [], count: 1, said }
  const lines = renderNetwork({ requests: 1, refused: [refusal], more_refused: 0 }, plain)
  expect(lines.filter((line) => line.startsWith('  Network'))).toEqual(['  Network       1 request'])
  for (const line of lines) {
    expect(line).not.toContain('\u001b')
    expect(columnsOf(line)).toBeLessThanOrEqual(80)
  }
})
