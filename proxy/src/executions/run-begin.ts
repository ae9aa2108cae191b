import { type Consent, consentCode, openConsent, uncovered } from '../approvals/consent/index.ts'
import type { Trust } from '../approvals/trust/index.ts'
import { type Agents, isRevoked } from '../identity/agents/index.ts'
import {
  AppError,
  type Clock,
  type ReadTx,
  type RequestId,
  type SecretValue,
  type Tx,
} from '../kernel/index.ts'
import type { LockedImports } from '../sandbox/imports/index.ts'
import type { Lockdown, Vault } from '../vault/index.ts'
import { readStoredCode } from './code/index.ts'
import { type Execution, grantActor, grantOf } from './execution.ts'
import type { Ledger } from './ledger.ts'
import { missingSecrets } from './request.ts'
import type { FinishRun } from './run-outcome.ts'

/** What a run needs, read in the unit that says it began. */
export interface Handover {
  /** As it is from its beginning on. */
  readonly execution: Execution
  readonly consent: Consent
  readonly code: string
  readonly imports: LockedImports | null
  readonly secrets: ReadonlyMap<string, SecretValue>
  /** Hosts that each secret is bound to by now; null: to none in particular. */
  readonly bindings: ReadonlyMap<string, readonly string[] | null>
}

/** Undefined where the run does not begin: it ended, or waits (again), and its row says so. */
type Begun = Promise<Handover | undefined>

export interface BeginRun {
  /** Everything that must be true for a run that waited, and the row that says it began, in the caller's unit. */
  waited(tx: Tx, requestId: RequestId): Begun
  /** The same in the unit that approves it by a grant, and has found its secrets: neither can have changed since. */
  approved(tx: Tx, execution: Execution, consent: Consent): Begun
}

export function createBeginRun(deps: {
  readonly ledger: Ledger
  readonly finish: FinishRun
  readonly trust: Pick<Trust, 'stillCovers' | 'stillAllows' | 'recordUse'>
  readonly vault: Pick<Vault, 'find' | 'open'>
  readonly lockdown: Pick<Lockdown, 'state'>
  readonly agents: Pick<Agents, 'byId'>
  readonly clock: Clock
}): BeginRun {
  const { ledger, finish, vault, clock } = deps

  const bindingsOf = async (tx: ReadTx, consent: Consent): Promise<Handover['bindings']> => {
    const bindings = new Map<string, readonly string[] | null>()
    for (const { name } of consent.secrets) bindings.set(name, (await vault.find(tx, name))?.hosts ?? null)
    return bindings
  }

  const waited: BeginRun['waited'] = async (tx, requestId) => {
    let execution = await tx.executions.byRequestId(requestId)
    // Its beginning was committed, and the answer was lost: the code was handed over to nobody, and will be to nobody now.
    if (execution?.status === 'running') await finish(tx, execution, { failure: 'interrupted' })
    if (execution?.status !== 'approved' || deps.lockdown.state !== null) return undefined
    const consent = openConsent(execution.consentJson, execution.consentHash)
    // It may have waited for a secret or a sandbox, and the owner may have changed their mind since.
    const grant = grantOf(execution)
    const isLeft = isRevoked(deps.agents, execution.agentId)
    const covering =
      isLeft || grant === undefined ? undefined : await deps.trust.stillCovers(tx, grant, consent)
    const isAllowed =
      !isLeft && (grant === undefined ? await deps.trust.stillAllows(tx, execution) : covering !== undefined)
    if (!isAllowed) {
      await finish(tx, execution, { failure: 'trust_ended' })
      return undefined
    }
    if (covering !== undefined && covering.id !== grant) {
      // It begins by another one than it was approved by.
      execution = { ...execution, decidedBy: grantActor(covering.id) }
      await tx.executions.update(execution)
      await deps.trust.recordUse(tx, covering, requestId)
    }
    const missing = await missingSecrets(tx, vault, consent)
    if (missing.length > 0) {
      await ledger.transition(
        tx,
        execution,
        'awaiting_secrets',
        {},
        {
          event: 'execution.awaiting_secrets',
          actor: 'daemon',
          data: { missing },
        },
      )
      return undefined
    }
    return await approved(tx, execution, consent)
  }

  const approved: BeginRun['approved'] = async (tx, execution, consent) => {
    if (deps.lockdown.state !== null) return undefined
    const code = await readStoredCode(tx, consentCode(consent))
    const imports = await readLocked(tx, consent)
    const bindings = await bindingsOf(tx, consent)
    if (hasStaleBinding(consent, bindings)) {
      await finish(tx, execution, { failure: 'consent_stale' })
      return undefined
    }
    const secrets = new Map<string, SecretValue>()
    for (const { name } of consent.secrets) secrets.set(name, await vault.open(tx, name, execution.requestId))
    const running = await ledger.transition(
      tx,
      execution,
      'running',
      { startedAt: clock.now() },
      {
        event: 'execution.started',
        actor: 'daemon',
        data: { consent_hash: execution.consentHash, code_hash: execution.codeHash },
      },
    )
    return { execution: running, consent, code, imports, secrets, bindings }
  }

  return { waited, approved }
}

/** The modules that the consent names, whole; throws when they are missing or have become others. */
async function readLocked(tx: ReadTx, consent: Consent): Promise<LockedImports | null> {
  if (consent.imports === null) return null
  const locked = await tx.imports.read(consent.imports.lock)
  if (locked !== undefined) return locked
  throw new AppError(
    'internal',
    'The stored imports of this execution do not match their hashes; they will not be used.',
  )
}

/**
 * Whether the owner has since bound a secret to fewer hosts than the consent lets it go to. In raw mode the code would
 * take the value past the binding; in placeholder mode the gateway would refuse it in the middle of what was approved.
 */
function hasStaleBinding(consent: Consent, bindings: Handover['bindings']): boolean {
  return consent.secrets.some((secret) => {
    const bound = bindings.get(secret.name) ?? null
    if (JSON.stringify(bound) === JSON.stringify(secret.bound_to)) return false
    return bound !== null && uncovered(bound, secret.hosts).length > 0
  })
}
