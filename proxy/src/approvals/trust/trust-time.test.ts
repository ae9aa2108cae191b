import { describe, expect, it } from 'vitest'
import { createDomainKit } from '../../../test/support/domain-kit.ts'
import { ACTOR, START, useTrust } from '../../../test/support/trust-kit.ts'
import { TRUST_24H_MS } from './trust.ts'

const world = useTrust()
const { clock, grant, isTrusted, evaluate } = world

const MINUTE = 60_000
async function restart(): Promise<void> {
  await world.kit[Symbol.asyncDispose]()
  world.kit = await createDomainKit({ dir: world.dir, clock })
}

describe('how long a grant stands', () => {
  it('ends at 24 hours sharp', async () => {
    await grant('24h')
    world.now = START + TRUST_24H_MS - 1
    expect(await isTrusted()).toBe(true)
    world.now = START + TRUST_24H_MS
    expect(await isTrusted()).toBe(false)
    expect(await world.kit.storage.read((tx) => world.kit.trust.list(tx))).toEqual([])
  })

  it('stays ended when the clock is set back, whoever noticed the end first', async () => {
    await grant('24h')
    world.now = START + TRUST_24H_MS
    expect(await isTrusted()).toBe(false)
    world.now = START + TRUST_24H_MS - 2 * MINUTE
    expect(await isTrusted()).toBe(false)
    await restart()
    expect(await isTrusted()).toBe(false)
    world.now = START + MINUTE
    expect(await isTrusted()).toBe(false)
  })

  it('stays ended when the clock is set back after a tick and a restart', async () => {
    const { id } = await grant('24h')
    world.now = START + TRUST_24H_MS + 1
    await world.kit.trust.tick()
    world.now = START + 1
    await restart()
    expect(await isTrusted()).toBe(false)
    expect(await world.kit.storage.read((tx) => world.kit.trust.list(tx))).toEqual([])
    await expect(world.kit.trust.revoke(id, ACTOR)).rejects.toThrow(
      expect.objectContaining({ code: 'not_found' }),
    )
  })

  it('is not stretched by a clock that is set back before its end', async () => {
    await grant('24h')
    world.now = START + TRUST_24H_MS - 10 * MINUTE
    await world.kit.trust.tick()
    world.now = START + MINUTE
    expect(await isTrusted()).toBe(false)
    await restart()
    expect(await isTrusted()).toBe(false)
    world.now = START + TRUST_24H_MS - 10 * MINUTE
    expect(await isTrusted()).toBe(true)
  })

  it('bears the small corrections of a clock that is kept in time', async () => {
    await grant('24h')
    world.now = START + 60 * MINUTE
    await world.kit.trust.tick()
    world.now -= 2 * MINUTE
    expect(await isTrusted()).toBe(true)
  })

  it('does not stand before it was given', async () => {
    await grant('24h')
    world.now = START - 1
    expect(await isTrusted()).toBe(false)
  })

  it('can be given again after the clock ran far ahead and was put right', async () => {
    world.now = START + 400 * TRUST_24H_MS
    await world.kit.trust.tick()
    world.now = START
    await grant('24h')
    expect(await isTrusted()).toBe(true)
    world.now = START + TRUST_24H_MS
    expect(await isTrusted()).toBe(false)
  })

  it('stands forever when it was given forever, over restarts and clocks', async () => {
    await grant('forever')
    for (const at of [START + 4_000 * TRUST_24H_MS, START - TRUST_24H_MS, START]) {
      world.now = at
      await world.kit.trust.tick()
      await restart()
      expect(await isTrusted()).toBe(true)
    }
  })

  it('never covers a second request when it was given once', async () => {
    await grant('once')
    expect(await evaluate()).toEqual({ trusted: false, changes: [] })
    expect(await world.kit.storage.read((tx) => world.kit.trust.list(tx))).toEqual([])
  })

  it('ends when a person revokes it', async () => {
    const { id } = await grant('forever')
    await world.kit.trust.revoke(id, ACTOR)
    expect(await isTrusted()).toBe(false)
    await restart()
    expect(await isTrusted()).toBe(false)
    await expect(world.kit.trust.revoke(id, ACTOR)).rejects.toThrow(
      expect.objectContaining({ code: 'not_found' }),
    )
    await grant('forever')
    expect(await isTrusted()).toBe(true)
  })

  it('tells the audit of every grant, end and revocation', async () => {
    await grant('24h')
    await world.kit.trust.revoke((await grant('forever', { args: null })).id, ACTOR)
    world.now = START + TRUST_24H_MS
    await world.kit.trust.tick()
    expect((await Array.fromAsync(world.kit.audit.export())).map(({ event }) => event)).toEqual([
      'trust.granted',
      'trust.granted',
      'trust.revoked',
      'trust.ended',
    ])
  })
})
