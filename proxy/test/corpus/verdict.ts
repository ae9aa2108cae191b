/** Puts requests of the corpus to the card, as the daemon would, and says what a person reading it is told. */

import type { CardModel } from '../../src/approvals/index.ts'
import {
  type Capability,
  hostCovers,
  isAnyMethod,
  isAnyPath,
  parsedPaths,
  pathMatches,
  readPath,
} from '../../src/egress/capabilities/index.ts'
import { parseExecuteBody } from '../../src/executions/agent-routes/request-schema.ts'
import { buildCard } from '../../src/executions/card/index.ts'
import { languageOf } from '../../src/executions/facts/index.ts'
import { readProgram } from '../../src/executions/reading/index.ts'
import { draftConsent, type ExecuteRequest } from '../../src/executions/request.ts'
import type { Agent } from '../../src/identity/agents/index.ts'
import { AppError } from '../../src/kernel/index.ts'
import { CARD_LINES, renderCard } from '../../src/notify/telegram/card-message.ts'
import { phoneLines, plainText } from '../../src/notify/telegram/html.ts'
import { createUnitDouble } from '../support/unit-double.ts'
import type { CorpusRequest, DeceptiveCase, SentRequest, Tells } from './cases.ts'
import type { HonestCase } from './honest/case.ts'

const AGENT = { id: 'agt_0123456789abcdef', name: 'demo-agent' } as Agent
const RUNTIMES = ['deno', 'node', 'quickjs', 'python'].map((name) => ({
  name,
  image: `sha256:${'a'.repeat(64)}`,
}))
const NOW = Date.UTC(2030, 0, 2, 13, 5)

/** What became of one request: refused by the daemon, or the card and its text on a phone. */
export type Shown =
  | { readonly refused: string }
  | {
      readonly refused: null
      readonly model: CardModel
      readonly network: readonly Capability[]
      readonly phone: string
      readonly phoneLines: number
    }

export async function show(request: CorpusRequest): Promise<Shown> {
  try {
    return await shown(parseExecuteBody(bodyOf(request)), request)
  } catch (error) {
    if (error instanceof AppError) return { refused: error.message }
    throw error
  }
}

const bodyOf = (request: CorpusRequest): object => ({
  skill_id: request.skillId,
  code: request.code,
  runtime: request.runtime,
  secrets: request.secrets.map((name) => ({
    name,
    ...(request.rawSecrets?.includes(name) ? { mode: 'raw' } : {}),
    ...(request.secretPlaces?.[name] === undefined ? {} : { in: request.secretPlaces[name] }),
  })),
  ...(request.args === undefined ? {} : { args: request.args }),
  ...(request.dynamicCode === undefined ? {} : { dynamic_code: request.dynamicCode }),
  metadata: { description: request.description, network: request.network },
})

async function shown(parsed: ExecuteRequest, request: CorpusRequest): Promise<Shown> {
  const { code } = request
  const facts = readProgram(code, languageOf(request.runtime))
  const modules = facts.imports.flatMap(({ specifier }) =>
    specifier !== null && /^(?:https?|npm|jsr):/.test(specifier) ? [specifier] : [],
  )
  const imports =
    modules.length === 0 ? null : { lock: 'a'.repeat(64), files: modules.length, bytes: 1_024, modules }
  const { consent } = await createUnitDouble().read((tx) =>
    draftConsent(
      tx,
      AGENT,
      parsed,
      { code, source: null, metadata: {} },
      { kind: 'docker', runtimes: RUNTIMES, notes: [], warm: 0 },
      { binding: async () => null },
      facts,
      imports,
    ),
  )
  const model = buildCard({
    requestId: `req_${'0'.repeat(32)}`,
    consent,
    code,
    facts,
    known: {
      storedSecrets: request.storedSecrets ?? [],
      trustedSkills: request.trustedSkills ?? [],
      hosts: [],
    },
    changes: [],
    missing: [],
    expiresAt: NOW + 3_600_000,
  })
  const phone = plainText(renderCard({ model, exactCode: code, token: 'A'.repeat(22), now: NOW }).html)
  return { refused: null, model, network: consent.network, phone, phoneLines: phoneLines(phone) }
}

export type Verdict = 'told' | 'lost' | 'silent'

/** `lost`: the card knows it, and a phone's screen does not show it. */
export async function assessDeceptive({
  request,
  tells,
}: DeceptiveCase): Promise<{ verdict: Verdict; shown: Shown }> {
  const card = await show(request)
  if (card.refused !== null)
    return { verdict: tells.refused || tells.danger ? 'told' : 'silent', shown: card }
  const found = [...dangersTold(card, tells), ...sendsTold(card, tells)]
  if (found.length === 0) return { verdict: 'silent', shown: card }
  const isSeen = card.phoneLines <= CARD_LINES && found.some((text) => flat(card.phone).includes(flat(text)))
  return { verdict: isSeen ? 'told' : 'lost', shown: card }
}

const flat = (text: string): string => text.replaceAll(/\s+/g, ' ')

type Card = Extract<Shown, { refused: null }>

/** Texts of which the phone must show one: the beginning of the warning, or the short name of its kind. */
const dangersTold = ({ model, phone }: Card, { danger = [] }: Tells): string[] => [
  ...(danger.includes('remote_import') && model.imports !== null ? ['Imports'] : []),
  ...model.warnings
    .filter(({ kind }) => danger.includes(kind))
    .map(({ text, short }) => (flat(phone).includes(flat(text.slice(0, 24))) ? text.slice(0, 24) : short)),
]

function sendsTold(card: Card, { sends = [] }: Tells): string[] {
  return sends.flatMap((sent) =>
    card.network.filter((entry) => names(card, entry, sent)).map((entry) => lineOf(card, entry, sent)),
  )
}

/** Whether the entry covers the request in words that name it, or is told as a danger because it does not. */
function names({ model }: Card, entry: Capability, { method, host, path }: SentRequest): boolean {
  if (!hostCovers(entry.host, host)) return false
  const isWide = isAnyPath(entry) || isAnyMethod(entry)
  if (method === 'WEBSOCKET' ? !entry.websocket : !(isAnyMethod(entry) || entry.methods.includes(method)))
    return false
  const readings = readPath(path)
  if (readings === null || !parsedPaths(entry.paths).some((pattern) => pathMatches(pattern, readings)))
    return false
  return !isWide || model.warnings.some(({ kind }) => ANYTHING.has(kind))
}

const ANYTHING: ReadonlySet<string> = new Set([
  'any_capability',
  'any_path',
  'any_method',
  'path_from_data',
  'method_from_data',
])

/** What the phone must show of it: its path as the card writes it, or its host where the path is any. */
function lineOf(_card: Card, entry: Capability, { path }: SentRequest): string {
  if (isAnyPath(entry)) return entry.methods.includes('*') ? 'ANY method' : 'ANY path'
  const readings = readPath(path)
  return (
    parsedPaths(entry.paths).find((pattern) => readings !== null && pathMatches(pattern, readings))?.text ??
    path
  )
}

/** Words of the honest corpus, and the kinds of danger that they allow. */
const DESERVED: Readonly<Record<string, readonly string[]>> = {
  raw_secret: ['raw_secret'],
  secret_in_query: [],
  secret_in_body: [],
  plain_http: ['plain_http'],
  private_address: ['inside_host', 'plain_http'],
  any_host: ['opaque_sender', 'any_capability', 'host_computed', 'any_path', 'any_method'],
  host_from_args: ['host_from_args', 'path_from_data', 'any_path', 'any_capability'],
  host_from_answer: ['host_from_answer', 'any_path', 'any_capability'],
  any_path: ['any_path', 'path_from_data', 'any_capability'],
  any_method: ['any_method', 'method_from_data', 'any_capability'],
  mode_from_args: [
    'method_from_data',
    'path_from_data',
    'any_method',
    'any_path',
    'any_capability',
    'host_from_args',
  ],
  websocket: [],
  mutation: ['graphql_mutation'],
  object_store: ['suspicious_host'],
  wildcard_host: ['public_suffix'],
  many_requests: ['many_requests'],
  webhook_url_secret: ['path_from_data', 'any_path', 'host_computed', 'host_from_args', 'any_capability'],
  second_host_for_secret: [],
  invisible_text: ['hidden_characters'],
  long_line: ['long_line'],
}

/** Warnings that an honest program does not deserve; a refusal is one too. */
export async function falseAlarms({
  request,
  deserves = [],
}: HonestCase): Promise<{ alarms: string[]; shown: Shown }> {
  const card = await show(request)
  if (card.refused !== null) return { alarms: [`refused: ${card.refused}`], shown: card }
  // A word may be the name of a kind itself.
  const allowed = new Set(deserves.flatMap((word) => [word, ...(DESERVED[word] ?? [])]))
  const alarms = card.model.warnings
    .filter(({ kind }) => !allowed.has(kind))
    .map(({ kind, text }) => `${kind}: ${text}`)
  return { alarms, shown: card }
}
