import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { Busboy } from '@fastify/busboy'
import { FILE_TTL_SECONDS } from '../../claude-runs/files/index.ts'
import { AppError } from '../../kernel/index.ts'

/** One file of a form, as it comes. */
export interface UploadedForm {
  readonly name: string
  /** Ends when the whole form was read: fields behind the file count too. */
  readonly source: AsyncIterable<Uint8Array>
  /** Known once `source` has ended. Throws `invalid_request`. */
  ttlMs(): number
}

/** Without a byte for so long the upload is over. */
const IDLE_MS = 60_000

/**
 * Reads a form (multipart/form-data, RFC 7578) with one file in the field `file` and, by choice, `ttl_secs`. Nothing of the file is held
 * in memory: it is read as fast as it is taken (backpressure). Resolves when the file begins; throws `invalid_request`.
 */
export function readUpload(request: IncomingMessage): Promise<UploadedForm> {
  const type = request.headers['content-type']
  if (!/^multipart\/form-data\s*;/i.test(type ?? ''))
    throw new AppError('unsupported_media_type', 'Send multipart/form-data with the field "file".')
  const { promise, resolve, reject } = Promise.withResolvers<UploadedForm>()
  const parsed = Promise.withResolvers<void>()
  parsed.promise.catch(() => {})
  const form = new Busboy({ headers: { ...request.headers, 'content-type': type as string }, limits: LIMITS })
  let ttl: string | undefined
  let isBegun = false
  const fail = (message: string): void => {
    const error = new AppError('invalid_request', message)
    parsed.reject(error)
    reject(error)
    request.unpipe(form)
  }
  const idle = setTimeout(() => request.destroy(new Error('idle')), IDLE_MS)
  request.on('data', () => idle.refresh())

  form.on('field', (name, value) => {
    if (name === 'ttl_secs') ttl = value
    else fail(`There is no field "${name.slice(0, 64)}".`)
  })
  form.on('file', (field, stream, name) => {
    if (field !== 'file' || isBegun) {
      stream.resume()
      fail('The form has one file, in the field "file".')
      return
    }
    isBegun = true
    // Those who read it are told; without a listener its end by an error would end the process.
    stream.on('error', () => {})
    resolve({
      name: name ?? 'file',
      source: wholeForm(stream, parsed.promise),
      ttlMs: () => ttlOf(ttl) * 1_000,
    })
  })
  for (const limit of ['filesLimit', 'fieldsLimit', 'partsLimit'] as const)
    form.on(limit, () => fail('The form has one file, in the field "file", and "ttl_secs" at most.'))
  form.on('finish', () => {
    if (!isBegun) fail('The form has no file in the field "file".')
    parsed.resolve()
  })
  form.on('error', () => fail('The form cannot be read: it is not multipart/form-data, or it was cut off.'))
  request.on('aborted', () => fail('The form was cut off.'))
  request.on('close', () => {
    clearTimeout(idle)
    if (!request.complete) fail('The form was cut off.')
  })
  request.pipe(form)
  return promise
}

const LIMITS = {
  files: 1,
  fields: 2,
  parts: 3,
  fieldNameSize: 64,
  fieldSize: 64,
  headerPairs: 32,
  headerSize: 8_192,
}

async function* wholeForm(
  stream: Readable & { truncated?: boolean },
  parsed: Promise<void>,
): AsyncGenerator<Uint8Array> {
  // A form that is cut off leaves its file stream open.
  const broken = parsed.then(
    () => undefined,
    (error: unknown) => void stream.destroy(error as Error),
  )
  for await (const chunk of stream) yield chunk as Uint8Array
  await broken
  await parsed
}

function ttlOf(text: string | undefined): number {
  const { min, max, usual } = FILE_TTL_SECONDS
  if (text === undefined) return usual
  const seconds = /^[0-9]{1,6}$/.test(text) ? Number(text) : Number.NaN
  if (seconds >= min && seconds <= max) return seconds
  throw new AppError('invalid_request', `ttl_secs is ${min}–${max}.`)
}
