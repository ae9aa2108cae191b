import { setTimeout as delay } from 'node:timers/promises'

interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: answers are checked by the tests that read them
  readonly body: any
}

const LOOK_MS = 25

/**
 * A turn with a hosted agent, to its end: `text` in the body is what it answered. The refusal where it is not taken, or not told; 503
 * where it was not answered to the end.
 */
export async function tellHost(
  call: (method: string, path: string, body?: unknown) => Promise<Answer>,
  host: string,
  text: string,
): Promise<Answer> {
  const said = await call('POST', `${host}/turns`, { text })
  if (said.status !== 200) return said
  for (;;) {
    const seen = await call('GET', `${host}/turns?limit=1&before=${said.body.number + 1}`)
    if (seen.status !== 200) return seen
    const [turn] = seen.body.turns
    if (turn.state !== 'open')
      return { status: turn.state === 'done' ? 200 : 503, body: { ...turn, text: turn.answer } }
    await delay(LOOK_MS)
  }
}
