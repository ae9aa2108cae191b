import type { Consent } from '../approvals/consent/index.ts'
import type { ApprovedSecret, EgressApproval } from '../egress/index.ts'
import type { SecretValue } from '../kernel/index.ts'

/**
 * What the gateway is told of a consent. Values in raw mode are left out: the code holds them itself, and nothing is put in for
 * them. Throws when there is no value for a secret that is to be put in.
 */
export function egressApproval(
  consent: Pick<Consent, 'network' | 'secrets'> & { readonly agent: { readonly id: string } },
  values: ReadonlyMap<string, SecretValue>,
  bindings: ReadonlyMap<string, readonly string[] | null>,
): EgressApproval {
  return {
    owner: consent.agent.id,
    network: consent.network,
    secrets: consent.secrets
      .filter(({ mode }) => mode === 'placeholder')
      .map(({ name, hosts, in: surfaces }): ApprovedSecret => {
        const value = values.get(name)
        if (value === undefined) throw new TypeError(`no value for ${name}`)
        return { name, value, hosts, boundTo: bindings.get(name) ?? null, surfaces }
      }),
  }
}
