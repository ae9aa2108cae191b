import { ownKeyCommands } from '../../identity/agents/index.ts'
import type { EndpointGroup } from '../providers/index.ts'
import { noKey } from './access-refusals.ts'
import { type LlmRefusal, refused } from './refusal.ts'
import { andThen, type Soon } from './soon.ts'
import type { AdmissionDeps, Admitted, Wanted } from './wanted.ts'

export type Picked = Pick<Admitted, 'key' | 'needsOwnKey'>

/** Groups of what is kept at the vendor, or of what may reach it unseen: an open session, an unknown endpoint. */
const KEPT_AT_VENDOR: ReadonlySet<EndpointGroup> = new Set([
  ...(['files', 'batches', 'fine_tuning', 'stored', 'realtime', 'deferred', 'other'] as const),
])

/** A vendor shows what is kept under a key to everybody who has it. */
export function pickKey(
  wanted: Wanted,
  model: string | null,
  { keys, sharing }: AdmissionDeps,
): Soon<Picked | LlmRefusal> {
  const { agent, provider, group, onlyKey } = wanted
  const isOwn = (id: number): boolean =>
    sharing.isOwn(provider.name, id, agent.id) && (onlyKey === null || id === onlyKey)
  const ofGroup = KEPT_AT_VENDOR.has(group)
  if (provider.auth.kind === 'none') {
    const needsOwnKey = ofGroup || (group === 'inference' && !isOwn(0) && wanted.refersToStored())
    return needsOwnKey && !isOwn(0) ? sharedKey(wanted) : { key: null, needsOwnKey }
  }
  const want = {
    provider: provider.name,
    model,
    models: () => wanted.allModels(),
    tags: agent.tags,
    isSeat: agent.usesSeat,
    agentId: agent.id,
    use: wanted.keyUse,
  }
  return andThen(keys.pick(ofGroup ? { ...want, only: isOwn } : want), (any) => {
    if ('refused' in any) {
      const isShared = ofGroup && any.refused === 'no_key' && keys.isThere(want)
      return isShared ? sharedKey(wanted) : noKey(any, provider.name, agent.usesSeat)
    }
    if (ofGroup || group !== 'inference' || isOwn(any.id) || !wanted.refersToStored()) {
      return { key: any, needsOwnKey: ofGroup }
    }
    return andThen(keys.pick({ ...want, only: isOwn }), (own) => {
      if (!('refused' in own)) return { key: own, needsOwnKey: true }
      return own.refused === 'no_key' ? sharedKey(wanted) : noKey(own, provider.name, agent.usesSeat)
    })
  })
}

function sharedKey({ agent, provider, group }: Wanted): LlmRefusal {
  const name = provider.name
  const what = group === 'inference' ? 'This request speaks of' : 'This is about'
  if (provider.auth.kind === 'none') {
    return refused(
      'shared_key',
      `${what} what is kept at ${name}, which takes no key, and other agents may use or have used it: only one agent may.`,
    )
  }
  return refused(
    'shared_key',
    `${what} what is kept at ${name} under a key, and other agents may use or have used the same one. The owner adds a key for ${agent.name} alone, of a project or workspace of its own: ${ownKeyCommands(name, agent)}`,
  )
}
