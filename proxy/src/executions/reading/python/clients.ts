import { argument, type Call, NO_ARGUMENTS } from './arguments.ts'
import { attributeOf, findMember } from './attributes.ts'
import type { Machine } from './machine.ts'
import { NO_SENDING, send } from './send.ts'
import { concat } from './text.ts'
import { callBacks } from './unknown-calls.ts'
import {
  type Alt,
  ANSWER,
  constant,
  join,
  knownValue,
  NOTHING,
  taint,
  taintOf,
  unknown,
  type Value,
} from './values.ts'

/** What a host answers. */
export const ANSWERED: Value = unknown(taint(ANSWER))
const VERBS = new Set(['get', 'post', 'put', 'patch', 'delete', 'head', 'options'])
type Known = Extract<Alt, { t: 'known' }>

const isNone = (value: Value): boolean =>
  value.length === 0 || value.every((alt) => alt.t === 'const' && alt.v === null)

/** POST when a body is given, GET otherwise, both when it may be. */
function methodFor(data: Value): Value {
  if (isNone(data)) return constant('GET')
  return data.some((alt) => alt.t === 'const' && alt.v === null)
    ? join(constant('GET'), constant('POST'))
    : constant('POST')
}

/** Calls of functions of the clients that are read; null when the name is none of them. */
export function callClient(machine: Machine, name: string, call: Call, at: number): Value | null {
  const part = (place: number, key: string): Value => argument(call, place, key)
  if (name === 'urllib.request.Request' || name === 'urllib2.Request')
    return knownValue('request', [
      ['url', part(0, 'url')],
      ['data', part(1, 'data')],
      ['headers', dictOr(part(2, 'headers'))],
      ['method', part(5, 'method')],
    ])
  if (/^urllib2?(?:\.request)?\.(?:urlopen|urlretrieve|URLopener)$/.test(name)) {
    openUrl(machine, at, part(0, 'url'), part(name.endsWith('urlretrieve') ? 3 : 1, 'data'))
    return name.endsWith('urlretrieve')
      ? [{ t: 'list', items: [ANSWERED, ANSWERED], rest: NOTHING }]
      : ANSWERED
  }
  if (/^urllib\.request\.(?:build_opener|OpenerDirector|FancyURLopener)$/.test(name))
    return knownValue('opener')
  if (
    name === 'urllib.request.ProxyHandler' &&
    !isNone(part(0, 'proxies')) &&
    !part(0, 'proxies').every((alt) => alt.t === 'dict' && alt.entries.size === 0)
  ) {
    machine.recorder.danger('opaque_sender', at, 'a proxy')
    return knownValue('handler')
  }
  if (/^http\.client\.HTTPS?Connection$|^urllib3\.(?:connectionpool\.)?HTTPS?ConnectionPool$/.test(name)) {
    const scheme = name.includes('HTTPS') ? 'https://' : 'http://'
    const port = part(1, 'port')
    const host = part(0, 'host')
    const place = isNone(port) ? host : concat([host, constant(':'), port])
    return knownValue('connection', [
      ['base', concat([constant(scheme), place])],
      ['headers', emptyDict()],
    ])
  }
  if (
    /^(?:requests|niquests)\.(?:sessions\.)?[sS]ession$|^httpx\.(?:Async)?Client$|^aiohttp\.(?:client\.)?ClientSession$|^urllib3\.(?:poolmanager\.)?(?:PoolManager|ProxyManager|connection_from_url)$|^httplib2\.Http$/.test(
      name,
    )
  ) {
    if (name.endsWith('ProxyManager')) machine.recorder.danger('opaque_sender', at, 'a proxy')
    noteProxies(machine, call, at)
    const base = part(name.startsWith('aiohttp') || name.endsWith('from_url') ? 0 : -1, 'base_url')
    return knownValue('session', [
      ['base', isNone(base) ? NOTHING : base],
      ['headers', dictOr(part(-1, 'headers'))],
      ['auth', part(-1, 'auth')],
      ['params', part(-1, 'params')],
    ])
  }
  if (name === 'requests.Request' || name === 'httpx.Request')
    return knownValue('request', [
      ['method', part(0, 'method')],
      ['url', part(1, 'url')],
      ['headers', dictOr(part(2, 'headers'))],
      ['data', join(part(4, 'data'), part(-1, 'json'))],
    ])
  const plain = /^(?:requests|niquests|httpx|aiohttp|urllib3)\.(?:api\.)?(\w+)$/.exec(name)?.[1]
  if (plain !== undefined && (VERBS.has(plain) || plain === 'request' || plain === 'stream')) {
    verb(machine, NOTHING, plain, call, at)
    return ANSWERED
  }
  if (/^websockets?\.(?:\w+\.)*(?:connect|create_connection|WebSocketApp)$/.test(name)) {
    send(machine, at, {
      ...NO_SENDING,
      url: part(0, 'uri').length > 0 ? part(0, 'uri') : part(-1, 'url'),
      headers: join(part(-1, 'extra_headers'), join(part(-1, 'additional_headers'), part(-1, 'header'))),
      websocket: true,
    })
    callBacks(machine, call, at, null)
    return knownValue('websocket')
  }
  return null
}

const emptyDict = (): Value => [{ t: 'dict', entries: new Map(), rest: NOTHING }]
const dictOr = (value: Value): Value => (isNone(value) ? emptyDict() : value)

function noteProxies(machine: Machine, call: Call, at: number): void {
  const proxies = join(call.named.get('proxies') ?? NOTHING, call.named.get('proxy') ?? NOTHING)
  if (!isNone(proxies) && !proxies.every((alt) => alt.t === 'dict' && alt.entries.size === 0))
    machine.recorder.danger('opaque_sender', at, 'a proxy')
}

/** `urlopen(address or Request, data)`. */
function openUrl(machine: Machine, at: number, target: Value, data: Value): void {
  for (const alt of target) {
    const fields =
      alt.t === 'known' && alt.what === 'request'
        ? alt.fields
        : alt.t === 'object' && alt.attributes.has('url')
          ? alt.attributes
          : null
    if (fields === null) {
      send(machine, at, { ...NO_SENDING, url: [alt], method: methodFor(data), body: data })
      continue
    }
    const body = isNone(data) ? (fields.get('data') ?? NOTHING) : data
    const own = alt.t === 'object' ? findMember(alt.of, 'get_method') : null
    const method =
      own === null
        ? (fields.get('method') ?? NOTHING)
        : machine.call(attributeOf(machine, [alt], 'get_method', at), NO_ARGUMENTS, at, null)
    const stated = method.filter((one) => !(one.t === 'const' && one.v === null))
    const open = stated.length < method.length || method.length === 0
    send(machine, at, {
      ...NO_SENDING,
      url: fields.get('url') ?? NOTHING,
      method: open ? join(stated, methodFor(body)) : stated,
      headers: fields.get('headers') ?? NOTHING,
      body,
    })
  }
}

/** `session.get(url, …)` and its like. `base` stands before addresses that have no host. */
function verb(
  machine: Machine,
  base: Value,
  name: string,
  call: Call,
  at: number,
  own?: Map<string, Value>,
): void {
  const named = (key: string): Value => argument(call, -1, key)
  const withMethod = !VERBS.has(name) && name !== '*'
  const first = withMethod ? 1 : 0
  const path = join(argument(call, first, 'url'), join(named('uri'), named('path')))
  const second = argument(call, first + 1, ' ')
  const post = name === 'post' || name === 'put' || name === 'patch'
  noteProxies(machine, call, at)
  send(machine, at, {
    url: onBase(base, path),
    method: withMethod
      ? argument(call, 0, 'method')
      : name === '*'
        ? (own?.get('verb') ?? NOTHING)
        : constant(name),
    headers: joinParts([
      named('headers'),
      own?.get('headers'),
      named('auth'),
      own?.get('auth'),
      named('cookies'),
    ]),
    params: joinParts([
      named('params'),
      own?.get('params'),
      named('fields'),
      name === 'get' ? second : NOTHING,
    ]),
    body: joinParts([
      named('json'),
      named('data'),
      named('content'),
      named('body'),
      named('files'),
      post ? second : NOTHING,
    ]),
  })
}

const joinParts = (parts: readonly (Value | undefined)[]): Value =>
  parts.reduce<Value>((all, part) => (part === undefined || isNone(part) ? all : join(all, part)), NOTHING)

function onBase(base: Value, path: Value): Value {
  if (base.length === 0) return path
  return path.flatMap((alt): Value => {
    const text = alt.t === 'const' ? alt.v : alt.t === 'text' ? alt.pieces[0] : ''
    if (typeof text === 'string' && /^[a-z]+:\/\//i.test(text)) return [alt]
    if (typeof text === 'string' && text.startsWith('/'))
      return concat([base.flatMap((one) => trimSlash(one)), [alt]])
    if (typeof text === 'string' && text !== '')
      return concat([base.flatMap((one) => trimSlash(one)), constant('/'), [alt]])
    return concat([base, [alt]])
  })
}

const trimSlash = (alt: Alt): Value =>
  alt.t === 'const' && typeof alt.v === 'string' ? constant(alt.v.replace(/\/$/, ''), alt.bits) : [alt]

/** Methods of the objects of the clients that are read; null when it is none of theirs. */
export function callKnown(machine: Machine, self: Known, name: string, call: Call, at: number): Value | null {
  const part = (place: number, key: string): Value => argument(call, place, key)
  switch (self.what) {
    case 'request': {
      if (name === 'add_header' || name === 'add_unredirected_header')
        addHeader(self, part(0, 'key'), part(1, 'val'))
      else if (name === 'prepare') return [self]
      else if (name === 'get_full_url') return self.fields.get('url') ?? NOTHING
      else if (name === 'set_proxy') machine.recorder.danger('opaque_sender', at, 'a proxy')
      return unknown(taint(16))
    }
    case 'opener':
      if (name !== 'open') return unknown(taint(16))
      openUrl(machine, at, part(0, 'fullurl'), part(1, 'data'))
      machine.recorder.secretGoes(taintOf(self.fields.get('addheaders') ?? NOTHING), 'header')
      return ANSWERED
    case 'connection':
      return connection(machine, self, name, call, at)
    case 'session':
      if (VERBS.has(name) || /^(?:request|stream|urlopen|\*)$/.test(name)) {
        verb(
          machine,
          self.fields.get('base') ?? NOTHING,
          name === 'urlopen' ? 'request' : name === '*' && self.fields.has('verb') ? '*' : name,
          call,
          at,
          self.fields,
        )
        return ANSWERED
      }
      if (name === 'send' || name === 'prepare_request') {
        if (name === 'prepare_request') return part(0, 'request')
        openUrl(machine, at, part(0, 'request'), NOTHING)
        return ANSWERED
      }
      if (name === 'build_request')
        return knownValue('request', [
          ['method', part(0, 'method')],
          ['url', onBase(self.fields.get('base') ?? NOTHING, part(1, 'url'))],
        ])
      if (name === 'ws_connect') {
        send(machine, at, {
          ...NO_SENDING,
          url: part(0, 'url'),
          headers: self.fields.get('headers') ?? NOTHING,
          websocket: true,
        })
        return knownValue('websocket')
      }
      return [self]
    case 'websocket':
      if (/^(?:send|send_json|send_str|send_bytes)$/.test(name)) {
        for (const value of call.args) machine.recorder.secretGoes(taintOf(value), 'body')
        return unknown(taint(16))
      }
      return ANSWERED
    default:
      return null
  }
}

function addHeader(self: Known, key: Value, value: Value): void {
  const headers = self.fields.get('headers')
  const name = key.length === 1 && key[0]?.t === 'const' ? String(key[0].v) : null
  for (const alt of headers ?? []) {
    if (alt.t !== 'dict') continue
    if (name === null) alt.rest = join(alt.rest, join(key, value))
    else alt.entries.set(name, value)
  }
}

function connection(machine: Machine, self: Known, name: string, call: Call, at: number): Value {
  const part = (place: number, key: string): Value => argument(call, place, key)
  if (name === 'request' || name === 'putrequest' || name === 'urlopen') {
    const headers = part(3, 'headers')
    send(machine, at, {
      ...NO_SENDING,
      url: onBase(self.fields.get('base') ?? NOTHING, part(1, 'url')),
      method: part(0, 'method'),
      headers,
      body: name === 'request' ? part(2, 'body') : NOTHING,
    })
  } else if (name === 'set_tunnel') {
    // The connection goes to a proxy, the requests to the host behind it.
    const port = part(1, 'port')
    self.fields.set(
      'base',
      concat([constant('https://'), part(0, 'host'), ...(isNone(port) ? [] : [constant(':'), port])]),
    )
  } else if (name === 'putheader')
    for (const value of call.args) machine.recorder.secretGoes(taintOf(value), 'header')
  else if (name === 'send' || name === 'endheaders')
    for (const value of call.args) machine.recorder.secretGoes(taintOf(value), 'body')
  return ANSWERED
}

/** A call of a method of an unknown object that reads like one of a client's: its first argument is an address. */
export function callLikeClient(machine: Machine, name: string, call: Call, at: number): boolean {
  if (
    !VERBS.has(name) &&
    name !== 'request' &&
    name !== 'urlopen' &&
    name !== 'ws_connect' &&
    name !== 'open'
  )
    return false
  const place = name === 'request' ? 1 : 0
  const url = argument(call, place, 'url')
  const isAddress = url.some((alt) => {
    const text = alt.t === 'const' ? alt.v : alt.t === 'text' ? alt.pieces[0] : null
    return typeof text === 'string' && /^(?:https?|wss?):\/\//i.test(text)
  })
  if (!isAddress && !url.some((alt) => alt.t === 'known' && alt.what === 'request')) return false
  if (name === 'urlopen' || name === 'open') openUrl(machine, at, url, argument(call, 1, 'data'))
  else verb(machine, NOTHING, name === 'ws_connect' ? 'get' : name, call, at)
  return true
}
