import { type Consent, type SignedSource, uncovered } from '../../approvals/consent/index.ts'
import type { CardModel } from '../../approvals/index.ts'
import { hostsOf } from '../../egress/capabilities/index.ts'
import { oneLine } from '../../kernel/index.ts'
import type { Danger } from '../facts/index.ts'

/** Where code comes from, as its consent has it: what is told here is what is decided. */
type Source = NonNullable<Consent['source']>

const LINK_TEXT = {
  fetched: 'code was read from',
  same: 'the same bytes as',
  different: 'OTHER bytes than',
  unreadable: 'could not be read',
} as const

/** The key comes first, since a line may be cut at its end. */
export function sourceText(source: Source): string {
  if (source.relation !== 'signed') return `${LINK_TEXT[source.relation]}: ${source.url}`
  return `these bytes are signed by ${source.publisher} (${describeKey(source)}) as ${source.skill}; listed by ${source.registry.name}`
}

function describeKey({ accepted_publisher: accepted, publisher, pinned }: SignedSource): string {
  const known =
    accepted === null
      ? 'nothing of it approved before'
      : accepted === publisher
        ? 'as before'
        : 'NOT as before'
  return pinned ? `${known}, pinned` : known
}

/** Lines for the whole of the card. */
export function sourceInFull(source: Source | null): readonly string[] {
  if (source === null) return []
  if (source.relation !== 'signed') return [`Source: ${sourceText(source)}`]
  const { registry, declares, accepted_publisher: accepted } = source
  return [
    `Source: ${sourceText(source)}`,
    `Publisher: ${source.publisher}, accepted for this name before: ${accepted ?? 'none'}`,
    `Registry: ${registry.name}, key ${registry.key}; it vouches for the bytes and approves nothing`,
    `Code from: ${source.url}`,
    `Its entry says it does: ${declares.description || '-'}`,
    `Its entry says it needs secrets: ${declares.secrets.join(', ') || 'none'}; network: ${declares.network.join(', ') || 'none'}`,
  ]
}

export function provenanceOf({ source }: Consent): CardModel['provenance'] {
  if (source?.relation !== 'signed') return null
  return {
    skill: source.skill,
    url: source.url,
    registry: source.registry,
    publisher: source.publisher,
    acceptedPublisher: source.accepted_publisher,
    pinned: source.pinned,
    declaredDescription: source.declares.description,
    declaredSecrets: source.declares.secrets,
    declaredNetwork: source.declares.network,
  }
}

/** A stolen or changed key, and a request that says or asks for other than the publisher says that the code does and needs. */
export function provenanceWarnings({ source, secrets, network, description }: Consent): Danger[] {
  if (source?.relation !== 'signed') return []
  const { publisher, accepted_publisher: accepted, declares } = source
  const names = secrets.map(({ name }) => name).filter((name) => !declares.secrets.includes(name))
  const hosts = uncovered(declares.network, hostsOf(network))
  const other = (text: string): Danger => ({ kind: 'other_entry', text })
  return [
    ...(accepted === null || accepted === publisher
      ? []
      : [
          {
            kind: 'other_publisher',
            text: `signed by ${publisher}, and NOT as before by ${accepted}`,
          } as const,
        ]),
    ...(description.trim() === declares.description.trim()
      ? []
      : [other(`its registry entry says that it does: ${oneLine(declares.description, 120) || 'nothing'}`)]),
    ...(names.length === 0
      ? []
      : [other(`gets ${names.join(', ')}, which its registry entry does not name`)]),
    ...(hosts.length === 0
      ? []
      : [other(`may send to ${hosts.join(', ')}, which its registry entry does not name`)]),
  ]
}
