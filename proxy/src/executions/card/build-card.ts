import type { Consent, ConsentSecret } from '../../approvals/consent/index.ts'
import type { CardModel } from '../../approvals/index.ts'
import { buttonChoices, programChoices } from '../../approvals/index.ts'
import {
  type Capability,
  capabilityTexts,
  describeNetwork,
  hostsOf,
  isNetworkCut,
} from '../../egress/capabilities/index.ts'
import { oneLine, type UnixMs, visibleText } from '../../kernel/index.ts'
import { type CodeFacts, DANGERS, type Danger } from '../facts/index.ts'
import { cardWarnings, type KnownNames } from './card-warnings.ts'
import { provenanceOf, sourceInFull, sourceText } from './provenance.ts'

export interface CardInput {
  readonly requestId: string
  readonly consent: Consent
  /** Null when it is no longer kept. */
  readonly code: string | null
  readonly facts: CodeFacts
  readonly known: KnownNames
  readonly changes: readonly string[]
  /** Names of consented secrets that are not stored yet. */
  readonly missing: readonly string[]
  readonly expiresAt: UnixMs
}

export function buildCard(input: CardInput): CardModel {
  const { consent, code } = input
  let cut = false
  const short = (text: string, limit: number): string => {
    // All of it on one line first: a run of blanks must not push the rest out unseen.
    const whole = oneLine(text, Number.POSITIVE_INFINITY)
    const line = oneLine(whole, limit)
    cut ||= line !== whole
    return line
  }
  const warnings = cardWarnings(consent, code ?? '', input.facts, input.known)
  const facts = {
    requestId: input.requestId,
    skillId: short(consent.skill_id, 128),
    description: short(consent.description, 160),
    agent: short(consent.agent.name, 64),
    changes: input.changes.map((change) => short(change, 120)),
    warnings: warnings.map(({ kind, text }) => ({
      kind,
      text: short(text, 200),
      short: DANGERS[kind].short,
      pinned: DANGERS[kind].pinned,
    })),
    secrets: consent.secrets.map((secret) => ({
      name: secret.name,
      raw: secret.mode === 'raw',
      goes: short(secretGoes(secret), 140),
      how: secretHow(secret),
      missing: input.missing.includes(secret.name),
    })),
    network: oneLine(hostsOf(consent.network).join(', ') || 'none', 160),
    sends: short(describeNetwork(consent.network), 400),
    imports: consent.imports && short(describeImports(consent.imports), 240),
    runtime: `${consent.runtime.name}, ${consent.runtime.isolation === 'docker' ? 'container' : 'embedded process'}`,
    limits: `${consent.limits.timeout_ms / 1_000} s, ${Math.round(consent.limits.memory_bytes / 1_048_576)} MiB`,
    args: consent.args === null ? null : short(consent.args, 200),
    source: consent.source && short(sourceText(consent.source), 200),
    provenance: provenanceOf(consent),
    codeHash: consent.code.sha256,
    code: shownCode(consent, code),
    expiresAt: input.expiresAt,
  }
  return {
    ...facts,
    cut: cut || isNetworkCut(consent.network),
    full: fullText(input, warnings),
    choices: buttonChoices(programChoices(consent.args !== null)).map((row) =>
      row.map(({ choice, label }) => ({ decision: choice, label })),
    ),
  }
}

/** In full; the card cuts it, and says that it did. */
const describeImports = ({ modules, bytes }: NonNullable<Consent['imports']>): string =>
  `${modules.length} locked, ${Math.ceil(bytes / 1_024)} KiB: ${modules.join(', ')}`

/** The text is made when somebody looks at it: most of those who want a card do not. */
function shownCode({ code: { sha256, bytes } }: Consent, code: string | null): CardModel['code'] {
  if (code === null)
    return { text: `The code is no longer kept; its hash is ${sha256}`, lines: 0, bytes, kept: false }
  let text: string | undefined
  return {
    get text() {
      text ??= visibleText(code)
      return text
    },
    lines: lineCount(code),
    bytes,
    kept: true,
  }
}

/** A line feed at the very end ends the last line; it begins no other. */
function lineCount(code: string): number {
  let lines = 1
  for (let at = 0; at < code.length - 1; at += 1) if (code.charCodeAt(at) === LINE_FEED) lines += 1
  return lines
}

const LINE_FEED = 0x0a

function secretGoes(secret: ConsentSecret): string {
  if (secret.hosts.length > 0) return secret.hosts.join(', ')
  return secret.mode === 'raw' ? 'no host' : 'no host: it will not be sent'
}

const REQUEST_PARTS = [
  ['header', 'headers'],
  ['path', 'the path of the address'],
  ['query', 'query'],
  ['cookie', 'cookies'],
  ['form', 'form fields'],
  ['body', 'body'],
] as const

function secretHow(secret: ConsentSecret): string {
  if (secret.mode === 'raw') return 'the code READS the value'
  if (secret.hosts.length === 0) return ''
  return `in ${REQUEST_PARTS.flatMap(([surface, description]) => (secret.in.includes(surface) ? [description] : [])).join(', ')}`
}

function fullText(
  { consent, requestId, changes, missing, expiresAt }: CardInput,
  warnings: readonly Danger[],
): string {
  const list = (title: string, items: readonly string[]): string[] =>
    items.length === 0 ? [] : ['', `${title}:`, ...items.map((item) => `  - ${item}`)]
  const lines = [
    `Request ${requestId}`,
    `Skill: ${consent.skill_id}`,
    `Description: ${consent.description || '-'}`,
    `Agent: ${consent.agent.name} (${consent.agent.id})`,
    `Code: ${consent.code.bytes} bytes, SHA-256 ${consent.code.sha256}`,
    ...sourceInFull(consent.source),
    `Runtime: ${consent.runtime.name} (${consent.runtime.isolation}), image ${consent.runtime.image}`,
    `Limits: ${Object.entries(consent.limits)
      .map(([name, value]) => `${name}=${value}`)
      .join(', ')}`,
    `Expires: ${new Date(expiresAt).toISOString()}`,
    ...list('Different from what was approved before', changes),
    ...list(
      'Warnings',
      warnings.map(({ text }) => text),
    ),
    ...list(
      'Secrets',
      consent.secrets.map((secret) => {
        const bound = secret.bound_to === null ? 'unbound' : `bound to ${secret.bound_to.join(', ')}`
        const stored = missing.includes(secret.name) ? 'not stored' : bound
        const held =
          secret.mode === 'raw'
            ? 'raw: the code reads the value'
            : `placeholder: the code never sees the value, it is put in (${secret.in.join(', ')})`
        return `${secret.name}, ${held}, ${stored}, to: ${secret.hosts.join(', ') || 'no host'}`
      }),
    ),
    ...list('Sends', consent.network.length === 0 ? ['nothing'] : consent.network.flatMap(sendsInFull)),
    ...list('Network', hostsOf(consent.network)),
    ...(consent.imports === null
      ? []
      : list(
          `Imports, ${consent.imports.files} files, ${consent.imports.bytes} bytes, locked as ${consent.imports.lock}`,
          consent.imports.modules,
        )),
    ...(consent.args === null ? [] : ['', 'Args (OAUTH3_ARGS):', consent.args]),
  ]
  // Each line made visible by itself: a line feed inside a text must not begin a line of its own.
  return `${lines.map((line) => oneLineWhole(line)).join('\n')}\n`
}

const oneLineWhole = (line: string): string => visibleText(line.replace(/\n/g, '⟨U+000A⟩'))

const sendsInFull = (entry: Capability): string[] =>
  capabilityTexts(entry).map((text) => `${text}, at most ${entry.requests} requests by all of its kind`)
