import type { Actor } from '../../identity/index.ts'
import { type AgentId, AppError } from '../../kernel/index.ts'
import type { Machine, SleepForecast } from '../machines/index.ts'

export interface HostedAgent {
  readonly machine: Machine
  readonly forecast: SleepForecast
  /** The vendor of its model, where no key is there that its agent may use: until then it answers nothing. */
  readonly lacksKeyOf: string | null
}

/** What lives in a machine. In an `openclaw` lives an agent; the others are for one. */
export function kindOf({ spec }: Pick<Machine, 'spec'>): 'openclaw' | 'browser' | 'desktop' {
  const kind = spec.settings?.kind
  return kind === 'browser' || kind === 'desktop' ? kind : 'openclaw'
}

/** Of the agent that lives in it, or whose browser or desktop it is. */
export const agentIdOf = ({ spec }: Pick<Machine, 'spec'>): AgentId => (spec.settings?.agent ?? '') as AgentId

/** Said to whoever speaks to it, in the words of who can mend it: a start and the agent's own tries would take a minute first. */
export function lacksKey(provider: string, asked: Actor): AppError {
  const how = asked.startsWith('account:')
    ? 'Store one: POST /api/user/api-keys, or the page Providers of the console.'
    : asked.startsWith('telegram:')
      ? 'Whoever owns the agent stores one.'
      : `Store one: oauth3 key add ${provider}, or the page Providers of the console.`
  return new AppError(
    'refused',
    `There is no key of ${provider} that it may use, so its model answers nothing. ${how}`,
    {
      details: { reason: 'no_key', provider },
    },
  )
}

/** What hosts agents, where anything does; throws `refused` where nothing does. */
export function hostedHere<T>(hosting: T | null): T {
  if (hosting === null)
    throw new AppError(
      'refused',
      'Agents are hosted where OAUTH3_SANDBOX is docker or OAUTH3_HOST_DRIVER is ec2; neither is so here.',
    )
  return hosting
}
