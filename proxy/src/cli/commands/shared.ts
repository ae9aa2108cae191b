import { InvalidArgumentError } from 'commander'

/** `a, b` or a repeated option, as one list. */
export function commaList(text: string, before: string[] = []): string[] {
  const items = text.split(',').map((item) => item.trim())
  if (items.includes('')) throw new InvalidArgumentError('It takes a list like a,b without empty places.')
  return [...before, ...items]
}

export function wholeNumber(text: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) throw new InvalidArgumentError('It takes a whole number.')
  return Number(text)
}

/** For commands that take a number out of a table. */
export const idNumber =
  (list: string) =>
  (text: string): number => {
    if (!/^[0-9]{1,9}$/.test(text)) throw new InvalidArgumentError(`It is the number from \`${list}\`.`)
    return Number(text)
  }

/**
 * A moment: `2026-11-28`, `2026-11-28T14:30` (of this machine's clock, as tables show them), or an age like `2h`. A day is meant from its
 * beginning, or with `end` to its end.
 */
export const moment =
  (end: boolean) =>
  (text: string): number => {
    const at = timeAt(text, end)
    if (at !== undefined) return at
    try {
      return Date.now() - age(text)
    } catch {
      throw new InvalidArgumentError('It takes a time like 2026-11-28, 2026-11-28T14:30 or 2h.')
    }
  }

const DAY = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/
const TIME =
  /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,3})?)?(?:Z|[+-][0-9]{2}:[0-9]{2})?$/

/** Undefined for what is neither a day nor a time, and for a day that its month does not have. */
export function timeAt(text: string, end: boolean): number | undefined {
  const isDay = DAY.test(text)
  if (!isDay && !TIME.test(text)) return undefined
  const day = text.slice(0, 10)
  const midnight = new Date(`${day}T00:00:00Z`)
  if (!Number.isFinite(midnight.getTime()) || !midnight.toISOString().startsWith(day)) return undefined
  const at = new Date(isDay ? `${text}T00:00:00` : text)
  if (isDay && end) at.setDate(at.getDate() + 1)
  return Number.isFinite(at.getTime()) ? at.getTime() : undefined
}

const HOUR_MS = 3_600_000
const AGE_UNITS: Readonly<Record<string, number>> = {
  m: 60_000,
  h: HOUR_MS,
  d: 24 * HOUR_MS,
  w: 7 * 24 * HOUR_MS,
}

/** `90d` in milliseconds; `0` is no time at all. */
export function age(text: string): number {
  const [, count = '', unit = ''] = /^([0-9]{1,5})([mhdw])$/.exec(text === '0' ? '0h' : text) ?? []
  const ms = AGE_UNITS[unit]
  if (ms === undefined) throw new InvalidArgumentError('It takes a time like 30m, 12h, 90d or 8w.')
  return Number(count) * ms
}
