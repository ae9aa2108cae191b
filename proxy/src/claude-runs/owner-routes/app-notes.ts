import { type Agent, ownKeyCommands } from '../../identity/agents/index.ts'
import { networksMeet } from '../../identity/index.ts'
import { isLoopbackAddress } from '../../kernel/index.ts'
import type { App } from '../apps/index.ts'
import { REQUEST_TOOL, runsCommands } from '../index.ts'

export interface AppNotesDeps {
  /** Networks that may call the port of apps, beside loopback (ALLOW_CIDRS). */
  readonly allowedFrom: readonly string[]
  /** Agents that may be served with the same key of the provider as an app. */
  readonly agentsSharingKey: (provider: string) => readonly Pick<Agent, 'name' | 'tags'>[]
  /** Of the vault. */
  readonly secretNames: () => Promise<ReadonlySet<string>>
}

const SEAT =
  'Its calls of the model go by the seat of your own subscription, which the vendor lets nobody use but you, for your own ordinary use: https://code.claude.com/docs/en/legal-and-compliance'

/** What its owner should know of an app that is as it is; empty where there is nothing. */
export function appNotes(
  { cidrs, provider, usesSeat, tools, secrets, network, hosts, revokedAt }: App,
  {
    allowedFrom,
    agentsSharingKey,
    stored,
  }: Omit<AppNotesDeps, 'secretNames'> & { readonly stored: ReadonlySet<string> },
): string[] {
  if (revokedAt !== null) return []
  const sharing = usesSeat ? [] : agentsSharingKey(provider)
  const [first] = sharing
  const isShutOut = (cidr: string): boolean => !allowedFrom.some((allowed) => networksMeet(cidr, allowed))
  const missing = (secrets ?? []).filter((name) => !stored.has(name))
  const outside = cidrs.filter((cidr) => !isLoopbackAddress(cidr.slice(0, cidr.lastIndexOf('/'))))
  return [
    ...(usesSeat ? [SEAT] : []),
    ...(outside.length > 0 && outside.every(isShutOut)
      ? [
          `Nobody but this machine can use its token: ALLOW_CIDRS lets ${allowedFrom.join(', ') || 'no network'} call the port, and the token is good from ${outside.join(', ')}.`,
        ]
      : []),
    ...(first === undefined
      ? []
      : [
          `It shares a key of ${provider} with ${sharing.map(({ name }) => name).join(', ')}: once a run has used it, they are refused what is kept there under it, as files and batches (shared_key). A key of its own for ${first.name}: ${ownKeyCommands(provider, first)}`,
        ]),
    ...(network === 'ask' && !runsCommands(tools)
      ? ['No command of its runs can ask for a host: it may use no tool that runs commands (--tool Bash).']
      : []),
    ...(network === 'off' && hosts.length > 0
      ? [`Its runs do not reach ${hosts.join(', ')} while network is off (--network ask).`]
      : []),
    ...(missing.length > 0
      ? [`Not stored yet: ${missing.join(', ')}; its runs can ask for none of them before oauth3 secret add.`]
      : []),
    ...(tools.includes(REQUEST_TOOL) && secrets?.length === 0
      ? [
          `Its runs can ask for requests without a secret alone: name those that they may ask for (--secrets).`,
        ]
      : []),
  ]
}
