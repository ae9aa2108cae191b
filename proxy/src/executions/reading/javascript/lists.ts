import { argumentSet } from './arguments.ts'
import type { Node } from './ast.ts'
import type { Run } from './run.ts'
import {
  type Alternative,
  anything,
  constantOf,
  type Frame,
  items,
  mixed,
  text,
  UNDEFINED,
  union,
  type Value,
} from './values.ts'

const MOST_ELEMENTS = 32

/** What is asked for by the reader itself stands nowhere. */
const HERE = {
  type: 'Identifier',
  start: 0,
  end: 0,
  loc: { start: { line: 1 } },
  name: '',
} as unknown as Node

/** Whether an answer of a callback counts as true; null when it can be either. */
function isTrue(value: Value): boolean | null {
  const known = new Set(value.map((one) => (one.k === 'primitive' ? Boolean(one.value) : null)))
  const [first = null] = known
  return known.size === 1 ? first : null
}

/** The elements of what is iterated, one by one; null when they are not known one by one. */
export function elementsOf(run: Run, value: Value, frame: Frame | null): Value[] | null {
  const [one] = value
  if (one === undefined) return null
  if (value.length > 1) {
    const each = value.map((alternative) => elementsOf(run, [alternative], frame))
    if (each.some((list) => list === null)) return null
    const all = (each as Value[][]).flat()
    return all.length > MOST_ELEMENTS ? null : all
  }
  if (one.k === 'items') return one.more === null && one.items.length <= MOST_ELEMENTS ? one.items : null
  if (one.k === 'thing' && one.role === 'Map') {
    return [...one.props].map(([key, item]) => items([text(key), item]))
  }
  if (one.k === 'thing' && one.role === null) {
    const iterated = iteratedBy(run, one)
    return iterated === null ? null : elementsOf(run, iterated, frame)
  }
  const constant = constantOf(one)
  return constant !== null && constant.length <= MOST_ELEMENTS
    ? [...constant].map((char) => text(char))
    : null
}

/** What any element of it may be. */
export function anyOf(value: Value): Value {
  const all: Value[] = []
  for (const one of value) {
    if (one.k === 'items') {
      all.push(...one.items)
      if (one.more !== null) all.push([one.more])
    } else if (one.k === 'any') {
      all.push(anything(one.from, { secrets: one.secrets, hidden: one.hidden }))
    } else all.push([mixed([[one]])])
  }
  return all.length === 0 ? anything('computed') : union(...all)
}

/** What the object's own iterator hands on, as far as it is a generator; null when it has none. */
function iteratedBy(run: Run, one: Alternative): Value | null {
  for (const key of ['Symbol.iterator', 'Symbol.asyncIterator']) {
    const method = run.member([one], key, HERE)
    if (method.every((made) => made.k === 'primitive')) continue
    const made = run.call(method, [one], [], HERE)
    return made.every((given) => given.k === 'items') ? made : anything('computed')
  }
  return null
}

/** A list of which each place may hold any element that stood there or behind it. */
const thinned = (list: readonly Value[]): Value[] => list.map((_, index) => union(...list.slice(index)))

/** A list in any order. */
function shuffled(list: readonly Value[]): Value[] {
  const any = list.length === 0 ? [] : union(...list)
  return list.map(() => any)
}

const isNumber = (value: Value): boolean =>
  value.length === 1 && value[0]?.k === 'primitive' && typeof value[0].value === 'number'

const numberOf = (value: Value): number => (value[0]?.k === 'primitive' ? Number(value[0].value) : Number.NaN)

/** The index arguments of a method as numbers; null when one is computed. */
function numbersOf(args: readonly Value[]): number[] | null {
  const given = args.map((arg) =>
    isNumber(arg) ? numberOf(arg) : arg.length === 1 && arg[0]?.k === 'primitive' ? 0 : null,
  )
  return given.includes(null) ? null : (given as number[])
}

/** What the list becomes, as the method itself puts it together; null when its arguments do not say. */
function edited(list: readonly Value[], name: string, args: readonly Value[]): Value[] | null {
  const copy = [...list]
  if (name === 'fill') {
    const at = numbersOf(args.slice(1))
    return at === null ? null : copy.fill(args[0] ?? [], at[0], at[1])
  }
  const isSplice = name === 'splice' || name === 'toSpliced'
  const at = numbersOf(isSplice ? args.slice(0, 2) : name === 'with' ? args.slice(0, 1) : args)
  if (at === null) return null
  const [from = 0, to] = at
  if (isSplice) {
    if (args.length < 2) copy.splice(from)
    else copy.splice(from, to ?? 0, ...args.slice(2))
    return copy
  }
  if (name === 'with') {
    const place = from < 0 ? copy.length + from : from
    if (place >= 0 && place < copy.length) copy[place] = args[1] ?? []
    return copy
  }
  return name === 'copyWithin' ? copy.copyWithin(from, to ?? 0, at[2]) : null
}

/** The list in order, when that is the plain one of constant strings. */
function sorted(list: readonly Value[], compare: Value | undefined): Value[] {
  const keys = list.map((item) => (item.length === 1 ? constantOf(item[0] as Alternative) : null))
  if (compare !== undefined || keys.includes(null)) return shuffled(list)
  return list
    .map((item, index) => ({ item, key: keys[index] as string }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ item }) => item)
}

/** Puts `next` in the place of what the list holds; inside of a branch or a loop it may not have happened. */
function replaceItems(run: Run, self: Alternative & { readonly k: 'items' }, next: readonly Value[]): void {
  run.version++
  const isSure = run.loops === 0 && run.log === null
  const old = [...self.items]
  self.items.length = 0
  for (let index = 0; index < Math.max(next.length, isSure ? 0 : old.length); index++) {
    const [a, b] = [next[index], old[index]]
    const value = isSure || b === undefined ? (a ?? []) : a === undefined ? b : union(a, b)
    self.items.push(value)
    argumentSet(run, self, index, value)
  }
}

/** A method that sets the elements anew, on the list itself or on a copy. */
function editItems(
  run: Run,
  self: Alternative & { readonly k: 'items' },
  list: readonly Value[] | null,
  name: string,
  args: readonly Value[],
): Value {
  const inPlace = ['sort', 'reverse', 'splice', 'fill', 'copyWithin'].includes(name)
  if (list === null) {
    if (inPlace) self.more = mixed([self.more === null ? [] : [self.more], ...args])
    return inPlace && name !== 'splice' ? [self] : items([], mixed([[self], ...args]))
  }
  const next =
    name === 'sort' || name === 'toSorted'
      ? sorted(list, args[0])
      : name === 'reverse' || name === 'toReversed'
        ? [...list].reverse()
        : (edited(list, name, args) ??
          shuffled([...list, ...args.slice(name === 'splice' || name === 'toSpliced' ? 2 : 0)]))
  if (!inPlace) return items([...next])
  replaceItems(run, self, next)
  return name === 'splice' ? items(thinned(list)) : [self]
}

const EDITS: ReadonlySet<string> = new Set(
  'sort toSorted reverse toReversed splice toSpliced fill with copyWithin'.split(' '),
)

const returnsItself: ReadonlySet<string> = new Set(['values', 'toArray', 'Symbol.iterator'])

/** A method of an array; null when it is none that is followed. */
export function arrayMethod(
  run: Run,
  self: Value[number],
  name: string,
  args: readonly Value[],
  node: Node,
): Value | null {
  if (self.k !== 'items') return null
  const [first] = args
  const list = elementsOf(run, [self], null)
  if (EDITS.has(name)) {
    if (/[Ss]ort/.test(name) && first !== undefined)
      run.call(first, UNDEFINED, [anyOf([self]), anyOf([self])], node)
    return editItems(run, self, list, name, args)
  }
  const each = (): Value[] => {
    if (first === undefined) return []
    const given = list ?? [anyOf([self])]
    return given.map((item, index) =>
      run.call(
        first,
        args[1] ?? UNDEFINED,
        [item, list === null ? anything('computed') : [{ k: 'primitive', value: index }], [self]],
        node,
      ),
    )
  }
  switch (name) {
    case 'map':
    case 'flatMap': {
      const results = each()
      const flat =
        name === 'map' ? results : results.flatMap((one) => elementsOf(run, one, null) ?? [anyOf(one)])
      return list === null ? items([], mixed(flat)) : items(flat)
    }
    case 'forEach':
      each()
      return [{ k: 'primitive', value: undefined }]
    case 'filter': {
      const kept = each().map((one) => isTrue(one))
      if (list === null) return items([], mixed([[self]]))
      return items(
        kept.includes(null) || kept.length === 0 ? thinned(list) : list.filter((_, index) => kept[index]),
      )
    }
    case 'some':
    case 'every':
    case 'findIndex':
      return [mixed(each())]
    case 'find':
    case 'findLast':
      each()
      return anyOf([self])
    case 'reduce':
    case 'reduceRight': {
      if (first === undefined) return null
      const rest = [...(list ?? [anyOf([self])])]
      if (name === 'reduceRight') rest.reverse()
      let sum = args[1] ?? rest.shift() ?? anything('computed')
      for (const item of rest)
        sum = run.call(first, UNDEFINED, [sum, item, anything('computed'), [self]], node)
      return sum
    }
    case 'join':
      return null
    case 'concat': {
      const others = args.map((arg) =>
        arg.some((one) => one.k === 'items' || one.k === 'any') ? elementsOf(run, arg, null) : [arg],
      )
      if (list === null || others.some((one) => one === null)) return items([], mixed([[self], ...args]))
      return items([...list, ...(others as Value[][]).flat()])
    }
    case 'push':
    case 'unshift':
      if (self.items.length + args.length > 256)
        self.more = mixed([self.more === null ? [] : [self.more], ...args])
      else if (run.loops > 0 || run.log !== null) {
        // How often it runs is not known: it may be there or not.
        for (const arg of args)
          if (!self.items.some((one) => one === arg))
            name === 'push' ? self.items.push(arg) : self.items.unshift(arg)
      } else if (name === 'push') self.items.push(...args)
      else self.items.unshift(...args)
      return anything('computed', { role: 'atom' })
    case 'pop':
    case 'shift': {
      if (list === null) return anyOf([self])
      const taken = list.length === 0 ? anything('computed') : union(...list)
      if (run.loops > 0 || run.log !== null) replaceItems(run, self, thinned(list))
      else {
        const removed = name === 'pop' ? list.at(-1) : list[0]
        replaceItems(run, self, name === 'pop' ? list.slice(0, -1) : list.slice(1))
        return removed ?? UNDEFINED
      }
      return taken
    }
    case 'at': {
      const at = first?.[0]
      if (name === 'at' && list !== null && at?.k === 'primitive' && typeof at.value === 'number')
        return list.at(at.value) ?? anything('computed')
      return anyOf([self])
    }
    case 'includes':
    case 'indexOf':
      return [mixed([[self], ...args])]
    case 'entries':
      return list === null
        ? items([], mixed([[self]]))
        : items(list.map((item, index) => items([[{ k: 'primitive', value: index }], item])))
    case 'keys':
      return items([], mixed([]))
    case 'flat':
      return list === null ? [self] : items(list.flatMap((one) => elementsOf(run, one, null) ?? [one]))
    case 'slice': {
      const at = numbersOf(args)
      if (list === null) return [self]
      return items(
        at === null ? thinned(list) : list.slice(at[0], args[1]?.[0] === UNDEFINED[0] ? undefined : at[1]),
      )
    }
    default:
      return returnsItself.has(name) ? [self] : null
  }
}
