import type { LargeBodies } from '../../llm/usage/index.ts'
import { JobFailed } from '../work-pool/index.ts'
import type { Background } from './background.ts'

/** Up to here a body takes a few milliseconds, whatever it holds. */
const QUICK_BYTES = 256 * 1_024

export function createLargeBodies({ heavy, quick }: Background): LargeBodies {
  return {
    async read(owner, parts, questions, signal) {
      const bytes = parts.reduce((sum, { length }) => sum + length, 0)
      const pool = bytes > QUICK_BYTES ? heavy : quick
      const own = parts.map(withOwnMemory)
      try {
        const { body, reading } = await pool.run(
          owner,
          'read-body',
          { parts: own, questions },
          { transfer: own.map(({ buffer }) => buffer), signal },
        )
        return { body: Buffer.from(body.buffer, body.byteOffset, body.byteLength), reading }
      } catch (error) {
        if (error instanceof JobFailed) return null
        throw error
      }
    },
  }
}

/** What is handed over must not be memory that others have a part in, such as the pool of small buffers. */
const withOwnMemory = (part: Buffer): Uint8Array<ArrayBuffer> =>
  part.buffer instanceof ArrayBuffer && part.byteLength === part.buffer.byteLength
    ? new Uint8Array(part.buffer)
    : new Uint8Array(part)
