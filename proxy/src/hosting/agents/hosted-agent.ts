import { type AgentId, AppError } from '../../kernel/index.ts'
import type { Machine, SleepForecast } from '../machines/index.ts'

export interface HostedAgent {
  readonly machine: Machine
  readonly forecast: SleepForecast
}

/** What lives in a machine. In an `openclaw` lives an agent; the others are for one. */
export function kindOf({ spec }: Pick<Machine, 'spec'>): 'openclaw' | 'browser' | 'desktop' {
  const kind = spec.settings?.kind
  return kind === 'browser' || kind === 'desktop' ? kind : 'openclaw'
}

/** Of the agent that lives in it, or whose browser or desktop it is. */
export const agentIdOf = ({ spec }: Pick<Machine, 'spec'>): AgentId => (spec.settings?.agent ?? '') as AgentId

/** What hosts agents, where anything does; throws `refused` where nothing does. */
export function hostedHere<T>(hosting: T | null): T {
  if (hosting === null)
    throw new AppError(
      'refused',
      'Agents are hosted where OAUTH3_SANDBOX is docker or OAUTH3_HOST_DRIVER is ec2; neither is so here.',
    )
  return hosting
}
