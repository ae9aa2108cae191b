import type { Run } from './run.ts'
import { anything, constantOf, type Frame, items, mixed, text, type Value } from './values.ts'

const MOST_ELEMENTS = 32

/** The elements of what is iterated, one by one; null when they are not known one by one. */
export function elementsOf(_run: Run, value: Value, _frame: Frame | null): Value[] | null {
  const [one] = value
  if (one === undefined) return null
  if (value.length > 1) {
    const each = value.map((alternative) => elementsOf(_run, [alternative], _frame))
    if (each.some((list) => list === null)) return null
    const all = (each as Value[][]).flat()
    return all.length > MOST_ELEMENTS ? null : all
  }
  if (one.k === 'items') return one.more === null && one.items.length <= MOST_ELEMENTS ? one.items : null
  if (one.k === 'thing' && one.role === 'Map') {
    return [...one.props].map(([key, item]) => items([text(key), item]))
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
  return all.length === 0
    ? anything('computed')
    : all.length > MOST_ELEMENTS
      ? [mixed(all)]
      : all.flat().slice(0, MOST_ELEMENTS)
}

const returnsItself: ReadonlySet<string> = new Set([
  'sort',
  'toSorted',
  'filter',
  'values',
  'toArray',
  'slice',
  'splice',
  'toSpliced',
  'fill',
  'with',
])

/** A method of an array; null when it is none that is followed. */
export function arrayMethod(
  run: Run,
  self: Value[number],
  name: string,
  args: readonly Value[],
  node: import('./ast.ts').Node,
): Value | null {
  if (self.k !== 'items') return null
  const [first] = args
  const list = elementsOf(run, [self], null)
  const each = (): Value[] => {
    if (first === undefined) return []
    const given = list ?? [anyOf([self])]
    return given.map((item, index) =>
      run.call(
        first,
        anything('computed'),
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
    case 'filter':
      each()
      return [self]
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
        sum = run.call(first, anything('computed'), [sum, item, anything('computed'), [self]], node)
      return sum
    }
    case 'reverse':
    case 'toReversed':
      return list === null ? [self] : items([...list].reverse().map((item) => item))
    case 'join':
      return null
    case 'concat': {
      const others = args.map((arg) => elementsOf(run, arg, null) ?? null)
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
    case 'shift':
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
      const from = first?.[0]
      if (
        list !== null &&
        args.length <= 1 &&
        (from === undefined || (from.k === 'primitive' && typeof from.value === 'number'))
      ) {
        return items(list.slice(from?.k === 'primitive' ? (from.value as number) : 0))
      }
      return [self]
    }
    default:
      return returnsItself.has(name) ? [self] : null
  }
}
