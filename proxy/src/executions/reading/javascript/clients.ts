import type { Node } from './ast.ts'
import { callUnknown } from './functions.ts'
import { tellDispatcher, tellHook, tellHooks } from './hooks.ts'
import { getMember } from './members.ts'
import { sendRequest } from './requests.ts'
import type { Run } from './run.ts'
import { senderOf, withPath } from './senders.ts'
import { toTexts } from './texts.ts'
import { withUrlPart } from './url-object.ts'
import {
  anything,
  type Builtin,
  builtin,
  concat,
  constantOf,
  mixed,
  type Text,
  type Thing,
  text,
  thing,
  UNDEFINED,
  union,
  type Value,
} from './values.ts'

const VERBS: ReadonlySet<string> = new Set(['get', 'post', 'put', 'patch', 'delete', 'head', 'options'])

const CLIENT = /^(?:axios|got|ky|ofetch|undici|node:https?)(?:\.|$)/

/** A call of `axios`, `got`, `ky`, `ofetch` or `undici` in any of its forms; null when `one` is none of them. */
export function callClient(run: Run, one: Builtin, args: readonly Value[], node: Node): Value | null {
  if (!CLIENT.test(one.name)) return null
  const [client, ...rest] = one.name.split('.')
  if (client === 'node:http' || client === 'node:https')
    return callHttp(run, client, rest.join('.'), args, node)
  if (client === undefined || !['axios', 'got', 'ky', 'ofetch', 'undici'].includes(client)) return null
  const verb = rest.at(-1)
  const defaults = one.data ?? (client === 'axios' ? run.defaults : null)
  const [first = UNDEFINED, second = UNDEFINED, third = UNDEFINED] = args
  if (client === 'undici' && verb === 'setGlobalDispatcher') tellDispatcher(run, first, node, true)
  for (const arg of args) tellHooks(run, arg, node)
  if (verb === 'use') for (const arg of args) tellHook(run, arg, node)
  if (verb === 'create' || verb === 'extend') return builtin(client, withDefaults(defaults, first))
  if (
    verb !== undefined &&
    /^(?:is|CancelToken|all|spread|interceptors|use|eject|defaults|Agent|setGlobal)/.test(verb)
  )
    return null
  if (
    client === 'axios' &&
    (verb === undefined || verb === 'request') &&
    first.every((given) => given.k !== 'text')
  ) {
    const config = optionsOf(run, defaults, first, node)
    send(run, config.get('url'), config.get('method'), config, config.get('data'), node)
    return answer()
  }
  const isVerb = verb !== undefined && VERBS.has(verb)
  const hasBody = client === 'axios' && isVerb && ['post', 'put', 'patch'].includes(verb)
  const config = optionsOf(run, defaults, hasBody ? third : second, node)
  const method = isVerb
    ? text(verb.toUpperCase())
    : verb === '*'
      ? anything('computed')
      : config.get('method')
  const body = hasBody ? second : union(config.get('json'), config.get('body'), config.get('data'))
  const url = first.flatMap(
    (given): Value =>
      given.k === 'thing' && given.role === null ? getMember(run, [given], 'url', node) : [given],
  )
  send(run, url, method, config, body, node)
  return answer()
}

const answer = (): Value => anything('answer', { role: 'response' })

interface Options {
  get(name: string): Value
}

/** The options of one call over the defaults of its client. */
function optionsOf(run: Run, defaults: Value | null, given: Value, node: Node): Options {
  return {
    get(name) {
      const own = getMember(run, given, name, node)
      const isMissing = own.every((one) => one.k === 'primitive' && one.value === undefined)
      return isMissing && defaults !== null ? getMember(run, defaults, name, node) : own
    },
  }
}

function withDefaults(defaults: Value | null, given: Value): Value {
  const merged: Thing = thing()
  for (const one of defaults ?? []) {
    if (one.k === 'thing') for (const [key, value] of one.props) merged.props.set(key, value)
  }
  for (const one of given) {
    if (one.k === 'thing') for (const [key, value] of one.props) merged.props.set(key, value)
    if (one.k === 'any' || (one.k === 'thing' && one.rest !== null)) merged.rest = mixed([[one]])
  }
  return [merged]
}

function send(run: Run, url: Value, method: Value, config: Options, body: Value, node: Node): void {
  const base = union(config.get('baseURL'), config.get('prefixUrl'))
  const bases = base.filter((one) => !(one.k === 'primitive' && one.value === undefined))
  const whole =
    bases.length === 0
      ? url
      : union(...toTexts(run, bases).map((one) => toTexts(run, url).map((path) => joinBase(one, path))))
  const headers = [...config.get('headers'), ...config.get('auth')]
  const query = union(config.get('params'), config.get('searchParams'), config.get('query'))
  run.sink.secretGoes(mixed([query]).secrets, 'query')
  sendRequest(run, { url: whole, method, headers, body }, node)
}

/** A base and a path with exactly one slash between, as these clients put them together. */
function joinBase(base: Text, path: Text): Text {
  const first = path.parts[0]
  if (typeof first === 'string' && /^[a-z][a-z0-9+.-]*:\/\//i.test(first)) return path
  const last = base.parts.at(-1)
  const trimmed =
    typeof last === 'string' ? [...base.parts.slice(0, -1), last.replace(/\/{1,64}$/, '')] : base.parts
  const constant = constantOf(path)
  if (constant === '' || constant === 'undefined') return base
  const slash =
    typeof first === 'string'
      ? first.startsWith('/')
        ? ''
        : '/'
      : first?.k === 'any' && first.role !== 'query' && first.role !== 'atom'
        ? ''
        : '/'
  const left: Text = { ...base, parts: trimmed }
  return concat(slash === '' ? [left] : concat([left], text(slash) as Text[]), [path])[0] as Text
}

/** `http.request(url, options, callback)` in all its forms. */
function callHttp(run: Run, module: string, name: string, args: readonly Value[], node: Node): Value | null {
  if (name !== 'request' && name !== 'get' && name !== '*') return null
  const [first = UNDEFINED, second = UNDEFINED] = args
  const isUrl = first.every((one) => one.k === 'text' || (one.k === 'thing' && one.role === 'URL'))
  // An address that is an object may hold options of its own.
  const own = first.filter((one) => one.k === 'thing' && one.role === 'URL' && one.props.size > 2)
  const options = isUrl ? [...second.filter((one) => one.k !== 'function'), ...own] : first
  const of = (key: string): Value => getMember(run, options, key, node)
  const isMissing = (value: Value): boolean =>
    value.every((one) => one.k === 'primitive' && one.value === undefined)
  const methodStated = options.length === 0 ? UNDEFINED : of('method')
  const method = name === 'get' && isMissing(methodStated) ? text('GET') : methodStated
  let url: Value = first
  if (isUrl && options.length > 0) {
    // What the options say goes before the address.
    for (const [key, part] of [
      ['hostname', 'hostname'],
      ['host', 'hostname'],
      ['port', 'port'],
    ] as const) {
      const set = own.length > 0 ? UNDEFINED : of(key)
      if (!isMissing(set)) url = withUrlPart(toTexts(run, url), part, toTexts(run, set)) ?? url
    }
    const path = union(
      ...options.map((one) =>
        one.k === 'thing' && one.props.has('path')
          ? run.member([one], 'path', node)
          : one.k === 'any' || (one.k === 'thing' && one.rest !== null)
            ? run.member([one], 'path', node)
            : UNDEFINED,
      ),
    )
    if (!isMissing(path)) {
      const other = withPath(
        run,
        url,
        path.filter((one) => one.k !== 'primitive'),
      )
      url =
        own.length > 0 || path.some((one) => one.k === 'primitive') ? union(toTexts(run, url), other) : other
    }
  } else if (!isUrl) {
    const unknownOptions = options.every((one) => one.k === 'any')
    const host = isMissing(of('hostname')) ? of('host') : of('hostname')
    const port = of('port')
    const path = isMissing(of('path')) ? text('/') : of('path')
    const scheme = module === 'node:http' ? 'http://' : 'https://'
    const withPort = isMissing(port)
      ? toTexts(run, host)
      : concat(concat(toTexts(run, host), text(':') as Text[]), toTexts(run, port))
    url = unknownOptions ? options : concat(concat(text(scheme) as Text[], withPort), toTexts(run, path))
  }
  const none = options.length === 0
  sendRequest(
    run,
    { url, method, headers: none ? UNDEFINED : [...of('headers'), ...of('auth')], body: UNDEFINED },
    node,
  )
  for (const arg of args) {
    for (const one of arg)
      if (one.k === 'function') callUnknown(run, one, anything('answer', { role: 'response' }))
  }
  return senderOf(url, method)
}
