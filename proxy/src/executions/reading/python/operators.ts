import { concat, percentText } from './text.ts'
import {
  ANSWER,
  ARGS,
  CLOCK,
  COMPUTED,
  constant,
  constantsOf,
  ENVIRONMENT,
  join,
  listOfItems,
  mergeTaints,
  NOTHING,
  TESTED,
  taint,
  taintOf,
  unknown,
  type Value,
} from './values.ts'

/** Operators that compare. */
export const COMPARES = /^(?:[<>]=?|[=!]=|<>|in|not in|is|is not)$/

/** `left and right`, `left or right`. */
export function logical(op: string, left: Value, right: Value): Value {
  const consts = constantsOf(left)
  if (consts !== null) {
    if (consts.every((v) => !v)) return op === 'or' ? right : left
    if (consts.every((v) => Boolean(v))) return op === 'or' ? left : right
  }
  // `x or default`: a constant that counts as false never comes out of it.
  const kept = op === 'or' ? left.filter((alt) => alt.t !== 'const' || Boolean(alt.v)) : left
  return join(kept, right)
}

/** The value of `left op right`. */
export function operate(op: string, left: Value, right: Value): Value {
  if (COMPARES.test(op)) return compared(op, left, right)
  const a = left.length === 1 ? left[0] : undefined
  const b = right.length === 1 ? right[0] : undefined
  if (a?.t === 'const' && b?.t === 'const' && typeof a.v === 'number' && typeof b.v === 'number') {
    const made = arithmetic(op, a.v, b.v)
    if (made !== undefined) return constant(made, a.bits | b.bits)
  }
  const isText = (value: Value): boolean =>
    value.some((alt) => alt.t === 'text' || (alt.t === 'const' && typeof alt.v === 'string'))
  if (op === '+') {
    if (a?.t === 'list' && b?.t === 'list') return listOfItems([...a.items, ...b.items], join(a.rest, b.rest))
    if (isText(left) || isText(right)) return concat([left, right])
  }
  if (op === '%' && isText(left)) {
    let out: Value = NOTHING
    for (const alt of left) {
      if (alt.t !== 'const' || typeof alt.v !== 'string') {
        out = join(out, unknown(mergeTaints(taintOf(left), taintOf(right))))
        continue
      }
      const named = b?.t === 'dict' ? b.entries : null
      const args = b?.t === 'list' ? b.items : [right]
      out = join(out, percentText(alt.v, args, named))
    }
    return out
  }
  if (op === '|' && a?.t === 'dict' && b?.t === 'dict')
    return [{ t: 'dict', entries: new Map([...a.entries, ...b.entries]), rest: join(a.rest, b.rest) }]
  if (
    op === '*' &&
    a?.t === 'const' &&
    typeof a.v === 'string' &&
    b?.t === 'const' &&
    typeof b.v === 'number'
  ) {
    if (a.v.length * b.v < 10_000 && b.v >= 0) return constant(a.v.repeat(b.v), a.bits | b.bits)
  }
  const one = taintOf(left)
  const two = taintOf(right)
  const merged = mergeTaints(mergeTaints(one, two), taint(COMPUTED))
  // The time that has passed says nothing of the date.
  if (op === '-' && one.bits & CLOCK && two.bits & CLOCK)
    return unknown({ ...merged, bits: merged.bits & ~CLOCK })
  return unknown(merged)
}

function arithmetic(op: string, a: number, b: number): number | undefined {
  const made =
    op === '+'
      ? a + b
      : op === '-'
        ? a - b
        : op === '*'
          ? a * b
          : op === '//'
            ? Math.floor(a / b)
            : op === '%'
              ? ((a % b) + b) % b
              : op === '^'
                ? a ^ b
                : op === '**'
                  ? a ** b
                  : op === '<<'
                    ? a * 2 ** b
                    : op === '>>'
                      ? Math.floor(a / 2 ** b)
                      : op === '|'
                        ? a | b
                        : op === '&'
                          ? a & b
                          : undefined
  return made !== undefined && Number.isFinite(made) ? made : undefined
}

function compared(op: string, left: Value, right: Value): Value {
  const a = taintOf(left)
  const b = taintOf(right)
  let bits = a.bits | b.bits
  if (a.bits & CLOCK && b.bits & CLOCK) bits &= ~CLOCK
  if ((a.bits | b.bits) & CLOCK && (a.bits | b.bits) & (ANSWER | ARGS)) bits &= ~CLOCK
  const plain = (value: Value): boolean =>
    (constantsOf(value) ?? [null]).every((v) => v === null || v === '' || v === false)
  if (!op.startsWith('is') && !((a.bits | b.bits) & (ANSWER | ARGS))) {
    const env = a.bits & ENVIRONMENT ? right : b.bits & ENVIRONMENT ? left : null
    if (env !== null && constantsOf(env) !== null && !plain(env)) bits |= TESTED
  }
  return unknown({ bits: bits | COMPUTED, secrets: [] })
}
