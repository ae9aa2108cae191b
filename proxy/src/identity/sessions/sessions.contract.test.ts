import { expect, it } from 'vitest'
import { storeContract } from '../../../test/support/store-contract.ts'
import { createAuditLog, createAuditStore } from '../../audit/index.ts'
import { type Storage, sha256Hex } from '../../kernel/index.ts'
import { createMetaStore } from '../../storage/index.ts'
import type { SessionId } from '../index.ts'
import { createSessionStore } from './session-store.ts'
import { createSessions } from './sessions.ts'

const stores = { audit: createAuditStore, sessions: createSessionStore, meta: createMetaStore }
const ANN = { kind: 'owner', uid: '1000', name: 'ann' } as const
const MINUTE = 60_000
const HOUR = 60 * MINUTE

storeContract('sessions of the console', stores, (kit) => {
  const open = async (storage: Storage = kit.mine) => {
    const time = { now: 1_000_000 }
    const clock = { now: () => time.now }
    const audit = createAuditLog({ storage, clock, auditKey: new Uint8Array(32).fill(9) })
    const sessions = createSessions({ storage, audit, clock, log: { error: () => {} } })
    await storage.read((tx) => sessions.load(tx))
    const signIn = async () => {
      const { code } = await sessions.invite(ANN, 'cli:1000')
      const opened = await sessions.signInByCode(code, { address: '127.0.0.1', replaces: null })
      if (opened === undefined) throw new Error('a code that was just made is good')
      return opened
    }
    const told = async () =>
      (await storage.read((tx) => tx.audit.rows(0, 100))).map(({ event, actor }) => `${event} ${actor}`)
    return { time, sessions, signIn, told }
  }
  const replaces = null
  const address = '127.0.0.1'

  it('begin with a code that one of those who give it at once can use, and nobody later', async () => {
    const { sessions, told } = await open()
    const { code } = await sessions.invite(ANN, 'cli:1000')
    expect(sessions.hasCode(sha256Hex(code))).toBe(true)
    const opened = await Promise.all(
      Array.from({ length: 5 }, () => sessions.signInByCode(code, { address, replaces })),
    )
    expect(opened.filter((one) => one !== undefined)).toHaveLength(1)
    expect(sessions.hasCode(sha256Hex(code))).toBe(false)
    expect(await sessions.signInByCode(code, { address, replaces })).toBeUndefined()
    expect(await told()).toEqual(['session.invited cli:1000', 'session.opened cli:1000'])
  })

  it('begin with no code that is over, or of another tenant', async () => {
    const [mine, theirs] = [await open(), await open(kit.theirs)]
    const { code } = await mine.sessions.invite(ANN, 'cli:1000')
    expect(theirs.sessions.hasCode(sha256Hex(code))).toBe(false)
    expect(await theirs.sessions.signInByCode(code, { address, replaces })).toBeUndefined()
    mine.time.now += 2 * MINUTE
    expect(mine.sessions.hasCode(sha256Hex(code))).toBe(false)
    expect(await mine.sessions.signInByCode(code, { address, replaces })).toBeUndefined()
  })

  it('are found by the hash of their cookie alone, by the next daemon too, and in their tenant', async () => {
    const { sessions, signIn } = await open()
    const { session, cookie } = await signIn()
    expect(sessions.find(sha256Hex(cookie))).toEqual(session)
    expect((await open()).sessions.find(sha256Hex(cookie))).toEqual(session)
    expect(sessions.find(cookie)).toBeUndefined()
    expect((await open(kit.theirs)).sessions.find(sha256Hex(cookie))).toBeUndefined()
    const stored = JSON.stringify(await kit.sql('SELECT * FROM sessions'))
    expect(stored).toContain(session.id)
    expect(stored).not.toContain(cookie)
  })

  it('end when they are idle for twelve hours, or seven days old', async () => {
    const { time, sessions, signIn } = await open()
    const { session, cookie } = await signIn()
    const isGood = () => sessions.find(sha256Hex(cookie)) !== undefined
    time.now += 12 * HOUR - 1
    expect(isGood()).toBe(true)
    sessions.seen(session)
    for (let hours = 12; hours < 7 * 24; hours += 6) {
      expect(isGood(), `${hours} h`).toBe(true)
      sessions.seen(session)
      time.now += 6 * HOUR
    }
    time.now += 1
    expect(isGood()).toBe(false)
    expect(sessions.list()).toEqual([])
    const idle = await signIn()
    time.now += 12 * HOUR
    expect(sessions.find(sha256Hex(idle.cookie))).toBeUndefined()
  })

  it('keep what they were last used at across a restart, to five minutes', async () => {
    const { time, sessions, signIn } = await open()
    const { session } = await signIn()
    time.now += 5 * MINUTE
    sessions.seen(session)
    // Behind what `seen` writes, which nobody waits for.
    await kit.mine.transaction(async () => {})
    const [stored] = (await open()).sessions.list()
    expect(stored?.seenAt).toBe(time.now)
  })

  it('are nothing from the commit of their end on, whatever is used before it', async () => {
    const { sessions, signIn, told } = await open()
    const { session, cookie } = await signIn()
    expect(await sessions.end('ses_none' as SessionId, 'cli:1000', 'revoked')).toBe(false)
    expect(await sessions.end(session.id, 'cli:1000', 'signed_out')).toBe(true)
    expect(sessions.find(sha256Hex(cookie))).toBeUndefined()
    expect(await sessions.end(session.id, 'cli:1000', 'signed_out')).toBe(false)
    expect((await told()).at(-1)).toBe('session.ended cli:1000')
  })

  it('are replaced by the one that the same browser opens', async () => {
    const { sessions, signIn } = await open()
    const { session, cookie } = await signIn()
    const { code } = await sessions.invite(ANN, 'cli:1000')
    const next = await sessions.signInByCode(code, { address, replaces: session.id })
    expect(sessions.find(sha256Hex(cookie))).toBeUndefined()
    expect(sessions.list().map(({ id }) => id)).toEqual([next?.session.id])
  })

  it('are stepped up for ten minutes after a proof', async () => {
    const { time, sessions, signIn } = await open()
    const { session, cookie } = await signIn()
    const steppedUpBy = () => sessions.steppedUpBy(sessions.find(sha256Hex(cookie)) ?? session)
    time.now += 10 * MINUTE - 1
    expect(steppedUpBy()).toBe('link')
    time.now += 1
    expect(steppedUpBy()).toBeNull()
    await kit.mine.transaction((tx) => sessions.prove(tx, session.id, 'passkey'))
    expect(steppedUpBy()).toBe('passkey')
  })

  it('are bounded: the one that was idle longest makes room, and codes do', async () => {
    const { time, sessions, signIn } = await open()
    const first = await signIn()
    for (let made = 1; made < 64; made++) {
      time.now += 1
      await signIn()
    }
    expect(sessions.list()).toHaveLength(64)
    await signIn()
    expect(sessions.list()).toHaveLength(64)
    expect(sessions.find(sha256Hex(first.cookie))).toBeUndefined()
    const oldest = await sessions.invite(ANN, 'cli:1000')
    for (let made = 0; made < 32; made++) {
      time.now += 1
      await sessions.invite(ANN, 'cli:1000')
    }
    expect(sessions.hasCode(sha256Hex(oldest.code))).toBe(false)
    expect(await kit.mine.read((tx) => tx.sessions.codes())).toHaveLength(32)
  })
})
