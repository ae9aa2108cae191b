import {
  type AccessCard,
  DENIED_MINUTES,
  grantSaid,
  limitsSaid,
  type ProviderAsk,
  type ProviderGrant,
} from '../../domain/provider-access/index.ts'
import { oneLine, type UnixMs } from '../../kernel/index.ts'
import { callbackData } from './callback-data.ts'
import { expiry, type InlineKeyboard, utcTime } from './card-message.ts'
import { bold, clip, code, escapeHtml } from './html.ts'

/** How much of a name a card shows. */
const NAME_COLUMNS = 76

/** The card of an ask: who wants to use what, what it may cost, and how long each button lasts. */
export function renderAsk(
  card: AccessCard,
  token: string,
  now: UnixMs,
): { readonly html: string; readonly keyboard: InlineKeyboard } {
  const forModel = card.choices.flat().some(({ scope }) => scope === 'model')
  const field = (text: string): string => code(clip(text, NAME_COLUMNS))
  const html = [
    `🧠 ${bold('May this agent use this provider?')}`,
    `🤖 Agent: ${field(card.agent)}`,
    `🏷 Provider: ${field(card.provider)} at ${field(card.origin)}`,
    `📐 Model: ${field(card.model)}`,
    `🛣 Request: ${field(card.path)}`,
    `🔓 Gives ${escapeHtml(clip(card.gives, 300))}.`,
    ...card.notes.map((note) => `• ${escapeHtml(clip(note, 200))}`),
    `⏱ For 1 or 24 hours, then it must ask again. ♾ Always: until you /revoke it. ❌ Deny: refused for ${DENIED_MINUTES} minutes.`,
    forModel
      ? 'These buttons allow that for all models of this provider; “Only” allows it for the one model above.'
      : 'The buttons allow that for all models of this provider.',
    `⏳ ${expiry(card.expiresAt, now)}`,
  ].join('\n')
  const keyboard = card.choices.map((row) =>
    row.map((choice) => ({ text: choice.label, callback_data: callbackData(token, choice.choice) })),
  )
  return { html, keyboard }
}

/** What the card says once it is settled: who, what, when. */
export function renderAskOutcome(input: {
  readonly ask: ProviderAsk
  readonly agent: string
  /** What stands by now because of it. */
  readonly grant: ProviderGrant | undefined
}): string {
  const { ask, grant } = input
  const model = ask.model === null ? '' : ` · ${code(clip(oneLine(ask.model, 128), NAME_COLUMNS))}`
  return [
    headline(ask, grant),
    ...decisionLines(ask),
    `🤖 ${code(oneLine(input.agent, 64))} → ${code(oneLine(ask.provider, 64))}${model}`,
    ...(ask.status === 'granted' && grant ? [`End it with ${code(`/revoke P${grant.id}`)}.`] : []),
    ...(ask.status === 'denied' ? [`It may ask again after ${DENIED_MINUTES} minutes.`] : []),
  ].join('\n')
}

function headline(ask: ProviderAsk, grant: ProviderGrant | undefined): string {
  switch (ask.status) {
    case 'pending':
      return `⏳ ${bold('Waiting')}`
    case 'granted':
      return `✅ ${bold('Granted')}${grant ? `: ${escapeHtml(grantSaid(grant))}, ${untilSaid(grant)}` : ''}`
    case 'denied':
      return `🚫 ${bold('Denied')}`
    case 'expired':
      return ask.decidedBy === null
        ? `⌛ ${bold('Expired')}: nobody answered in time`
        : `↩️ ${bold('Taken back')}: the agent was revoked`
  }
}

function decisionLines({ decidedBy, decidedByName, decidedAt, status }: ProviderAsk): string[] {
  if (decidedBy === null || decidedAt === null) return []
  const mark = status === 'granted' ? '👍' : '👎'
  const name = decidedByName === null ? '' : `${code(oneLine(decidedByName, 48))} `
  return [`${mark} by ${name}(${code(oneLine(decidedBy, 64))}), ${utcTime(decidedAt)}`]
}

/** `always` or `until 2027-01-31 14:05 UTC`. */
export const untilSaid = ({ expiresAt }: Pick<ProviderGrant, 'expiresAt'>): string =>
  expiresAt === null
    ? 'always'
    : `until ${new Date(expiresAt).toISOString().slice(0, 10)} ${utcTime(expiresAt)}`

/** A line for the owner; the agent reads a refusal until the limit is free again. */
export function renderLimitPassed(grant: ProviderGrant, limit: string, agent: string): string {
  const said = limitsSaid(onlyLimit(grant.limits, limit)) || limit.replaceAll('_', ' ')
  return (
    `🚧 ${bold('Limit passed')}: ${code(oneLine(agent, 64))} at ${code(oneLine(grant.provider, 64))}, ` +
    `${escapeHtml(said)} (P${grant.id}). More is refused until the limit is free again; change it with ` +
    `${code(`oauth3 grant limit ${grant.id}`)}.`
  )
}

const onlyLimit = (limits: ProviderGrant['limits'], limit: string): ProviderGrant['limits'] => ({
  requestsPerMinute: limit === 'requests_per_minute' ? limits.requestsPerMinute : null,
  tokensPerDay: limit === 'tokens_per_day' ? limits.tokensPerDay : null,
  microUsdPerDay: limit === 'usd_per_day' ? limits.microUsdPerDay : null,
})
