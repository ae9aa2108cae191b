import { allArguments, argument, type Call, NO_ARGUMENTS, taintOfCall } from './arguments.ts'
import { callBuiltin } from './builtins.ts'
import { callClient } from './clients.ts'
import { decoded } from './decode.ts'
import { readVariable } from './environment.ts'
import { imported } from './imports.ts'
import type { Machine } from './machine.ts'
import { iterate } from './members.ts'
import { mapped } from './methods.ts'
import { CHANCE, CLOCKS, isUnreadSender, MACHINE } from './modules.ts'
import { concat } from './text.ts'
import { textCall } from './text-library.ts'
import { callBacks, callUnknown } from './unknown-calls.ts'
import {
  ARGS,
  CLOCK,
  COMPUTED,
  constant,
  constantsOf,
  type Env,
  join,
  joinAll,
  knownValue,
  listOfItems,
  mergeTaints,
  NOTHING,
  PLATFORM,
  RANDOM,
  taint,
  taintOf,
  unknown,
  type Value,
} from './values.ts'

const OPEN = unknown(taint(COMPUTED))
const OUTPUT =
  /^(?:sys\.(?:stdout|stderr|__stdout__)\.(?:buffer\.)?write(?:lines)?|sys\.exit|builtins\.(?:exit|quit)|pprint\.\w+|logging\.(?:debug|info|warning|error|critical|exception|log)|os\.write|rich\.print|traceback\.print_\w+|warnings\.warn)$/
const HASHES = /^(?:hashlib|hmac|zlib|crypt|binascii|jwt|jose|cryptography|nacl|Crypto)\./
const ENCODERS = /^(?:base64\.(?:\w*encode\w*)|binascii\.b2a_\w+|codecs\.encode)$/

/** Built-ins that hand the environment on, which their own readers follow. */
const QUIET_BUILTIN = /^builtins\.(?!print$|str$|repr$|format$)/

/** `name(…)` for a name of a module. */
export function callLibrary(machine: Machine, name: string, call: Call, at: number, env: Env | null): Value {
  const part = (place: number, key: string): Value => argument(call, place, key)
  const first = part(0, ' ')
  for (const value of allArguments(call))
    for (const alt of value)
      if (alt.t === 'ref' && alt.name === 'os.environ' && !QUIET_BUILTIN.test(name))
        machine.recorder.secretGoes(
          taintOf(readVariable(machine, null, at)),
          OUTPUT.test(name) || name === 'builtins.print' ? 'output' : 'unknown',
        )
  if (name.startsWith('builtins.')) return callBuiltin(machine, name.slice(9), call, at, env)
  if (name.startsWith('os.')) {
    const read = environment(machine, name, call, at)
    if (read !== null) return read
  }
  if (CLOCKS.test(name)) return unknown(mergeTaints(taint(CLOCK | COMPUTED), taintOfCall(call)))
  if (CHANCE.test(name)) return chance(machine, name, call, at)
  if (MACHINE.test(name)) return unknown(mergeTaints(taint(PLATFORM | COMPUTED), taintOfCall(call)))
  const client = callClient(machine, name, call, at)
  if (client !== null) return client
  const clear = decoded(name, first, part(1, 'encoding'))
  if (clear !== null) return clear
  if (OUTPUT.test(name)) {
    machine.recorder.secretGoes(taintOfCall(call), 'output')
    return OPEN
  }
  const text = textCall(machine, name, call)
  if (text !== null) return text
  const flow = flowCall(machine, name, call, at)
  if (flow !== null) return flow
  if (ENCODERS.test(name)) {
    const of = taintOfCall(call)
    const secrets = of.secrets.map((secret) => (secret.startsWith('~') ? secret : `~${secret}`))
    return unknown({ bits: of.bits | COMPUTED, secrets })
  }
  if (HASHES.test(name)) {
    machine.recorder.secretGoes(taintOfCall(call), 'computed')
    return unknown(mergeTaints(taintOfCall(call), taint(COMPUTED)))
  }
  if (isUnreadSender(name)) {
    machine.recorder.danger('opaque_sender', at, name.split('.')[0])
    machine.recorder.secretGoes(taintOfCall(call), 'unknown')
  }
  return callUnknown(machine, taint(COMPUTED), call, at)
}

function environment(machine: Machine, name: string, call: Call, at: number): Value | null {
  if (/^os\.(?:getenvb?|environb?\.(?:get|pop|setdefault|__getitem__))$/.test(name)) {
    const keys = constantsOf(argument(call, 0, 'key'))
    const initial = argument(call, 1, 'default')
    const read =
      keys === null
        ? readVariable(machine, null, at)
        : joinAll(keys.map((key) => readVariable(machine, String(key), at)))
    return join(read, initial)
  }
  if (/^os\.environb?\.(?:items|values|copy|keys|__iter__)$/.test(name)) {
    const read = readVariable(machine, null, at)
    if (name.endsWith('copy')) return [{ t: 'dict', entries: new Map(), rest: read }]
    return [
      {
        t: 'list',
        items: [],
        rest: name.endsWith('items') ? [{ t: 'list', items: [read, read], rest: NOTHING }] : read,
      },
    ]
  }
  if (name === 'os.path.join') return joinPath(call)
  return null
}

function joinPath(call: Call): Value {
  const parts = call.args.flatMap((value, index) => (index === 0 ? [value] : [constant('/'), value]))
  return concat(parts)
}

function chance(machine: Machine, name: string, call: Call, at: number): Value {
  if (name === 'random.choice' || name === 'secrets.choice') {
    const { known: items, open } = iterate(machine, argument(call, 0, 'seq'), at)
    const picked = join(joinAll(items), open)
    if (picked.length > 0)
      return picked.map((alt) => (alt.t === 'const' ? { ...alt, bits: alt.bits | RANDOM } : alt))
  }
  return unknown(mergeTaints(taint(RANDOM | COMPUTED), taintOfCall(call)))
}

/** Functions that call others, and containers. */
function flowCall(machine: Machine, name: string, call: Call, at: number): Value | null {
  const part = (place: number, key: string): Value => argument(call, place, key)
  const short = name.slice(name.indexOf('.') + 1)
  switch (name) {
    case 'functools.partial':
    case 'functools.partialmethod':
      return [{ t: 'partial', fn: part(0, 'func'), args: call.args.slice(1), named: call.named }]
    case 'functools.reduce': {
      const { known: items, open } = iterate(machine, part(1, 'iterable'), at)
      if (part(0, 'function').some((alt) => alt.t === 'ref' && alt.name === 'builtins.getattr'))
        machine.recorder.danger('code_from_text', at, 'getattr')
      let all = part(2, 'initial')
      if (items.length > 64) return OPEN
      for (const item of items)
        all =
          all.length === 0
            ? item
            : machine.call(part(0, 'function'), { ...NO_ARGUMENTS, args: [all, item] }, at, null)
      return open.length === 0
        ? all
        : join(all, machine.call(part(0, 'function'), { ...NO_ARGUMENTS, args: [all, open] }, at, null))
    }
    case 'operator.attrgetter':
    case 'operator.methodcaller':
      if (constantsOf(part(0, 'attr')) === null) machine.recorder.danger('code_from_text', at, short)
      return knownValue('caller', [
        ['name', part(0, 'name')],
        [
          'args',
          name.endsWith('caller') ? [{ t: 'list', items: call.args.slice(1), rest: NOTHING }] : NOTHING,
        ],
        ['named', [{ t: 'dict', entries: new Map(call.named), rest: NOTHING }]],
      ])
    case 'threading.Thread':
    case 'threading.Timer': {
      const [list] = part(name.endsWith('Timer') ? 2 : -1, 'args')
      const [dict] = part(-1, 'kwargs')
      machine.call(
        part(1, name.endsWith('Timer') ? 'function' : 'target'),
        {
          ...NO_ARGUMENTS,
          args: list?.t === 'list' ? list.items : [],
          named: dict?.t === 'dict' ? dict.entries : new Map(),
        },
        at,
        null,
      )
      return knownValue('thread')
    }
    case 'concurrent.futures.ThreadPoolExecutor':
    case 'concurrent.futures.thread.ThreadPoolExecutor':
    case 'multiprocessing.pool.ThreadPool':
    case 'multiprocessing.dummy.Pool':
    case 'asyncio.get_event_loop':
    case 'asyncio.get_running_loop':
    case 'asyncio.new_event_loop':
      return knownValue('executor')
    case 'asyncio.run':
    case 'asyncio.create_task':
    case 'asyncio.ensure_future':
    case 'asyncio.wait_for':
    case 'asyncio.shield':
    case 'contextlib.closing':
    case 'contextlib.nullcontext':
    case 'weakref.ref':
      return part(0, 'main')
    case 'asyncio.to_thread':
      return machine.call(part(0, 'func'), { ...call, args: call.args.slice(1) }, at, null)
    case 'asyncio.gather':
      return [{ t: 'list', items: [...call.args], rest: call.rest }]
    case 'asyncio.as_completed':
    case 'concurrent.futures.as_completed':
    case 'asyncio.wait': {
      return part(0, 'fs')
    }
    case 'itertools.chain':
    case 'itertools.chain.from_iterable': {
      const lists = name.endsWith('iterable') ? iterate(machine, part(0, 'iterable'), at).known : call.args
      const walked = lists.map((list) => iterate(machine, list, at))
      return listOfItems(
        walked.flatMap(({ known: items }) => items),
        joinAll(walked.map(({ open }) => open)),
      )
    }
    case 'itertools.starmap':
      return mapped(machine, part(0, 'function'), call.args.slice(1), at, true)
    case 'itertools.islice':
    case 'collections.deque':
    case 'collections.OrderedDict':
      return part(0, 'iterable').length > 0 ? part(0, 'iterable') : [{ t: 'list', items: [], rest: NOTHING }]
    case 'collections.defaultdict':
      return [{ t: 'dict', entries: new Map(), rest: OPEN }]
    case 'types.SimpleNamespace':
    case 'argparse.Namespace':
      return knownValue('plain', call.named)
    case 'dataclasses.field': {
      const factory = call.named.get('default_factory')
      return factory === undefined
        ? (call.named.get('default') ?? NOTHING)
        : machine.call(factory, NO_ARGUMENTS, at, null)
    }
    case 'argparse.ArgumentParser':
      return OPEN
    case 'sys.path.insert':
    case 'sys.path.append':
    case 'sys.path.extend':
    case 'site.addsitedir':
      machine.recorder.danger('text_import', at, name.startsWith('sys') ? 'sys.path' : name)
      return OPEN
    case 'urllib.request.install_opener':
      if (!part(0, 'opener').every((alt) => alt.t === 'known' && alt.what === 'opener'))
        machine.recorder.danger('replaced_builtin', at, 'install_opener')
      return OPEN
    case 'importlib.import_module':
      return imported(machine, part(0, 'name'), at)
    case 'sys.stdin.read':
    case 'sys.stdin.readline':
    case 'sys.stdin.buffer.read':
    case 'fileinput.input':
      return unknown(taint(ARGS))
    case 'unittest.mock.patch':
      return OPEN
    default:
      break
  }
  if (/^(?:signal\.signal|atexit\.register|sched\.)/.test(name)) {
    callBacks(machine, call, at, null)
    return OPEN
  }
  return null
}
