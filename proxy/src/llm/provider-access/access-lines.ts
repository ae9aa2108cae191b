import type { TextLine, TextPart } from '../../approvals/index.ts'
import { oneLine } from '../../kernel/index.ts'
import { describeGrant } from './card.ts'
import type { AccessCard, ProviderAsk, ProviderGrant } from './ports.ts'

/** How long an agent is refused after the owner said no; then it may ask again. */
export const DENIED_MINUTES = 10

/** The card of an access request: who wants to use what, what it may cost, and how long each button lasts. */
export function accessLines(card: AccessCard): readonly TextLine[] {
  const forModel = card.choices.flat().some(({ scope }) => scope === 'model')
  return [
    ['🧠 ', { strong: 'May this agent use this provider?' }],
    ['🤖 Agent: ', { name: card.agent }],
    ['🏷 Provider: ', { name: card.provider }, ' at ', { name: card.origin }],
    ['📐 Model: ', { name: card.model }],
    ['🛣 Request: ', { name: card.path }],
    [`🔓 Gives ${card.gives}.`],
    ...card.notes.map((note) => [`• ${note}`]),
    [
      `⏱ For 1 or 24 hours, then it must ask again. ♾ Always: until it is revoked. ❌ Deny: refused for ${DENIED_MINUTES} minutes.`,
    ],
    [
      forModel
        ? 'A yes is for all models of this provider, “Only” for the one model above.'
        : 'A yes is for all models of this provider.',
    ],
  ]
}

/** What the card says once it is settled: who, what, when. `grant` is what stands by now because of it. */
export function accessOutcomeLines(
  ask: ProviderAsk,
  agent: string,
  grant: ProviderGrant | undefined,
): readonly TextLine[] {
  const model: readonly TextPart[] = ask.model === null ? [] : [' · ', { name: oneLine(ask.model, 128) }]
  return [
    headline(ask, grant),
    ...decisionLines(ask),
    ['🤖 ', { name: oneLine(agent, 64) }, ' → ', { name: oneLine(ask.provider, 64) }, ...model],
    ...(ask.status === 'approved' && grant ? [['End it with ', { name: `/revoke P${grant.id}` }, '.']] : []),
    ...(ask.status === 'denied' ? [[`It may ask again after ${DENIED_MINUTES} minutes.`]] : []),
  ]
}

function headline(ask: ProviderAsk, grant: ProviderGrant | undefined): TextLine {
  switch (ask.status) {
    case 'pending':
      return ['⏳ ', { strong: 'Waiting' }]
    case 'approved':
      return ['✅ ', { strong: 'Granted' }, grant ? `: ${describeGrant(grant)}, ${describeUntil(grant)}` : '']
    case 'denied':
      return ['🚫 ', { strong: 'Denied' }]
    case 'expired':
      return ['⌛ ', { strong: 'Expired' }, ': nobody answered in time']
    case 'cancelled':
      return ['↩️ ', { strong: 'Taken back' }, ': its agent or its provider is gone']
  }
}

function decisionLines({ decidedBy, decidedByName, decidedAt, status }: ProviderAsk): TextLine[] {
  if (decidedBy === null || decidedAt === null) return []
  const mark = status === 'approved' ? '👍' : '👎'
  const name: readonly TextPart[] = decidedByName === null ? [] : [{ name: oneLine(decidedByName, 48) }, ' ']
  const time = `${new Date(decidedAt).toISOString().slice(11, 16)} UTC`
  return [[`${mark} by `, ...name, '(', { name: oneLine(decidedBy, 64) }, `), ${time}`]]
}

/** `always`, `until they are used` or `until 2027-01-31 14:05 UTC`. */
export function describeUntil({ expiresAt, limits }: Pick<ProviderGrant, 'expiresAt' | 'limits'>): string {
  if (expiresAt === null) return limits.requests === null ? 'always' : 'until they are used'
  const text = new Date(expiresAt).toISOString()
  return `until ${text.slice(0, 10)} ${text.slice(11, 16)} UTC`
}
