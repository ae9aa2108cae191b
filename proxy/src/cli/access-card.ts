import type { AskView } from '../contracts/admin/index.ts'
import type { Style } from './style.ts'
import { rowWriter, rule } from './terminal-card.ts'
import {
  clipColumns,
  formatDistance,
  formatTime,
  TERMINAL_COLUMNS,
  terminalLine,
  wordWrap,
} from './text-layout.ts'

/**
 * What an agent asks for, for a terminal: who, which provider, where its requests go. Every text is made visible once
 * more here, as on the card of a request.
 */
export function renderAsk(view: AskView, style: Style, now: number): string {
  const row = rowWriter(style)
  const { card } = view
  const isWaiting = view.status === 'pending'
  return [
    rule(`oauth3 · ${isWaiting ? 'an agent asks for a provider' : 'ask for a provider'}`, style),
    ...row('Agent', card?.agent ?? view.agent, style.bold),
    ...row('Provider', card?.provider ?? view.provider, style.bold),
    ...(card === null ? [] : row('Goes to', card.origin)),
    ...row('Model', card?.model ?? view.model ?? 'none named'),
    ...row('Path', card?.path ?? view.path),
    ...(card === null ? [] : row('Gives', card.gives, style.bold)),
    ...(card?.notes ?? []).flatMap((note, index) => row(index === 0 ? 'Note' : '', note, style.yellow)),
    ...row('Ask', view.id),
    ...(isWaiting
      ? row('Expires', `${formatDistance(view.expires_at, now)} (${formatTime(view.expires_at)})`)
      : []),
    rule('', style),
  ].join('\n')
}

/** What became of it. */
export function renderAskState(view: AskView, style: Style): string {
  const row = rowWriter(style)
  const paint = view.status === 'granted' ? style.green : style.bold
  return [
    ...row('Status', view.status, paint),
    ...(view.decided_at === null
      ? []
      : row(
          'Decided',
          `by ${view.decided_by_name ?? view.decided_by ?? '?'}, ${formatTime(view.decided_at)}`,
        )),
    ...row('Consent', view.consent_hash),
  ].join('\n')
}

const NAME_COLUMNS = 32
const MARGIN_COLUMNS = 8

/** The question below the card names what a yes gives. */
export function accessQuestion(
  view: AskView,
  given: { readonly howLong: string; readonly what: string },
): string {
  const name = (text: string): string => clipColumns(terminalLine(text), NAME_COLUMNS)
  const text = `Let ${name(view.agent)} use ${name(view.provider)} ${given.howLong}, ${given.what}?`
  return wordWrap(terminalLine(text), TERMINAL_COLUMNS - MARGIN_COLUMNS).join('\n')
}
