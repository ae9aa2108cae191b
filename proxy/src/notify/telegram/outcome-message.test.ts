import { describe, expect, it } from 'vitest'
import { sampleConsent } from '../../../test/support/sample-consent.ts'
import type { EgressRefusal } from '../../egress/index.ts'
import type { Execution, RunResult } from '../../executions/index.ts'
import { plainText } from './html.ts'
import { renderOutcome } from './outcome-message.ts'

const execution = (network: RunResult['network']): Execution => ({
  requestId: `req_${'0'.repeat(32)}` as Execution['requestId'],
  agentId: 'agt_1' as Execution['agentId'],
  skillId: 'demo-skill',
  codeHash: 'a'.repeat(64) as Execution['codeHash'],
  status: 'success',
  consentJson: '',
  consentHash: 'b'.repeat(64) as Execution['consentHash'],
  changes: [],
  createdAt: 0,
  expiresAt: 1,
  trusted: true,
  decision: null,
  decidedBy: null,
  decidedByName: null,
  decidedAt: null,

  denyReason: null,
  startedAt: 0,
  finishedAt: 1,
  durationMs: 12,
  failure: null,
  result: {
    stdout: 'ran\n',
    stderr: '',
    exitCode: 0,
    truncated: false,
    ...(network === undefined ? {} : { network }),
  },
  seenAt: null,
  ackedAt: null,
  ...{ remindedAt: null, againOf: null, supersededBy: null },
})
const refusal = (change: Partial<EgressRefusal> = {}): EgressRefusal => ({
  rule: 'host_not_approved',
  origin: 'https://evil.com',
  secrets: [],
  count: 1,
  ...change,
})
const seen = (network: RunResult['network']): string[] =>
  plainText(renderOutcome(execution(network), sampleConsent())).split('\n')

describe('the outcome of a run', () => {
  it('says nothing of the network when the run did not use it, or when it was not counted', () => {
    for (const network of [undefined, { requests: 0, refused: [], moreRefused: 0 }])
      expect(seen(network).join('\n')).not.toMatch(/🌐|⛔/)
  })

  it('counts requests', () => {
    expect(seen({ requests: 1, refused: [], moreRefused: 0 })).toContain('🌐 1 request')
    expect(seen({ requests: 3, refused: [], moreRefused: 0 })).toContain('🌐 3 requests')
  })

  it('has a line for what the gateway refused', () => {
    const lines = seen({
      requests: 4,
      refused: [
        refusal({ count: 2 }),
        refusal({ rule: 'secret_not_for_host', origin: 'https://b.com', secrets: ['OPENAI_API_KEY'] }),
      ],
      moreRefused: 0,
    })
    expect(lines).toContain('⛔ evil.com: not on the approved list (2×)')
    expect(lines).toContain('⛔ OPENAI_API_KEY placeholder sent to b.com')
  })

  it('lists a few refusals and counts the rest', () => {
    const refused = Array.from({ length: 8 }, (_none, index) =>
      refusal({ origin: `https://h${index}.com`, count: 3 }),
    )
    const lines = seen({ requests: 100, refused, moreRefused: 5 }).filter((line) => line.startsWith('⛔'))
    expect(lines).toHaveLength(5)
    expect(lines.at(-1)).toBe('⛔ … and 17 more refused')
  })

  it('shows markup and controls in a host as text, on one bounded line', () => {
    const html = renderOutcome(
      execution({
        requests: 1,
        refused: [refusal({ origin: `https://<b>&\n\u202e${'x'.repeat(500)}` })],
        moreRefused: 0,
      }),
      undefined,
    )
    const line = html.split('\n').find((candidate) => candidate.startsWith('⛔'))
    expect(line).toMatch(/^⛔ <code>&lt;b&gt;&amp; ⟨U\+202E⟩x+…: not on the approved list<\/code>$/)
    expect(line?.length).toBeLessThan(150)
  })
})
