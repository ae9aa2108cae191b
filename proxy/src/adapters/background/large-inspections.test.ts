import { afterAll, describe, expect, it } from 'vitest'
import { ANY_CLAIMS, type BodyInspection } from '../../domain/egress/index.ts'
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
      heavy: { run: () => Promise.reject(new Error('too much of yours waits')) } as never,
    })
    expect(await full.inspect('a', GRAPHQL, padded('{ a }'))).toEqual(ANY_CLAIMS)
  })

  it('leaves the body as it was, for it is sent on', async () => {
    const body = padded('{ a }')
    const before = Buffer.from(body)
    await inspections.inspect('a', GRAPHQL, body)
    expect(body.equals(before)).toBe(true)
  })
})
