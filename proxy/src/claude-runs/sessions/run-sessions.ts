import { randomBytes } from 'node:crypto'
import type { AuditLog } from '../../audit/index.ts'
import { type Actor, appActor } from '../../identity/index.ts'
import { AppError, type AppId, type Clock, type ReadTx, type Storage, type Tx } from '../../kernel/index.ts'
import type { Blob, Blobs } from '../blobs/index.ts'
import type { RunSessionRow } from './ports.ts'

/** What a run asks for: a new conversation that is kept, one that goes on, or another that begins where one stands. */
export interface SessionWish {
  /** Null: a new one. */
  readonly id: string | null
  readonly fork: boolean
}

/** Conversations of apps' runs. Each belongs to one app, and one run at a time goes on with it. */
export interface RunSessions {
  /** Throws `not_found`, also for another app's and for one whose time is over. */
  find(tx: ReadTx, appId: AppId, id: string): Promise<RunSessionRow>
  list(appId: AppId): Promise<readonly RunSessionRow[]>
  /** Throws `not_found`, and `conflict` while a run goes on with it. `by`: the app itself, when left out. */
  remove(appId: AppId, id: string, by?: Actor): Promise<void>
  /** Of a run that goes on with it, until disposal; throws `conflict` while another one does. */
  use(id: string): Disposable
  newId(): string
  /** The app may keep so many bytes more. */
  room(tx: ReadTx, appId: AppId): Promise<number>
  read(row: RunSessionRow): AsyncIterable<Uint8Array>
  /** What a run leaves, in the unit that ends it; the body that it takes the place of goes once that is committed. */
  keep(
    tx: Tx,
    left: {
      readonly id: string
      readonly appId: AppId
      readonly cliSession: string
      readonly before: RunSessionRow | null
      readonly blob: Blob
    },
  ): Promise<void>
  tick(): Promise<void>
}

const MAX_SESSIONS = 1_000
const MAX_REMOVED_AT_ONCE = 100

export function createRunSessions(deps: {
  readonly blobs: Blobs
  readonly audit: Pick<AuditLog, 'append'>
  readonly storage: Storage
  readonly clock: Clock
  readonly keepMs: number
  readonly maxBytesPerApp: number
  readonly onDefect: (error: unknown) => void
}): RunSessions {
  const { blobs, audit, storage, clock } = deps
  const inUse = new Set<string>()
  const noSuch = (id: string): AppError => new AppError('not_found', `There is no session ${id} of yours.`)
  const busy = (id: string): AppError =>
    new AppError('conflict', `A run goes on with session ${id}: wait for its end, or fork it.`)
  const removeBlobs = (ids: readonly string[]): void => {
    for (const id of ids) blobs.remove(id).catch(deps.onDefect)
  }
  const find: RunSessions['find'] = async (tx, appId, id) => {
    const row = await tx.runSessions.byId(id)
    if (row?.appId !== appId || row.expiresAt <= clock.now()) throw noSuch(id)
    return row
  }
  return {
    find,
    list: (appId) =>
      storage.read(async (tx) => {
        const now = clock.now()
        return (await tx.runSessions.listOf(appId, MAX_SESSIONS)).filter(({ expiresAt }) => expiresAt > now)
      }),
    remove: (appId, id, by = appActor(appId)) =>
      storage.transaction(async (tx) => {
        const { blob } = await find(tx, appId, id)
        if (inUse.has(id)) throw busy(id)
        await tx.runSessions.remove(id)
        await audit.append(tx, 'run_session.removed', by, null, { app_id: appId, session: id })
        tx.afterCommit(() => removeBlobs([blob]))
      }),
    use(id) {
      if (inUse.has(id)) throw busy(id)
      inUse.add(id)
      return { [Symbol.dispose]: () => void inUse.delete(id) }
    },
    newId: () => `ses_${randomBytes(16).toString('hex')}`,
    async room(tx, appId) {
      const [files, sessions] = [await tx.appFiles.sumOf(appId), await tx.runSessions.sumOf(appId)]
      return sessions.count >= MAX_SESSIONS
        ? 0
        : Math.max(0, deps.maxBytesPerApp - files.bytes - sessions.bytes)
    },
    read: ({ blob, blobKey }) => blobs.read({ id: blob, key: blobKey }),
    async keep(tx, { id, appId, cliSession, before, blob }) {
      const now = clock.now()
      const goesOn = before?.id === id
      await tx.runSessions.put({
        ...{ id, appId, cliSession },
        parent: goesOn ? before.parent : (before?.id ?? null),
        runs: (before?.runs ?? 0) + 1,
        ...{ bytes: blob.bytes, blob: blob.id, blobKey: blob.key },
        createdAt: goesOn ? before.createdAt : now,
        ...{ usedAt: now, expiresAt: now + deps.keepMs },
      })
      if (goesOn) tx.afterCommit(() => removeBlobs([before.blob]))
    },
    async tick() {
      const now = clock.now()
      const over = (await storage.read((tx) => tx.runSessions.expired(now, MAX_REMOVED_AT_ONCE))).filter(
        ({ id }) => !inUse.has(id),
      )
      if (over.length === 0) return
      await storage.transaction(async (tx) => {
        for (const { id } of over) await tx.runSessions.remove(id)
        tx.afterCommit(() => removeBlobs(over.map(({ blob }) => blob)))
      }, 'grouped')
    },
  }
}
