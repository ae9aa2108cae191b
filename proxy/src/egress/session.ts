import type { AuditLog } from '../audit/index.ts'
import type { Actor } from '../identity/index.ts'
import type { EgressRule, MachineId, Storage, Tx } from '../kernel/index.ts'
import type { AskEntry } from './authorize.ts'
import { approvedName, type Capability, MAX_REQUESTS } from './capabilities/index.ts'
import type { CompiledCapability } from './compiled-capability.ts'
import { type EgressPolicy, type EgressTarget, widened } from './policy.ts'

/** One request that a run made, as it is told to the audit. */
export interface EgressRecord {
  readonly method: string
  /** `https://host:port` as the request named it, made harmless; the port left out when it is the scheme's own. */
  readonly origin: string
  /** Without query and fragment, every secret taken out, cut to a length. */
  readonly path: string
  /** Of the answer that the code got from upstream; null when there was none. */
  readonly status: number | null
  readonly requestBytes: number
  readonly responseBytes: number
  /** Names of the secrets whose value was put in. */
  readonly secrets: readonly string[]
  readonly refused: EgressRule | null
  /** Names of secrets whose placeholder was seen where it is not replaced. */
  readonly rejected: readonly string[]
  /** What would allow a request that no capability covers. */
  readonly ask?: AskEntry
}

/** What a person and the agent are told of a run's traffic. */
export interface EgressSummary {
  readonly requests: number
  readonly refused: readonly EgressRefusal[]
  /** Refusals beyond those that are listed. */
  readonly moreRefused: number
}

export interface EgressRefusal {
  readonly rule: EgressRule
  readonly origin: string
  /** Secrets that it is about; empty for most rules. */
  readonly secrets: readonly string[]
  readonly count: number
  /** Method and path, where it was those that were not approved. */
  readonly request?: string
  /** The entry of `network` to ask for, likewise. */
  readonly ask?: AskEntry
}

/** Asks a person about hosts that a run may not reach, while what was sent there waits. */
export interface EgressAsker {
  /**
   * Resolves once it is decided: null where the host may be reached by now, and otherwise why not, for whoever sent the request.
   * `left`: nobody waits there any more. A rejection refuses.
   */
  ask(target: EgressTarget, left: AbortSignal): Promise<string | null>
  /** What waits so at this moment. */
  readonly held: number
}

/** One run's leave to go out. Ends with the run; what comes after is refused with `no_run`. */
export interface EgressSession {
  readonly requestId: string
  /** Of this moment: what `admit` adds is in it, and what was closed again is not. Ask anew for each request. */
  readonly policy: EgressPolicy
  readonly ended: boolean
  /** Whether one more request may begin; counts it. */
  begin(): boolean
  /** A person has approved more while the run goes on: it reaches that too, until the answer is disposed of. */
  admit(network: readonly Capability[]): Disposable
  /** Who is asked about hosts that were not approved; null: they are refused. */
  readonly asker: EgressAsker | null
  /** From now on, until the answer is disposed of, they are asked for. */
  askThrough(asker: EgressAsker): Disposable
  /** Ends it, and breaks off at once whatever is under way. */
  cut(): void
  /** Of an endpoint: what `cut` breaks off there. */
  onCut(breakOff: () => void): void
  /** Takes one request from the first of these capabilities that has any left; false when none has. */
  spend(entries: readonly CompiledCapability[]): boolean
  record(entry: EgressRecord): void
  /**
   * A name that was looked up and refused. Told when the run ends, and only if no request to that host was told since: some
   * clients look up what they then ask the proxy for.
   */
  recordLookup(entry: EgressRecord): void
  /** Begins to write what is not written yet and gives the summary; the same one when called again. */
  end(): EgressSummary
  /** Resolves when what was begun to be written is in the audit, or was told to be a defect. */
  written(): Promise<void>
}

export interface EgressSessions {
  /** `of` is a run when it is left out. */
  begin(requestId: string, policy: EgressPolicy, of?: EgressCause): EgressSession
}

/** Whose requests these are, where no run makes them. */
type EgressCause = {
  /** As the audit names it, e.g. `agent:<id>`. */
  readonly actor: Actor
} & ({ readonly for: 'imports' } | { readonly for: 'machine'; readonly machine: MachineId })

const MAX_LISTED_REFUSALS = 8
/** Records wait this long to share one commit; a crash loses no more than these. */
const FLUSH_MS = 50
const FLUSH_RECORDS = 500

/** Method and path, and what it was that was not approved where the two do not tell. */
function describeRequest({ method, path }: EgressRecord, ask: AskEntry): string {
  const own = approvedName(method)
  const other = (ask.methods ?? []).filter((name) => name !== own)
  const as = other.length > 0 ? ` as ${other.join(', ')}` : ''
  const kind = ask.websocket ? ' (WebSocket)' : ask.graphql === 'mutation' ? ' (GraphQL mutation)' : ''
  return `${method} ${path}${as}${kind}`.trim()
}

/** Of an origin as it is recorded, which need not be a URL. */
const hostOf = (origin: string): string =>
  origin
    .replace(/^https?:\/\//, '')
    .replace(/:\d+$/, '')
    .toLowerCase()

export function createEgressSessions(deps: {
  readonly audit: AuditLog
  readonly storage: Storage
  /** A batch that could not be written; it is tried again with the next one. */
  readonly onDefect: (error: unknown, requestId: string) => void
}): EgressSessions {
  return {
    begin(requestId, policy, of) {
      let unwritten: EgressRecord[] = []
      let timer: NodeJS.Timeout | undefined
      let begun = 0
      let summary: EgressSummary | undefined
      const refusals = new Map<string, { first: EgressRefusal; count: number }>()
      let requests = 0
      let moreRefused = 0
      /** By host. */
      const lookups = new Map<string, EgressRecord>()

      /** One batch after the other, so that rows stand in the order of their requests. */
      let writing: Promise<void> = Promise.resolve()
      const flush = async (): Promise<void> => {
        clearTimeout(timer)
        timer = undefined
        if (unwritten.length === 0) return
        try {
          await deps.storage.transaction(async (tx) => {
            // Only now: a batch before it whose commit got no answer is settled when a unit begins.
            const batch = unwritten.slice()
            for (const entry of batch) await write(tx, entry)
            tx.onCommit(() => {
              unwritten = unwritten.slice(batch.length)
            })
          }, 'grouped')
        } catch (error) {
          deps.onDefect(error, requestId)
        }
      }
      const beginFlush = (): Promise<void> => {
        writing = writing.then(flush)
        return writing
      }

      const write = async (tx: Tx, entry: EgressRecord): Promise<void> => {
        const { refused, ...rest } = entry
        const data = {
          ...(of === undefined ? {} : { for: of.for }),
          ...(of?.for === 'machine' ? { machine: of.machine } : {}),
          method: rest.method,
          origin: rest.origin,
          path: rest.path,
          status: rest.status,
          request_bytes: rest.requestBytes,
          response_bytes: rest.responseBytes,
          secrets: rest.secrets.slice(),
          ...(rest.rejected.length === 0 ? {} : { misplaced: rest.rejected.slice() }),
        }
        const actor = of?.actor ?? 'run'
        const about = of?.for === 'machine' ? null : requestId
        if (refused === null) await deps.audit.append(tx, 'egress.request', actor, about, data)
        else await deps.audit.append(tx, 'egress.refused', actor, about, { ...data, rule: refused })
      }

      const spent = new Map<CompiledCapability, number>()
      const admitted = new Set<readonly Capability[]>()
      let current = policy
      let asker: EgressAsker | null = null
      const endpoints: (() => void)[] = []
      const admittedNow = (): void => {
        current = admitted.size === 0 ? policy : widened(policy, [...admitted])
      }

      const refuse = (rule: EgressRule, entry: EgressRecord): void => {
        const { origin, rejected: secrets, ask } = entry
        const asked = ask === undefined ? {} : { request: describeRequest(entry, ask), ask }
        const key = JSON.stringify([rule, origin, secrets, asked])
        const known = refusals.get(key)
        if (known !== undefined) known.count += 1
        else if (refusals.size >= MAX_LISTED_REFUSALS) moreRefused += 1
        else refusals.set(key, { first: { rule, origin, secrets, count: 1, ...asked }, count: 1 })
      }

      const record = (entry: EgressRecord): void => {
        if (lookups.size > 0) lookups.delete(hostOf(entry.origin))
        requests += 1
        if (entry.refused !== null) refuse(entry.refused, entry)
        else if (entry.rejected.length > 0) refuse('secret_not_for_surface', entry)
        // Beyond the limit nothing begins, so this is bounded too.
        if (unwritten.length < 2 * MAX_REQUESTS) unwritten.push(entry)
        if (summary !== undefined || unwritten.length % FLUSH_RECORDS === 0) void beginFlush()
        else timer ??= setTimeout(beginFlush, FLUSH_MS).unref()
      }

      const end = (): EgressSummary => {
        for (const lookup of lookups.values()) record(lookup)
        void beginFlush()
        asker = null
        summary ??= {
          requests,
          refused: [...refusals.values()].map(({ first, count }) => ({ ...first, count })),
          moreRefused,
        }
        return summary
      }

      return {
        requestId,
        get policy() {
          return current
        },
        get ended() {
          return summary !== undefined
        },
        begin() {
          if (summary !== undefined || begun >= MAX_REQUESTS) return false
          begun += 1
          return true
        },
        admit(network) {
          const own = [...network]
          admitted.add(own)
          admittedNow()
          return {
            [Symbol.dispose]() {
              if (admitted.delete(own)) admittedNow()
            },
          }
        },
        get asker() {
          return asker
        },
        askThrough(given) {
          if (summary === undefined) asker = given
          return {
            [Symbol.dispose]() {
              if (asker === given) asker = null
            },
          }
        },
        cut() {
          for (const breakOff of endpoints.splice(0)) breakOff()
          end()
        },
        onCut: (breakOff) => void endpoints.push(breakOff),
        spend(entries) {
          const entry = entries.find((one) => (spent.get(one) ?? 0) < one.requests)
          if (entry === undefined) return false
          spent.set(entry, (spent.get(entry) ?? 0) + 1)
          return true
        },
        recordLookup(entry) {
          if (summary === undefined) lookups.set(hostOf(entry.origin), entry)
        },
        record,
        written: () => writing,
        end,
      }
    },
  }
}
