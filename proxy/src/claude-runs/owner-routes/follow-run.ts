import type { RunEvents } from '../../contracts/admin/index.ts'
import { type EventLog, type Json, type LoggedEvent, oneLine, visibleText } from '../../kernel/index.ts'

const WAIT_MS = 20_000
const MOST_AT_ONCE = 500
const INPUT_CHARS = 2_000
const SHOWN_CHARS = 20_000

/** What a run told behind `after`, at once where there is any; else the next of it, within a wait that no connection outlives by much. */
export async function followRun(
  log: EventLog | undefined,
  after: number,
  waitMs: number = WAIT_MS,
): Promise<RunEvents> {
  if (log === undefined) return { events: [], last: after, lost_up_to: null, over: true }
  const events: LoggedEvent[] = []
  let lost: number | null = null
  const seen = (): number => events.at(-1)?.id ?? lost ?? after
  for await (const next of log.follow(after, AbortSignal.timeout(waitMs))) {
    if ('lostUpTo' in next) lost = next.lostUpTo
    else events.push(next)
    if (seen() >= log.lastId || events.length >= MOST_AT_ONCE) break
  }
  return {
    ...{ events: shownEvents(events), last: seen(), lost_up_to: lost },
    over: log.isClosed && seen() >= log.lastId,
  }
}

/** A text comes in pieces that may end within a character. */
function shownEvents(events: readonly LoggedEvent[]): RunEvents['events'] {
  const joined: LoggedEvent[] = []
  for (const one of events) {
    const before = joined.at(-1)
    if (before !== undefined && before.event === one.event && PIECES.has(one.event))
      joined[joined.length - 1] = { ...one, data: { text: textOf(before.data) + textOf(one.data) } }
    else joined.push(one)
  }
  return joined.flatMap(({ id, event, data }) => {
    const shown = SHOWN[event]?.(data as Record<string, Json>)
    return shown === undefined ? [] : [{ id, event, shown }]
  })
}

const PIECES: ReadonlySet<string> = new Set(['text', 'thinking'])
const textOf = (data: Json): string => String((data as { text?: Json }).text ?? '')
const cut = (text: string): string =>
  visibleText(text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS)} …` : text)

/** How a person reads each; what is not here they have elsewhere on the page. */
const SHOWN: Readonly<Record<string, (data: Record<string, Json>) => string>> = {
  started: () => 'The prompt was handed over.',
  text: (data) => visibleText(textOf(data)),
  thinking: (data) => visibleText(textOf(data)),
  tool_use: ({ name, input }) =>
    `${oneLine(String(name), 128)} ${oneLine(JSON.stringify(input), INPUT_CHARS)}`,
  tool_result: ({ is_error, text }) => `${is_error === true ? 'failed: ' : ''}${cut(String(text))}`,
  repair: ({ problems }) =>
    `The result did not meet the schema; the model is told why: ${oneLine(JSON.stringify(problems), INPUT_CHARS)}`,
}
