import { isAbsolute, resolve } from 'node:path'
import { AppError, type SecretValue } from '../../../kernel/index.ts'
import { createFolderStore } from './folder-store.ts'
import type { ObjectStore } from './object-store.ts'
import { type RetryOptions, withRetries } from './retrying-store.ts'
import { createS3Client, type S3Place } from './s3-client.ts'
import { createS3Store } from './s3-store.ts'

export interface ObjectStoreOptions {
  /** `OBJECT_STORE_URL`: a folder, or `s3://bucket/prefix?endpoint=…&region=…`. */
  readonly url: string
  readonly keyId?: string | undefined
  readonly secret?: SecretValue | undefined
  readonly retries?: RetryOptions
  readonly client?: Parameters<typeof createS3Client>[2]
}

/** Dials nothing yet. Throws `invalid_request` for an address that is none, with what it takes. */
export function openObjectStore({ url, keyId, secret, retries, client }: ObjectStoreOptions): ObjectStore {
  if (!url.startsWith('s3:')) return createFolderStore(isAbsolute(url) ? url : resolve(url))
  const place = parseS3Url(url)
  if (keyId === undefined || secret === undefined)
    throw invalid('an s3 address needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY')
  return withRetries(createS3Store(createS3Client(place, { keyId, secret }, client), place), retries)
}

const invalid = (why: string): AppError => new AppError('invalid_request', `OBJECT_STORE_URL: ${why}.`)

function parseS3Url(text: string): S3Place {
  const url = URL.parse(text)
  if (url === null || url.username !== '' || url.hash !== '' || url.port !== '')
    throw invalid('not of the form s3://bucket/prefix?endpoint=https://host&region=…')
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(url.hostname))
    throw invalid('the bucket has no name of a bucket')
  if (!/^(?:\/[A-Za-z0-9_-]{1,64}){0,4}\/?$/.test(url.pathname))
    throw invalid('the prefix has other than A–Z a–z 0–9 _ -')
  for (const name of url.searchParams.keys())
    if (name !== 'endpoint' && name !== 'region') throw invalid('only endpoint and region may follow')
  const region = url.searchParams.get('region') ?? 'us-east-1'
  if (!/^[a-z0-9-]{1,32}$/.test(region)) throw invalid('the region is none')
  const prefix = url.pathname.replace(/^\/|\/$/g, '')
  return {
    bucket: url.hostname,
    prefix: prefix === '' ? '' : `${prefix}/`,
    endpoint: endpointOf(url.searchParams.get('endpoint') ?? `https://s3.${region}.amazonaws.com`),
    region,
  }
}

function endpointOf(text: string): string {
  const url = URL.parse(text)
  const isPlain =
    url !== null && `${url.username}${url.password}${url.search}${url.hash}` === '' && url.pathname === '/'
  if (!isPlain || !/^https?:$/.test(url.protocol)) throw invalid('the endpoint is no http(s) origin')
  return url.origin
}
