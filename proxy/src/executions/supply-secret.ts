import { type Consent, openConsent } from '../approvals/consent/index.ts'
import { isOver } from '../approvals/index.ts'
import type { Actor } from '../identity/index.ts'
import {
  AppError,
  type Clock,
  type ReadTx,
  type RequestId,
  type SecretValue,
  type Storage,
} from '../kernel/index.ts'
import type { SecretRecord, Vault } from '../vault/index.ts'
import type { Execution } from './execution.ts'

/** Stores what an approved request was asked for; throws conflict, and stores nothing, when it waits for that no longer. */
export type SupplySecret = (
  requestId: RequestId,
  name: string,
  value: SecretValue,
  actor: Actor,
) => Promise<SecretRecord>

export function createSupplySecret(deps: {
  readonly vault: Pick<Vault, 'find' | 'put'>
  readonly storage: Storage
  readonly clock: Clock
  readonly consentOf: (execution: Execution) => Consent
}): SupplySecret {
  return (requestId, name, value, actor) =>
    deps.storage.transaction(async (tx) => {
      const refuse = (why: string): never => {
        throw new AppError('conflict', `${why} Nothing was stored.`)
      }
      const execution = await tx.executions.byRequestId(requestId)
      if (execution === undefined) return refuse('The request that asked for it is not there any more.')
      const { status } = execution
      if (status !== 'awaiting_secrets' || isOver(execution, deps.clock.now())) {
        const now = status === 'awaiting_secrets' ? 'expired' : status
        return refuse(`The request that asked for ${name} is ${now} and waits for no secret.`)
      }
      if (!deps.consentOf(execution).secrets.some((secret) => secret.name === name))
        return refuse(`The request does not use ${name}.`)
      if ((await deps.vault.find(tx, name)) !== undefined) return refuse(`${name} was stored meanwhile.`)
      return await deps.vault.put(tx, name, value, { actor })
    })
}

/**
 * Where a value may go that approved requests wait for: the hosts that their cards showed for it. Undefined when none
 * waits for it.
 */
export type AwaitedHosts = (tx: ReadTx, secretName: string) => Promise<readonly string[] | undefined>

export function createAwaitedHosts({ clock }: { readonly clock: Clock }): AwaitedHosts {
  const isAwaited = (execution: Execution): boolean => !isOver(execution, clock.now())
  const secretsOf = (execution: Execution): Consent['secrets'] => {
    try {
      return openConsent(execution.consentJson, execution.consentHash).secrets
    } catch {
      // Its row ends elsewhere; nothing of it is believed here.
      return []
    }
  }
  return async (tx, name) => {
    const asked = (await tx.executions.inStatus('awaiting_secrets'))
      .filter(isAwaited)
      .flatMap(secretsOf)
      .filter((secret) => secret.name === name)
    return asked.length === 0 ? undefined : [...new Set(asked.flatMap(({ hosts }) => hosts))].sort()
  }
}
