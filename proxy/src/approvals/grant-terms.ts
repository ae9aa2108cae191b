import { z } from 'zod'
import { AppError, type Clock, type UnixMs } from '../kernel/index.ts'
import type { AnswerDetails } from './kind.ts'

/** Limits on a yes; null: none of this kind. */
export interface GrantTerms {
  /** How often it may be used, the request that was approved with it among them. */
  readonly uses: number | null
  /** When it ends. */
  readonly until: UnixMs | null
}

const MAX_USES = 1_000_000
/** The longest that a grant may last, of code and of providers: ten years. More is meant to be for ever. */
export const MAX_GRANT_MS = 10 * 366 * 24 * 3_600_000

const PROGRAM_TERMS = z.strictObject({ uses: z.unknown().optional(), until: z.unknown().optional() })

/** The limits of an answer to a program; throws invalid_request, with a reason, for anything else. */
export function readGrantTerms(terms: AnswerDetails['terms'], { now }: Clock): GrantTerms {
  const read = PROGRAM_TERMS.safeParse(terms ?? {})
  if (!read.success) throw invalid('The terms of a program are uses and until.')
  const { uses = null, until = null } = read.data
  if (uses === null && until === null)
    throw invalid('A yes with limits names uses, until, or both; without a limit it is another choice.')
  return {
    uses: uses === null ? null : readUses(uses),
    until: until === null ? null : readUntil(until, now()),
  }
}

/** When a grant ends: a time to come, in unix milliseconds. Throws invalid_request. */
export function readUntil(until: unknown, now: UnixMs): UnixMs {
  if (!Number.isSafeInteger(until)) throw invalid('until is a time in unix milliseconds.')
  if ((until as number) <= now) throw invalid('until is over already; a grant ends at a time to come.')
  if ((until as number) > now + MAX_GRANT_MS) throw invalid('until is at most ten years from now.')
  return until as UnixMs
}

function readUses(uses: unknown): number {
  if (Number.isSafeInteger(uses) && (uses as number) >= 1 && (uses as number) <= MAX_USES)
    return uses as number
  throw invalid(`uses is a whole number from 1 to ${MAX_USES.toLocaleString('en-US')}.`)
}

/** `3 uses, until 2026-12-31 00:00 UTC`. */
export function describeTerms({ uses, until }: GrantTerms): string {
  return [
    ...(uses === null ? [] : [uses === 1 ? '1 use' : `${uses.toLocaleString('en-US')} uses`]),
    ...(until === null ? [] : [`until ${new Date(until).toISOString().slice(0, 16).replace('T', ' ')} UTC`]),
  ].join(', ')
}

const invalid = (message: string): AppError => new AppError('invalid_request', message)
