import type { IncomingMessage } from 'node:http'
import { expect, it } from 'vitest'
import { Exchange } from './exchange.ts'
import { createRefusalPace } from './refusal-pace.ts'

const BURST = 40

function paced() {
  let now = 0
  const closing = new AbortController()
  const pace = createRefusalPace(closing.signal, () => now)
  const exchange = () => new Exchange({ pause() {} } as unknown as IncomingMessage, null)
  return {
    closing,
    exchange,
    wait: (agent: string, of = exchange()) => pace.wait(agent, of),
    later: (ms: number) => {
      now += ms
    },
  }
}

it('answers some refusals at once, and holds up no other agent', async () => {
  const { wait, closing } = paced()
  const first = Array.from({ length: BURST }, () => wait('busy'))
  expect(first.every((one) => one === undefined)).toBe(true)
  const held = wait('busy')
  expect(held).toBeInstanceOf(Promise)
  expect(wait('other')).toBeUndefined()
  closing.abort()
  await held
})

it('waits for nobody who has left, and for none when the daemon stops', async () => {
  const { wait, closing, exchange } = paced()
  for (let one = 0; one < 10 * BURST; one += 1) wait('busy')
  const left = exchange()
  const gone = wait('busy', left)
  left.end()
  await gone
  const stays = wait('busy')
  closing.abort()
  await stays
  expect(wait('busy')).toBeUndefined()
})

it('forgets within seconds however often an agent asked', async () => {
  const { wait, closing, later } = paced()
  for (let one = 0; one < 1_000 * BURST; one += 1) wait('busy')
  expect(wait('busy')).toBeInstanceOf(Promise)
  later(6_000)
  expect(wait('busy')).toBeUndefined()
  closing.abort()
})
