import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import { workerProcesses } from '../../../test/support/worker-processes.ts'
import { ANY_CLAIMS, type BodyInspection } from '../../egress/index.ts'
import { createBackground } from './background.ts'
import { createLargeInspections } from './large-inspections.ts'

const background = createBackground()
const inspections = createLargeInspections(background)
afterAll(() => background[Symbol.asyncDispose]())

const GRAPHQL: BodyInspection = {
  path: '/graphql',
  contentType: 'application/json',
  isEncoded: false,
  mutations: true,
  methods: false,
}
const padded = (query: string): Buffer =>
  Buffer.from(JSON.stringify([...Array.from({ length: 20_000 }, () => ({ query: '{ a }' })), { query }]))

describe('a large body that code sends', () => {
  it('is known for what it does, and the event loop turns meanwhile', async () => {
    let turns = 0
    let isOver = false
    const turn = (): void => {
      turns += 1
      if (!isOver) setImmediate(turn)
    }
    turn()
    const [reads, writes] = await Promise.all([
      inspections.inspect('a', GRAPHQL, padded('{ b }')),
      inspections.inspect('b', GRAPHQL, padded('mutation { drop }')),
    ])
    isOver = true
    expect([reads.mutation, writes.mutation]).toEqual([false, true])
    expect(turns).toBeGreaterThan(20)
  })

  it('may do anything when nobody has time to look into it', async () => {
    const full = createLargeInspections({
      parsing: { run: () => Promise.reject(new Error('too much of yours waits')) } as never,
    })
    expect(await full.inspect('a', GRAPHQL, padded('{ a }'))).toEqual(ANY_CLAIMS)
  })

  it('may do anything when what looks into it dies, and the next is looked into by another', async () => {
    for (const signal of ['SIGSEGV', 'SIGABRT', 'SIGKILL'] as const) {
      let isOver = false
      const dying = inspections.inspect('a', GRAPHQL, padded('{ b }')).finally(() => {
        isOver = true
      })
      while (!isOver) {
        for (const pid of workerProcesses('background/parser')) process.kill(pid, signal)
        await delay(1)
      }
      expect(await dying, signal).toEqual(ANY_CLAIMS)
      expect(await inspections.inspect('a', GRAPHQL, padded('{ b }'))).toMatchObject({ mutation: false })
    }
  })

  it('leaves the body as it was, for it is sent on', async () => {
    const body = padded('{ a }')
    const before = Buffer.from(body)
    await inspections.inspect('a', GRAPHQL, body)
    expect(body.equals(before)).toBe(true)
  })
})
