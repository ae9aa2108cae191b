import type { Node } from './ast.ts'
import type { Run } from './run.ts'
import { urlMember } from './url-object.ts'
import {
  anything,
  builtin,
  type ClassValue,
  type Frame,
  type FunctionValue,
  items,
  type Thing,
  text,
  thing,
  UNDEFINED,
  union,
  type Value,
} from './values.ts'

/** Families of classes, and prototypes one behind the other, are followed so far up. */
const MOST_ANCESTORS = 16

function ancestor<T>(made: ClassValue | null, find: (at: ClassValue) => T | undefined): T | null {
  let at = made
  for (let level = 0; at !== null && level < MOST_ANCESTORS; level++) {
    const found = find(at)
    if (found !== undefined) return found
    at = parentClass(at)
  }
  return null
}

export const parentClass = (of: ClassValue): ClassValue | null => {
  const parent = of.parent?.find((one) => one.k === 'class')
  return parent?.k === 'class' ? parent : null
}

function methodOf(made: ClassValue | null, key: string): FunctionValue | null {
  return ancestor(made, (at) => at.methods.get(key))
}

/** The object that instances of a class inherit from, one and the same for every reader and writer. */
export function prototypeOf(of: ClassValue): Value {
  let proto = of.props.get('prototype')
  if (proto === undefined) {
    proto = [thing([...of.methods].map(([name, method]): [string, Value] => [name, [method]]))]
    of.props.set('prototype', proto)
  }
  return proto
}

/** Changed prototypes: what was put on the prototype of a class, or on one of its parents', after it was written. */
function patched(run: Run, one: Thing, key: string, node: Node): Value | null {
  return ancestor(one.made, (at) => {
    const [proto] = at.props.get('prototype') ?? []
    if (proto?.k !== 'thing') return undefined
    const getter = proto.props.get(`get ${key}`)
    if (getter !== undefined) return run.call(getter, [one], [], node)
    const own = proto.props.get(key)
    return own?.[0] === at.methods.get(key) ? undefined : own
  })
}

export const isUndefined = (value: Value): boolean =>
  value.every((one) => one.k === 'primitive' && one.value === undefined)

/** `key` of `holder`, or of what it inherits from, read on `self`; null when nothing there has it. */
function inherited(run: Run, holder: Value, self: Thing, key: string, node: Node, level = 0): Value | null {
  const found: Value[] = []
  for (const one of holder) {
    if (one.k === 'primitive') continue
    if (one.k !== 'thing' || one.role !== null || one.made !== null) {
      found.push(run.member([one], key, node))
      continue
    }
    const getter = one.props.get(`get ${key}`)
    const own = getter === undefined ? one.props.get(key) : run.call(getter, [self], [], node)
    const above =
      one.proto === null || level >= MOST_ANCESTORS
        ? null
        : inherited(run, one.proto, self, key, node, level + 1)
    if (own !== undefined) found.push(own)
    else if (one.rest !== null) found.push([one.rest])
    else if (above !== null) found.push(above)
  }
  return found.length === 0 ? null : union(...found)
}

/** The setter that `key` of an object has, its own or an inherited one; null when there is none. */
export function setterOf(one: Thing, key: string): Value | null {
  let at: Thing | undefined = one
  for (let level = 0; at !== undefined && level < MOST_ANCESTORS; level++) {
    const own = at.props.get(`set ${key}`)
    if (own !== undefined) return own
    const method = methodOf(at.made, `set ${key}`)
    if (method !== null) return [method]
    at = at.proto?.find((alternative) => alternative.k === 'thing')
  }
  return null
}

/** What the platform made of a class that extends one of its own: `super(...)` of `class X extends Request`. */
export const superOf = (one: Thing): Value | null => one.props.get(' super') ?? null

/** A trap of a proxy; null when its handler has none. */
export function trapOf(run: Run, one: Thing, name: string, node: Node): Value | null {
  const trap = run.member(one.props.get(' handler') ?? anything('computed'), name, node)
  return isUndefined(trap) ? null : trap
}

/** A trap of a proxy, called as the platform would; null when its handler has none. */
export function trapped(
  run: Run,
  one: Thing,
  name: string,
  args: readonly Value[],
  node: Node,
): Value | null {
  const trap = trapOf(run, one, name, node)
  const handler = one.props.get(' handler') ?? UNDEFINED
  return trap === null
    ? null
    : run.call(trap, handler, [one.props.get(' target') ?? UNDEFINED, ...args], node)
}

export const symbolOrText = (key: string): Value => (key.startsWith('Symbol.') ? builtin(key) : text(key))

export function thingMember(run: Run, one: Thing, key: string | null, node: Node): Value {
  if (one.role === 'Proxy') {
    const target = one.props.get(' target') ?? UNDEFINED
    const answer = trapped(
      run,
      one,
      'get',
      [key === null ? anything('computed') : symbolOrText(key), [one]],
      node,
    )
    return answer ?? run.member(target, key, node)
  }
  if (key === null) {
    const all: Value[] = []
    for (const [name, value] of one.props) {
      if (name.startsWith('get ')) all.push(run.call(value, [one], [], node))
      else if (!name.startsWith('set ')) all.push(value)
    }
    if (one.rest !== null) all.push([one.rest])
    if (one.proto !== null) all.push(run.member(one.proto, null, node))
    ancestor(one.made, (at) => {
      for (const method of at.methods.values()) all.push([method])
      for (const getter of at.getters.values()) all.push(run.call([getter], [one], [], node))
      return undefined
    })
    return all.length === 0 ? UNDEFINED : union(...all)
  }
  const getter = one.props.get(`get ${key}`)
  if (getter !== undefined) return run.call(getter, [one], [], node)
  const own = one.props.get(key)
  if (one.role === 'URL' && own === undefined) {
    const part = urlMember(one, key)
    if (part !== null) return part
  }
  const isGone = own?.some((given) => given.k === 'primitive' && given.value === undefined) === true
  if (own !== undefined && !(isGone && own.length > 1 && (one.proto !== null || one.made !== null)))
    return own
  const above = fromAbove(run, one, key, node)
  return own === undefined ? above : union(own, above)
}

function fromAbove(run: Run, one: Thing, key: string, node: Node): Value {
  const put = patched(run, one, key, node)
  if (put !== null) return put
  const classGetter = ancestor(one.made, (at) => at.getters.get(key))
  if (classGetter !== null) return run.call([classGetter], [one], [], node)
  const method = methodOf(one.made, key)
  if (method !== null) return [method]
  const proto = one.proto === null ? null : inherited(run, one.proto, one, key, node)
  if (proto !== null) return one.rest === null ? proto : union(proto, [one.rest])
  const platform = superOf(one)
  if (platform !== null && key !== 'constructor' && key !== '__proto__')
    return run.member(platform, key, node)
  if (one.rest !== null) return [one.rest]
  if (key === 'constructor') return one.made === null ? builtin('Object') : [one.made]
  if (key === '__proto__') return protoOf(one)
  if (one.made?.parent !== undefined && one.made?.parent !== null) return anything('computed')
  return UNDEFINED
}

/** What `Object.getPrototypeOf` gives for an object of the program. */
export function protoOf(one: Thing): Value {
  if (one.proto !== null) return one.proto
  if (one.role !== null) return anything('computed')
  return one.made === null ? builtin('Object.prototype') : prototypeOf(one.made)
}

/** Own properties as `Object.assign` and a spread copy them: what a getter answers, and no setter. */
export function ownEntries(run: Run, one: Thing, node: Node): [string, Value][] {
  const entries: [string, Value][] = []
  for (const [key, value] of one.props) {
    if (key.startsWith('set ') || key.startsWith(' ')) continue
    if (key.startsWith('get ')) entries.push([key.slice(4), run.call(value, [one], [], node)])
    else entries.push([key, value])
  }
  return entries
}

/** The keys and values of an object of which every property is known; null for every other. */
export function plainEntries(run: Run, value: Value, node: Node): [string, Value][] | null {
  const [one] = value
  if (value.length !== 1 || one?.k !== 'thing' || one.rest !== null || one.role !== null) return null
  return ownEntries(run, one, node)
}

export const entryList = (entries: readonly [string, Value][]): Value =>
  items(entries.map(([key, value]) => items([text(key), value])))

export function superMember(run: Run, frame: Frame, key: string | null, node: Node): Value {
  const parent = frame.home?.parent ?? null
  const ofClass = parent?.find((one) => one.k === 'class')
  if (ofClass?.k === 'class' && key !== null) {
    const method = methodOf(ofClass, key)
    if (method !== null) return [method]
    const getter = ancestor(ofClass, (at) => at.getters.get(key))
    if (getter !== null) return run.call([getter], frame.self, [], node)
    // Inside of a static method, `super` is the parent class itself.
    if (frame.self.some((one) => one.k === 'class')) return run.member([ofClass], key, node)
  }
  const found = frame.self.flatMap((one) =>
    key !== null && one.k === 'thing' && frame.home === null
      ? ((one.proto === null ? null : inherited(run, one.proto, one, key, node)) ?? [])
      : [],
  )
  return found.length > 0 ? found : run.member(frame.self, key, node)
}
