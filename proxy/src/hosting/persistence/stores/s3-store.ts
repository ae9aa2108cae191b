import { assertObjectName, NoConditions, type ObjectStore, StoreFault } from './object-store.ts'
import type { S3Answer, S3Client, S3Place } from './s3-client.ts'

const MAX_ERROR_BYTES = 65_536
/** A thousand names, each with what else stands in an entry. */
const MAX_LIST_BYTES = 4 * 1_048_576
/** Of a thousand names each. */
const MAX_PAGES = 10_000
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504])

/** A bucket of an S3-compatible store. */
export function createS3Store(client: S3Client, place: S3Place): ObjectStore {
  return {
    kind: 's3',
    where: `${place.endpoint}/${place.bucket}/${place.prefix}`,
    async put(name, bytes, { ifAbsent = false, signal }) {
      assertObjectName(name)
      const headers = ifAbsent ? { 'if-none-match': '*' } : {}
      const answer = await client.ask({
        method: 'PUT',
        name,
        headers,
        body: bytes,
        maxBytes: MAX_ERROR_BYTES,
        signal,
      })
      if (answer.status === 200) return 'stored'
      if (ifAbsent && answer.status === 412) return 'exists'
      if (ifAbsent && answer.status === 501) throw new NoConditions()
      // Another one is writing it: which of the two is kept shows the next attempt.
      throw faultOf(answer, ifAbsent && answer.status === 409)
    },

    async get(name, { offset, bytes }, signal) {
      assertObjectName(name)
      const headers = { range: `bytes=${offset}-${offset + bytes - 1}` }
      const maxBytes = Math.max(offset + bytes, MAX_ERROR_BYTES)
      const answer = await client.ask({ method: 'GET', name, headers, maxBytes, signal })
      // Without a bucket nothing is known of what was in it.
      if (answer.status === 404 && codeOf(answer) !== 'NoSuchBucket') return undefined
      if (answer.status === 416) return Buffer.alloc(0)
      if (answer.status === 200) return answer.body.subarray(offset, offset + bytes)
      if (answer.status !== 206) throw faultOf(answer)
      if (
        !String(answer.headers['content-range'] ?? '').startsWith(`bytes ${offset}-`) ||
        answer.body.length > bytes
      )
        throw new StoreFault('The store answers with another part than was asked for.', false)
      return answer.body
    },

    async *list(prefix, signal) {
      assertObjectName(`${prefix}x`)
      let token: string | undefined
      for (let page = 1; ; page += 1) {
        const query = {
          'list-type': '2',
          'encoding-type': 'url',
          prefix: place.prefix + prefix,
          ...(token !== undefined && { 'continuation-token': token }),
        }
        const answer = await client.ask({ method: 'GET', name: '', query, maxBytes: MAX_LIST_BYTES, signal })
        if (answer.status !== 200) throw faultOf(answer)
        const text = answer.body.toString('utf8')
        if (!text.includes('</ListBucketResult>')) throw new StoreFault('The store gave half a list.', true)
        for (const name of textsOf(text, 'Key').map(nameOfKey)) {
          if (name.startsWith(place.prefix + prefix)) yield name.slice(place.prefix.length)
        }
        if (textsOf(text, 'IsTruncated')[0] !== 'true') return
        const [next] = textsOf(text, 'NextContinuationToken')
        // Half of a list is no list: what is to be forgotten would stay. One without an end would hold up whoever reads it for good.
        if (next === undefined || next === token || page === MAX_PAGES)
          throw new StoreFault('The store gives a list without an end.', false)
        token = next
      }
    },

    async remove(name, signal) {
      assertObjectName(name)
      const answer = await client.ask({ method: 'DELETE', name, maxBytes: MAX_ERROR_BYTES, signal })
      if (answer.status === 404 && codeOf(answer) !== 'NoSuchBucket') return
      if (answer.status !== 204 && answer.status !== 200) throw faultOf(answer)
    },
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]()
    },
  }
}

function faultOf(answer: S3Answer, isPassing = PASSING.has(answer.status)): StoreFault {
  const code = codeOf(answer)
  return new StoreFault(`The store answers ${answer.status}${code === '' ? '' : ` (${code})`}.`, isPassing)
}

/** What it calls the error. Of its text nothing is passed on. */
const codeOf = ({ body }: S3Answer): string =>
  /<Code>([A-Za-z]{1,64})<\/Code>/.exec(body.toString('latin1', 0, 4_096))?.[1] ?? ''

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }
const textsOf = (xml: string, tag: string): string[] =>
  [...xml.matchAll(new RegExp(`<${tag}>([^<]*)</${tag}>`, 'g'))].map(([, text = '']) =>
    text.replace(/&(amp|lt|gt|quot|apos);/g, (_, name: string) => ENTITIES[name] ?? ''),
  )

function nameOfKey(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '))
  } catch {
    return ''
  }
}
