import { anyCapability, type Capability } from '../../src/domain/capabilities/index.ts'
import type { ConsentSecret } from '../../src/domain/consent/index.ts'
import { createPolicy, type EgressPolicy, type Surface } from '../../src/domain/egress/index.ts'
import { createScrubber } from '../../src/domain/scrub/index.ts'
import { SecretValue } from '../../src/kernel/index.ts'

export interface SecretOfPolicy {
  readonly value: string
  readonly hosts: readonly string[]
  readonly in?: readonly Surface[]
  readonly mode?: ConsentSecret['mode']
}

/** A run's policy as it is built from a consent, with a scrubber of its own; a bare host may be sent anything. */
export function policyOf(
  network: readonly (string | Capability)[],
  secrets: Readonly<Record<string, SecretOfPolicy>> = {},
  owner = 'agt_test',
): EgressPolicy {
  const values = Object.entries(secrets).map(([name, secret]) => [name, secret.value] as const)
  const scrubber = createScrubber(new Map(values))
  return createPolicy(
    {
      agent: { id: owner },
      network: network.map((entry) => (typeof entry === 'string' ? anyCapability(entry) : entry)),
      secrets: Object.entries(secrets).map(([name, secret]) => ({
        name,
        mode: secret.mode ?? 'placeholder',
        hosts: [...secret.hosts],
        in: [...(secret.in ?? ['header'])],
        bound_to: null,
      })),
    },
    new Map(values.map(([name, value]) => [name, new SecretValue(value)])),
    () => null,
    () => scrubber,
  )
}

export function placeholderOf(policy: EgressPolicy, name: string): string {
  const secret = policy.secrets.find((one) => one.name === name)
  if (secret === undefined) throw new Error(`the policy has no ${name}`)
  return secret.placeholder
}
