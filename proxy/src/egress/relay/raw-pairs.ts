import type { RawHeaders, UpstreamController } from './upstream-pool.ts'

/** A flat list of HTTP/1.1, a record of HTTP/2. */
export function rawPairs(headers: UpstreamController['rawHeaders'] | RawHeaders): string[] {
  if (Array.isArray(headers)) {
    return headers.map((part) => (typeof part === 'string' ? part : part.toString('latin1')))
  }
  const pairs: string[] = []
  for (const [name, values] of Object.entries((headers ?? {}) as RawHeaders)) {
    for (const value of [values ?? []].flat()) pairs.push(name, String(value))
  }
  return pairs
}
