import { graphqlOperation } from '../../../egress/capabilities/index.ts'
import type { RequestFact, Source } from '../../facts/index.ts'
import { type Address, isOddAddress, readAddress } from './address.ts'
import { lineOf, type Node } from './ast.ts'
import { getMember } from './members.ts'
import { type Run, spend } from './run.ts'
import { costOf, toTexts } from './texts.ts'
import { superOf } from './things.ts'
import {
  type Alternative,
  anything,
  constantOf,
  mixed,
  secretsIn,
  type Text,
  UNDEFINED,
  union,
  type Value,
} from './values.ts'

/** A request as the program states it, each part with everything that it may be. */
interface Stated {
  readonly url: Value
  readonly method: Value
  readonly headers: Value
  readonly body: Value
  readonly websocket?: boolean
}

const METHOD = /^[A-Za-z]{1,32}$/
const OVERRIDES = /^x-(?:http-)?method(?:-override)?$/i

/** Every request that may go out, never fewer: puts a request down, once for each combination of what its parts may be. */
export function sendRequest(run: Run, stated: Stated, node: Node): void {
  const line = lineOf(node)
  const { sink } = run
  // What nobody calls sends nothing; the requests that it states whole are told all the same.
  const addresses = readAddresses(run, stated.url, line).filter(
    ({ address }) => !run.unused || (address.host !== null && address.path !== null),
  )
  const methods = readMethods(run, stated.method).filter(({ method }) => !run.unused || method !== null)
  sink.secretGoes(secretsIn(stated.headers), 'header')
  sink.secretGoes(secretsIn(stated.body), 'body')
  tellOverride(run, stated, line)
  const base = [...run.conditions]
  for (const { address, hidden } of addresses) {
    sink.secretGoes(address.pathSecrets, 'path')
    sink.secretGoes(address.querySecrets, 'query')
    if (address.redirected) sink.danger('follows_redirect', line)
    if (address.hostFrom === 'decoded') sink.danger('host_decoded', line, address.host ?? undefined)
    else if (address.host === null) sink.danger(HOST_DANGER[address.hostFrom ?? 'computed'], line)
    else if (address.path === null) sink.danger('path_from_data', line)
    if (/[?&]_method=/i.test(address.query)) sink.danger('method_override', line, '_method')
    const graphql = stated.websocket || address.websocket ? null : readGraphql(stated.body, address)
    if (graphql === 'mutation') sink.danger('graphql_mutation', line)
    for (const method of address.websocket || stated.websocket
      ? [{ method: 'GET', from: null, hidden: null }]
      : methods) {
      if (method.method === null) sink.danger('method_from_data', line)
      const conditions = [...new Set([...base, ...[hidden, method.hidden].filter((label) => label !== null)])]
      const fact: RequestFact = {
        line,
        host: address.host,
        method: method.method,
        path: address.path,
        websocket: address.websocket || stated.websocket === true,
        graphql,
        hostFrom: address.hostFrom,
        methodFrom: method.from,
        pathFrom: address.pathFrom,
      }
      sink.request(fact, conditions)
    }
  }
}

const HOST_DANGER = {
  args: 'host_from_args',
  answer: 'host_from_answer',
  decoded: 'host_decoded',
  environment: 'host_computed',
  computed: 'host_computed',
} as const satisfies Record<Source, string>

function readAddresses(run: Run, url: Value, line: number): { address: Address; hidden: string | null }[] {
  const texts = url.flatMap((one): Text[] => {
    if (one.k === 'thing' && one.role === 'Request') return toTexts(run, one.props.get('url') ?? UNDEFINED)
    return toTexts(run, [one])
  })
  const found: { address: Address; hidden: string | null }[] = []
  let isRelative = false
  for (const one of texts) {
    spend(run, 4 + 4 * costOf(one))
    const constant = one.parts
      .map((part) => (typeof part === 'string' ? part : part.k === 'decoded' ? part.text : ''))
      .join('')
    if (isOddAddress(constant)) run.sink.danger('odd_address', line)
    const address = readAddress(one)
    if (address === 'relative') isRelative = true
    else if (address !== 'inline') found.push({ address, hidden: one.hidden })
  }
  if (found.length === 0 && isRelative) {
    const from: Source = 'computed'
    const nowhere: Address = {
      host: null,
      hostFrom: from,
      path: null,
      pathFrom: from,
      websocket: false,
      query: '',
      pathSecrets: [],
      querySecrets: [],
      redirected: false,
    }
    found.push({ address: nowhere, hidden: null })
  }
  return found
}

function readMethods(
  run: Run,
  method: Value,
): { method: string | null; from: Source | null; hidden: string | null }[] {
  const all = new Map<string | null, { method: string | null; from: Source | null; hidden: string | null }>()
  for (const one of method) {
    if (one.k === 'primitive' && (one.value === undefined || one.value === null)) {
      all.set('GET', { method: 'GET', from: null, hidden: null })
      continue
    }
    for (const made of toTexts(run, [one])) {
      const constant = constantOf(made)
      if (constant !== null && METHOD.test(constant)) {
        const upper = constant.toUpperCase()
        all.set(upper, { method: upper, from: null, hidden: made.hidden })
      } else all.set(null, { method: null, from: mixed([[made]]).from, hidden: null })
    }
  }
  return [...all.values()]
}

function tellOverride(run: Run, stated: Stated, line: number): void {
  for (const one of stated.headers) {
    if (one.k !== 'thing') continue
    for (const key of one.props.keys()) if (OVERRIDES.test(key)) run.sink.danger('method_override', line, key)
  }
  for (const one of stated.body) {
    if (one.k === 'thing' && one.props.has('_method')) run.sink.danger('method_override', line, '_method')
    if (one.k === 'any' && one.data !== null)
      tellOverride(run, { ...stated, headers: [], body: one.data }, line)
    if (/(?:^|[?&])_method=/i.test(constantOf(one) ?? '')) run.sink.danger('method_override', line, '_method')
  }
}

const GRAPHQL_PATH = /\/graphql(?:\.json)?\/?$/i

function readGraphql(body: Value, address: Address): RequestFact['graphql'] {
  const isGraphql = address.path !== null && GRAPHQL_PATH.test(address.path)
  let found: RequestFact['graphql'] = null
  const take = (one: RequestFact['graphql']): void => {
    if (one === 'mutation' || found === null || (one === 'unknown' && found === 'query')) found = one
  }
  const bodies = body.flatMap((one) =>
    one.k === 'any' && one.role === 'json' && one.data !== null ? one.data : [one],
  )
  for (const one of bodies.flatMap((item) => (item.k === 'items' ? item.items.flat() : [item]))) {
    if (one.k === 'thing') {
      const query = one.props.get('query') ?? (one.rest === null ? UNDEFINED : [one.rest])
      for (const document of query) take(operationOf(document, isGraphql))
    } else {
      const constant = constantOf(one)
      if (constant !== null) take(operationOf(fromJson(constant, isGraphql), isGraphql))
      else if (one.k !== 'primitive' && isGraphql) take('unknown')
    }
  }
  if (found === null && isGraphql) {
    const query = new URLSearchParams(address.query).get('query')
    if (query !== null && query !== '') take(graphqlOperation(query) ?? 'unknown')
    else take('unknown')
  }
  return found
}

/** The document in a constant JSON body, or the body itself. */
function fromJson(constant: string, isGraphql: boolean): Value[number] {
  if (constant.length < 65_536 && constant.startsWith('{"')) {
    try {
      const { query } = JSON.parse(constant) as { query?: unknown }
      if (typeof query === 'string') return { k: 'text', parts: [query], hidden: null }
    } catch {
      // Not JSON.
    }
  }
  // `application/graphql`, or a body of another kind that merely begins with a brace.
  const isDocument = isGraphql || /^\s*(?:query|mutation|subscription|fragment)\b/.test(constant)
  return { k: 'text', parts: [isDocument ? constant : ''], hidden: null }
}

function operationOf(document: Value[number], isGraphql: boolean): RequestFact['graphql'] {
  if (document.k !== 'text') return isGraphql ? 'unknown' : null
  const constant = constantOf(document)
  if (constant !== null) return graphqlOperation(constant) ?? (isGraphql ? 'unknown' : null)
  // What is filled in inside of braces names fields; outside of them it may be the operation.
  let depth = 0
  let whole = ''
  for (const part of document.parts) {
    const piece = typeof part === 'string' ? part : part.k === 'decoded' ? part.text : null
    if (piece === null) {
      if (depth <= 0)
        return graphqlOperation(whole) === 'mutation' ? 'mutation' : isGraphql ? 'unknown' : null
      whole += 'x'
      continue
    }
    whole += piece
    depth += (piece.match(/[{(]/g) ?? []).length - (piece.match(/[})]/g) ?? []).length
  }
  return graphqlOperation(whole) ?? (isGraphql ? 'unknown' : null)
}

/** A stated part, or what stands in for it where it is left out. */
export function orElse(stated: Value, other: Value): Value {
  const present = stated.filter((one) => !(one.k === 'primitive' && one.value === undefined))
  return present.length === stated.length ? stated : union(present.length === 0 ? other : present, other)
}

/** Whether something unknown may be a `Request`, which no data is, of a program that makes them. */
export const mayBeRequest = (run: Run, one: Alternative): boolean =>
  one.k === 'any' && one.from === 'computed' && one.role === null && run.program.mentioned.has('Request')

/** `fetch(input, init)`. */
export function sendFetch(run: Run, args: readonly Value[], node: Node): Value {
  const input = (args[0] ?? UNDEFINED).flatMap(
    (one): Value => (one.k === 'thing' ? (superOf(one) ?? [one]) : [one]),
  )
  const init = args[1] ?? UNDEFINED
  const inputs = input.length === 0 ? [UNDEFINED] : input.map((one): Value => [one])
  const requests = inputs.filter(
    (value) =>
      value[0]?.k === 'thing' &&
      (value[0].role === 'Request' || (value[0].role === null && value[0].props.has('url'))),
  )
  const plain = inputs.filter((value) => !requests.includes(value)).flat()
  for (const option of init) {
    const part = (name: string): Value => getMember(run, [option], name, node)
    const stated = { method: part('method'), headers: part('headers'), body: part('body') }
    const maybe = plain.filter((one) => mayBeRequest(run, one))
    const texts = plain.filter((one) => !maybe.includes(one))
    if (texts.length > 0) sendRequest(run, { url: texts, ...stated }, node)
    if (maybe.length > 0) {
      const method = orElse(stated.method, anything('computed'))
      sendRequest(run, { ...stated, url: maybe, method }, node)
    }
    for (const request of requests) {
      const of = (name: string): Value => getMember(run, request, name, node)
      sendRequest(
        run,
        {
          url: of('url'),
          method: orElse(stated.method, of('method')),
          headers: [...of('headers'), ...stated.headers],
          body: orElse(stated.body, of('body')),
        },
        node,
      )
    }
  }
  return anything('answer', { role: 'response' })
}
