import type { NoKey } from '../provider-keys/index.ts'
import type { GrantCriteria } from './grant-criteria.ts'
import { type LlmRefusal, refused } from './refusal.ts'

/** Seconds after which an agent that was told to wait should ask again. */
const ASK_AGAIN_SECONDS = 15

export const byNameOnly = ({ agent, provider, group, path }: GrantCriteria): LlmRefusal =>
  refused(
    'owner_only',
    `${path} of ${provider.name} is of the group "${group}", which is never granted by a card. The owner grants it by name: oauth3 grant add ${agent.name} ${provider.name} --groups ${group} --paths …`,
  )

export const pending = (
  { agent, provider, models, group }: GrantCriteria,
  askId: string,
  asksInChat: boolean,
): LlmRefusal => {
  const what = `${provider.name} for ${group}${models[0] == null ? '' : ` (${models[0]})`}`
  const command = askId === '' ? 'oauth3 watch' : `oauth3 approve ${askId.slice(0, 12)} (or oauth3 watch)`
  const how = asksInChat ? `in the Telegram chat, or with: ${command}` : `with: ${command}`
  return refused(
    'approval_pending',
    `may ${agent.name} use ${what}? Answer ${how}, then send the request again. It can wait longer with the header "Prefer: wait=120".`,
    ASK_AGAIN_SECONDS,
  )
}

export const denied = (provider: string, retryAfterSeconds: number): LlmRefusal =>
  refused('approval_denied', `The owner said no to the use of ${provider}.`, retryAfterSeconds)

export function noKey(none: NoKey, provider: string, usesSeat = false): LlmRefusal {
  if (none.refused === 'keys_in_cooldown') {
    const what = usesSeat ? `The seat at ${provider}` : `Every key for ${provider} that this agent may use`
    const message = `${what} is in cooldown for this model and endpoint: the provider refused it lately.`
    return refused('keys_in_cooldown', message, none.retryAfterSeconds)
  }
  return refused(
    'no_key',
    usesSeat
      ? `This app may use the owner's seat at ${provider} alone, and none is stored for this model; the owner adds it with: oauth3 key add ${provider} --seat`
      : `No key for ${provider} that this caller may use for this model; the owner adds one with: oauth3 key add ${provider}`,
  )
}
