import type { Storage, TenantId } from '../../kernel/index.ts'
import type { Engine, Session } from '../engine.ts'
import { createLane } from '../lane.ts'
import type { StoreFactories } from '../queries.ts'
import { createUnitsOfWork } from '../unit-of-work.ts'

/** A copy that is not the database yet, through the stores that a daemon would ask. What is written to it is undone. */
export type InspectedCopy = (stores: Partial<StoreFactories>) => { forTenant(tenant: TenantId): Storage }

/** How an engine's statements are written, and one connection on which they go. */
export type CopyStatements = Pick<Engine, 'dialect' | 'compiler' | 'adapter'> & Pick<Session, 'run'>

/** Of a page of rows, on a connection that nobody else has. */
const TIMEOUT_MS = 30_000

export const inspectedCopy =
  ({ run, ...language }: CopyStatements): InspectedCopy =>
  (stores) => {
    // A savepoint is one on the connection: the next begins where it has ended.
    const lane = createLane()
    const undo = async (): Promise<void> => {
      try {
        await run('ROLLBACK TO SAVEPOINT inspected', [])
        await run('RELEASE SAVEPOINT inspected', [])
      } finally {
        lane.release()
      }
    }
    const begin = async (): Promise<Session> => {
      await lane.enter()
      try {
        await run('SAVEPOINT inspected', [])
      } catch (error) {
        lane.release()
        throw error
      }
      return {
        run,
        undo: () => undo().catch(() => {}),
        async commit(committed) {
          await undo()
          committed()
        },
      }
    }
    return createUnitsOfWork({
      engine: {
        ...language,
        beginWrite: begin,
        beginRead: begin,
        flushed: async () => {},
        pagesInLog: () => 0,
        asError: (error) => error,
        close: async () => {},
      },
      stores: stores as StoreFactories,
      onDefect: () => {},
      onOutage: undefined,
      timeoutMs: TIMEOUT_MS,
    })
  }
