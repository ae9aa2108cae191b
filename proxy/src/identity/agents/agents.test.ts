import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { collect } from '../../../test/support/collect.ts'
import { createDomainKit, type DomainKit } from '../../../test/support/domain-kit.ts'
import { inDatabase } from '../../../test/support/stored.ts'
import { canonicalTags, ownKeyCommands } from './agents.ts'

let dir: string
let kit: DomainKit
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'oauth3-agents-'))
  kit = await createDomainKit({ dir })
})
afterEach(async () => {
  await kit[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true })
})
const add = (name = 'demo', cidrs: string[] = []) => kit.agents.add({ name, cidrs }, 'cli:0')
const rowsOf = (of: DomainKit) => collect(of.audit.export())
const failing = (code: string) => expect.objectContaining({ code })

describe('agents', () => {
  it('are known by their token, which is nowhere in the database', async () => {
    const { agent, token } = await add()
    expect(token).toMatch(/^oa3_[A-Za-z0-9_-]{43}$/)
    expect(kit.agents.authenticate(`Bearer ${token}`, '127.0.0.1').id).toBe(agent.id)
    expect(
      JSON.stringify([inDatabase(dir, (db) => db.prepare('SELECT * FROM agents').all()), await rowsOf(kit)]),
    ).not.toContain(token)
  })

  it.each<[string, (token: string) => string | undefined]>([
    ['no header', () => undefined],
    ['an empty one', () => ''],
    ['another scheme', (token) => `Basic ${token}`],
    ['the token alone', (token) => token],
    ['another token', (token) => `Bearer ${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`],
    ['a longer token', (token) => `Bearer ${token}A`],
    ['a line feed behind it', (token) => `Bearer ${token}\n`],
    ['two tokens', (token) => `Bearer ${token}, Bearer ${token}`],
    ['the token in capitals', (token) => `Bearer ${token.toUpperCase()}`],
  ])('are refused with %s', async (_what, header) => {
    const { token } = await add()
    expect(() => kit.agents.authenticate(header(token), '127.0.0.1')).toThrow(failing('unauthenticated'))
  })

  it('are refused once revoked, and their name is free again', async () => {
    const { token } = await add()
    await expect(add()).rejects.toThrow(failing('conflict'))
    await kit.agents.revoke('demo', 'cli:0')
    expect(() => kit.agents.authenticate(`Bearer ${token}`, '127.0.0.1')).toThrow(failing('unauthenticated'))
    await expect(kit.agents.revoke('demo', 'cli:0')).rejects.toThrow(failing('not_found'))
    const again = await add()
    expect(kit.agents.authenticate(`bearer ${again.token}`, '127.0.0.1').id).toBe(again.agent.id)
    expect(() => kit.agents.authenticate(`Bearer ${token}`, '127.0.0.1')).toThrow(failing('unauthenticated'))
  })

  it.each<[string[], string, boolean]>([
    [[], '203.0.113.9', true],
    [['10.0.0.0/24'], '10.0.0.255', true],
    [['10.0.0.0/24'], '::ffff:10.0.0.1', true],
    [['10.0.0.0/24'], '10.0.1.0', false],
    [['10.0.0.0/24', 'fd00::/64'], 'fd00::5', true],
    [['fd00::/64'], 'fd00:0:0:1::5', false],
    [['0.0.0.0/0'], '::1', false],
    [['10.0.0.0/24'], 'not an address', false],
  ])('with the list %j are let in from %s: %s', async (cidrs, address, allowed) => {
    const { token } = await add('demo', cidrs)
    const enter = () => kit.agents.authenticate(`Bearer ${token}`, address)
    if (allowed) expect(enter().name).toBe('demo')
    else expect(enter).toThrow(failing('address_not_allowed'))
  })

  it.each([
    '10.0.0.0',
    '10/8',
    '10.0.0.0/33',
    '010.0.0.0/8',
    '0x0a.0.0.0/8',
    '::ffff:10.0.0.0/104',
    'fd00::/129',
    'x/8',
    '/8',
    '',
  ])('do not take %j for a list of addresses', async (cidr) => {
    await expect(add('demo', [cidr])).rejects.toThrow(failing('invalid_request'))
    expect(kit.agents.list()).toEqual([])
  })

  it.each(['', '-x', 'a b', 'a\n', 'x'.repeat(65), '<b>', 'а'])('are not named %j', async (name) => {
    await expect(add(name)).rejects.toThrow(failing('invalid_request'))
  })

  it('have the tags they were given, until others are set', async () => {
    const { agent, token } = await kit.agents.add({ name: 'demo', tags: ['work', 'lab', 'work'] }, 'cli:0')
    expect(agent.tags).toEqual(['lab', 'work'])
    expect((await add('plain')).agent.tags).toEqual([])
    expect(kit.agents.byId(agent.id)).toEqual(agent)
    expect((await kit.agents.setTags('demo', ['one'], 'cli:0')).tags).toEqual(['one'])
    expect(kit.agents.byId(agent.id)?.tags).toEqual(['one'])
    expect(kit.agents.authenticate(`Bearer ${token}`, '127.0.0.1').tags).toEqual(['one'])
    expect((await rowsOf(kit)).at(-1)).toMatchObject({ event: 'agent.tagged', actor: 'cli:0' })
    await kit.agents.setTags('demo', [], 'cli:0')
    expect(kit.agents.byId(agent.id)?.tags).toEqual([])
  })

  it.each([[['']], [['A']], [['-a']], [['a b']], [['a,b']], [['a\n']], [['x'.repeat(33)]], [['ok', 'ä']]])(
    'are not tagged %j',
    async (tags) => {
      await add()
      await expect(kit.agents.setTags('demo', tags, 'cli:0')).rejects.toThrow(failing('invalid_request'))
      await expect(kit.agents.add({ name: 'other', tags }, 'cli:0')).rejects.toThrow(
        failing('invalid_request'),
      )
      expect(kit.agents.list().map(({ name, tags: kept }) => [name, kept])).toEqual([['demo', []]])
    },
  )

  it.each([
    ['clawd', [], '--tag clawd, and: oauth3 agent tag clawd --tag clawd'],
    ['clawd', ['clawd', 'work'], '--tag clawd, and: oauth3 agent tag clawd --tag clawd --tag work'],
    ['My_Claw.1', ['work'], '--tag my-claw-1, and: oauth3 agent tag My_Claw.1 --tag work --tag my-claw-1'],
    [
      'a'.repeat(64),
      [],
      `--tag ${'a'.repeat(32)}, and: oauth3 agent tag ${'a'.repeat(64)} --tag ${'a'.repeat(32)}`,
    ],
  ])('are told how to have a key of their own, in tags that there can be: %s %j', (name, tags, says) => {
    const commands = ownKeyCommands('openai', { name, tags })
    expect(commands).toBe(`oauth3 key add openai ${says}`)
    const named = [...commands.matchAll(/--tag (\S+?)(?:,|$| )/g)].map(([, tag = '']) => tag)
    expect(() => canonicalTags(named)).not.toThrow()
  })

  it('have sixteen tags at most, and none once they are revoked', async () => {
    const tags = Array.from({ length: 17 }, (_, index) => `t${index}`)
    await add()
    await expect(kit.agents.setTags('demo', tags, 'cli:0')).rejects.toThrow(failing('invalid_request'))
    expect((await kit.agents.setTags('demo', tags.slice(1), 'cli:0')).tags).toHaveLength(16)
    await kit.agents.revoke('demo', 'cli:0')
    await expect(kit.agents.setTags('demo', [], 'cli:0')).rejects.toThrow(failing('not_found'))
  })

  it('count their changes, so that nothing that was derived from them is kept too long', async () => {
    const seen = new Set([kit.agents.revision])
    await add()
    seen.add(kit.agents.revision)
    await kit.agents.setTags('demo', ['work'], 'cli:0')
    seen.add(kit.agents.revision)
    await kit.agents.revoke('demo', 'cli:0')
    seen.add(kit.agents.revision)
    expect(seen.size).toBe(4)
  })
})

describe('a rotated token', () => {
  const HOUR = 3_600_000
  let now = 1_800_000_000_000
  let ticking: DomainKit
  beforeEach(async () => {
    now = 1_800_000_000_000
    ticking = await createDomainKit({ dir: join(dir, 'ticking'), clock: { now: () => now } })
  })
  afterEach(() => ticking[Symbol.asyncDispose]())
  const known = (token: string): string | undefined => {
    try {
      return ticking.agents.authenticate(`Bearer ${token}`, '127.0.0.1').id
    } catch {
      return undefined
    }
  }

  it('is another one for the same agent; the old one is refused at once', async () => {
    const { agent, token } = await ticking.agents.add(
      { name: 'demo', cidrs: ['127.0.0.0/8'], tags: ['a'] },
      'cli:0',
    )
    const before = ticking.agents.revision
    const rotated = await ticking.agents.rotate('demo', 0, 'cli:0')
    expect(rotated.token).toMatch(/^oa3_[A-Za-z0-9_-]{43}$/)
    expect([known(token), known(rotated.token)]).toEqual([undefined, agent.id])
    expect(ticking.agents.byId(agent.id)).toMatchObject({ cidrs: ['127.0.0.0/8'], tags: ['a'] })
    expect(ticking.agents.revision).toBeGreaterThan(before)
    const kept = JSON.stringify([
      inDatabase(join(dir, 'ticking'), (db) => db.prepare('SELECT * FROM agents').all()),
      await rowsOf(ticking),
    ])
    for (const value of [token, rotated.token]) expect(kept).not.toContain(value)
  })

  it('leaves the old one good for as long as the owner said, to the millisecond, and over a restart', async () => {
    const { agent, token } = await ticking.agents.add({ name: 'demo' }, 'cli:0')
    const { token: second } = await ticking.agents.rotate('demo', HOUR, 'cli:0')
    now += HOUR - 1
    await ticking[Symbol.asyncDispose]()
    ticking = await createDomainKit({ dir: join(dir, 'ticking'), clock: { now: () => now } })
    expect([known(token), known(second)]).toEqual([agent.id, agent.id])
    const before = ticking.agents.revision
    now += 1
    // Whoever keeps what a token stands for hears of its end.
    expect(ticking.agents.revision).toBeGreaterThan(before)
    expect([known(token), known(second)]).toEqual([undefined, agent.id])
    // Written beside that.
    await ticking.agents.tick()
    expect((await rowsOf(ticking)).map(({ event }) => event)).toEqual([
      'agent.added',
      'agent.token_rotated',
      'agent.token_ended',
    ])
  })

  it('is over for whoever keeps what it stands for, also where it was rotated after it was known', async () => {
    const { token } = await ticking.agents.add({ name: 'demo' }, 'cli:0')
    expect(known(token)).toBeDefined()
    await ticking.agents.rotate('demo', HOUR, 'cli:0')
    expect(known(token)).toBeDefined()
    const before = ticking.agents.revision
    now += HOUR
    expect(ticking.agents.revision).toBeGreaterThan(before)
  })

  it('is not brought back by a clock that goes back, before or after its end', async () => {
    const { token } = await ticking.agents.add({ name: 'demo' }, 'cli:0')
    await ticking.agents.rotate('demo', HOUR, 'cli:0')
    now -= 2 * HOUR
    expect(known(token)).toBeUndefined()
    now += 3 * HOUR
    expect(known(token)).toBeUndefined()
    now -= HOUR / 2
    expect(known(token)).toBeUndefined()
  })

  it('knows one token before it and no more, and ends with its agent', async () => {
    const { agent, token } = await ticking.agents.add({ name: 'demo' }, 'cli:0')
    const { token: second } = await ticking.agents.rotate('demo', HOUR, 'cli:0')
    const { token: third } = await ticking.agents.rotate('demo', HOUR, 'cli:0')
    expect([token, second, third].map(known)).toEqual([undefined, agent.id, agent.id])
    await ticking.agents.revoke('demo', 'cli:0')
    expect([token, second, third].map(known)).toEqual([undefined, undefined, undefined])
    await expect(ticking.agents.rotate('demo', 0, 'cli:0')).rejects.toThrow(failing('not_found'))
  })

  it('is refused by its time also where its end cannot be written, and nobody else is', async () => {
    const { token } = await ticking.agents.add({ name: 'demo' }, 'cli:0')
    const { token: second } = await ticking.agents.rotate('demo', HOUR, 'cli:0')
    inDatabase(join(dir, 'ticking'), (db) =>
      db.exec("CREATE TRIGGER full BEFORE UPDATE ON agents BEGIN SELECT RAISE(ABORT, 'full'); END"),
    )
    now += HOUR
    expect([known(token), known(second) !== undefined]).toEqual([undefined, true])
    await expect(ticking.agents.tick()).rejects.toThrow('full')
    inDatabase(join(dir, 'ticking'), (db) => db.exec('DROP TRIGGER full'))
    await ticking.agents.tick()
    expect(ticking.agents.list()[0]?.previous).toBeNull()
  })

  it.each([-1, 0.5, 7 * 24 * HOUR + 1, Number.NaN])(
    'is not made for an overlap of %d ms',
    async (overlap) => {
      const { token } = await ticking.agents.add({ name: 'demo' }, 'cli:0')
      await expect(ticking.agents.rotate('demo', overlap, 'cli:0')).rejects.toThrow(
        failing('invalid_request'),
      )
      expect(known(token)).toBeDefined()
    },
  )
})
