import type { Socket } from 'node:net'
import { AppError, type TenantId } from '../../kernel/index.ts'
import type { Lockdown } from '../../vault/index.ts'
import type { Providers } from '../providers/index.ts'
import { type Budget, type BudgetLimits, createBudget } from '../usage/index.ts'
import type { Entrance } from './entrance.ts'
import type {
  ModelBinding,
  ModelEndpoints,
  RunBudget,
  RunIdentity,
  RunRefusal,
  RunUsage,
} from './model-endpoint.ts'
import type { LlmRefusal } from './refusal.ts'
import { runEntrance } from './run-access.ts'
import { createRunConnections } from './run-connections.ts'
import type { Serving } from './serving.ts'
import type { LlmTransport } from './upstreams.ts'

const DEFAULT_PROVIDER = 'anthropic'
const MICRO = 1_000_000

interface EndpointDeps {
  readonly tenant: TenantId
  readonly providers: Pick<Providers, 'find'>
  readonly lockdown: Pick<Lockdown, 'assertOpen' | 'onBegin'>
  readonly transport: LlmTransport
  readonly serve: (entrance: Entrance) => Serving
}

/** Disposing ends all that are bound. */
export function createModelEndpoints(deps: EndpointDeps): ModelEndpoints & Disposable {
  const bound = new Set<ModelBinding>()
  const endAll = (): void => {
    for (const binding of [...bound]) binding.end('cut')
  }
  deps.lockdown.onBegin(endAll)
  return {
    bind(identity) {
      deps.lockdown.assertOpen()
      const provider = identity.provider ?? DEFAULT_PROVIDER
      if (identity.tenant !== deps.tenant) throw new AppError('internal', 'The run is of another tenant.')
      const found = deps.providers.find(provider)
      if (found === undefined || 'missing' in found) {
        throw new AppError('invalid_request', `There is no provider ${provider} that a run could use.`)
      }
      if (identity.app.usesSeat === true && found.seat === undefined)
        throw new AppError('invalid_request', `${provider} is not known to have seats.`)
      const binding: ModelBinding = new Binding({ ...identity, provider }, deps, () => bound.delete(binding))
      bound.add(binding)
      return binding
    },
    [Symbol.dispose]: endAll,
  }
}

class Binding implements ModelBinding {
  readonly maxOutputTokens: number | null
  readonly #budget: Budget
  readonly #connections: ReturnType<typeof createRunConnections>
  readonly #onEnd: () => void
  #revision = 0
  #isCut = false
  #isOver = false
  #refusal: RunRefusal | null = null

  constructor(identity: RunIdentity & { readonly provider: string }, deps: EndpointDeps, onEnd: () => void) {
    const binding = this
    this.#onEnd = onEnd
    this.#budget = createBudget(budgetLimits(identity.budget))
    this.maxOutputTokens = recommended(identity.budget)
    const run = {
      identity,
      budget: this.#budget,
      isCut: () => this.#isCut,
      get revision() {
        return binding.#revision
      },
      refused: (refusal: LlmRefusal) => this.#refused(refusal),
    }
    this.#connections = createRunConnections(deps.serve(runEntrance(run, deps.providers)), deps.transport)
  }

  connection(socket: Socket): void {
    this.#connections.take(socket)
  }

  usage(): RunUsage {
    const { sums } = this.#budget
    const { cacheReadTokens: cacheRead, cacheWriteTokens: cacheWrite, microUsd, assumedMicroUsd } = sums
    return {
      inputTokens: Math.max(0, sums.inputTokens - cacheRead - cacheWrite),
      outputTokens: sums.outputTokens,
      cacheRead,
      cacheWrite,
      costUsd: sums.unpriced > 0 ? null : (microUsd + assumedMicroUsd) / MICRO,
      requests: sums.requests,
      underWay: sums.underWay,
    }
  }

  refusal(): RunRefusal | null {
    return this.#refusal
  }

  end(how?: 'cut'): void {
    if (how === 'cut' && !this.#isCut) {
      this.#isCut = true
      this.#revision += 1
    }
    // What is under way looks at the above when its client goes.
    this.#connections.end()
    if (this.#isOver) return
    this.#isOver = true
    void this.settled().then(this.#onEnd)
  }

  async settled(): Promise<RunUsage> {
    await this.#budget.idle()
    return this.usage()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.end()
    await this.settled()
  }

  /** Whoever is told when to come again is not refused for good; why a run ended is not what its end refused. */
  #refused({ code, message, retryAfterSeconds }: LlmRefusal): void {
    if (retryAfterSeconds !== undefined || this.#isOver || this.#refusal?.code === 'budget_exceeded') return
    this.#refusal = { code, message }
  }
}

/** Throws invalid_request. */
function budgetLimits({ usd, tokens, requests }: RunBudget): BudgetLimits {
  const isLimit = (value: number | null): boolean => value === null || (Number.isFinite(value) && value >= 0)
  if (![usd, tokens, requests].every(isLimit)) {
    throw new AppError('invalid_request', 'A budget is a number of 0 or more.')
  }
  // Down to whole millionths, which is what is counted.
  return { microUsd: usd === null ? null : Math.floor(usd * MICRO), tokens, requests }
}

/** Beyond it a budget has no need to hold turns short; below, more of them end in the middle than are saved. */
const LONGEST_TURN = 32_000
const SHORTEST_TURN = 4_096

/** Half of a budget of tokens: calls that a run makes at once need not wait for each other's reservations. */
const recommended = ({ usd, tokens }: RunBudget): number | null =>
  usd === null && tokens === null
    ? null
    : Math.min(LONGEST_TURN, Math.max(SHORTEST_TURN, Math.floor((tokens ?? Number.POSITIVE_INFINITY) / 2)))
