import {
  hasHiddenCharacters,
  isIpLiteral,
  isPublicAddress,
  oneLine,
  parseHostPattern,
  type UnixMs,
  visibleText,
} from '../../kernel/index.ts'
import { type CodeWarning, codeWarnings, hasMixedWord, readCommentMetadata } from '../code/index.ts'
import { type Consent, type ConsentSecret, uncovered } from '../consent/index.ts'
import type { DecisionKind } from './approvals.ts'

/**
 * The card as data: the same content for Telegram, the terminal and, later, a console. Every text in it is
 * already visible (hidden characters written out) and cut to a length; a surface adds its own escaping only.
 */
export interface CardModel {
  readonly requestId: string
  readonly skillId: string
  readonly description: string
  readonly agent: string
  /** How the request goes beyond what was approved before; leads the card when not empty. */
  readonly changes: readonly string[]
  /** Most dangerous first. */
  readonly warnings: readonly string[]
  readonly secrets: readonly CardSecret[]
  readonly network: string
  /** Modules from elsewhere: how many, how much, and which come first; null when there are none. */
  readonly imports: string | null
  readonly runtime: string
  readonly limits: string
  /** Null when the request has none. */
  readonly args: string | null
  readonly source: string | null
  readonly codeHash: string
  readonly code: { readonly text: string; readonly lines: number; readonly bytes: number }
  readonly expiresAt: UnixMs
  /** Whether a text above was cut; `full` then says what the card cannot. */
  readonly cut: boolean
  /** Every consented fact, uncut, as plain text. */
  readonly full: string
  /** Rows of buttons, in order. */
  readonly choices: readonly (readonly { readonly decision: DecisionKind; readonly label: string }[])[]
}

interface CardSecret {
  readonly name: string
  /** Whether the code holds the value itself. */
  readonly raw: boolean
  /** Hosts that its value may be sent to. */
  readonly goes: string
  /** What stands behind the hosts: the parts of a request that it may be in, or that the code reads it. */
  readonly how: string
  readonly missing: boolean
}

export interface CardInput {
  readonly requestId: string
  readonly consent: Consent
  readonly code: string
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
  const warnings = cardWarnings(consent, code)
  const facts = {
    requestId: input.requestId,
    skillId: short(consent.skill_id, 128),
    description: short(consent.description, 160),
    agent: short(consent.agent.name, 64),
    changes: input.changes.map((change) => short(change, 120)),
    warnings: warnings.map((warning) => short(warning, 200)),
    secrets: consent.secrets.map((secret) => ({
      name: secret.name,
      raw: secret.mode === 'raw',
      goes: short(secretGoes(secret), 140),
      how: secretHow(secret),
      missing: input.missing.includes(secret.name),
    })),
    network: consent.network.length === 0 ? 'none' : short(consent.network.join(', '), 160),
    imports: consent.imports && short(importsSaid(consent.imports), 240),
    runtime: `${consent.runtime.name}, ${consent.runtime.isolation === 'docker' ? 'container' : 'embedded process'}`,
    limits: `${consent.limits.timeout_ms / 1_000} s, ${Math.round(consent.limits.memory_bytes / 1_048_576)} MiB`,
    args: consent.args === null ? null : short(consent.args, 200),
    source: consent.source && `${SOURCE_SAID[consent.source.relation]}: ${short(consent.source.url, 160)}`,
    codeHash: consent.code.sha256,
    code: { text: visibleText(code), lines: lineCount(code), bytes: consent.code.bytes },
    expiresAt: input.expiresAt,
  }
  return {
    ...facts,
    cut,
    full: fullText(input, warnings),
    choices: [
      [
        { decision: 'once', label: '✅ Run Once' },
        { decision: 'deny', label: '❌ Deny' },
      ],
      [
        { decision: 'trust24h', label: '⏱ Trust 24h' },
        { decision: 'forever', label: '♾ Always Trust' },
      ],
      ...(consent.args === null
        ? []
        : [
            [
              { decision: 'trust24h_any', label: '⏱ 24h, any args' } as const,
              { decision: 'forever_any', label: '♾ Always, any args' } as const,
            ],
          ]),
    ],
  }
}

/** In full; the card cuts it, and says that it did. */
const importsSaid = ({ modules, bytes }: NonNullable<Consent['imports']>): string =>
  `${modules.length} locked, ${Math.ceil(bytes / 1_024)} KiB: ${modules.join(', ')}`

/** A line feed at the very end ends the last line; it begins no other. */
const lineCount = (code: string): number => code.replace(/\n$/, '').split('\n').length

const SOURCE_SAID = {
  fetched: 'code was read from',
  same: 'the same bytes as',
  different: 'OTHER bytes than',
  unreadable: 'could not be read',
} as const

function secretGoes(secret: ConsentSecret): string {
  if (secret.hosts.length > 0) return secret.hosts.join(', ')
  return secret.mode === 'raw' ? 'no host' : 'no host: it will not be sent'
}

const SURFACES_SAID = [
  ['header', 'headers'],
  ['query', 'query'],
  ['body', 'body'],
] as const

function secretHow(secret: ConsentSecret): string {
  if (secret.mode === 'raw') return 'the code READS the value'
  if (secret.hosts.length === 0) return ''
  return `in ${SURFACES_SAID.flatMap(([surface, said]) => (secret.in.includes(surface) ? [said] : [])).join(', ')}`
}

/** Worst first: what contradicts what the person would believe, what hides, what is merely risky. */
function cardWarnings(consent: Consent, code: string): readonly string[] {
  const warnings: string[] = []
  warnings.push(...bindingWarnings(consent.secrets))
  const raw = consent.secrets.filter((secret) => secret.mode === 'raw').map((secret) => secret.name)
  if (raw.length > 0) {
    const names = raw.length > 3 ? `${raw.slice(0, 2).join(', ')} and ${raw.length - 2} more` : raw.join(', ')
    const where = consent.network.length === 0 ? 'print it' : 'send it to the network below'
    warnings.push(`the code reads the real value of ${names} and can ${where}`)
  }
  const claimed = readCommentMetadata(code).secrets
  const injected = consent.secrets.map((secret) => secret.name)
  if (claimed !== undefined && claimed.slice().sort().join() !== injected.slice().sort().join()) {
    warnings.push(
      `gets secrets ${injected.join(', ') || 'none'}, though the code's comment names ${claimed.join(', ') || 'none'}`,
    )
  }
  if (consent.source?.relation === 'different') warnings.push('the link holds OTHER code than what will run')
  for (const { kind, line, text } of inOrderOfDanger(codeWarnings(code))) {
    const locked = kind === 'remote_import' && consent.imports !== null
    warnings.push(`line ${line}: ${locked ? 'imports code from elsewhere, locked as listed' : text}`)
  }
  for (const [what, text] of [
    ['skill id', consent.skill_id],
    ['description', consent.description],
    ['args', consent.args ?? ''],
  ] as const) {
    if (hasHiddenCharacters(text)) warnings.push(`the ${what} holds invisible or reordering characters`)
    else if (hasMixedWord(text)) warnings.push(`the ${what} mixes look-alike letters`)
  }
  if (consent.network.some((host) => host.replace(/^\*\./, '').includes('xn--'))) {
    warnings.push('the network list holds an internationalised (punycode) host name')
  }
  warnings.push(...insideWarnings(consent))
  if (consent.network.some((host) => host.startsWith('http://') || host.endsWith(':80')))
    warnings.push('plain http: what is sent can be read on the way')
  if (consent.runtime.isolation === 'embedded') {
    warnings.push('runs in the embedded sandbox: a process on this host, weaker than a container')
  }
  if (consent.source?.relation === 'unreadable')
    warnings.push('the link could not be read, so nothing compares it with this code')
  return warnings
}

/** Where what a secret is bound to and what was asked for do not agree. */
function bindingWarnings(secrets: readonly ConsentSecret[]): string[] {
  return secrets.flatMap(({ name, mode, hosts, bound_to: bound }) => {
    if (bound === null) return []
    if (mode === 'placeholder' && hosts.length === 0)
      return [`${name} is bound to ${bound.join(', ')}, which this code may not reach: it will not be sent`]
    const outside = uncovered(bound, hosts)
    if (outside.length === 0) return []
    return [`${name} could go to ${outside.join(', ')}, but is bound to ${bound.join(', ')}`]
  })
}

/**
 * Addresses that are not public are reached as they stand. A name that looks like one of the local network is reached
 * through the gateway only where its exact address was approved too; without containers nothing stops it.
 */
function insideWarnings({ network, runtime }: Consent): string[] {
  const inside = network.filter(isInside)
  const reached = inside.filter((host) => runtime.isolation === 'embedded' || isAddress(host))
  const refused = inside.filter((host) => !reached.includes(host))
  return [
    ...(reached.length > 0 ? [`reaches into this machine or its network: ${reached.join(', ')}`] : []),
    ...(refused.length > 0
      ? [`looks inside your network: ${refused.join(', ')}; refused unless its exact address is listed too`]
      : []),
  ]
}

const DANGER: readonly CodeWarning['kind'][] = [
  'hidden_characters',
  'mixed_scripts',
  'eval',
  'computed_import',
  'remote_import',
  'long_line',
]

const inOrderOfDanger = (warnings: readonly CodeWarning[]): readonly CodeWarning[] =>
  warnings.toSorted((a, b) => DANGER.indexOf(a.kind) - DANGER.indexOf(b.kind))

function fullText(
  { consent, requestId, changes, missing, expiresAt }: CardInput,
  warnings: readonly string[],
): string {
  const list = (title: string, items: readonly string[]): string[] =>
    items.length === 0 ? [] : ['', `${title}:`, ...items.map((item) => `  - ${item}`)]
  const lines = [
    `Request ${requestId}`,
    `Skill: ${consent.skill_id}`,
    `Description: ${consent.description || '-'}`,
    `Agent: ${consent.agent.name} (${consent.agent.id})`,
    `Code: ${consent.code.bytes} bytes, SHA-256 ${consent.code.sha256}`,
    ...(consent.source ? [`Source: ${SOURCE_SAID[consent.source.relation]}: ${consent.source.url}`] : []),
    `Runtime: ${consent.runtime.name} (${consent.runtime.isolation}), image ${consent.runtime.image}`,
    `Limits: ${Object.entries(consent.limits)
      .map(([name, value]) => `${name}=${value}`)
      .join(', ')}`,
    `Expires: ${new Date(expiresAt).toISOString()}`,
    ...list('Different from what was approved before', changes),
    ...list('Warnings', warnings),
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
    ...list('Network', consent.network.length === 0 ? ['none'] : consent.network),
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

/** Addresses that are not public, and names without a dot or of the local kind: not somewhere on the internet. */
function isInside(text: string): boolean {
  const pattern = parseHostPattern(text)
  if ('problem' in pattern) return true
  if (isIpLiteral(pattern.host)) return !isPublicAddress(pattern.host)
  return !pattern.host.includes('.') || /\.(?:local|localhost|internal|lan|home|arpa)$/.test(pattern.host)
}

function isAddress(text: string): boolean {
  const pattern = parseHostPattern(text)
  return 'problem' in pattern || isIpLiteral(pattern.host)
}
