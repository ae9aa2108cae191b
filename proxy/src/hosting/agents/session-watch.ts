/** Hears what a machine records of its main conversation, for as long as the machine is up; it is woken or held awake for it by nobody. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '../../kernel/index.ts'
import type { AgentRun } from '../chat/index.ts'
import { eventData, unanswered } from './event-data.ts'
import { MAIN_SESSION } from './gateway-chat.ts'
import { cleanerOf } from './gateway-token.ts'
import { runsOf } from './session-record.ts'
import { requestOver } from './stream-request.ts'

interface Link {
  readonly stream: Duplex
  readonly gatewayToken: string
}

/** What is heard of a record at once: its newest messages; fewer where they are large. */
const MESSAGES = { most: 60, few: 8 }
const MAX_CHARS = 4 * 1_048_576
const PAUSE_MS = { first: 250, longest: 60_000 }

const recordOf = (session: string, limit: number): string =>
  `/sessions/${encodeURIComponent(session)}/history?limit=${limit}`

/** Throws `sandbox_unavailable`, `too_large`. */
export async function readRecord(
  link: Link,
  signal: AbortSignal,
  session = MAIN_SESSION,
): Promise<readonly AgentRun[]> {
  try {
    const response = await ask(link, recordOf(session, MESSAGES.most), 'application/json', signal)
    let text = ''
    for await (const piece of response.setEncoding('utf8')) {
      text += piece as string
      if (text.length > MAX_CHARS) throw new AppError('too_large', 'Its record is too long.')
    }
    return runsOf(text, cleanerOf(link.gatewayToken)) ?? []
  } finally {
    link.stream.destroy()
  }
}

async function* follow(link: Link, limit: number, signal: AbortSignal): AsyncGenerator<readonly AgentRun[]> {
  try {
    const response = await ask(link, recordOf(MAIN_SESSION, limit), 'text/event-stream', signal)
    const clean = cleanerOf(link.gatewayToken)
    const read = (data: string) => runsOf(data, clean) ?? []
    yield* eventData(response, read, { maxLineChars: MAX_CHARS }, signal)
  } finally {
    link.stream.destroy()
  }
}

async function ask(
  { stream, gatewayToken }: Link,
  path: string,
  accept: string,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const headers = { authorization: `Bearer ${gatewayToken}`, accept }
  const response = await requestOver(stream, { method: 'GET', path, headers, signal })
  if (response.statusCode !== 200) throw unanswered(`it answered ${response.statusCode}`)
  return response
}

export interface SessionWatch {
  /** It has something to say by now: it is asked at once. */
  poke(): void
  close(): void
}

export function watchSession(deps: {
  /** Resolves once its gateway answers. Throws where nobody may speak to it now. */
  readonly open: (signal: AbortSignal) => Promise<Link>
  readonly heard: (runs: readonly AgentRun[], isFirst: boolean) => Promise<void>
  readonly log: (message: string, error?: unknown) => void
  /** Resolves after so long, and at once upon an abort. */
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<void>
}): SessionWatch {
  const closing = new AbortController()
  const pause = deps.pause ?? rest
  let poked = Promise.withResolvers<void>()
  let pauseMs = PAUSE_MS.first

  async function listen(limit: number): Promise<void> {
    let isFirst = true
    for await (const runs of follow(await deps.open(closing.signal), limit, closing.signal)) {
      await deps.heard(runs, isFirst)
      isFirst = false
    }
  }

  async function stay(): Promise<void> {
    for (let limit = MESSAGES.most; !closing.signal.aborted; ) {
      const { promise: again } = poked
      const since = performance.now()
      try {
        await listen(limit)
      } catch (error) {
        if (!(error instanceof AppError) && !closing.signal.aborted && !isBroken(error))
          deps.log('what a machine records is not heard', error)
        if (error instanceof AppError && error.code === 'too_large') limit = MESSAGES.few
      }
      // One that hangs up again and again, whatever it said, is dialled less and less.
      if (performance.now() - since >= PAUSE_MS.longest) pauseMs = PAUSE_MS.first
      await Promise.race([again, pause(pauseMs, closing.signal)])
      pauseMs = Math.min(pauseMs * 2, PAUSE_MS.longest)
    }
  }
  void stay()
  return {
    poke() {
      pauseMs = PAUSE_MS.first
      poked.resolve()
      poked = Promise.withResolvers()
    },
    close: () => closing.abort(),
  }
}

/** A connection that ended, which says nothing of the daemon. */
const isBroken = (error: unknown): boolean => typeof (error as { code?: unknown }).code === 'string'

const rest = (ms: number, signal: AbortSignal): Promise<void> =>
  sleep(ms, undefined, { signal, ref: false }).catch(() => {})
