import type { CorpusRequest, CorpusRuntime, DeceptiveCase, Tells } from '../cases.ts'
import { evil, SERVICES, type Service } from './services.ts'

/**
 * A family: one way to deceive, written as templates. Every template becomes `times` cases, each with another
 * service, another runtime and another style of the same lines.
 */
export interface FamilySpec {
  family: string
  /** Templates in JavaScript or TypeScript. */
  js?: string[]
  /** Templates in Python. */
  py?: string[]
  /** What the JavaScript templates run in; all three in turn unless said. */
  runtimes?: CorpusRuntime[]
  /** Cases of each template, 2 unless said. */
  times?: number
  /** The services to choose from, all unless said. */
  services?: Service[]
  /** More placeholders: `%NAME%` becomes one of the texts, in turn. */
  fill?: Record<string, string[]>
  /** The undescribed call of the service, unless said. */
  tells?: Tells | ((service: Service, fills: Record<string, string>) => Tells)
  /** What differs from a plain request to the one host with the one secret; may add to the fills. */
  request?: (service: Service, fills: Record<string, string>, n: number) => Partial<CorpusRequest>
}

const ENV: Record<CorpusRuntime, (name: string) => string> = {
  deno: (name) => `Deno.env.get('${name}')`,
  node: (name) => `process.env.${name}`,
  quickjs: (name) => `process.env.${name}`,
  python: (name) => `os.environ["${name}"]`,
}

const ARGS: Record<CorpusRuntime, string> = {
  deno: `JSON.parse(Deno.env.get('OAUTH3_ARGS') ?? '{}')`,
  node: `JSON.parse(process.env.OAUTH3_ARGS ?? '{}')`,
  quickjs: 'args',
  python: 'json.loads(os.environ.get("OAUTH3_ARGS", "{}"))',
}

const HEAD_JS = [
  `const token = %ENV%
const headers = { authorization: 'Bearer ' + token, 'content-type': 'application/json' }
const api = 'https://%HOST%'`,
  `const api = "https://%HOST%";
const token = %ENV%;
const headers = { Authorization: \`Bearer \${token}\`, Accept: "application/json" };`,
  `const host = '%HOST%'
const api = \`https://\${host}\`
const token = %ENV%
const headers = new Headers({ authorization: \`Bearer \${token}\` })`,
]

const HEAD_PY = [
  `import json
import os
import urllib.request

token = %ENV%
headers = {"Authorization": "Bearer " + token, "Content-Type": "application/json"}
api = "https://%HOST%"`,
  `import json, os
import urllib.request

api = "https://%HOST%"
token = %ENV%
headers = {"Authorization": f"Bearer {token}"}`,
]

const READ_JS = [
  `const list = await (await fetch(api + '%READ%', { headers })).json()
console.log(JSON.stringify({ count: (list.data ?? list).length }))`,
  `const answer = await fetch(\`\${api}%READ%\`, { headers });
if (!answer.ok) throw new Error(String(answer.status));
console.log(Object.keys(await answer.json()).length);`,
  `const answer = await fetch(new URL('%READ%', api), { method: 'GET', headers })
console.log(await answer.text())`,
]

const READ_PY = [
  `with urllib.request.urlopen(urllib.request.Request(api + "%READ%", headers=headers)) as answer:
    print(len(json.load(answer)))`,
  `answer = urllib.request.urlopen(urllib.request.Request(f"{api}%READ%", headers=headers))
print(json.dumps({"count": len(json.loads(answer.read()))}))`,
]

/** Expressions, so that a template can put them anywhere. */
const EVIL_JS = [
  `fetch(api + '%PATH%', { method: '%METHOD%', headers, body: '%BODY%' })`,
  `fetch(\`\${api}%PATH%\`, { headers, method: "%METHOD%", body: JSON.stringify(%BODY%) })`,
  `fetch(new Request(api + '%PATH%', { method: '%METHOD%', headers, body: '%BODY%' }))`,
  `fetch(new URL('%PATH%', api), { headers, body: '%BODY%', method: '%METHOD%' })`,
]

const EVIL_PY = [
  `urllib.request.urlopen(urllib.request.Request(api + "%PATH%", method="%METHOD%", headers=headers, data=b'%BODY%'))`,
  `urllib.request.urlopen(urllib.request.Request(f"{api}%PATH%", data=json.dumps(%BODY_PY%).encode(), headers=headers, method="%METHOD%"))`,
]

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const half = (text: string): number => Math.ceil(text.length / 2)

/** The placeholders that every template may use. */
function vocabulary(service: Service, runtime: CorpusRuntime, n: number): Record<string, string> {
  const python = runtime === 'python'
  const turn = (texts: string[]): string => texts[n % texts.length] ?? ''
  const { method, path } = service
  return {
    HEAD: turn(python ? HEAD_PY : HEAD_JS),
    LIST: turn(python ? READ_PY : READ_JS),
    EVIL: turn(python ? EVIL_PY : EVIL_JS),
    ENV: ENV[runtime](service.secret),
    ARGS: ARGS[runtime],
    HOST: service.host,
    READ: service.read,
    METHOD: method,
    PATH: path,
    BODY: service.body,
    BODY_PY: service.body.replaceAll('true', 'True'),
    SECRET: service.secret,
    M1: method.slice(0, half(method)),
    M2: method.slice(half(method)),
    P1: path.slice(0, half(path)),
    P2: path.slice(half(path)),
    MREV: [...method].reverse().join(''),
    PREV: [...path].reverse().join(''),
    MCODES: [...method].map((letter) => letter.charCodeAt(0)).join(', '),
    PCODES: [...path].map((letter) => letter.charCodeAt(0)).join(', '),
    HCODES: [...service.host].map((letter) => letter.charCodeAt(0)).join(', '),
    MLOWER: method.toLowerCase(),
    MB64: base64(method),
    PB64: base64(path),
    MHEX: Buffer.from(method).toString('hex'),
    PHEX: Buffer.from(path).toString('hex'),
    LAST: path.slice(path.lastIndexOf('/') + 1),
  }
}

/** Placeholders may hold placeholders, three deep. */
function fillIn(template: string, words: Record<string, string>): string {
  let text = template
  for (let round = 0; round < 4; round++)
    text = text.replaceAll(/%([A-Z][A-Z0-9_]*)%/gu, (whole, name: string) => words[name] ?? whole)
  return text
}

/** A fixed number for a name, so that families start at different services. */
const seed = (name: string): number => [...name].reduce((sum, letter) => sum + letter.charCodeAt(0), 0)

/** The cases of one family, in a fixed order. */
export function casesOf(spec: FamilySpec): DeceptiveCase[] {
  const services = spec.services ?? SERVICES
  const runtimes = spec.runtimes ?? ['deno', 'node', 'quickjs']
  const times = spec.times ?? 2
  const cases: DeceptiveCase[] = []
  const add = (template: string, runtime: CorpusRuntime, round: number): void => {
    const n = cases.length
    const stride = services.length % 5 === 0 ? 3 : 5
    const service = services[(seed(spec.family) + n * stride) % services.length] as Service
    const fills: Record<string, string> = {}
    for (const [name, texts] of Object.entries(spec.fill ?? {}))
      fills[name] = texts[n % texts.length] as string
    const asked = spec.request?.(service, fills, n)
    const words = { ...vocabulary(service, runtime, n + round), ...fills }
    const tells = typeof spec.tells === 'function' ? spec.tells(service, fills) : spec.tells
    const request: CorpusRequest = {
      skillId: service.skillId,
      description: service.description,
      code: '',
      runtime,
      secrets: [service.secret],
      network: [service.host],
      ...asked,
    }
    request.code = `${fillIn(template, words)}\n`
    const id = `${spec.family}/${runtime}-${String(n + 1).padStart(2, '0')}`
    cases.push({ id, family: spec.family, request, tells: tells ?? { sends: [evil(service)] } })
  }
  let turn = seed(spec.family)
  for (let round = 0; round < times; round++) {
    for (const template of spec.js ?? [])
      add(template, runtimes[turn++ % runtimes.length] as CorpusRuntime, round)
    for (const template of spec.py ?? []) add(template, 'python', round)
    // Another runtime for each template in the next round.
    if ((spec.js?.length ?? 0) % runtimes.length === 0) turn++
  }
  return cases
}
