import { once } from 'node:events'
import { createServer, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import type { Agent } from '../../identity/agents/index.ts'
import { createLoopTurns, createTokenBuckets } from '../../kernel/index.ts'
import { type LargeBodies, readBody } from '../usage/index.ts'
import { Exchange } from './exchange.ts'
import { createIdleTimeouts } from './idle-timeouts.ts'
import type { Reading } from './read-head.ts'
import { BODY_IDLE_MS, createBodyBudget } from './request-body.ts'
import { READING_TIME, type WholeBodyDeps, wholeBody } from './whole-body.ts'

/** Reads one body for an agent, and tells whether it went to the threads. */
async function readsOf(deps: WholeBodyDeps, agentId: string, text: string): Promise<void> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = request({ port: (server.address() as AddressInfo).port, method: 'POST' })
  client.on('error', () => {})
  client.end(text)
  const [incoming] = (await once(server, 'request')) as [IncomingMessage]
  const reading = {
    provider: null,
    credential: { token: 'no-token' },
    head: { bodyBytes: text.length },
  } as Reading
  const exchange = new Exchange(incoming, null)
  const options = { isLimited: false, agree: null }
  const body = await wholeBody({ id: agentId } as Agent, reading, exchange, deps, options)
  expect(body).toMatchObject({ known: 'read', scan: { model: 'm' } })
  exchange.end()
  client.destroy()
  server.close()
}

it('bodies that take long are read in threads once their agent has had its time, and those of no other agent', async () => {
  using idleTimeouts = createIdleTimeouts(BODY_IDLE_MS)
  const inThreads: string[] = []
  const largeBodies: LargeBodies = {
    async read(owner, parts, questions) {
      inThreads.push(owner)
      const body = Buffer.concat(parts)
      return Promise.resolve({ body, reading: await readBody(body, questions) })
    },
  }
  // The clock stands: what an agent had does not come back.
  const readingTime = createTokenBuckets(READING_TIME, () => 0)
  const deps = {
    ...{ budget: createBodyBudget(), idleTimeouts, largeBodies, turns: createLoopTurns(), readingTime },
  }
  const members = `{"model":"m","x":[${'{"n":[[]]},'.repeat(5_500)}1]}`
  let reads = 0
  while (inThreads.length === 0 && reads < 1_000) {
    await readsOf(deps, 'hostile', members)
    reads += 1
  }
  expect(inThreads).toEqual(['hostile'])
  expect(reads).toBeGreaterThan(1)
  await readsOf(deps, 'other', members)
  await readsOf(deps, 'hostile', '{"model":"m"}')
  expect(inThreads).toEqual(['hostile'])
})
