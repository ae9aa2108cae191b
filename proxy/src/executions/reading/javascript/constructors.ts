import { lineOf, type Node } from './ast.ts'
import { bufferFrom } from './decoding.ts'
import { letEscape } from './escapes.ts'
import { tellHooks } from './hooks.ts'
import { elementsOf } from './lists.ts'
import { getMember } from './members.ts'
import { opaque } from './opaque.ts'
import { DYNAMIC_CODE } from './platform-names.ts'
import { promised } from './promises.ts'
import { mayBeRequest, orElse, sendRequest } from './requests.ts'
import type { Run } from './run.ts'
import { toTexts } from './texts.ts'
import { superOf } from './things.ts'
import { makeUrl, resolveUrl } from './url-object.ts'
import {
  anything,
  type Builtin,
  builtin,
  items,
  mixed,
  only,
  type Thing,
  text,
  thing,
  UNDEFINED,
  union,
  unknown,
  type Value,
} from './values.ts'

const NO_TEXT: Value = UNDEFINED
/** `new` on a thing of the platform. */
export function constructPlatform(run: Run, one: Builtin, args: readonly Value[], node: Node): Value {
  const { name } = one
  const line = lineOf(node)
  const [first = UNDEFINED, second = UNDEFINED] = args
  switch (name) {
    case 'URL': {
      const bases = second === NO_TEXT ? [null] : toTexts(run, second)
      const made = bases.flatMap((base) => toTexts(run, first).map((path) => resolveUrl(path, base)))
      const url = makeUrl(made.length > 32 ? [mixed([made])] : made)
      const params = thing([[' owner', [url]]], 'URLSearchParams')
      url.props.set('searchParams', [params])
      return [url]
    }
    case 'Request': {
      const init = second
      const request = thing([], 'Request')
      const of = (key: string): Value => getMember(run, init, key, node)
      const inputs = first.flatMap(
        (given): Value => (given.k === 'thing' ? (superOf(given) ?? [given]) : [given]),
      )
      const inner = inputs.filter((given) => given.k === 'thing' && given.role === 'Request')
      const plain = inputs.filter((given) => !inner.includes(given))
      const base = (key: string): Value => (inner.length === 0 ? UNDEFINED : run.member(inner, key, node))
      const url = union(
        ...inner.map((given) => run.member([given], 'url', node)),
        plain.length === 0 ? base('url') : toTexts(run, plain),
      )
      request.props.set('url', url)
      for (const key of ['method', 'headers', 'body']) request.props.set(key, orElse(of(key), base(key)))
      // What it is made of may be a request of another method.
      if (plain.some((given) => mayBeRequest(run, given)))
        request.props.set('method', orElse(of('method'), anything('computed')))
      return [request]
    }
    case 'Headers':
    case 'Map':
      return [keyedFrom(run, first, name, node)]
    case 'URLSearchParams':
    case 'FormData': {
      const params: Thing = { ...thing([], 'URLSearchParams') }
      for (const given of first) {
        if (given.k === 'thing') for (const [key, value] of given.props) params.props.set(key, value)
        if (given.k !== 'primitive') params.props.set(' whole', [mixed([[given]])])
      }
      return [params]
    }
    case 'Set':
      return items(
        elementsOf(run, first, null) ?? [],
        elementsOf(run, first, null) === null && first !== UNDEFINED ? mixed([first]) : null,
      )
    case 'Array':
      return args.length === 1 ? items([], unknown('computed')) : items([...args])
    case 'WebSocket':
    case 'WebSocketStream':
    case 'EventSource':
      sendRequest(
        run,
        {
          url: first,
          method: text('GET'),
          headers: getMember(run, second, 'headers', node),
          body: UNDEFINED,
          websocket: name !== 'EventSource',
        },
        node,
      )
      return anything('answer', { role: 'sender' })
    case 'XMLHttpRequest':
      return [{ ...thing([], 'XHR'), rest: unknown('answer') }]
    case 'TextDecoder':
    case 'TextEncoder':
      return [thing([], 'Encoder')]
    case 'Promise': {
      return promised((resolve) => run.call(first, UNDEFINED, [resolve, builtin('resolve', items([]))], node))
    }
    case 'Proxy':
      for (const target of first) {
        if (target.k === 'builtin' && target.name !== 'process.env') {
          run.sink.danger('replaced_builtin', line, `Proxy of ${target.name}`)
        }
      }
      return [
        {
          ...thing(
            [
              [' target', first],
              [' handler', second],
            ],
            'Proxy',
          ),
          rest: mixed([first]),
        },
      ]
    case 'Error':
    case 'TypeError':
    case 'RangeError': {
      const error = thing([
        ['message', first],
        ['stack', anything('environment', { hidden: 'stack' })],
      ])
      error.rest = mixed([first])
      return [error]
    }
    case 'globalThis.*':
      return union(
        opaque(run, null, null, args, node),
        ...['WebSocket', 'Request'].map((way) => constructPlatform(run, { ...one, name: way }, args, node)),
      )
    case 'Intl.DateTimeFormat':
      return args.length === 0 ? anything('environment', { hidden: 'time zone' }) : anything('computed')
    case 'Date':
      return args.length === 0
        ? anything('environment', { hidden: 'Date', role: 'atom' })
        : [{ ...mixed(args), role: 'atom' }]
    case 'Uint8Array':
    case 'Uint16Array':
      return bufferFrom(first, UNDEFINED)
    default:
      if (DYNAMIC_CODE.has(name)) {
        run.sink.danger('code_from_text', line, name)
        return anything('computed')
      }
      if (/^node:https?\.ClientRequest$/.test(name))
        return run.call(builtin(name.replace('ClientRequest', 'request')), UNDEFINED, args, node)
      if (/^undici\.\w*Proxy\w*$/.test(name)) run.sink.danger('opaque_sender', line, name)
      if (/^undici\.\w*(?:Agent|Pool|Client)$/.test(name)) {
        tellHooks(run, second, node)
        return [{ ...thing([[' origin', first]]), rest: unknown('computed') }]
      }
      if (name.startsWith('node:') && !/^node:(?:url|util|buffer|events|stream)/.test(name))
        return opaque(run, null, null, args, node)
      return opaque(run, null, 'trim', args, node)
  }
}

function keyedFrom(run: Run, from: Value, role: 'Headers' | 'Map', node: Node): Thing {
  const made: Thing = { ...thing([], role) }
  for (const one of from) {
    if (one.k === 'thing') {
      for (const [key, value] of one.props) made.props.set(key, value)
      if (one.rest !== null) made.rest = one.rest
    } else if (one.k === 'items') {
      for (const entry of elementsOf(run, [one], null) ?? []) {
        const pair = elementsOf(run, entry, null)
        const key = pair?.[0] === undefined ? null : only(pair[0])
        if (key !== null && pair?.[1] !== undefined) made.props.set(key, pair[1])
        else {
          letEscape(run, entry, node)
          made.rest = mixed([entry])
        }
      }
    } else if (one.k === 'any') made.rest = one
  }
  return made
}
