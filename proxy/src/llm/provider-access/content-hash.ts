import { type ConsentHash, canonicalJson, sha256Hex } from '../../kernel/index.ts'
import type { Providers } from '../providers/index.ts'
import type { ProviderAsk } from './ports.ts'

/**
 * What a decision about an access request is bound to (a TOCTOU between looking and answering): an altered row is not
 * decided, and neither is one whose provider is by now at another place than the card says.
 */
export function askHash(
  { agentId, provider, model, group }: ProviderAsk,
  providers: Pick<Providers, 'find'>,
): ConsentHash {
  const found = providers.find(provider)
  const place =
    found === undefined || 'missing' in found
      ? null
      : { scheme: found.scheme, host: found.host, port: found.port, private: found.private }
  return sha256Hex(canonicalJson({ agent_id: agentId, provider, model, group, place })) as ConsentHash
}
