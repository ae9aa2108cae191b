/**
 * Against programs made to take long or to overflow the stack: beyond these limits a program is not readable, and may do
 * anything. This says that it does not parse, or goes beyond them; `at` is an offset in the text.
 */
export class Unreadable extends Error {
  readonly at: number
  readonly detail: string

  constructor(at: number, detail: string) {
    super(detail)
    this.at = at
    this.detail = detail
  }
}

/** CPython itself refuses more than 200 open brackets and 100 levels of indentation. */
export const MAX_DEPTH = 260
/** Expressions and statements that one reading evaluates, loops and calls counted each time. */
export const MAX_STEPS = 900_000
/** Calls inside calls that are followed. */
export const MAX_CALLS = 24
/** Different sets of arguments with which one function is followed; later ones are taken as unknown. */
export const MAX_CONTEXTS = 150
/** Values that one variable may have before they become a pattern. */
export const MAX_VALUES = 48
