import { argument, type Call, NO_ARGUMENTS, taintOfCall } from './arguments.ts'
import { ANSWERED, callKnown, callLikeClient } from './clients.ts'
import type { Machine } from './machine.ts'
import { itemOf, iterate } from './members.ts'
import { concat, formatText, textMethod } from './text.ts'
import { callBacks, callUnknown } from './unknown-calls.ts'
import {
  type Alt,
  ANSWER,
  ARGS,
  COMPUTED,
  constant,
  constantsOf,
  join,
  joinAll,
  knownValue,
  listOfItems,
  MAX_ITEMS,
  mergeTaints,
  NONE,
  NOTHING,
  taint,
  taintOf,
  unknown,
  type Value,
} from './values.ts'

/** `self.name(…)` for everything but the program's own objects. */
export function callMethod(machine: Machine, self: Alt, name: string, call: Call, at: number): Value {
  switch (self.t) {
    case 'const':
    case 'text':
      return textCall(machine, self, name, call, at)
    case 'json':
      return /^(?:encode|decode|strip)$/.test(name) ? [self] : unknown(self.taint)
    case 'list':
      return listCall(machine, self, name, call, at)
    case 'dict':
      return dictCall(machine, self, name, call, at)
    case 'known': {
      const done = callKnown(machine, self, name, call, at)
      if (done !== null) return done
      return knownCall(machine, self, name, call, at)
    }
    default:
      return unknownCall(machine, self, name, call, at)
  }
}

function textCall(
  machine: Machine,
  self: Extract<Alt, { t: 'const' | 'text' }>,
  name: string,
  call: Call,
  at: number,
): Value {
  if (name === 'format' || name === 'format_map') {
    const [first] = call.args[0] ?? NOTHING
    const named = name === 'format_map' && first?.t === 'dict' ? first.entries : call.named
    if (self.t === 'const' && typeof self.v === 'string') {
      const made = formatText(self.v, call.args, named)
      return made
    }
  } else if (name === 'join') {
    const { known, open } = iterate(machine, argument(call, 0, 'iterable'), at)
    const separated: Value[] = []
    if (known.length > MAX_ITEMS) return unknown(mergeTaints(taintOf(joinAll(known)), taint(COMPUTED)))
    known.forEach((item, index) => {
      if (index > 0) separated.push([self])
      separated.push(item)
    })
    if (open.length > 0) separated.push(unknown(mergeTaints(taintOf(open), taint(COMPUTED))))
    return concat(separated)
  } else if (/^(?:r?split|splitlines|r?partition)$/.test(name)) {
    const by = constantsOf(call.args[0] ?? NOTHING)?.[0]
    if (self.t === 'const' && typeof self.v === 'string' && self.v.length < 20_000 && call.args.length < 2) {
      const parts =
        name === 'splitlines'
          ? self.v.split('\n')
          : name.endsWith('partition') && typeof by === 'string'
            ? cutOnce(self.v, by, name === 'rpartition')
            : typeof by === 'string' && by !== ''
              ? self.v.split(by)
              : self.v.trim().split(/\s+/)
      return listOfItems(parts.map((part) => constant(part, self.bits)))
    }
    return [{ t: 'list', items: [], rest: unknown(mergeTaints(taintOf([self]), taint(COMPUTED))) }]
  }
  const made = textMethod(name, self, call.args)
  if (made !== null) return made
  return unknown(mergeTaints(mergeTaints(taintOf([self]), taintOfCall(call)), taint(COMPUTED)))
}

function cutOnce(text: string, by: string, last: boolean): string[] {
  const at = last ? text.lastIndexOf(by) : text.indexOf(by)
  if (at < 0) return last ? ['', '', text] : [text, '', '']
  return [text.slice(0, at), by, text.slice(at + by.length)]
}

function listCall(
  machine: Machine,
  self: Extract<Alt, { t: 'list' }>,
  name: string,
  call: Call,
  at: number,
): Value {
  const first = argument(call, 0, 'item')
  switch (name) {
    case 'append':
    case 'add':
    case 'put':
    case 'appendleft':
      if (self.items.length < 64 && machine.loops === 0) self.items.push(first)
      else self.rest = join(self.rest, first)
      return NONE
    case 'insert':
      self.rest = join(self.rest, argument(call, 1, 'object'))
      return NONE
    case 'extend':
    case 'update': {
      const { known, open } = iterate(machine, first, at)
      if (self.items.length + known.length <= 256 && machine.loops === 0) self.items.push(...known)
      else self.rest = join(self.rest, joinAll(known))
      self.rest = join(self.rest, open)
      return NONE
    }
    case 'pop':
    case 'popleft':
    case 'get':
    case '__getitem__':
      return itemOf(machine, [self], NOTHING, at)
    case 'copy':
      return [{ ...self, items: [...self.items] }]
    default:
      callBacks(machine, call, at, { ...NO_ARGUMENTS, args: [join(joinAll(self.items), self.rest)] })
      return unknown(mergeTaints(taintOf([self]), taint(COMPUTED)))
  }
}

function dictCall(
  machine: Machine,
  self: Extract<Alt, { t: 'dict' }>,
  name: string,
  call: Call,
  at: number,
): Value {
  const key = argument(call, 0, 'key')
  switch (name) {
    case 'get':
    case 'pop':
    case 'setdefault':
    case '__getitem__': {
      const initial = argument(call, 1, 'default')
      const keys = constantsOf(key)
      const sure = keys?.every((one) => self.entries.has(String(one))) ?? false
      const found = sure
        ? itemOf(machine, [self], key, at)
        : keys === null || self.rest.length > 0
          ? join(
              joinAll(
                keys === null
                  ? self.entries.values()
                  : keys.map((one) => self.entries.get(String(one)) ?? NOTHING),
              ),
              self.rest,
            )
          : joinAll(keys.map((one) => self.entries.get(String(one)) ?? NOTHING))
      if (name === 'setdefault' && keys !== null && !sure)
        for (const one of keys) if (!self.entries.has(String(one))) self.entries.set(String(one), initial)
      return sure ? found : join(found, initial.length === 0 ? NONE : initial)
    }
    case 'items':
      return [
        {
          t: 'list',
          items: [...self.entries].map(
            ([name, value]): Value => [{ t: 'list', items: [constant(name), value], rest: NOTHING }],
          ),
          rest:
            self.rest.length === 0
              ? NOTHING
              : [
                  {
                    t: 'list',
                    items: [unknown(mergeTaints(taintOf(self.rest), taint(COMPUTED))), self.rest],
                    rest: NOTHING,
                  },
                ],
        },
      ]
    case 'keys':
      return [
        {
          t: 'list',
          items: [...self.entries.keys()].map((name) => constant(name)),
          rest: self.rest.length === 0 ? NOTHING : unknown(taint(COMPUTED)),
        },
      ]
    case 'values':
      return [{ t: 'list', items: [...self.entries.values()], rest: self.rest }]
    case 'copy':
      return [{ t: 'dict', entries: new Map(self.entries), rest: self.rest }]
    case 'update': {
      for (const [name, value] of call.named)
        self.entries.set(name, join(self.entries.get(name) ?? NOTHING, value))
      for (const alt of key) {
        if (alt.t !== 'dict') self.rest = join(self.rest, itemOf(machine, [alt], NOTHING, at))
        else {
          for (const [name, value] of alt.entries)
            self.entries.set(name, join(self.entries.get(name) ?? NOTHING, value))
          self.rest = join(self.rest, alt.rest)
        }
      }
      return NONE
    }
    default:
      return unknown(mergeTaints(taintOf([self]), taint(COMPUTED)))
  }
}

function knownCall(
  machine: Machine,
  self: Extract<Alt, { t: 'known' }>,
  name: string,
  call: Call,
  at: number,
): Value {
  if (self.what === 'namespace' && /^(?:get|pop|__getitem__)$/.test(name))
    return itemOf(machine, [self], argument(call, 0, 'key'), at)
  if (self.what === 'getter') return unknown(taintOfCall(call))
  if (self.what === 'executor') {
    const fn = argument(call, 0, 'fn')
    if (
      name === 'submit' ||
      name === 'apply_async' ||
      name === 'apply' ||
      name === 'call_soon' ||
      name === 'run_in_executor'
    ) {
      const skip = name === 'run_in_executor' ? 2 : 1
      const target = name === 'run_in_executor' ? argument(call, 1, 'func') : fn
      const list = name.startsWith('apply') ? call.args[1]?.[0] : undefined
      const args = list?.t === 'list' ? list.items : call.args.slice(skip)
      return knownValue('future', [['value', machine.call(target, { ...call, args }, at, null)]])
    }
    if (/^(?:map|imap|imap_unordered|starmap)$/.test(name))
      return mapped(machine, fn, call.args.slice(1), at, name === 'starmap')
  }
  if (self.what === 'future') return self.fields.get('value') ?? NOTHING
  if (self.what === 'thread') return NONE
  return callUnknown(machine, taintOf([self]), call, at)
}

/** `map(fn, items)`: one call for each known item, one for all others. */
export function mapped(
  machine: Machine,
  fn: Value,
  lists: readonly Value[],
  at: number,
  star = false,
): Value {
  const walked = lists.map((list) => iterate(machine, list, at))
  const count = Math.min(...walked.map(({ known }) => known.length))
  const items: Value[] = []
  let rest: Value = NOTHING
  const call = (args: readonly Value[]): Value =>
    machine.call(
      fn,
      { ...NO_ARGUMENTS, args: star ? iterate(machine, args[0] ?? NOTHING, at).known : args },
      at,
      null,
    )
  if (count <= 24)
    for (let index = 0; index < count; index++)
      items.push(call(walked.map(({ known }) => known[index] as Value)))
  else rest = call(walked.map(({ known }) => joinAll(known)))
  if (walked.some(({ open }) => open.length > 0))
    rest = join(rest, call(walked.map(({ known, open }) => join(joinAll(known), open))))
  return [{ t: 'list', items, rest }]
}

const SENDS =
  /^(?:sendall|sendto|sendmail|send_message|create_connection|create_server|create_datagram_endpoint|connect_ex|storbinary|retrbinary)$/

function unknownCall(machine: Machine, self: Alt, name: string, call: Call, at: number): Value {
  const of = taintOf([self])
  if (callLikeClient(machine, name, call, at)) return ANSWERED
  if (name === 'parse_args' || name === 'parse_known_args') return unknown(taint(ARGS))
  if (name === 'run_until_complete' || name === 'create_task' || name === 'run') {
    const first = call.args[0]
    if (first !== undefined && of.bits === COMPUTED) return first
  }
  if (SENDS.test(name)) machine.recorder.danger('opaque_sender', at, name)
  if (/^create_subprocess_|^subprocess_(?:exec|shell)$/.test(name))
    machine.recorder.danger('starts_programs', at, name)
  if (/^(?:exec_module|load_module|exec_code)$/.test(name))
    machine.recorder.danger('code_from_text', at, name)
  if (/^(?:get|getheader|pop|getheaders|get_all)$/.test(name)) {
    const found = itemOf(machine, [self], argument(call, 0, 'key'), at)
    const initial = argument(call, 1, 'default')
    return initial.length === 0 ? found : join(found, initial)
  }
  if (/^(?:items|values|keys)$/.test(name)) {
    const item = unknown(mergeTaints(of, taint(COMPUTED)))
    return [
      {
        t: 'list',
        items: [],
        rest: name === 'items' ? [{ t: 'list', items: [item, item], rest: NOTHING }] : item,
      },
    ]
  }
  const loggers = /^(?:debug|info|warning|warn|error|critical|exception|log|write|writelines)$/
  if (loggers.test(name)) machine.recorder.secretGoes(taintOfCall(call), 'output')
  else if (/^(?:update|digest|hexdigest|sign|encrypt|derive)$/.test(name))
    machine.recorder.secretGoes(mergeTaints(of, taintOfCall(call)), 'computed')
  // What a client gave back is read by its methods; nothing goes out through them.
  const all = callUnknown(machine, of, call, at)
  return of.bits & ANSWER ? unknown(mergeTaints(of, taintOfCall(call))) : all
}
