import { InvalidArgumentError } from 'commander'

/** Examples below a command's help: the command and what it does. */
export function examples(...rows: readonly (readonly [string, string])[]): string {
  return `\nExamples:\n${rows.map(([command, does]) => `  $ ${command}\n      ${does}`).join('\n')}`
}

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
