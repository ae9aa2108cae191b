import { AppError } from '../../kernel/index.ts'
import { scopeCovers } from '../provider-access/index.ts'
import type { Providers } from '../providers/index.ts'
import type { Budget } from '../usage/index.ts'
import type { AccessRules, Permission } from './caller.ts'
import { dropCredentials } from './credentials.ts'
import type { Entrance } from './entrance.ts'
import type { RunIdentity } from './model-endpoint.ts'
import { type LlmRefusal, refused } from './refusal.ts'

/** What Claude Code asks of the Messages API (docs/llm-proxy.md); all else there is refused, whatever it does. */
const PATHS: ReadonlySet<string> = new Set(['/v1/messages', '/v1/messages/count_tokens'])

const ELSEWHERE = refused(
  'not_allowed',
  `A run reaches ${[...PATHS].join(' and ')} of its provider, and nothing else.`,
)
const OVER = refused('not_allowed', 'The run is over.')

/** Grants of agents have ids of their own. */
const NO_GRANT = 0

/** A run as the proxy sees it. */
export interface BoundRun {
  readonly identity: RunIdentity & { readonly provider: string }
  readonly budget: Budget
  /** Nothing of it is let through any more. */
  isCut(): boolean
  /** Grows with each change of the above. */
  readonly revision: number
  refused(refusal: LlmRefusal): void
}

/**
 * The entrance of one run: its connection says whose it is, and its app's permission stands where an agent has grants. Nobody is
 * asked for what that does not cover.
 */
export function runEntrance(run: BoundRun, providers: Pick<Providers, 'find'>): Entrance {
  const { app, provider } = run.identity
  const caller = { id: app.id, name: app.name, tags: app.tags ?? [], usesSeat: app.usesSeat ?? false }
  return {
    addressing: {
      routeOf: (path) => (PATHS.has(path) ? { kind: 'provider', provider, rest: path } : null),
      unknown: ELSEWHERE,
      shape: 'anthropic',
      take: dropCredentials,
    },
    identity: {
      of: () => (run.isCut() ? Promise.resolve(OVER) : caller),
      revalidateToken: () => (run.isCut() ? null : caller),
      missing: (_request, refusal) => Promise.resolve(refusal),
    },
    access: runAccess(run, providers),
    refused: (refusal) => run.refused(refusal),
  }
}

function runAccess(run: BoundRun, providers: Pick<Providers, 'find'>): AccessRules {
  const { provider, models, limits } = run.identity
  const { budget } = run
  const grant: Permission = { id: NO_GRANT, limits, budget }
  const scope = { groups: ['inference'], models, paths: null } as const
  const isLimited = [limits, budget.limits].some(
    ({ tokensPerDay, microUsdPerDay }) => tokensPerDay !== null || microUsdPerDay !== null,
  )
  const nobodyIsAsked = (): never => {
    throw new AppError('internal', 'Nobody is asked for what a run may use.')
  }
  return {
    get revision() {
      return run.revision
    },
    evaluate(use) {
      if (run.isCut()) return { verdict: 'refused', refusal: OVER }
      const isThere = use.provider === provider && providers.find(provider) !== undefined
      if (isThere && scopeCovers(scope, use)) return { verdict: 'granted', grant }
      return { verdict: 'refused', refusal: isThere ? notAllowed(run.identity, use) : ELSEWHERE }
    },
    holdsGrant: () => !run.isCut(),
    limitsSpending: () => isLimited,
    grants: () => [],
    takeRequest: () => Promise.resolve(true),
    requestOver: () => {},
    ask: nobodyIsAsked,
    wait: nobodyIsAsked,
    // Its owner learns of it from the run, which ends by it.
    limitPassed: () => Promise.resolve(),
  }
}

function notAllowed(
  { app, models }: RunIdentity,
  { model, group }: { readonly model: string | null; readonly group: string },
): LlmRefusal {
  if (group !== 'inference') return ELSEWHERE
  const which = model ?? 'a model whose name cannot be told'
  return refused(
    'not_allowed',
    `The app ${app.name} may not use ${which}; it may use ${models?.join(', ') ?? 'none'}.`,
  )
}
