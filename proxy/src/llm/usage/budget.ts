import { type Account, createAccount } from './account.ts'
import type {
  Budget,
  BudgetLimits,
  BudgetSums,
  Estimate,
  Limited,
  LimitName,
  SpendingLimits,
} from './ports.ts'
import { added } from './usage-buffer.ts'

const NAMES: Readonly<Partial<Record<LimitName, LimitName>>> = {
  tokens_per_day: 'budget_tokens',
  usd_per_day: 'budget_usd',
}

/** No day ends, so nothing that was used comes back. */
const FOR_EVER = { ms: 0, dayEndMs: 0 }

/** An account that no day begins anew. It lives in memory, for as long as the work itself does. */
class WorkBudget implements Budget {
  readonly limits: SpendingLimits
  readonly sums: BudgetSums = {
    ...{ requests: 0, underWay: 0, inputTokens: 0, outputTokens: 0 },
    ...{ cacheReadTokens: 0, cacheWriteTokens: 0, microUsd: 0, assumedMicroUsd: 0, unpriced: 0 },
  }
  readonly #requests: number | null
  readonly #account: Account = createAccount()

  constructor({ microUsd, tokens, requests }: BudgetLimits) {
    this.limits = { requestsPerMinute: null, tokensPerDay: tokens, microUsdPerDay: microUsd }
    this.#requests = requests
  }

  evaluate(estimate: Estimate): Limited | null {
    const most = this.#requests
    if (most !== null && this.sums.requests >= most) {
      const limit = 'budget_requests'
      return { limit, why: 'used_up', needed: 1, left: 0, most, retryAfterSeconds: 0, first: false }
    }
    const limited = this.#account.evaluate(this.limits, estimate, FOR_EVER)
    if (limited === null) return null
    return { ...limited, limit: NAMES[limited.limit] ?? limited.limit, first: false }
  }

  room(): Estimate {
    return this.#account.room(this.limits)
  }

  take(estimate: Estimate): void {
    this.sums.requests += 1
    this.sums.underWay += 1
    this.#account.take(estimate, this.limits, 0)
  }

  release(estimate: Estimate): void {
    this.sums.requests -= 1
    this.#giveBack(estimate)
  }

  settle(estimate: Estimate, counted: Estimate, told: Parameters<Budget['settle']>[2]): void {
    const { sums } = this
    const { usage, microUsd } = told
    sums.inputTokens = added(sums.inputTokens, usage?.input ?? 0)
    sums.outputTokens = added(sums.outputTokens, usage?.output ?? 0)
    sums.cacheReadTokens = added(sums.cacheReadTokens, usage?.cacheRead ?? 0)
    sums.cacheWriteTokens = added(sums.cacheWriteTokens, usage?.cacheWrite ?? 0)
    sums.microUsd = added(sums.microUsd, microUsd)
    sums.assumedMicroUsd = added(sums.assumedMicroUsd, counted.microUsd - microUsd)
    if (!told.isPriced) sums.unpriced += 1
    this.#account.spend(counted.tokens, counted.microUsd)
    this.#giveBack(estimate)
  }

  async idle(): Promise<void> {
    while (this.sums.underWay > 0) await this.#account.freed()
  }

  #giveBack(estimate: Estimate): void {
    this.sums.underWay -= 1
    this.#account.giveBack(estimate)
  }
}

export const createBudget = (limits: BudgetLimits): Budget => new WorkBudget(limits)
