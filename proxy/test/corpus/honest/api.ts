/** How an API takes its key: Bearer, Basic with the key as the user, or a header of its own with an optional prefix. */
export type Auth = 'bearer' | 'basic' | { header: string; prefix?: string; also?: Record<string, string> }

/** Path below `base` (no query), the field of the answer that holds the list, what it is for, query parameters. */
export type Read = [path: string, field: string, purpose: string, query?: Record<string, string | number>]
/** Method, path below `base`, a JSON body, what it is for. */
export type Write = [method: string, path: string, body: Record<string, unknown>, purpose: string]

export interface Api {
  id: string
  name: string
  host: string
  base: string
  secret: string
  auth: Auth
  reads: Read[]
  writes: Write[]
}

/** A row of the table. */
export const api = (
  id: string,
  name: string,
  host: string,
  base: string,
  secret: string,
  auth: Auth,
  reads: Read[],
  writes: Write[] = [],
): Api => ({ id, name, host, base, secret, auth, reads, writes })

/** The key in a header of its own, with constant headers beside it. */
export const header = (name: string, prefix = '', also: Record<string, string> = {}): Auth => ({
  header: name,
  prefix,
  also,
})
