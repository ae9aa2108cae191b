import { beforeEach, describe, expect, it } from 'vitest'
import { owner } from '../../../test/support/principals.ts'
import { type AgentId, AppError, systemClock } from '../../kernel/index.ts'
import type { Machine, MachineFolders } from '../machines/index.ts'
import { createFileRoom } from './file-room.ts'
import { viewFiles } from './workspace-views.ts'
import { createWorkspaces, type WorkspacesDeps } from './workspaces.ts'

const AGENT = 'agt_mine' as AgentId
const MACHINE = { id: 'mch_mine', name: 'claw', spec: { settings: { agent: AGENT } } } as unknown as Machine
const NEVER = new AbortController().signal
const BYTES = Buffer.from('a file')
/** Of one tenant: what one file takes, with what it may grow by. */
/** Of two files at most. */
const SHARE = 131_072

/** Over a machine that is one folder in memory. */
describe('files on their way', () => {
  const there = new Map<string, Uint8Array>()
  const notes: object[] = []
  let halted = new AbortController()
  let isRefused = false
  const room = createFileRoom({ total: 2 * SHARE, perOwner: SHARE })
  const files: MachineFolders = {
    find: async (path) => {
      const bytes = there.get(path.join('/'))?.length
      return bytes === undefined ? undefined : { kind: 'file', bytes }
    },
    list: async () => ({ entries: [], isCut: false }),
    read: async (path) => there.get(path.join('/')) ?? BYTES,
    write: async (path, content) => void there.set(path.join('/'), content),
  }
  const workspaces = (changes: Partial<WorkspacesDeps> = {}) =>
    createWorkspaces({
      admit: async () => {
        if (isRefused) throw new AppError('refused', 'It was revoked.')
        return MACHINE
      },
      open: async (_name, until) => ({ machine: MACHINE, until, [Symbol.dispose]() {} }),
      halted: () => halted.signal,
      filesOf: async () => files,
      ownerOf: () => 'mine',
      room,
      note: async (_machine, note) => void notes.push(note),
      assertRoom: () => {},
      clock: systemClock,
      ...changes,
    })
  /** Goes on when it is told to. */
  function slowly() {
    const next = Promise.withResolvers<void>()
    const source = (async function* () {
      yield BYTES.subarray(0, 3)
      await next.promise
      yield BYTES.subarray(3)
    })()
    return { given: { bytes: BYTES.length, source, replace: false }, goOn: next.resolve }
  }
  const whole = () => ({
    ...{ bytes: BYTES.length, replace: false },
    source: (async function* () {
      yield BYTES
    })(),
  })

  const ENDS = [
    ['refused', (of: ReturnType<typeof workspaces>) => of.cut(AGENT)],
    ['locked', () => halted.abort(new AppError('locked', 'The owner has stopped everything.'))],
  ] as const

  beforeEach(() => {
    there.clear()
    notes.length = 0
    halted = new AbortController()
    isRefused = false
  })

  it('ends with a lockdown and with its agent, half sent too', async () => {
    for (const [, end] of ENDS) {
      there.set('workspace/x', BYTES)
      const of = workspaces()
      using taken = await of.takeFile('claw', 'x', owner(), NEVER)
      of.cut('agt_another' as AgentId)
      expect(taken.until.aborted).toBe(false)
      end(of)
      expect(taken.until.aborted).toBe(true)
      expect(() => room.hold('mine', SHARE)).toThrow(/Too many/)
    }
    halted = new AbortController()
    for (const [code, end] of ENDS) {
      const of = workspaces()
      // Nothing more of it ever comes.
      const { given } = slowly()
      const putting = of.putFile('claw', 'y', given, owner(), NEVER)
      const refused = expect(putting).rejects.toMatchObject({ code })
      await new Promise(setImmediate)
      expect(() => room.hold('mine', SHARE)).toThrow(/Too many/)
      end(of)
      await refused
      expect(there.has('workspace/y')).toBe(false)
    }
  })

  it('that somebody may not give any more by the time it is whole is not written', async () => {
    const of = workspaces()
    const { given, goOn } = slowly()
    const putting = of.putFile('claw', 'x', given, owner(), NEVER)
    const refused = expect(putting).rejects.toMatchObject({ code: 'refused' })
    await new Promise(setImmediate)
    isRefused = true
    goOn()
    await refused
    expect([there.size, notes]).toEqual([0, []])
  })

  it('is put by one of two at once, where none is to be replaced', async () => {
    const of = workspaces()
    const put = () => of.putFile('claw', 'x', whole(), owner(), NEVER)
    const ended = await Promise.allSettled([put(), put()])
    expect(ended).toMatchObject([
      { status: 'fulfilled' },
      { status: 'rejected', reason: { code: 'conflict' } },
    ])
    expect(notes).toHaveLength(1)
  })

  it('is written and sent behind its row alone, and gives its memory back either way', async () => {
    const unwritten = workspaces({
      note: () => Promise.reject(new AppError('storage_unavailable', 'The disk is full.')),
    })
    for (let time = 0; time < 3; time += 1) {
      const refused = { code: 'storage_unavailable' }
      await expect(unwritten.putFile('claw', 'x', whole(), owner(), NEVER)).rejects.toMatchObject(refused)
      expect(there.size).toBe(0)
    }
    const short = { ...whole(), bytes: 5 }
    await expect(workspaces().putFile('claw', 'x', short, owner(), NEVER)).rejects.toThrow(/announced/)
    expect(await workspaces().putFile('claw', 'x', whole(), owner(), NEVER)).toMatchObject({ bytes: 6 })
    expect(notes).toMatchObject([{ what: 'machine.file_put', path: 'x', bytes: 6 }])
    expect(() => room.hold('mine', SHARE)[Symbol.dispose]()).not.toThrow()
    const full = {
      assertRoom: () => {
        throw new AppError('storage_unavailable', 'Nearly full.')
      },
    }
    await expect(workspaces(full).putFile('claw', 'y', whole(), owner(), NEVER)).rejects.toThrow(/Nearly/)
  })
})

it.each([
  [1_764_465_600_000, '2025-11-30T01:20:00.000Z'],
  [Number.MAX_SAFE_INTEGER * 1_000, '9999-12-31T23:59:59.999Z'],
  [-Number.MAX_SAFE_INTEGER * 1_000, '1970-01-01T00:00:00.000Z'],
])('a file that a machine dates %s is listed', (modifiedAt, modified_at) => {
  const entry = { name: 'a', path: 'a', kind: 'file', bytes: 1 } as const
  const { entries } = viewFiles('', { entries: [{ ...entry, modifiedAt }], isCut: false })
  expect(entries).toEqual([{ ...entry, modified_at }])
})
