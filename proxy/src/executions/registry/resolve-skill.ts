import type { SignedSource } from '../../approvals/consent/index.ts'
import { AppError, type CodeHash, type Storage, sha256Hex } from '../../kernel/index.ts'
import type { FetchedHop } from '../code/index.ts'
import { readEndedCode } from '../code/index.ts'
import { findListing } from './catalogue.ts'
import type { Indexes } from './indexes.ts'
import type { RegistrySource } from './registry-source.ts'

/** A skill of a registry: bytes that are those its publisher signed, and what is known of them. It approves nothing. */
export interface ResolvedSkill {
  readonly code: string
  readonly source: SignedSource
}

interface SkillAccess {
  /** Before code is fetched for an agent. */
  readonly pay: () => Promise<void>
  readonly onHop: (hop: FetchedHop) => void
  readonly signal: AbortSignal
}

/**
 * Throws `not_found`, `conflict`, `registry_refused`, `skill_unreachable`, `skill_url_refused`, and `code_hash_mismatch` where the
 * code is not what was signed.
 */
export type ResolveSkill = (reference: string, access: SkillAccess) => Promise<ResolvedSkill>

export function createResolveSkill(deps: {
  readonly storage: Pick<Storage, 'read'>
  readonly indexes: Indexes
  readonly source: RegistrySource
}): ResolveSkill {
  const { storage, indexes, source } = deps
  return async (reference, access) => {
    await indexes.freshen()
    const { registry, entry, pin, publisher, stored } = await storage.read(async (tx) => {
      const found = await findListing(tx, indexes, reference)
      return {
        ...found,
        publisher: await tx.skills.publisherOf(found.entry.name),
        // The same bytes, whoever brought them.
        stored: await readEndedCode(tx, found.entry.sha256 as CodeHash),
      }
    })
    const url = source.codeAddress(registry.url, entry.url)
    let code = stored
    if (code === null) {
      await access.pay()
      code = await source.readCode(registry.url, url, access.signal, access.onHop)
      const actual = sha256Hex(code)
      if (actual !== entry.sha256 || Buffer.byteLength(code) !== entry.bytes) {
        throw new AppError(
          'code_hash_mismatch',
          `The code behind ${entry.name}@${entry.version} is not the code that its publisher signed.`,
          { details: { expected: entry.sha256, actual } },
        )
      }
    }
    return {
      code,
      source: {
        relation: 'signed',
        skill: `${entry.name}@${entry.version}`,
        url,
        registry: { name: registry.name, key: registry.key },
        publisher: entry.publisher,
        accepted_publisher: publisher?.key ?? null,
        pinned: pin !== null,
        declares: {
          description: entry.description,
          secrets: [...entry.secrets].sort(),
          network: [...entry.network].sort(),
        },
      },
    }
  }
}
