import { z } from 'zod'
import { formatHostPattern, parseHostPattern, parseSleepAfter } from '../kernel/index.ts'
import { isAddressRange } from './trusted-proxies.ts'

/** One environment variable: its form, what it says of that form, and its meaning. */
export interface Setting<T = unknown> {
  readonly schema: z.ZodType<T>
  readonly takes: string
  readonly about: string
  readonly fallback?: string
}

export const integer = (min: number, max: number) =>
  z
    .string()
    .regex(/^[0-9]{1,10}$/)
    .transform(Number)
    .pipe(z.int().min(min).max(max))
export const bytes = (min: number) =>
  z
    .string()
    .regex(/^[0-9]{1,15}$/)
    .transform(Number)
    .pipe(z.int().min(min))
export const choice = <const T extends readonly [string, ...string[]]>(values: T) => z.enum(values)
export const text = z.string().min(1)
export const httpUrl = z.url({ protocol: /^https?$/ }).transform((value) => value.replace(/\/+$/, ''))
export const setting = <T>(
  schema: z.ZodType<T>,
  takes: string,
  about: string,
  fallback?: string,
): Setting<T> => ({
  schema,
  takes,
  about,
  ...(fallback === undefined ? {} : { fallback }),
})

/** An origin that passkeys work at: over TLS by a name, or this machine by `localhost`. */
export const publicUrl = z
  .url({ protocol: /^https?$/ })
  .refine((value) => {
    const { protocol, hostname, username, password, pathname, search, hash } = new URL(value)
    const isPlain =
      `${username}${password}${search}${hash}` === '' && pathname === '/' && !value.endsWith('#')
    const isName = !/^[\d.]+$|^\[/.test(hostname)
    return isPlain && isName && (protocol === 'https:' || hostname === 'localhost')
  })
  .transform((value) => new URL(value).origin)

/** Origins of one host each. */
export const pagesPattern = z
  .string()
  .regex(
    /^(?:https:\/\/\*(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?){2,}|http:\/\/\*\.localhost)(?::[1-9]\d{0,4})?$/,
  )

export const addressList = z.string().transform((value, context) => {
  const list = value.split(',').map((part) => part.trim())
  if (list.every(isAddressRange)) return list
  context.addIssue('not a list of addresses')
  return z.NEVER
})

/** Canonical patterns, https only; `off` or `none` for an empty list. */
export const hostList = z.string().transform((value, context) => {
  const patterns = /^(?:off|none)$/.test(value.trim())
    ? []
    : value.split(',').map((part) => parseHostPattern(part.trim()))
  return patterns.map((pattern) => {
    if (!('problem' in pattern) && pattern.scheme === 'https') return formatHostPattern(pattern)
    context.addIssue('not a list of https hosts')
    return z.NEVER
  })
})

export const sleepAfter = z.string().transform((value, context) => {
  try {
    return parseSleepAfter(value)
  } catch {
    context.issues.push({ code: 'custom', message: 'no span', input: value })
    return z.NEVER
  }
})
