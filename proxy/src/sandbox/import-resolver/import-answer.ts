/** Reads what the resolver's container says. It handled whatever modules hold, so nothing it says is taken on trust. */
import { z } from 'zod'
import { IMPORT_LIMITS, isPlainPath } from '../imports/index.ts'

const MAX_HEAD_BYTES = 2 * 1_048_576

const text = z.string().max(2_000)
const head = z.union([
  z.strictObject({
    refused: z.strictObject({
      line: z.int().min(1),
      specifier: text,
      reason: z.enum(['host_not_allowed', 'plain_http', 'not_found', 'unreadable']),
      why: text,
    }),
  }),
  z.strictObject({ failed: text }),
  z.strictObject({
    modules: z.array(text).max(IMPORT_LIMITS.modules),
    files: z
      .array(
        z.strictObject({
          path: z.string().refine((path) => /^(?:remote|npm)\//.test(path) && isPlainPath(path)),
          bytes: z.int().min(0).max(IMPORT_LIMITS.bytes),
        }),
      )
      .max(IMPORT_LIMITS.files),
  }),
])

export type ResolverAnswer =
  | Exclude<z.infer<typeof head>, { files: unknown }>
  | { readonly modules: readonly string[]; readonly files: ReadonlyMap<string, Uint8Array> }

/** Takes the container's output as it comes; false once it is more than any answer can be. */
export function createAnswerReader(): { push(bytes: Buffer): boolean; end(): ResolverAnswer } {
  const chunks: Buffer[] = []
  let size = 0
  return {
    push(bytes) {
      size += bytes.length
      if (size > 4 + MAX_HEAD_BYTES + IMPORT_LIMITS.bytes) return false
      chunks.push(bytes)
      return true
    },
    /** Throws when the output is not an answer. */
    end() {
      const whole = Buffer.concat(chunks)
      const length = whole.readUInt32BE(0)
      if (length > MAX_HEAD_BYTES || 4 + length > whole.length) throw new TypeError('the head is cut')
      const answer = head.parse(JSON.parse(whole.toString('utf8', 4, 4 + length)))
      if (!('files' in answer)) return answer
      const files = new Map<string, Uint8Array>()
      let at = 4 + length
      for (const { path, bytes } of answer.files) {
        if (files.has(path)) throw new TypeError('a path comes twice')
        files.set(path, whole.subarray(at, at + bytes))
        at += bytes
      }
      if (at !== whole.length) throw new TypeError('the files are not as long as they were said to be')
      return { modules: answer.modules, files }
    },
  }
}
