import { AppError, type Clock, type RequestId, type SecretValue } from '../../kernel/index.ts'
import { isOver } from '../approvals/index.ts'
import type { Transactor } from '../audit/index.ts'
import { type Consent, openConsent } from '../consent/index.ts'
import type { SecretRecord, Vault } from '../vault/index.ts'
import type { Execution, ExecutionRepository } from './execution.ts'

/** Stores what an approved request was asked for; throws conflict, and stores nothing, when it waits for that no longer. */
export type SupplySecret = (
  requestId: RequestId,
  name: string,
  value: SecretValue,
  actor: string,
) => SecretRecord

export function createSupplySecret(deps: {
  readonly repository: Pick<ExecutionRepository, 'byRequestId'>
  readonly vault: Pick<Vault, 'find' | 'put'>
  readonly transactor: Transactor
  readonly clock: Clock
  readonly consentOf: (execution: Execution) => Consent
}): SupplySecret {
  return (requestId, name, value, actor) =>
    deps.transactor.transact(() => {
      const refuse = (why: string): never => {
        throw new AppError('conflict', `${why} Nothing was stored.`)
      }
      const execution = deps.repository.byRequestId(requestId)
      if (execution === undefined) return refuse('The request that asked for it is not there any more.')
      const { status } = execution
      if (status !== 'awaiting_secrets' || isOver(execution, deps.clock.now())) {
        const now = status === 'awaiting_secrets' ? 'expired' : status
        return refuse(`The request that asked for ${name} is ${now} and waits for no secret.`)
      }
      if (!deps.consentOf(execution).secrets.some((secret) => secret.name === name))
        return refuse(`The request does not use ${name}.`)
      if (deps.vault.find(name) !== undefined) return refuse(`${name} was stored meanwhile.`)
      return deps.vault.put(name, value, { actor })
    })
}

/**
 * Where a value may go that approved requests wait for: the hosts that their cards showed for it. Undefined when none
 * waits for it.
 */
export type AwaitedHosts = (secretName: string) => readonly string[] | undefined

export function createAwaitedHosts({
  repository,
  clock,
}: {
  readonly repository: Pick<ExecutionRepository, 'inStatus'>
  readonly clock: Clock
}): AwaitedHosts {
  const isAwaited = (execution: Execution): boolean => !isOver(execution, clock.now())
  const secretsOf = (execution: Execution): Consent['secrets'] => {
    try {
      return openConsent(execution.consentJson, execution.consentHash).secrets
    } catch {
      // Its row ends elsewhere; nothing of it is believed here.
      return []
    }
  }
  return (name) => {
    const asked = repository
      .inStatus('awaiting_secrets')
      .filter(isAwaited)
      .flatMap(secretsOf)
      .filter((secret) => secret.name === name)
    return asked.length === 0 ? undefined : [...new Set(asked.flatMap(({ hosts }) => hosts))].sort()
  }
}
