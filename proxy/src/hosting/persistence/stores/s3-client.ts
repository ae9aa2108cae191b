/** One signed request to an S3-compatible store (AWS Signature Version 4), over a connection that was checked. */
import { AwsV4Signer } from 'aws4fetch'
import type { Pool } from 'undici'
import { createDialler, type DiallerOptions, DialRefused } from '../../../egress/dial/index.ts'
import {
  AppError,
  isPrivateAddress,
  isPublicAddress,
  type SecretValue,
  sha256Hex,
} from '../../../kernel/index.ts'
import { StoreFault } from './object-store.ts'

export interface S3Place {
  readonly bucket: string
  /** Before each name; empty, or with a slash at its end. */
  readonly prefix: string
  /** An origin. */
  readonly endpoint: string
  readonly region: string
}

export interface S3Credentials {
  readonly keyId: string
  readonly secret: SecretValue
}

interface S3Request {
  readonly method: 'GET' | 'PUT' | 'DELETE'
  /** Empty for the bucket. */
  readonly name: string
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array
  /** What is read of the answer. */
  readonly maxBytes: number
  readonly signal: AbortSignal
}

export interface S3Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
}

export interface S3Client extends AsyncDisposable {
  /** Throws a StoreFault where no whole answer came. */
  ask(request: S3Request): Promise<S3Answer>
}

const CONNECTIONS = 8
const SILENCE_MS = 20_000
const CONNECT_MS = 10_000

/**
 * Against SSRF: the operator named the endpoint, so it may be private, but never link-local, where clouds keep their metadata; without
 * TLS it has to be private. Redirects are not followed.
 */
export function createS3Client(
  place: S3Place,
  { keyId, secret }: S3Credentials,
  options: Pick<DiallerOptions, 'resolve' | 'tls'> & { readonly silenceMs?: number } = {},
): S3Client {
  const origin = new URL(place.endpoint)
  const isTls = origin.protocol === 'https:'
  const { silenceMs = SILENCE_MS, ...dialling } = options
  const dialler = createDialler({
    ...dialling,
    isAllowedAddress: (address) => isPrivateAddress(address) || (isTls && isPublicAddress(address)),
    connectTimeoutMs: Math.min(silenceMs, CONNECT_MS),
  })
  const target = {
    host: origin.hostname.replace(/^\[|\]$/g, ''),
    port: Number(origin.port || (isTls ? 443 : 80)),
  }
  const closing = new AbortController()
  let opened: Promise<Pool> | undefined
  const open = async (): Promise<Pool> => {
    const { Pool } = await import('undici')
    return new Pool(origin.origin, {
      connections: CONNECTIONS,
      headersTimeout: silenceMs,
      bodyTimeout: silenceMs,
      maxHeaderSize: 16_384,
      connect: (_options, callback) => {
        const dialled = isTls ? dialler.dialTls(target, closing.signal) : dialler.dial(target, closing.signal)
        dialled.then(
          (socket) => callback(null, socket),
          (error: unknown) => callback(error instanceof Error ? error : new Error('dial failed'), null),
        )
      },
    })
  }

  const sign = async ({ method, name, query = {}, headers = {}, body }: S3Request) => {
    const url = new URL(`/${place.bucket}/${name === '' ? '' : place.prefix + name}`, origin)
    for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value)
    const signed = await new AwsV4Signer({
      method,
      url: url.href,
      headers: { ...headers, 'x-amz-content-sha256': sha256Hex(body ?? '') },
      accessKeyId: keyId,
      secretAccessKey: secret.open(),
      service: 's3',
      region: place.region,
    }).sign()
    return { path: signed.url.pathname + signed.url.search, headers: Object.fromEntries(signed.headers) }
  }

  return {
    async ask(request) {
      const { path, headers } = await sign(request)
      try {
        opened ??= open()
        const {
          statusCode,
          headers: answered,
          body,
        } = await (await opened).request({
          method: request.method,
          path,
          headers: { ...headers, ...request.headers },
          body: request.body === undefined ? null : Buffer.from(request.body),
          signal: request.signal,
        })
        const pieces: Buffer[] = []
        let bytes = 0
        for await (const piece of body as AsyncIterable<Buffer>) {
          bytes += piece.length
          if (bytes > request.maxBytes)
            throw new StoreFault('The store answers with more than was asked for.', false)
          pieces.push(piece)
        }
        return { status: statusCode, headers: answered, body: Buffer.concat(pieces) }
      } catch (error) {
        request.signal.throwIfAborted()
        if (error instanceof StoreFault) throw error
        if (error instanceof DialRefused)
          throw new AppError('internal', 'The address of the object store is none that may be dialled.')
        throw new StoreFault('The store gave no whole answer.', true, error)
      }
    },
    async [Symbol.asyncDispose]() {
      closing.abort()
      await (await opened)?.destroy()
    },
  }
}
