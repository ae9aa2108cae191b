import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createDomainKit, type DomainKit } from '../../../test/support/domain-kit.ts'

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
const failing = (code: string) => expect.objectContaining({ code })

describe('agents', () => {
  it('are known by their token, which is nowhere in the database', () => {
    const { agent, token } = add()
    expect(token).toMatch(/^oa3_[A-Za-z0-9_-]{43}$/)
    expect(kit.agents.authenticate(`Bearer ${token}`, '127.0.0.1').id).toBe(agent.id)
    expect(
      JSON.stringify([kit.db.prepare('SELECT * FROM agents').all(), [...kit.audit.export()]]),
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
  ])('are refused with %s', (_what, header) => {
    const { token } = add()
    expect(() => kit.agents.authenticate(header(token), '127.0.0.1')).toThrow(failing('unauthenticated'))
  })

  it('are refused once revoked, and their name is free again', () => {
    const { token } = add()
    expect(() => add()).toThrow(failing('conflict'))
    kit.agents.revoke('demo', 'cli:0')
    expect(() => kit.agents.authenticate(`Bearer ${token}`, '127.0.0.1')).toThrow(failing('unauthenticated'))
    expect(() => kit.agents.revoke('demo', 'cli:0')).toThrow(failing('not_found'))
    const again = add()
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
  ])('with the list %j are let in from %s: %s', (cidrs, address, allowed) => {
    const { token } = add('demo', cidrs)
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
  ])('do not take %j for a list of addresses', (cidr) => {
    expect(() => add('demo', [cidr])).toThrow(failing('invalid_request'))
    expect(kit.agents.list()).toEqual([])
  })

  it.each(['', '-x', 'a b', 'a\n', 'x'.repeat(65), '<b>', 'а'])('are not named %j', (name) => {
    expect(() => add(name)).toThrow(failing('invalid_request'))
  })

  it('have the tags they were given, until others are set', () => {
    const { agent, token } = kit.agents.add({ name: 'demo', tags: ['work', 'lab', 'work'] }, 'cli:0')
    expect(agent.tags).toEqual(['lab', 'work'])
    expect(add('plain').agent.tags).toEqual([])
    expect(kit.agents.byId(agent.id)).toEqual(agent)
    expect(kit.agents.setTags('demo', ['one'], 'cli:0').tags).toEqual(['one'])
    expect(kit.agents.byId(agent.id)?.tags).toEqual(['one'])
    expect(kit.agents.authenticate(`Bearer ${token}`, '127.0.0.1').tags).toEqual(['one'])
    expect([...kit.audit.export()].at(-1)).toMatchObject({ event: 'agent.tagged', actor: 'cli:0' })
    kit.agents.setTags('demo', [], 'cli:0')
    expect(kit.agents.byId(agent.id)?.tags).toEqual([])
  })

  it.each([[['']], [['A']], [['-a']], [['a b']], [['a,b']], [['a\n']], [['x'.repeat(33)]], [['ok', 'ä']]])(
    'are not tagged %j',
    (tags) => {
      add()
      expect(() => kit.agents.setTags('demo', tags, 'cli:0')).toThrow(failing('invalid_request'))
      expect(() => kit.agents.add({ name: 'other', tags }, 'cli:0')).toThrow(failing('invalid_request'))
      expect(kit.agents.list().map(({ name, tags: kept }) => [name, kept])).toEqual([['demo', []]])
    },
  )

  it('have sixteen tags at most, and none once they are revoked', () => {
    const tags = Array.from({ length: 17 }, (_, index) => `t${index}`)
    add()
    expect(() => kit.agents.setTags('demo', tags, 'cli:0')).toThrow(failing('invalid_request'))
    expect(kit.agents.setTags('demo', tags.slice(1), 'cli:0').tags).toHaveLength(16)
    kit.agents.revoke('demo', 'cli:0')
    expect(() => kit.agents.setTags('demo', [], 'cli:0')).toThrow(failing('not_found'))
  })

  it('count their changes, so that nothing that was derived from them is kept too long', () => {
    const seen = new Set([kit.agents.revision])
    add()
    seen.add(kit.agents.revision)
    kit.agents.setTags('demo', ['work'], 'cli:0')
    seen.add(kit.agents.revision)
    kit.agents.revoke('demo', 'cli:0')
    seen.add(kit.agents.revision)
    expect(seen.size).toBe(4)
  })
})
