import type { Node } from './ast.ts'
import { define } from './define.ts'
import { letEscape } from './escapes.ts'
import { callUnknown } from './functions.ts'
import { getMember } from './members.ts'
import { sendRequest } from './requests.ts'
import { type Run, write } from './run.ts'
import { senderOf, withPath } from './senders.ts'
import { withQuery } from './url-object.ts'
import {
  anything,
  items,
  mixed,
  only,
  secretsIn,
  type Thing,
  thing,
  UNDEFINED,
  type Unknown,
  union,
  type Value,
} from './values.ts'

type Props = Map<unknown, Value>

/** A method of an object of the platform's that is followed; null for every other. */
export function thingMethod(
  run: Run,
  one: Thing,
  key: string,
  args: readonly Value[],
  node: Node,
): Value | null {
  const [first = UNDEFINED, second = UNDEFINED] = args
  switch (one.role) {
    case 'URL':
      return key === 'toString' || key === 'toJSON' || key === 'valueOf'
        ? (one.props.get('href') ?? null)
        : null
    case 'URLSearchParams':
      return searchParams(run, one, key, first, second)
    case 'Headers':
    case 'Map':
      return keyed(run, one, key, args, node)
    case 'Request':
      return key === 'clone' ? [one] : null
    case 'XHR':
      return xhr(run, key, args, node)
    case 'Encoder':
      return key === 'decode' || key === 'encode' ? coded(key, first) : null
    case 'Proxy':
      return null
    default:
      if (key === '__defineGetter__' || key === '__defineSetter__') {
        define(run, [one], only(first), [thing([[key === '__defineGetter__' ? 'get' : 'set', second]])], node)
        return UNDEFINED
      }
      if (one.props.has(' origin')) return pooled(run, one, key, first, node)
      if (key === 'hasOwnProperty') return anything('computed')
      return null
  }
}

/** A request over a connection of `undici` that is kept for one server, or says for each which it is. */
function pooled(run: Run, one: Thing, key: string, options: Value, node: Node): Value | null {
  if (!/^(?:request|stream|pipeline|dispatch|upgrade|connect)$/.test(key)) return null
  const of = (name: string): Value => run.member(options, name, node)
  const given = of('origin').filter((part) => part.k !== 'primitive')
  const origin = given.length > 0 ? given : (one.props.get(' origin') ?? UNDEFINED)
  const path = of('path').filter((part) => part.k !== 'primitive')
  const url = path.length === 0 ? origin : withPath(run, origin, path)
  const method = of('method')
  sendRequest(run, { url, method, headers: of('headers'), body: of('body') }, node)
  return key === 'dispatch' ? senderOf(url, method) : anything('answer', { role: 'response' })
}

function searchParams(run: Run, one: Thing, key: string, name: Value, value: Value): Value | null {
  if (key === 'set' || key === 'append') {
    const shown = only(name) ?? '*'
    write(run, one.props as Props, shown, union(one.props.get(shown) ?? value, value))
    for (const owner of one.props.get(' owner') ?? []) {
      if (owner.k === 'thing') {
        const href = owner.props.get('href')
        if (href !== undefined) write(run, owner.props as Props, 'href', withQuery(href, name, value))
      }
    }
    return UNDEFINED
  }
  if (key === 'toString') {
    const whole = mixed([[one]])
    return anything(whole.from, { secrets: whole.secrets, role: 'atom' })
  }
  if (key === 'get') return anything(mixed([[one]]).from)
  return null
}

function keyed(run: Run, one: Thing, key: string, args: readonly Value[], node: Node): Value | null {
  const [first = UNDEFINED, second = UNDEFINED] = args
  const name = only(first)
  switch (key) {
    case 'set':
    case 'append':
      if (name === null) letEscape(run, second, node)
      if (name === null) one.rest = mixed([one.rest === null ? [] : [one.rest], second])
      else write(run, one.props as Props, name, second)
      return [one]
    case 'get':
      return getMember(run, [one], name, node)
    case 'has':
    case 'delete':
      return anything('computed')
    case 'values':
      return items([...one.props.values()], one.rest)
    case 'entries':
    case 'forEach':
      if (key === 'forEach') {
        for (const callback of first)
          if (callback.k === 'function')
            for (const value of one.props.values()) callUnknown(run, callback, value)
        return UNDEFINED
      }
      return items(
        [...one.props].map(([shown, value]) => items([[{ k: 'text', parts: [shown], hidden: null }], value])),
        one.rest,
      )
    default:
      return null
  }
}

function xhr(run: Run, key: string, args: readonly Value[], node: Node): Value | null {
  const [first = UNDEFINED, second = UNDEFINED] = args
  if (key === 'open') {
    sendRequest(run, { url: second, method: first, headers: UNDEFINED, body: UNDEFINED }, node)
    return UNDEFINED
  }
  if (key === 'setRequestHeader') run.sink.secretGoes(secretsIn(second), 'header')
  else if (key === 'send') run.sink.secretGoes(secretsIn(first), 'body')
  else return null
  return UNDEFINED
}

/** Bytes of a text and text of bytes: what they were made from is kept beside. */
function coded(key: string, value: Value): Value {
  const whole = mixed([value])
  if (key === 'encode') return anything(whole.from, { secrets: whole.secrets, role: 'bytes', data: value })
  const kept = value.flatMap((one) =>
    one.k === 'any' && one.role === 'bytes' && one.data !== null ? one.data : [],
  )
  if (kept.length > 0) return kept
  return anything(whole.from === 'computed' ? 'decoded' : whole.from, { secrets: whole.secrets })
}

/** A method of something unknown whose kind is known: an answer, its headers, a request that is still being written. */
export function clientMethod(run: Run, one: Unknown, key: string, args: readonly Value[]): Value | null {
  const [first = UNDEFINED] = args
  if (one.role === 'headers' && key === 'get') {
    return anything(one.from, { role: only(first)?.toLowerCase() === 'location' ? 'location' : null })
  }
  if (
    one.role === 'response' &&
    ['json', 'text', 'arrayBuffer', 'bytes', 'blob', 'formData', 'clone'].includes(key)
  ) {
    return anything(one.from, { role: key === 'clone' ? 'response' : null })
  }
  if (one.role === 'sender') {
    if (key === 'write' || key === 'end' || key === 'send') run.sink.secretGoes(secretsIn(first), 'body')
    else if (key === 'setHeader')
      run.sink.secretGoes(args[1] === undefined ? [] : secretsIn(args[1]), 'header')
    else if (key === 'on' || key === 'once' || key === 'addEventListener') {
      for (const arg of args)
        for (const callback of arg)
          if (callback.k === 'function') callUnknown(run, callback, anything('answer', { role: 'response' }))
      return [one]
    } else return null
    return [one]
  }
  if (one.role === 'bytes' && (key === 'toString' || key === 'slice' || key === 'subarray')) {
    return key === 'toString' ? bytesToText(one, first) : [one]
  }
  if (one.role === 'json' && (key === 'toString' || key === 'trim')) return [one]
  return null
}

function bytesToText(one: Unknown, encoding: Value): Value {
  const name = only(encoding)
  if (name !== null && /^(?:base64|base64url|hex)$/i.test(name))
    return anything(one.from, { secrets: one.secrets, role: 'atom' })
  return one.data ?? anything(one.from === 'computed' ? 'decoded' : one.from, { secrets: one.secrets })
}
