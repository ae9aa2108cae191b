import { NO_ARGUMENTS } from './arguments.ts'
import type { Machine } from './machine.ts'
import { dangerOf, INNER_ATTRIBUTES } from './modules.ts'
import {
  type Alt,
  ANSWER,
  ARGS,
  type ClassAlt,
  COMPUTED,
  constantsOf,
  type FunctionAlt,
  join,
  joinAll,
  mergeTaints,
  NOTHING,
  PLATFORM,
  REDIRECT,
  refTo,
  taint,
  taintOf,
  unknown,
  type Value,
} from './values.ts'

/** Modules that others let through as an attribute of theirs: `shutil.os.system` is `os.system`. */
const REEXPORTED = /^.+\.(os|sys|builtins|importlib|ctypes|pickle|marshal|subprocess|socket)(?=\.)/
const NOT_REEXPORTED = /^(?:asyncio\.subprocess|concurrent|multiprocessing)\b/

const plainName = (name: string): string => {
  // Most names are of two parts, which hold no module of another: this is asked at every attribute.
  const isShort = name.indexOf('.') === name.lastIndexOf('.')
  if ((isShort && !name.startsWith('__builtins__.')) || NOT_REEXPORTED.test(name)) return name
  return name.replace(REEXPORTED, '$1').replace(/^(?:__builtins__|builtins\.__dict__)\./, 'builtins.')
}

/** Tells of a reference that is dangerous by itself. `callee`: it is called on the spot, so the call tells more. */
export function noteReference(machine: Machine, name: string, at: number, callee: boolean): void {
  const kind = dangerOf(name)
  if (kind !== null) machine.recorder.danger(kind, at, name.replace(/^builtins\./, ''))
  else if (
    !callee &&
    (name === 'builtins.getattr' || name === 'builtins.__import__' || name === 'importlib.import_module')
  )
    machine.recorder.danger('code_from_text', at, name.replace(/^builtins\./, ''))
}

/** `value.name`. */
export function attributeOf(machine: Machine, value: Value, name: string, at: number): Value {
  if (INNER_ATTRIBUTES.has(name)) {
    const own = value.some((alt) => alt.t === 'object' && findMember(alt.of, name) !== null)
    if (!own) machine.recorder.danger('code_from_text', at, name)
  }
  return joinAll(value.map((alt) => attributeOfAlt(machine, alt, name, at)))
}

function attributeOfAlt(machine: Machine, alt: Alt, name: string, at: number): Value {
  switch (alt.t) {
    case 'ref': {
      if (name === '__dict__')
        return [{ t: 'known', what: 'namespace', fields: new Map([['of', [alt] as Value]]) }]
      const full = plainName(`${alt.name}.${name}`)
      noteReference(machine, full, at, true)
      return moduleMember(full)
    }
    case 'object': {
      const own = alt.attributes.get(name)
      const member = findMember(alt.of, name)
      if (own !== undefined)
        return member === null || !isFunction(member)
          ? own
          : join(own, bindAll(machine, member, alt, alt.of, at))
      if (member !== null) return bindAll(machine, member, alt, alt.of, at)
      if (name === '__dict__') return [{ t: 'dict', entries: alt.attributes, rest: NOTHING }]
      if (name === '__class__') return [alt.of]
      const get = name.startsWith('__') ? null : findMember(alt.of, '__getattr__')
      if (get !== null)
        return machine.call(
          bindAll(machine, get, alt, alt.of, at),
          { ...NO_ARGUMENTS, args: [[{ t: 'const', v: name, bits: 0 }]] },
          at,
          null,
        )
      const base = externalBases(alt.of)
      if (base.length > 0)
        return [{ t: 'bound', self: { t: 'known', what: 'instance', fields: alt.attributes }, name }].map(
          (bound) => ({ ...bound, self: instanceOf(base[0] as string, alt.attributes) }),
        ) as Value
      return unknown(mergeTaints(taintOf([alt]), taint(COMPUTED)))
    }
    case 'class': {
      const member = findMember(alt, name)
      if (member === null)
        return name === '__name__' ? [{ t: 'const', v: alt.name, bits: 0 }] : unknown(taint(COMPUTED))
      return member.flatMap(
        (one): Value =>
          one.t === 'function' && one.kind === 'class' ? [{ ...one, self: [alt], owner: alt }] : [one],
      )
    }
    case 'known': {
      if (alt.what === 'namespace' && /^(?:values|items|copy|__iter__)$/.test(name))
        machine.recorder.danger('code_from_text', at, 'names that are computed')
      if (alt.what === 'super') return superAttribute(machine, alt, name, at)
      if (
        name === 'headers' ||
        name === 'url' ||
        name === 'method' ||
        name === 'data' ||
        name === 'body' ||
        alt.what === 'plain'
      ) {
        const field = alt.fields.get(name)
        if (field !== undefined) return field
      }
      return [{ t: 'bound', self: alt, name }]
    }
    case 'function':
    case 'partial': {
      const field = alt.t === 'function' ? functionFields(machine, alt).get(name) : undefined
      return field ?? unknown(taint(COMPUTED))
    }
    case 'unknown': {
      if (!(alt.taint.bits & (ANSWER | ARGS))) machine.openNames.add(name)
      if (alt.taint.bits & ANSWER && /^(?:location|next_request|redirect_url)$/.test(name))
        return [{ t: 'bound', self: { t: 'unknown', taint: mergeTaints(alt.taint, taint(REDIRECT)) }, name }]
      return [{ t: 'bound', self: alt, name }]
    }
    case 'bound':
      return [{ t: 'bound', self: fallen(alt), name }]
    case 'const':
    case 'text':
    case 'list':
      // The member of an enumeration.
      if (name === 'value') return [alt]
      return [{ t: 'bound', self: alt, name }]
    default:
      return [{ t: 'bound', self: alt, name }]
  }
}

/** What a name of a module is. */
export function moduleMember(name: string): Value {
  if (/^sys\.(?:argv|orig_argv|stdin)$/.test(name)) return unknown(taint(ARGS))
  if (/^(?:sys\.(?:platform|executable|flags)|os\.name)$/.test(name)) return unknown(taint(PLATFORM))
  return refTo(name)
}

/** An attribute that is not called stands for data of its object. */
function fallen(alt: Extract<Alt, { t: 'bound' }>): Alt {
  const of = taintOf([alt.self])
  return { t: 'unknown', taint: of.bits === 0 && of.secrets.length === 0 ? taint(COMPUTED) : of }
}

const fields = new WeakMap<Machine, Map<unknown, Map<string, Value>>>()
function functionFields(machine: Machine, alt: FunctionAlt): Map<string, Value> {
  let all = fields.get(machine)
  if (all === undefined) {
    all = new Map()
    fields.set(machine, all)
  }
  let own = all.get(alt.fn)
  if (own === undefined) {
    own = new Map()
    all.set(alt.fn, own)
  }
  return own
}

const isFunction = (value: Value): boolean => value.some((alt) => alt.t === 'function')

/** A class of a library, as the value that its objects are. */
function instanceOf(name: string, attributes: Map<string, Value>): Alt {
  if (/^(?:requests|niquests)(?:\.sessions)?\.Session$/.test(name))
    return { t: 'known', what: 'session', fields: attributes }
  if (/^httpx\.(?:Async)?Client$|^aiohttp\.(?:client\.)?ClientSession$/.test(name))
    return { t: 'known', what: 'session', fields: attributes }
  if (name === 'urllib.request.Request') return { t: 'known', what: 'request', fields: attributes }
  if (name === 'builtins.dict') return { t: 'dict', entries: new Map(), rest: unknown(taint(COMPUTED)) }
  return { t: 'known', what: `instance of ${name}`, fields: attributes }
}

/** The member of a class or of those it derives from. */
export function findMember(of: ClassAlt, name: string, seen = 0): Value | null {
  const own = of.members.get(name)
  if (own !== undefined) return own
  if (seen > 12) return null
  for (const base of of.bases) {
    for (const alt of base) {
      if (alt.t !== 'class') continue
      const found = findMember(alt, name, seen + 1)
      if (found !== null) return found
    }
  }
  return null
}

/** Names of the library classes that a class derives from. */
export function externalBases(of: ClassAlt, seen = 0): string[] {
  if (seen > 12) return []
  return of.bases.flatMap((base) =>
    base.flatMap((alt) =>
      alt.t === 'ref'
        ? alt.name === 'builtins.object'
          ? []
          : [alt.name]
        : alt.t === 'class'
          ? externalBases(alt, seen + 1)
          : [],
    ),
  )
}

function bindAll(machine: Machine, member: Value, self: Alt, owner: ClassAlt, at: number): Value {
  return joinAll(
    member.map((alt): Value => {
      if (alt.t !== 'function') return [alt]
      if (alt.kind === 'static') return [alt]
      const bound: Value = [
        { ...alt, self: alt.kind === 'class' ? [owner] : [self], owner: alt.owner ?? owner },
      ]
      return alt.kind === 'property' ? machine.call(bound, NO_ARGUMENTS, at, null) : bound
    }),
  )
}

function superAttribute(
  machine: Machine,
  alt: Extract<Alt, { t: 'known' }>,
  name: string,
  at: number,
): Value {
  const self = alt.fields.get('self') ?? NOTHING
  const owner = (alt.fields.get('owner') ?? NOTHING)[0]
  if (owner?.t !== 'class') return unknown(taint(COMPUTED))
  for (const base of owner.bases) {
    for (const one of base) {
      const member = one.t === 'class' ? findMember(one, name) : null
      const me = self[0]
      if (member !== null && me !== undefined) return bindAll(machine, member, me, one as ClassAlt, at)
    }
  }
  const [library] = externalBases(owner)
  const me = self[0]
  if (library !== undefined && me?.t === 'object' && name !== '__init__')
    return [{ t: 'bound', self: instanceOf(library, me.attributes), name }]
  return refTo('builtins.object')
}

/** `value.name = to`. */
export function setAttribute(machine: Machine, value: Value, name: string, to: Value, at: number): void {
  for (const alt of value) {
    if (alt.t === 'object') {
      const before = alt.attributes.get(name)
      alt.attributes.set(name, before === undefined ? to : join(before, to))
    } else if (alt.t === 'class') alt.members.set(name, join(alt.members.get(name) ?? NOTHING, to))
    else if (alt.t === 'known' && name === 'get_method')
      alt.fields.set('method', machine.call(to, NO_ARGUMENTS, at, null))
    else if (alt.t === 'known') alt.fields.set(name, join(alt.fields.get(name) ?? NOTHING, to))
    else if (alt.t === 'function') functionFields(machine, alt).set(name, to)
    else if (alt.t === 'ref') replaced(machine, `${alt.name}.${name}`, to, at)
  }
}

function replaced(machine: Machine, name: string, to: Value, at: number): void {
  const own = to.some((alt) => alt.t === 'object' || alt.t === 'class' || alt.t === 'function')
  if (name === 'sys.path') machine.recorder.danger('text_import', at, name)
  if (/^sys\.(?:stdin|path|argv|excepthook|dont_write_bytecode|tracebacklimit)$/.test(name)) return
  if (/^sys\.(?:stdout|stderr)$/.test(name) && !own) return
  // A number or a word put into a module is a setting, not a replacement.
  if (constantsOf(to) !== null) return
  if (/^os\.environ/.test(name)) return
  machine.recorder.danger('replaced_builtin', at, name.replace(/^builtins\./, ''))
}

/** `value[index] = to`. */
export function setItem(machine: Machine, value: Value, index: Value, to: Value, at: number): void {
  const keys = constantsOf(index)
  for (const alt of value) {
    if (alt.t === 'dict') {
      if (keys === null)
        alt.rest = join(alt.rest, join(to, unknown(mergeTaints(taintOf(index), taint(COMPUTED)))))
      else
        for (const key of keys)
          alt.entries.set(String(key), join(alt.entries.get(String(key)) ?? NOTHING, to))
    } else if (alt.t === 'list') {
      const place = keys?.length === 1 ? Number(keys[0]) : Number.NaN
      if (Number.isInteger(place) && place >= 0 && place < alt.items.length)
        alt.items[place] = join(alt.items[place] as Value, to)
      else alt.rest = join(alt.rest, to)
    } else if (alt.t === 'ref' && alt.name === 'sys.modules')
      machine.recorder.danger('replaced_builtin', at, 'sys.modules')
    else if (alt.t === 'ref' && alt.name === 'os.environ') {
      if (keys === null || keys.some((key) => /_proxy$/i.test(String(key))))
        machine.recorder.danger('opaque_sender', at, 'a proxy')
      machine.recorder.secretGoes(taintOf(to), 'unknown')
    } else if (alt.t === 'known' && alt.what === 'namespace') {
      const of = alt.fields.get('of')?.[0]
      if (of?.t === 'ref') replaced(machine, `${of.name}[…]`, to, at)
      else machine.recorder.danger('code_from_text', at, 'globals()[…] = …')
    } else if (alt.t === 'known')
      alt.fields.set(
        'headers',
        join(alt.fields.get('headers') ?? NOTHING, [
          { t: 'dict', entries: new Map(keys === null ? [] : [[String(keys[0]), to]]), rest: NOTHING },
        ]),
      )
    else if (alt.t === 'bound' && alt.self.t === 'known' && alt.name === 'headers')
      alt.self.fields.set('headers', [
        { t: 'dict', entries: new Map(keys === null ? [] : [[String(keys[0]), to]]), rest: NOTHING },
      ])
  }
}

/** Every member of a value of the program whose name is not known. */
export function anyMember(machine: Machine, value: Value, name: Value, at: number): Value {
  const of = mergeTaints(taintOf(name), taint(COMPUTED))
  return joinAll(
    value.map((alt): Value => {
      const owner = alt.t === 'object' ? alt.of : alt.t === 'class' ? alt : null
      if (owner !== null) {
        const members: Value[] = []
        for (const [key, member] of owner.members)
          if (!key.startsWith('__'))
            members.push(alt.t === 'object' ? bindAll(machine, member, alt, owner, at) : member)
        return join(joinAll(members), unknown(of))
      }
      if (alt.t === 'ref') {
        if (/^(?:requests|httpx|niquests|aiohttp)\b/.test(alt.name))
          return [
            {
              t: 'bound',
              self: { t: 'known', what: 'session', fields: new Map([['verb', unknown(of)]]) },
              name: '*',
            },
          ]
        machine.recorder.danger('code_from_text', at, `a computed name of ${alt.name}`)
        return unknown(of)
      }
      if (alt.t === 'known' && alt.what === 'session') {
        const fields = new Map(alt.fields)
        fields.set('verb', unknown(of))
        return [{ t: 'bound', self: { t: 'known', what: 'session', fields }, name: '*' }]
      }
      return unknown(mergeTaints(taintOf([alt]), of))
    }),
  )
}
