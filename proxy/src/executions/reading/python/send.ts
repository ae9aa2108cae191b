import type { RequestFact, Source } from '../../facts/index.ts'
import { type Address, addressOf } from './addresses.ts'
import { graphqlOf } from './graphql.ts'
import type { Machine } from './machine.ts'
import { writings } from './text.ts'
import {
  type Alt,
  COMPUTED,
  constantsOf,
  DECODED,
  NOTHING,
  REDIRECT,
  sourceOf,
  taint,
  taintOf,
  type Value,
} from './values.ts'

/** One call that sends. Parts that the call does not have are empty. */
export interface Sending {
  readonly url: Value
  /** Empty for GET, or POST when the client is one that posts what is given as `data`. */
  readonly method: Value
  readonly headers: Value
  readonly params: Value
  /** What goes in the body. */
  readonly body: Value
  readonly websocket?: boolean
}

/** A request without parts. */
export const NO_SENDING: Sending = {
  url: NOTHING,
  method: NOTHING,
  headers: NOTHING,
  params: NOTHING,
  body: NOTHING,
}
const OVERRIDE = /^x-(?:http-)?method(?:-override)?$/i
const HOST_DANGER = {
  args: 'host_from_args',
  answer: 'host_from_answer',
  decoded: 'host_decoded',
  environment: 'host_computed',
  computed: 'host_computed',
} as const

/** Notes a request and everything of note about it. */
export function send(machine: Machine, at: number, sending: Sending): void {
  const { recorder } = machine
  const methods = methodsOf(sending.method)
  const urls = sending.url.filter((alt) => !(alt.t === 'const' && alt.v === null))
  let sent = false
  for (const alt of sending.url.length === 0 ? ([{ t: 'unknown', taint: taint(COMPUTED) }] as Value) : urls) {
    const [pieces] = writings([alt])
    const address = addressOf(pieces ?? [])
    if (address === null) {
      const text = pieces?.[0]
      if (typeof text === 'string' && /^file:.*environ/i.test(text)) recorder.secretRead('*', at)
      continue
    }
    sent = true
    noteAddress(machine, at, address, alt)
    for (const { method, from } of methods) {
      recorder.request(factOf(machine, at, address, method, from, sending))
      if (from !== null && from !== 'computed') recorder.danger('method_from_data', at)
    }
  }
  if (!sent) return
  for (const { at: where, detail } of machine.hidden) recorder.danger('hidden_condition', where, detail)
  recorder.secretGoes(taintOf(sending.headers), 'header')
  recorder.secretGoes(taintOf(sending.params), 'query')
  recorder.secretGoes(taintOf(sending.body), 'body')
  if (keysOf(sending.headers).some((key) => OVERRIDE.test(key.trim())))
    recorder.danger('method_override', at, 'X-HTTP-Method-Override')
  if ([...keysOf(sending.body), ...keysOf(sending.params)].includes('_method'))
    recorder.danger('method_override', at, '_method')
  else if (/(?:^|[?&])_method=/.test(textIn(sending.body))) recorder.danger('method_override', at, '_method')
}

function noteAddress(machine: Machine, at: number, address: Address, alt: Alt): void {
  const { recorder } = machine
  const of = taintOf([alt])
  if (address.host === null) {
    if (of.bits & REDIRECT) recorder.danger('follows_redirect', at)
    else recorder.danger(HOST_DANGER[sourceOf(address.hostTaint)], at)
  } else {
    if (of.bits & DECODED) recorder.danger('host_decoded', at, address.host)
    if (address.path === null && address.pathFrom !== null && address.pathFrom !== 'computed')
      recorder.danger(of.bits & REDIRECT ? 'follows_redirect' : 'path_from_data', at, address.host)
  }
  if (/[?&]_method=/.test(address.query)) recorder.danger('method_override', at, '_method')
  recorder.secretGoes(address.inUser, 'header')
  recorder.secretGoes(address.inHost, 'unknown')
  recorder.secretGoes(address.inPath, 'path')
  recorder.secretGoes(address.inQuery, 'query')
}

function factOf(
  machine: Machine,
  at: number,
  address: Address,
  method: string | null,
  from: Source | null,
  sending: Sending,
): RequestFact {
  const graphql = graphqlOf(sending.body, address.path)
  if (graphql === 'mutation') machine.recorder.danger('graphql_mutation', at)
  return {
    line: machine.recorder.lineOf(at),
    host: address.host,
    method,
    path: address.host === null ? null : address.path,
    websocket: sending.websocket === true || address.websocket,
    graphql,
    hostFrom: address.host === null ? sourceOf(address.hostTaint) : null,
    methodFrom: from,
    pathFrom: address.host === null ? sourceOf(address.hostTaint) : address.pathFrom,
  }
}

function methodsOf(value: Value): { method: string | null; from: Source | null }[] {
  const out = new Map<string | null, { method: string | null; from: Source | null }>()
  for (const alt of value) {
    const method =
      alt.t === 'const' ? (typeof alt.v === 'string' && alt.v !== '' ? alt.v.toUpperCase() : 'GET') : null
    const from = method === null ? sourceOf(taintOf([alt])) : null
    if (alt.t === 'const' && alt.bits & DECODED) out.set(method, { method, from: null })
    out.set(method, { method, from })
  }
  return out.size === 0 ? [{ method: 'GET', from: null }] : [...out.values()]
}

/** Names of the members of dicts, of pairs in lists and of JSON that a value may be. */
function keysOf(value: Value): string[] {
  return value.flatMap((alt): string[] => {
    if (alt.t === 'dict') return [...alt.entries.keys()]
    if (alt.t === 'json') return keysOf(alt.of)
    if (alt.t === 'list')
      return alt.items.flatMap((item) =>
        item.flatMap((pair) =>
          pair.t === 'list'
            ? (constantsOf(pair.items[0] ?? NOTHING) ?? []).map(String)
            : pair.t === 'dict'
              ? [...pair.entries.keys()]
              : [],
        ),
      )
    return []
  })
}

const textIn = (value: Value): string =>
  value
    .map((alt) =>
      alt.t === 'const'
        ? String(alt.v)
        : alt.t === 'text'
          ? alt.pieces.filter((piece) => typeof piece === 'string').join('')
          : '',
    )
    .join(' ')
