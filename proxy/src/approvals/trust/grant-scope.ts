import { describeNetwork } from '../../egress/capabilities/index.ts'
import { AppError } from '../../kernel/index.ts'
import { openConsent } from '../consent/index.ts'
import type { Grant } from './trust.ts'

/** For whom a grant is and what it reaches, as its card showed it. */
export interface GrantScope {
  readonly agent: string
  /** Names. */
  readonly secrets: readonly string[]
  readonly hosts: readonly string[]
  /** The requests that it may make, in words. */
  readonly sends: string
}

/** Null where its consent is not what its hash names: such a grant covers nothing. */
export function scopeOfGrant({ consentJson, consentHash }: Grant): GrantScope | null {
  try {
    const { agent, secrets, network } = openConsent(consentJson, consentHash)
    return {
      agent: agent.name,
      secrets: secrets.map(({ name }) => name),
      hosts: [...new Set(network.map(({ host }) => host))],
      sends: describeNetwork(network),
    }
  } catch (error) {
    if (error instanceof AppError) return null
    throw error
  }
}
