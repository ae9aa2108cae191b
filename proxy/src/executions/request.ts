import {
  type Consent,
  type ConsentImports,
  type ConsentSecret,
  type SealedConsent,
  sealConsent,
} from '../approvals/consent/index.ts'
import { hostsOf } from '../egress/capabilities/index.ts'
import { bothAllow } from '../egress/index.ts'
import type { Agent } from '../identity/agents/index.ts'
import {
  AppError,
  type CodeHash,
  formatHostPattern,
  isReservedName,
  MAX_NAMED,
  parseHostPattern,
  type ReadTx,
  SECRET_NAME,
  sha256Hex,
} from '../kernel/index.ts'
import { RUN_DEFAULTS, type RuntimeInfo, type SandboxStatus } from '../sandbox/index.ts'
import type { Vault } from '../vault/index.ts'
import type { AgentFetches } from './agent-fetches.ts'
import {
  type CommentMetadata,
  type FetchedSkill,
  MAX_CODE_BYTES,
  parseSkillUrl,
  readCommentMetadata,
} from './code/index.ts'
import { assertNoUnaskedCode } from './dynamic-code.ts'
import { type CodeFacts, deriveNetwork, isWalled, type RequestedHost } from './facts/index.ts'
import { isReservedSkillId } from './names/index.ts'
import { type NetworkEntry, requestedHosts } from './requested-hosts.ts'

/** What an agent asks for, its form already checked. Left-out fields may come from the fetched skill's comments. */
export interface ExecuteRequest {
  readonly skillId: string
  readonly code?: string
  readonly skillUrl?: string
  /** `name@version` of a registry, in place of code and link. */
  readonly skill?: string
  readonly codeHash?: string
  readonly runtime: string
  readonly secrets?: readonly RequestedSecret[]
  /** Canonical JSON, or null when there are none. */
  readonly argsJson: string | null
  readonly description?: string
  readonly network?: readonly NetworkEntry[]
  /** The runtime shall let the code make code from text. */
  readonly dynamicCode?: boolean
  readonly timeoutSeconds?: number
  readonly memoryMib?: number
}

export interface RequestedSecret {
  readonly name: string
  readonly mode?: 'placeholder' | 'raw'
  readonly hosts?: readonly string[]
  readonly in?: ConsentSecret['in']
}

const MIB = 1_048_576

/** The code to run, and what is known of where it comes from. */
interface ResolvedCode {
  readonly code: string
  readonly source: Consent['source']
  readonly metadata: CommentMetadata
}

/** Fetches the skill (once) when a link was sent, and compares it with code that was sent along. */
export async function resolveCode(
  request: ExecuteRequest,
  fetches: Pick<AgentFetches, 'skill' | 'signed'>,
  signal: AbortSignal,
): Promise<ResolvedCode> {
  const { code, skillUrl, skill } = request
  if (skill !== undefined) {
    const signed = await fetches.signed(skill, signal)
    return checked({ ...signed, metadata: signed.source.declares }, request)
  }
  if (skillUrl === undefined) {
    if (code === undefined) throw new AppError('invalid_request', 'Send code, skill_url or skill.')
    return checked({ code, source: null, metadata: {} }, request)
  }
  if (code === undefined) {
    const fetched = await fetches.skill(skillUrl, signal)
    return checked(
      {
        code: fetched.text,
        source: { url: shownUrl(skillUrl, fetched), relation: 'fetched' },
        metadata: readCommentMetadata(fetched.text),
      },
      request,
    )
  }
  const source = await compareWithLink(code, skillUrl, () => fetches.skill(skillUrl, signal))
  return checked({ code, source, metadata: {} }, request)
}

/** The link as it was fetched (a page of GitHub is read in its raw form), and the host that had the text in the end. */
function shownUrl(link: string, { finalUrl }: FetchedSkill): string {
  const parsed = parseSkillUrl(link)
  if (!parsed.ok) return link
  const last = URL.parse(finalUrl)?.host
  return last === undefined || last === parsed.url.host ? parsed.url.href : `${parsed.url.href} → ${last}`
}

async function compareWithLink(
  code: string,
  link: string,
  fetch: () => Promise<FetchedSkill>,
): Promise<NonNullable<Consent['source']>> {
  try {
    const fetched = await fetch()
    return { url: shownUrl(link, fetched), relation: fetched.text === code ? 'same' : 'different' }
  } catch (error) {
    // The code that was sent wins; what cannot be compared is said on the card.
    if (
      error instanceof AppError &&
      (error.code === 'skill_unreachable' || error.code === 'skill_url_refused')
    ) {
      return { url: link, relation: 'unreadable' }
    }
    throw error
  }
}

function checked(resolved: ResolvedCode, request: ExecuteRequest): ResolvedCode {
  const { code } = resolved
  if (code.trim() === '') throw new AppError('invalid_request', 'The code is empty.')
  if (!code.isWellFormed()) {
    throw new AppError(
      'invalid_request',
      'The code holds a lone surrogate, which has no bytes to show, hash and run.',
    )
  }
  // No database keeps it in a text, and Python takes it in no program.
  if (code.includes('\0')) {
    throw new AppError('invalid_request', 'The code holds a NUL character; write it as an escape.')
  }
  const bytes = Buffer.byteLength(code)
  if (bytes > MAX_CODE_BYTES) {
    throw new AppError('too_large', `The code is ${bytes} bytes; the limit is ${MAX_CODE_BYTES}.`)
  }
  const hash = sha256Hex(code)
  if (request.codeHash !== undefined && request.codeHash.toLowerCase() !== hash) {
    throw new AppError('code_hash_mismatch', 'The code is not the code that code_hash names.', {
      details: { expected: request.codeHash.toLowerCase(), actual: hash },
    })
  }
  return resolved
}

/** Builds the consent from the request, the code, the agent and what stands ready to run it. */
export async function draftConsent(
  tx: ReadTx,
  agent: Agent,
  request: ExecuteRequest,
  resolved: ResolvedCode,
  sandbox: SandboxStatus,
  vault: Pick<Vault, 'binding'>,
  facts: CodeFacts,
  imports: ConsentImports | null = null,
): Promise<SealedConsent> {
  if (isReservedSkillId(request.skillId)) {
    throw new AppError('invalid_request', `"${request.skillId}" reads like a skill of the daemon itself.`)
  }
  const runtime = pickRuntime(request.runtime, sandbox)
  const asked: readonly RequestedHost[] = requestedHosts(request.network ?? resolved.metadata.network ?? [])
  const network = hostsOf(asked)
  const dynamicCode = request.dynamicCode === true
  if (!dynamicCode) assertNoUnaskedCode(facts, runtime.name)
  const requested: readonly RequestedSecret[] =
    request.secrets ?? (resolved.metadata.secrets ?? []).map((name) => ({ name }))
  // Comments of a fetched skill count alike.
  if (network.length > MAX_NAMED || requested.length > MAX_NAMED) {
    throw new AppError('too_large', `A request names at most ${MAX_NAMED} hosts and ${MAX_NAMED} secrets.`)
  }
  return sealConsent({
    v: 3,
    skill_id: request.skillId,
    description: request.description ?? resolved.metadata.description ?? '',
    code: { sha256: sha256Hex(resolved.code) as CodeHash, bytes: Buffer.byteLength(resolved.code) },
    source: resolved.source,
    agent: { id: agent.id, name: agent.name },
    runtime: { name: runtime.name, image: runtime.image, isolation: isolationOf(sandbox) },
    secrets: await requestedSecrets(tx, requested, network, vault),
    network: deriveNetwork(asked, facts, { walled: !dynamicCode && isWalled(runtime.name) }),
    dynamic_code: dynamicCode,
    args: request.argsJson,
    limits: {
      timeout_ms: timeoutSeconds(request, resolved) * 1_000,
      memory_bytes: (request.memoryMib ?? RUN_DEFAULTS.memoryMib) * MIB,
      cpu_millis: RUN_DEFAULTS.cpuMillis,
      pids: RUN_DEFAULTS.pids,
      tmp_bytes: RUN_DEFAULTS.tmpBytes,
      output_bytes: RUN_DEFAULTS.outputBytes,
    },
    imports,
  })
}

function timeoutSeconds(request: ExecuteRequest, resolved: ResolvedCode): number {
  const seconds = request.timeoutSeconds ?? resolved.metadata.timeout ?? RUN_DEFAULTS.timeoutSeconds
  if (seconds > RUN_DEFAULTS.maxTimeoutSeconds) {
    throw new AppError('invalid_request', `The timeout is at most ${RUN_DEFAULTS.maxTimeoutSeconds} seconds.`)
  }
  return seconds
}

export function pickRuntime(name: string, sandbox: SandboxStatus): RuntimeInfo {
  if (sandbox.kind === 'unavailable') {
    throw new AppError('sandbox_unavailable', 'No sandbox can run code now.', {
      details: { notes: sandbox.notes },
      retryAfterSeconds: 15,
    })
  }
  const runtime = sandbox.runtimes.find((candidate) => candidate.name === name)
  if (!runtime) {
    throw new AppError('unknown_runtime', `There is no runtime "${name}".`, {
      details: { runtimes: sandbox.runtimes.map((candidate) => candidate.name) },
    })
  }
  return runtime
}

function isolationOf(sandbox: SandboxStatus): 'docker' | 'embedded' {
  return sandbox.kind === 'docker' ? 'docker' : 'embedded'
}

async function requestedSecrets(
  tx: ReadTx,
  requested: readonly RequestedSecret[],
  network: readonly string[],
  vault: Pick<Vault, 'binding'>,
): Promise<Consent['secrets']> {
  const seen = new Set<string>()
  const secrets: ConsentSecret[] = []
  for (const secret of requested) {
    if (!SECRET_NAME.test(secret.name) || isReservedName(secret.name)) {
      throw new AppError('invalid_request', `"${secret.name.slice(0, 64)}" cannot be a secret's name.`)
    }
    if (seen.has(secret.name))
      throw new AppError('invalid_request', `The secret ${secret.name} is named twice.`)
    seen.add(secret.name)
    const bound = (await vault.binding(tx, secret.name))?.slice() ?? null
    secrets.push(
      secret.mode === 'raw' ? rawSecret(secret, network, bound) : placeholderSecret(secret, network, bound),
    )
  }
  return secrets
}

/** Names that the consent uses and nothing is stored under. */
export async function missingSecrets(
  tx: ReadTx,
  vault: Pick<Vault, 'find'>,
  consent: Consent,
): Promise<readonly string[]> {
  const missing: string[] = []
  for (const { name } of consent.secrets) if (!(await vault.find(tx, name))) missing.push(name)
  return missing
}

/** The code holds the value, so it can take it wherever the run may go, on any surface. */
function rawSecret(
  secret: RequestedSecret,
  network: readonly string[],
  bound: string[] | null,
): ConsentSecret {
  canonicalHosts(secret.hosts ?? [], `secret ${secret.name}`, network)
  return {
    name: secret.name,
    mode: 'raw',
    hosts: [...network],
    in: ['body', 'header', 'query'],
    bound_to: bound,
  }
}

/** Its value goes to the hosts asked for, as far as the owner bound it to them, and in headers unless more is asked for. */
function placeholderSecret(
  secret: RequestedSecret,
  network: readonly string[],
  bound: string[] | null,
): ConsentSecret {
  const asked =
    secret.hosts === undefined ? network : canonicalHosts(secret.hosts, `secret ${secret.name}`, network)
  if (secret.in?.length === 0) {
    throw new AppError('invalid_request', `secret ${secret.name}: "in" names no part of a request.`)
  }
  return {
    name: secret.name,
    mode: 'placeholder',
    hosts: [...bothAllow(asked, bound)],
    in: [...(secret.in ?? ['header'])],
    bound_to: bound,
  }
}

/** Canonical patterns; with `within`, each must be one of those. */
function canonicalHosts(hosts: readonly string[], what: string, within?: readonly string[]): string[] {
  return hosts.map((text) => {
    const pattern = parseHostPattern(text)
    if ('problem' in pattern) {
      throw new AppError('invalid_request', `${what}: "${text.slice(0, 100)}" ${pattern.problem}.`)
    }
    const canonical = formatHostPattern(pattern)
    if (within && !within.includes(canonical)) {
      throw new AppError('invalid_request', `${what}: ${canonical} is not in the network list.`)
    }
    return canonical
  })
}
