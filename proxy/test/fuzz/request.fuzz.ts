import fc from 'fast-check'
import {
  type EgressPolicy,
  type EgressTarget,
  type PreparedRequest,
  prepareRequest,
  reaches,
} from '../../src/egress/index.ts'
import { placeholderOf, policyOf } from '../support/egress-policy.ts'
import { chunkSizes, cutAt, holds } from './property.ts'

const HOSTS = ['a.example', 'b.example', 'http://a.example', 'a.example:8443']
const TARGETS: readonly EgressTarget[] = [
  { scheme: 'https', host: 'a.example', port: 443 },
  { scheme: 'https', host: 'b.example', port: 443 },
  { scheme: 'http', host: 'a.example', port: 80 },
  { scheme: 'https', host: 'a.example', port: 8443 },
]
/** Every value begins with this and its name, so that a leak is seen even where it was written in some other way. */
const mark = (name: string): string => `demo-value-${name.toLowerCase()}-`

const secretOf = (name: string) =>
  fc.record({
    value: fc
      .oneof(
        fc.string(),
        fc.string({ unit: 'binary' }),
        fc.constantFrom('\r\nX-Evil: 1', '\0', '"\\/', ' a=&+é'),
      )
      .map((tail) => mark(name) + tail),
    hosts: fc.subarray(HOSTS),
    in: fc.subarray(['header', 'path', 'query', 'cookie', 'form', 'body'] as const),
  })
const policies = fc
  .record({ FIRST: secretOf('FIRST'), SECOND: secretOf('SECOND') })
  .map((secrets) => policyOf(HOSTS, secrets))

/** Stands for a placeholder until the policy is known: `<FIRST>` plain, `{FIRST}` with some characters encoded. */
const hole = fc.constantFrom('<FIRST>', '<SECOND>', '{FIRST}', '(SECOND)')
const fill = (policy: EgressPolicy, text: string): string =>
  text
    .replaceAll(/<(FIRST|SECOND)>/g, (_, name: string) => placeholderOf(policy, name))
    .replaceAll(/\{(FIRST|SECOND)\}/g, (_, name: string) =>
      placeholderOf(policy, name).replaceAll(/[ox7]/g, (char) => `%${char.charCodeAt(0).toString(16)}`),
    )
    .replaceAll(
      /\((FIRST|SECOND)\)/g,
      (_, name: string) => `Basic ${Buffer.from(`user:${placeholderOf(policy, name)}`).toString('base64')}`,
    )

const mixed = (...units: readonly string[]) =>
  fc
    .array(fc.oneof(fc.constantFrom(...units), hole, fc.string({ maxLength: 3 })), { maxLength: 5 })
    .map((parts) => parts.join(''))
const path = fc.oneof(
  mixed('/', '?', '=', '&', '%', '%0d%0a', '%2', '#', '\\', ' ', '\r\n', '..', '@').map((text) => `/${text}`),
  fc.constantFrom('/', '/?', '*', '/a?<FIRST>', '/?a={FIRST}&b=<SECOND>', 'http://a.example/'),
)
const headerName = fc.oneof(
  fc.constantFrom(
    ...['Host', 'Authorization', 'X-Api-Key', 'Cookie', 'User-Agent', 'Connection', 'Content-Length', 'TE'],
    ...[
      'Transfer-Encoding',
      'Content-Type',
      'Content-Encoding',
      'Range',
      'Accept-Encoding',
      'Upgrade',
      'Expect',
    ],
    ...['X-Forwarded-For', 'Proxy-Authorization', 'Referer', 'Origin', 'x-mine'],
  ),
  mixed('X-', 'a', ':', ' ', '\n'),
)
const headerValue = fc.oneof(
  fc.constantFrom(
    'a.example',
    'chunked',
    '0',
    '7',
    'x-mine',
    'close',
    'Upgrade',
    'websocket',
    'gzip',
    'identity',
  ),
  fc.constantFrom(
    '<FIRST>',
    'Bearer <FIRST>',
    'Basic <FIRST>',
    '(SECOND)',
    'application/json',
    'application/x-www-form-urlencoded',
  ),
  mixed(',', 'authorization', ' ', '\r\n', '\0', 'é', 'Basic '),
)
const request = fc.record({
  policy: policies,
  target: fc.constantFrom(...TARGETS),
  method: fc.oneof(
    fc.constantFrom('GET', 'POST', 'OPTIONS', 'TRACE', 'connect'),
    fc.string({ maxLength: 4 }),
  ),
  path,
  headers: fc.array(fc.tuple(headerName, headerValue), { maxLength: 5 }),
  websocket: fc.boolean(),
})
type Case = typeof request extends fc.Arbitrary<infer Value> ? Value : never

const prepare = ({ policy, headers, path, ...rest }: Case) =>
  prepareRequest({
    ...rest,
    policy,
    path: fill(policy, path),
    rawHeaders: headers.flatMap(([name, value]) => [fill(policy, name), fill(policy, value)]),
  })

const pairs = ({ headers }: PreparedRequest): [string, string][] =>
  Array.from({ length: headers.length / 2 }, (_, at) => [headers[2 * at] ?? '', headers[2 * at + 1] ?? ''])

const decoded = (value: string): string =>
  value + Buffer.from(/^basic +(.+)$/i.exec(value)?.[1] ?? '', 'base64').toString('latin1')

/** What a placeholder is looked for in: Basic credentials are read in `Authorization` alone. */
const said = ([name, value]: [string, string]): string =>
  `${name}: ${name === 'authorization' ? decoded(value) : value}`

function must(condition: boolean, problem: string): void {
  if (!condition) throw new Error(problem)
}

const ALLOWED_NOWHERE = /^(user-agent|referer|origin|host|range|x-forwarded-.*|proxy-.*|accept-encoding)$/

function checkHead(input: Case, prepared: PreparedRequest): void {
  const { policy, target } = input
  const fields = pairs(prepared)
  must(/^[\x21-\x7e]+$/.test(prepared.path), 'the path could end the request line')
  for (const [name, value] of fields) {
    must(/^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name), `not a header name: ${name}`)
    must(!/[\r\n\0]/.test(value), `${name} could end its line`)
  }
  const count = (wanted: string): number => fields.filter(([name]) => name === wanted).length
  must(count('host') === 1, 'not exactly one Host')
  must(count('content-length') + count('transfer-encoding') <= 1, 'two framing headers')
  must(count('transfer-encoding') === 0, 'Transfer-Encoding was passed on')
  must(
    (count('content-length') === 1) === (prepared.framing.kind === 'length'),
    'the length is not said once',
  )
  must(count('authorization') <= 1, 'two Authorization')

  for (const secret of policy.secrets) {
    const seen: string[] = []
    const [plain = '', ...query] = prepared.path.split('?')
    if (plain.includes(mark(secret.name))) seen.push('path')
    if (query.join('?').includes(mark(secret.name))) seen.push('query')
    for (const [name, value] of fields) {
      const text = decoded(value)
      if (!text.includes(mark(secret.name))) continue
      seen.push(name === 'cookie' ? 'cookie' : 'header')
      must(!ALLOWED_NOWHERE.test(name), `a value stands in ${name}`)
    }
    const surfaces: ReadonlySet<string> = secret.surfaces
    must(seen.length === 0 || reaches(secret.hosts, target), `${secret.name} left to ${target.host}`)
    must(
      seen.every((surface) => surfaces.has(surface)),
      `${secret.name} left as ${seen.join()}`,
    )
    must(prepared.used.has(secret.name) === seen.length > 0, `the use of ${secret.name} was not told`)
    const head = [decodeURIComponentSafely(prepared.path), ...fields.map(said)].join('\n')
    must(!head.includes(secret.placeholder), `a placeholder of ${secret.name} was passed on`)
  }
}

/** Percent-decoded byte by byte. */
const decodeURIComponentSafely = (text: string): string =>
  text.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

function again(input: Case, first: PreparedRequest) {
  const { framing } = first
  const extra =
    framing.kind === 'buffer'
      ? ['content-length', `${framing.maxBytes}`]
      : framing.kind === 'chunked'
        ? ['transfer-encoding', 'chunked']
        : []
  return prepareRequest({ ...input, path: first.path, rawHeaders: [...first.headers, ...extra] })
}

const bodyPart = fc.oneof(
  hole,
  fc.string({ maxLength: 6 }),
  fc.constantFrom('oauth3x', 'sk-', '"', '\n', 'é'),
)

export const requestProperties = [
  holds(
    'a head that is sent on cannot be broken, and holds secrets only where they were approved',
    fc.property(request, (input) => {
      const prepared = prepare(input)
      if ('refused' in prepared) {
        must(!/[\r\n\0]/.test(prepared.auditPath), 'the path for the audit is more than a line')
        must(!prepared.auditPath.includes('demo-value-'), 'the path for the audit holds a secret')
      } else checkHead(input, prepared)
    }),
  ),
  holds(
    'a head that was prepared is prepared as the same again',
    fc.property(request, (input) => {
      const first = prepare(input)
      if ('refused' in first) return
      const second = again(input, first)
      if ('refused' in second) throw new Error(`refused then: ${second.refused}`)
      const sorted = (prepared: PreparedRequest) =>
        pairs(prepared)
          .map((pair) => pair.join(': '))
          .sort()
          .join('\n')
      must(first.path === second.path && sorted(first) === sorted(second), 'it is not the same')
      must(second.used.size === 0, 'something was put in again')
    }),
  ),
  holds(
    'a body is rewritten the same however it is cut, and only where it was approved',
    fc.property(
      policies,
      fc.constantFrom(...TARGETS),
      fc.array(bodyPart, { maxLength: 8 }),
      chunkSizes,
      (policy, target, parts, sizes) => {
        const text = parts.map((part) => fill(policy, part)).join('')
        const prepared = prepareRequest({
          ...{ policy, target, method: 'POST', path: '/' },
          rawHeaders: ['Content-Type', 'text/plain', 'Transfer-Encoding', 'chunked'],
        })
        if ('refused' in prepared || prepared.body === null) throw new Error('not taken')
        const { body } = prepared
        const out = cutAt(Buffer.from(text), sizes).map((chunk) => Buffer.from(body.push(chunk)))
        let expected = text
        for (const { name, stem, replacement, hosts, surfaces } of policy.secrets) {
          const isThere = text.includes(stem)
          const isApproved = surfaces.has('body') && reaches(hosts, target)
          if (isApproved) expected = expected.replaceAll(stem, () => replacement.open())
          const told = [prepared.used.has(name), prepared.rejected.has(name)]
          // Sets grow as the bytes come; what is whole has been told.
          must(told[0] === (isThere && isApproved) && told[1] === (isThere && !isApproved), 'it was not told')
        }
        const got = Buffer.concat([...out, body.end()])
        must(got.equals(Buffer.from(expected)), 'it is not what it should be')
      },
    ),
  ),
]
