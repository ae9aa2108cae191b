import { randomBytes } from 'node:crypto'
import type { AuditLog } from '../../audit/index.ts'
import { type Actor, appActor } from '../../identity/index.ts'
import {
  AppError,
  type AppId,
  type Clock,
  formatBytes,
  type ReadTx,
  type Storage,
} from '../../kernel/index.ts'
import type { FreeSpace } from '../../retention/index.ts'
import type { Apps } from '../apps/index.ts'
import type { Blobs } from '../blobs/index.ts'
import type { AppFile } from './ports.ts'

export const FILE_TTL_SECONDS = { min: 60, max: 86_400, usual: 3_600 } as const

interface Upload {
  /** As the app wrote it. */
  readonly name: string
  readonly source: AsyncIterable<Uint8Array>
  /** Asked for when `source` has ended. */
  readonly ttlMs: () => number
  readonly signal: AbortSignal
}

/** Files of apps: each the uploader's alone, for a time, sealed on the disk. */
export interface AppFiles {
  /** Throws `rate_limited` beyond a few at once, `too_large` beyond what a file or an app may take. */
  upload(appId: AppId, upload: Upload): Promise<AppFile>
  /** Throws `not_found`, also for another app's; `gone` where its time is over. */
  find(tx: ReadTx, appId: AppId, id: string): Promise<AppFile>
  list(appId: AppId): Promise<readonly AppFile[]>
  /** `by`: the app itself, when left out. */
  remove(appId: AppId, id: string, by?: Actor): Promise<void>
  /** Removes those whose time is over. */
  tick(): Promise<void>
}

const MAX_FILES = 1_000
const MAX_UPLOADS_AT_ONCE = 4
const MAX_REMOVED_AT_ONCE = 100
/** For that long what is expired is told from what never was. */
const TOLD_GONE_MS = 600_000

export function createAppFiles(deps: {
  readonly blobs: Blobs
  readonly audit: Pick<AuditLog, 'append'>
  readonly storage: Storage
  readonly clock: Clock
  readonly freeSpace: Pick<FreeSpace, 'assertRoom'>
  readonly apps: Pick<Apps, 'byId'>
  readonly lockdown: { assertOpen(): void }
  readonly maxFileBytes: number
  /** Of one app: files and sessions together. */
  readonly maxBytesPerApp: number
}): AppFiles {
  const { blobs, audit, storage, clock } = deps
  const uploading = new Map<AppId, number>()
  /** Bytes that the app may still add. */
  const room = async (tx: ReadTx, appId: AppId): Promise<number> => {
    const [files, sessions] = [await tx.appFiles.sumOf(appId), await tx.runSessions.sumOf(appId)]
    if (files.count >= MAX_FILES)
      throw new AppError(
        'too_large',
        `There are ${MAX_FILES} files of yours; remove some (DELETE /files/:id).`,
      )
    return Math.max(0, deps.maxBytesPerApp - files.bytes - sessions.bytes)
  }
  const takePlace = (appId: AppId): Disposable => {
    const now = uploading.get(appId) ?? 0
    if (now >= MAX_UPLOADS_AT_ONCE)
      throw new AppError('rate_limited', `At most ${MAX_UPLOADS_AT_ONCE} uploads of yours at once.`, {
        retryAfterSeconds: 5,
      })
    uploading.set(appId, now + 1)
    return {
      [Symbol.dispose]() {
        const left = (uploading.get(appId) ?? 1) - 1
        if (left === 0) uploading.delete(appId)
        else uploading.set(appId, left)
      },
    }
  }

  return {
    async upload(appId, { name, ttlMs, source, signal }) {
      using _place = takePlace(appId)
      deps.freeSpace.assertRoom()
      const left = await storage.read((tx) => room(tx, appId))
      const blob = await blobs.write(source, { maxBytes: Math.min(deps.maxFileBytes, left), signal })
      try {
        return await storage.transaction(async (tx) => {
          // An upload takes its time.
          deps.lockdown.assertOpen()
          if (deps.apps.byId(appId)?.revokedAt !== null)
            throw new AppError('unauthenticated', 'The app was revoked meanwhile.')
          if (blob.bytes > (await room(tx, appId)))
            throw new AppError('too_large', `Your files take more than ${formatBytes(deps.maxBytesPerApp)}.`)
          const now = clock.now()
          const file: AppFile = {
            ...{ id: `ff_${randomBytes(16).toString('hex')}`, appId, name: plainFileName(name) },
            ...{ bytes: blob.bytes, blob: blob.id, blobKey: blob.key },
            ...{ createdAt: now, expiresAt: now + ttlMs() },
          }
          await tx.appFiles.insert(file)
          const told = { file: file.id, bytes: file.bytes, expires_at: file.expiresAt }
          await audit.append(tx, 'file.uploaded', appActor(appId), null, told)
          return file
        })
      } catch (error) {
        await blobs.remove(blob.id)
        throw error
      }
    },

    async find(tx, appId, id) {
      const file = await tx.appFiles.byId(id)
      if (file?.appId !== appId) throw new AppError('not_found', `There is no file ${id} of yours.`)
      if (file.expiresAt <= clock.now())
        throw new AppError('gone', `The time of ${id} is over; upload it again.`)
      return file
    },

    async list(appId) {
      const now = clock.now()
      return (await storage.read((tx) => tx.appFiles.listOf(appId))).filter(
        ({ expiresAt }) => expiresAt > now,
      )
    },

    async remove(appId, id, by = appActor(appId)) {
      const file = await storage.transaction(async (tx) => {
        const found = await tx.appFiles.byId(id)
        if (found?.appId !== appId) throw new AppError('not_found', `There is no file ${id} of yours.`)
        await tx.appFiles.remove(id)
        await audit.append(tx, 'file.removed', by, null, { app_id: appId, file: id })
        return found
      })
      await blobs.remove(file.blob)
    },

    async tick() {
      const before = clock.now() - TOLD_GONE_MS
      const over = await storage.read((tx) => tx.appFiles.expired(before, MAX_REMOVED_AT_ONCE))
      if (over.length === 0) return
      await storage.transaction(async (tx) => {
        for (const { id } of over) await tx.appFiles.remove(id)
      }, 'grouped')
      for (const { blob } of over) await blobs.remove(blob)
    },
  }
}

/** One name that no folder, option or hidden file can be made of. */
function plainFileName(given: string): string {
  const last = given.slice(Math.max(given.lastIndexOf('/'), given.lastIndexOf('\\')) + 1)
  const plain = last
    .normalize('NFC')
    .replace(/[^\p{L}\p{N}._-]/gu, '_')
    .replace(/^[.-]+/, '')
    .slice(0, 64)
  return plain === '' ? 'file' : plain
}
