import { anyCapability, type Capability } from '../../src/egress/capabilities/index.ts'
import { createPolicy, type EgressPolicy, type Surface } from '../../src/egress/index.ts'
import { SecretValue } from '../../src/kernel/index.ts'
import { createScrubber } from '../../src/scrub/index.ts'

export interface SecretOfPolicy {
  readonly value: string
  readonly hosts: readonly string[]
  readonly in?: readonly Surface[]
  /** `raw`: the code holds it itself; it is only searched for. */
  readonly mode?: 'placeholder' | 'raw'
}

/** A run's policy as it is built from what was approved, with a scrubber of its own; a bare host may be sent anything. */
export function policyOf(
  network: readonly (string | Capability)[],
  secrets: Readonly<Record<string, SecretOfPolicy>> = {},
  owner = 'agt_test',
): EgressPolicy {
  const values = Object.entries(secrets).map(([name, secret]) => [name, secret.value] as const)
  const scrubber = createScrubber(new Map(values))
  return createPolicy(
    {
      owner,
      network: network.map((entry) => (typeof entry === 'string' ? anyCapability(entry) : entry)),
      secrets: Object.entries(secrets)
        .filter(([, { mode }]) => mode !== 'raw')
        .map(([name, { value, hosts, in: surfaces }]) => ({
          name,
          value: new SecretValue(value),
          hosts,
          boundTo: null,
          surfaces: surfaces ?? ['header'],
        })),
    },
    () => scrubber,
  )
}

export function placeholderOf(policy: EgressPolicy, name: string): string {
  const secret = policy.secrets.find((one) => one.name === name)
  if (secret === undefined) throw new Error(`the policy has no ${name}`)
  return secret.placeholder
}
