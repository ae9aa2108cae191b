import { wordSet } from '../../../kernel/index.ts'
import type { Node } from './ast.ts'
import { type Run, spend } from './run.ts'
import { superOf } from './things.ts'
import {
  anything,
  concat,
  constantOf,
  decodedText,
  isDecoded,
  items,
  joinParts,
  lengthOf,
  mixed,
  only,
  primitive,
  type Text,
  type Thing,
  text,
  UNDEFINED,
  type Unknown,
  type Value,
} from './values.ts'

const HERE = {
  type: 'Identifier',
  start: 0,
  end: 0,
  loc: { start: { line: 1 } },
  name: '',
} as unknown as Node

/** What `String(value)` may be. A missing value is left out when there is another. */
export function toTexts(run: Run, value: Value): Text[] {
  const all: Text[] = []
  for (const one of value) {
    if (one.k === 'text') all.push(one)
    else if (one.k === 'primitive') {
      if ((one.value === undefined || one.value === null) && value.length > 1) continue
      all.push({ k: 'text', parts: [String(one.value)], hidden: null })
    } else if (one.k === 'thing' && one.role === null && superOf(one) !== null && !hasText(run, one))
      all.push(...toTexts(run, superOf(one) ?? UNDEFINED))
    else if (one.k === 'thing' && one.role === 'URL') {
      all.push(...toTexts(run, run.member([one], 'href', HERE)))
      if (hasText(run, one)) all.push(...ownTexts(run, one))
    } else if (one.k === 'items' && one.more === null && one.items.length <= 64)
      all.push(...joined(run, one.items, ','))
    else if (one.k === 'thing' && one.role !== 'Proxy' && hasText(run, one)) all.push(...ownTexts(run, one))
    else
      all.push(
        hole(
          one.k === 'any'
            ? one
            : one.k === 'thing' && one.role === 'URLSearchParams'
              ? mixed([[one]])
              : mixed([[one]]),
        ),
      )
  }
  return all.length === 0 ? [{ k: 'text', parts: ['undefined'], hidden: null }] : all
}

const TEXT_WAYS = ['Symbol.toPrimitive', 'toString', 'valueOf'] as const

const isNone = (value: Value): boolean => value.every((one) => one.k === 'primitive')

/** Whether an object says by itself what it is as a text. */
const hasText = (run: Run, one: Thing): boolean =>
  (one.props.size > 0 || one.made !== null || one.proto !== null) &&
  TEXT_WAYS.some(
    (key) =>
      one.props.has(key) ||
      one.props.has(`get ${key}`) ||
      ((one.made !== null || one.proto !== null) && !isNone(run.member([one], key, HERE))),
  )

/** Every text that an object may give: which of its ways is taken hangs on who asks, and how. */
function ownTexts(run: Run, one: Thing): Text[] {
  return TEXT_WAYS.flatMap((key) => {
    const method = run.member([one], key, HERE)
    if (isNone(method)) return []
    const made = run.call(method, [one], [anything('computed')], HERE)
    return made.some((part) => part.k === 'thing') ? [hole(mixed([made]))] : toTexts(run, made)
  })
}

/** Steps that work on a text is worth, beside the one that every node is. */
export const costOf = (one: Text): number => lengthOf(one.parts) >> 6

const hole = (part: Unknown): Text => ({ k: 'text', parts: [part], hidden: null })

function joined(run: Run, list: readonly Value[], separator: string): Text[] {
  let all: Text[] = [{ k: 'text', parts: [''], hidden: null }]
  list.forEach((item, index) => {
    if (index > 0 && separator !== '') all = concat(all, [{ k: 'text', parts: [separator], hidden: null }])
    all = concat(all, toTexts(run, item))
  })
  return all
}

const CHANGES: Record<
  string,
  (self: string, args: readonly (string | number | undefined)[]) => string | number | boolean | undefined
> = {
  toLowerCase: (self) => self.toLowerCase(),
  toUpperCase: (self) => self.toUpperCase(),
  toLocaleLowerCase: (self) => self.toLowerCase(),
  toLocaleUpperCase: (self) => self.toUpperCase(),
  trim: (self) => self.trim(),
  trimStart: (self) => self.trimStart(),
  trimEnd: (self) => self.trimEnd(),
  normalize: (self) => self.normalize(),
  toString: (self: string) => self,
  valueOf: (self: string) => self,
  slice: (self, [a, b]) => self.slice(a as number, b as number),
  substring: (self, [a, b]) => self.substring(a as number, b as number),
  substr: (self, [a, b]) => self.slice(a as number, b === undefined ? undefined : Number(a) + Number(b)),
  at: (self, [a]) => self.at(a as number),
  charAt: (self, [a]) => self.charAt(a as number),
  charCodeAt: (self, [a]) => self.charCodeAt(a as number),
  codePointAt: (self, [a]) => self.codePointAt(a as number),
  repeat: (self, [a]) =>
    self.length * Number(a) < 10_000 ? self.repeat(Math.max(0, Number(a) || 0)) : undefined,
  padStart: (self, [a, b]) =>
    Number(a) < 10_000 ? self.padStart(Number(a), b === undefined ? ' ' : String(b)) : undefined,
  padEnd: (self, [a, b]) =>
    Number(a) < 10_000 ? self.padEnd(Number(a), b === undefined ? ' ' : String(b)) : undefined,
  replace: (self, [a, b]) =>
    typeof a === 'string' && b !== undefined ? self.replace(a, String(b)) : undefined,
  replaceAll: (self, [a, b]) =>
    typeof a === 'string' &&
    a !== '' &&
    b !== undefined &&
    String(b).length * self.length < (String(b).includes('$') ? 1000 : LONGEST_RESULT)
      ? self.replaceAll(a, String(b))
      : undefined,
  startsWith: (self, [a]) => self.startsWith(String(a)),
  endsWith: (self, [a]) => self.endsWith(String(a)),
  includes: (self, [a]) => self.includes(String(a)),
  indexOf: (self, [a]) => self.indexOf(String(a)),
}

/** Methods whose result still holds the text whole, so that a secret in it goes where the result goes. */
const KEEPS: ReadonlySet<string> = wordSet(`
  trim trimStart trimEnd toString valueOf normalize concat toLowerCase toUpperCase padEnd padStart`)

/** A method of a string; null when it is none that is followed. */
export function textMethod(run: Run, self: Text, name: string, args: readonly Value[]): Value | null {
  spend(run, costOf(self))
  const constant = constantOf(self)
  if (name === 'concat') {
    let all: Text[] = [self]
    for (const arg of args) all = concat(all, toTexts(run, arg))
    return all
  }
  if (name === 'split' && constant !== null) {
    const separator = args.length === 0 ? null : only(args[0] as Value)
    if (separator === null) return items([], mixed([[self]]))
    const pieces = constant.split(separator)
    if (pieces.length > 256) return items([], mixed([[self]]))
    const make = isDecoded(self) ? decodedText : text
    return items(pieces.map((piece) => make(piece)))
  }
  if (constant === null) return partlyConstant(self, name, args)
  if (name === 'replace' || name === 'replaceAll') {
    const pattern = args[0]?.[0]
    const by = args[1]?.[0]
    if (pattern?.k === 'builtin' && pattern.name.startsWith('regex '))
      return replaced(run, self, constant, pattern.name, args[1])
    if (by?.k === 'text' && constantOf(by) === null && pattern !== undefined) {
      const what = constantOf(pattern)
      const at = what === null ? -1 : constant.indexOf(what)
      if (what !== null && at < 0) return [self]
      if (what !== null && what !== '') {
        const parts = joinParts(joinParts([constant.slice(0, at)], by.parts), [
          constant.slice(at + what.length),
        ])
        return [{ k: 'text', parts, hidden: self.hidden }]
      }
    }
    if (by?.k === 'any' && pattern !== undefined) {
      const what = constantOf(pattern)
      const at = what === null ? -1 : constant.indexOf(what)
      if (what !== null && what !== '' && at >= 0) {
        return [
          {
            k: 'text',
            parts: [constant.slice(0, at), by, constant.slice(at + what.length)].filter(
              (part) => part !== '',
            ),
            hidden: self.hidden,
          },
        ]
      }
    }
  }
  const change = Object.hasOwn(CHANGES, name) ? CHANGES[name] : undefined
  if (change === undefined) return null
  const given = args.map((arg) => {
    const [one] = arg
    if (arg.length !== 1 || one === undefined) return null
    return one.k === 'primitive' ? (one.value as number | undefined) : constantOf(one)
  })
  if (given.some((one) => one === null)) return null
  const result = change(constant, given as (string | number | undefined)[])
  if (result === undefined) return null
  if (typeof result !== 'string') return primitive(result)
  if (!isDecoded(self)) return [{ k: 'text', parts: [result], hidden: self.hidden }]
  return decodedText(result)
}

function partlyConstant(self: Text, name: string, args: readonly Value[]): Value | null {
  if (
    name === 'toString' ||
    name === 'valueOf' ||
    name === 'trim' ||
    name === 'trimEnd' ||
    name === 'trimStart'
  )
    return [self]
  const [pattern] = args[0] ?? []
  // Cutting blanks or slashes off the ends leaves the parts in between as they are.
  if (
    name === 'replace' &&
    pattern?.k === 'builtin' &&
    /^regex (?:\\\/\+?\$|\^\\\/\+?)\/[a-z]*$/.test(pattern.name) &&
    only(args[1] ?? []) === ''
  ) {
    const atEnd = pattern.name.includes('$/')
    const parts = [...self.parts]
    const index = atEnd ? parts.length - 1 : 0
    const edge = parts[index]
    if (typeof edge === 'string')
      parts[index] = atEnd ? edge.replace(/\/{1,64}$/, '') : edge.replace(/^\/{1,64}/, '')
    return [{ k: 'text', parts: parts.filter((part) => part !== ''), hidden: self.hidden }]
  }
  if (name === 'replace' || name === 'replaceAll') {
    const what = pattern === undefined ? null : constantOf(pattern)
    const by = args[1]?.[0]
    const put = by === undefined ? null : by.k === 'any' ? [by] : by.k === 'text' ? by.parts : null
    if (what !== null && what !== '' && put !== null) {
      const parts = self.parts.flatMap((part) => {
        if (typeof part !== 'string' || !part.includes(what)) return [part]
        const at = part.indexOf(what)
        return [part.slice(0, at), ...put, part.slice(at + what.length)]
      })
      return [{ k: 'text', parts: joinParts([], parts), hidden: self.hidden }]
    }
  }
  return null
}

/** Whether a regular expression may be run: without nested or repeated repetition, on short text. */
const isCheap = (source: string, flags: string, constant: string): boolean => {
  const plain = source.replace(/\\./g, 'x')
  return (
    source.length <= 80 &&
    constant.length <= 1000 &&
    (plain.match(/[*+{]/g) ?? []).length <= 1 &&
    !/\)[*+{]|\|.*[*+{]|[*+{].*\|/.test(plain) &&
    /^[gimsuy]*$/.test(flags)
  )
}

const MOST_MATCHES = 32
const LONGEST_RESULT = 65_536

/** `constant.replace(regex, by)`, where `by` may be computed or a function. */
function replaced(run: Run, self: Text, constant: string, regex: string, by: Value | undefined): Value {
  const source = regex.slice(6, regex.lastIndexOf('/'))
  const flags = regex.slice(regex.lastIndexOf('/') + 1)
  const given = by ?? UNDEFINED
  const [first] = given
  if (!isCheap(source, flags, constant)) return [mixed([[self], given])]
  spend(run, constant.length)
  let all: Text[] = [{ k: 'text', parts: [''], hidden: self.hidden }]
  const add = (value: Value): void => {
    all = concat(all, toTexts(run, value))
  }
  try {
    const to = only(given)
    if (to !== null && to.length * constant.length > LONGEST_RESULT) return [mixed([[self], given])]
    if (to !== null) {
      const result = constant.replace(new RegExp(source, flags), to)
      return isDecoded(self) ? decodedText(result) : text(result)
    }
    let at = 0
    let count = 0
    for (const match of constant.matchAll(new RegExp(source, flags.includes('g') ? flags : `${flags}g`))) {
      if (++count > MOST_MATCHES || (count > 1 && !flags.includes('g'))) break
      add(text(constant.slice(at, match.index)))
      const groups = match.map((group): Value => (group === undefined ? UNDEFINED : text(group)))
      add(first?.k === 'function' ? run.call(given, UNDEFINED, groups, first.node) : given)
      at = match.index + match[0].length
    }
    add(text(constant.slice(at)))
    return all
  } catch (error) {
    if (error instanceof SyntaxError) return [mixed([[self], given])]
    throw error
  }
}

export const keepsSecret = (name: string): boolean => KEEPS.has(name)
