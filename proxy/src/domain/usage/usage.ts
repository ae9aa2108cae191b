import { type AgentId, AppError, type Clock } from '../../kernel/index.ts'
import type { AuditLog, Transactor } from '../audit/index.ts'
import { type Account, createAccount } from './account.ts'
import { checkedPrice } from './own-prices.ts'
import type { Admission, Price, TokenUsage, Usage, UsageRepository } from './ports.ts'
import { costOf, createPriceBook, priced, resoldPrice } from './prices.ts'
import { requireDay, summed } from './report.ts'
import { type ModelPrice, type Reserved, reservationOf } from './reservation.ts'
import { added, createUsageBuffer } from './usage-buffer.ts'

const DAY_MS = 86_400_000
const NO_PRICES: readonly ModelPrice[] = []
/** What was settled shall be on disk within a second; the write itself takes a part of it. */
const FLUSH_MS = 750

type Total = {
  provider: string
  requests: number
  inputTokens: number
  outputTokens: number
  microUsd: number
}

type Entry = Parameters<Admission['settle']>[0]

/** What an answer without figures counts in the limits. */
function assumed(
  guess: NonNullable<Entry['guess']>,
  price: Price | null,
  reserved: Reserved,
): { readonly tokens: number; readonly microUsd: number } {
  // Of money nothing is held where it is not limited; where a limit comes later in the day, tokens alone were counted.
  if (guess === 'reservation') return reserved
  const { inputTokens: input, outputTokens: output } = guess
  const usage: TokenUsage = { input, output, cacheRead: 0, cacheWrite: 0, toldMicroUsd: null }
  return { tokens: added(input, output), microUsd: costOf(usage, price) ?? reserved.microUsd }
}

/**
 * Usage accounting and limits. A request costs no disk: sums are kept in memory and written together, at the latest a
 * second after the first that is not written. What was used earlier in the day is read once, when the first request
 * of the day comes, so a restart opens no limit. A write that fails is tried again with everything that came since.
 */
export function createUsage(deps: {
  readonly repository: UsageRepository
  readonly audit: AuditLog
  readonly transactor: Transactor
  readonly clock: Clock
  readonly nameOf: (agentId: AgentId) => string
  readonly flushMs?: number
  readonly onDefect: (error: unknown) => void
}): Usage {
  const { repository, audit, transactor, clock, nameOf, flushMs = FLUSH_MS, onDefect } = deps
  const usageBuffer = createUsageBuffer()
  const book = createPriceBook(repository.prices())
  const accounts = new Map<AgentId, Map<string, Account>>()
  const totals = new Map<string, Total>()
  let day = ''
  let dayEndMs = Number.NEGATIVE_INFINITY
  let timer: NodeJS.Timeout | null = null
  let hasFailed = false

  function accountOf(agentId: AgentId, provider: string): Account {
    let ofAgent = accounts.get(agentId)
    if (ofAgent === undefined) {
      ofAgent = new Map()
      accounts.set(agentId, ofAgent)
    }
    let account = ofAgent.get(provider)
    if (account === undefined) {
      account = createAccount()
      ofAgent.set(provider, account)
    }
    return account
  }

  /** Moves to the day of this moment; what it already holds on disk and in memory counts in its limits. */
  function moveTo(nowMs: number): void {
    if (nowMs < dayEndMs && nowMs >= dayEndMs - DAY_MS) return
    const startMs = Math.floor(nowMs / DAY_MS) * DAY_MS
    const next = new Date(startMs).toISOString().slice(0, 10)
    const rows = [...repository.since(next), ...usageBuffer.pending()].filter((row) => row.day === next)
    for (const ofAgent of accounts.values()) for (const account of ofAgent.values()) account.startDay()
    for (const row of rows) {
      accountOf(row.agentId, row.provider).spend(
        added(added(row.inputTokens, row.outputTokens), row.assumedTokens),
        added(row.microUsd, row.assumedMicroUsd),
      )
      usageBuffer.know(next, row.agentId, row.model)
    }
    day = next
    dayEndMs = startMs + DAY_MS
  }

  function flush(): void {
    if (timer !== null) clearTimeout(timer)
    timer = null
    if (usageBuffer.isEmpty()) return
    try {
      const rows = usageBuffer.pending()
      transactor.transact(() => repository.add(rows), 'grouped')
      usageBuffer.clear()
      hasFailed = false
    } catch (error) {
      // Told once for each spell of failures; the sums stay.
      if (!hasFailed) onDefect(error)
      hasFailed = true
      schedule()
    }
  }

  function schedule(): void {
    timer ??= setTimeout(flush, flushMs).unref()
  }

  function totalOf(provider: string): Total {
    let total = totals.get(provider)
    if (total === undefined) {
      total = { provider, requests: 0, inputTokens: 0, outputTokens: 0, microUsd: 0 }
      totals.set(provider, total)
    }
    return total
  }

  function settle(
    who: { readonly agentId: AgentId; readonly provider: string },
    account: Account,
    entry: Entry,
    reserved: Reserved,
  ): void {
    try {
      moveTo(clock.now())
    } catch (error) {
      // It happened, whatever the disk says: it goes to the day before.
      onDefect(error)
    }
    const { provider } = who
    const { usage } = entry
    const line = usageBuffer.line(day, who.agentId, provider, entry.model, entry.keyId)
    const total = totalOf(provider)
    line.requests += 1
    total.requests += 1
    if (entry.failed) line.failed += 1
    if (usage === null) {
      if (!entry.failed && entry.isFree !== true) line.untold += 1
      if (entry.guess) {
        const { tokens, microUsd } = assumed(entry.guess, priceOf(provider, entry), reserved)
        line.assumedTokens = added(line.assumedTokens, tokens)
        line.assumedMicroUsd = added(line.assumedMicroUsd, microUsd)
        account.spend(tokens, microUsd)
      }
    } else {
      const price = usage.toldMicroUsd === null ? priceOf(provider, entry) : null
      const { microUsd, isWhole } = priced(usage, price, provider, entry.model || (entry.askedModel ?? ''))
      // In the limits what has no known price is not free: all that was reserved counts, or what is known, if that is more.
      const beside = isWhole ? 0 : Math.max(0, reserved.microUsd - microUsd)
      if (!isWhole) {
        line.unpriced += 1
        line.assumedMicroUsd = added(line.assumedMicroUsd, beside)
      }
      line.inputTokens = added(line.inputTokens, usage.input)
      line.outputTokens = added(line.outputTokens, usage.output)
      line.cacheReadTokens = added(line.cacheReadTokens, usage.cacheRead)
      line.cacheWriteTokens = added(line.cacheWriteTokens, usage.cacheWrite)
      line.microUsd = added(line.microUsd, microUsd)
      total.inputTokens = added(total.inputTokens, usage.input)
      total.outputTokens = added(total.outputTokens, usage.output)
      total.microUsd = added(total.microUsd, microUsd)
      account.spend(added(usage.input, usage.output), added(microUsd, beside))
    }
    schedule()
  }

  /** A vendor may answer under a name that no price is known for: what was asked for is not free by that. */
  function priceOf(provider: string, entry: Entry): Price | null {
    const price = book.find(provider, entry.model)
    const asked = entry.askedModel ?? ''
    return price === null && asked !== '' ? book.find(provider, asked) : price
  }

  /** Null where money is limited and the price of a model is not known; what uses no tokens needs none. */
  function reserve(who: Parameters<Usage['admit']>[0], account: Account): Reserved | null {
    const { estimate, limits } = who
    // Nobody waits for the money where it is not limited: no price need be looked up.
    const prices =
      limits.microUsdPerDay !== null && estimate.inputTokens + estimate.outputTokens > 0
        ? pricesOf(who)
        : NO_PRICES
    return prices === null ? null : reservationOf(estimate, prices, account, limits)
  }

  /** Of each model that a request names; null where one has none. */
  function pricesOf({
    model: first,
    moreModels = [],
    provider,
    tellsCost,
  }: Parameters<Usage['admit']>[0]): ModelPrice[] | null {
    const prices: ModelPrice[] = []
    const models = moreModels.every((model) => model === first) ? [first] : new Set([first, ...moreModels])
    for (const model of models) {
      const known = model === null ? null : book.find(provider, model)
      const price = known ?? (tellsCost ? resoldPrice(book, provider, model ?? '') : null)
      if (price === null) return null
      prices.push({ model: model ?? '', price })
    }
    return prices
  }

  const changePrices = (change: () => void, actor: string, data: Parameters<AuditLog['append']>[3]): void => {
    transactor.transact(() => {
      change()
      audit.append('price.set', actor, null, data)
    })
    book.setOwn(repository.prices())
  }

  return {
    admit(who) {
      const nowMs = clock.now()
      moveTo(nowMs)
      const account = accountOf(who.agentId, who.provider)
      const reserved = reserve(who, account)
      if (reserved === null) return { limit: 'no_price' }
      const limited = account.evaluate(who.limits, reserved, { ms: nowMs, dayEndMs })
      if (limited !== null) return limited
      account.take(reserved, who.limits, nowMs)
      const { agentId, provider } = who
      let isOver = false
      return {
        cap: reserved.cap,
        settle(entry) {
          if (isOver) return
          isOver = true
          account.giveBack(reserved)
          settle({ agentId, provider }, account, entry, reserved)
        },
        release() {
          if (isOver) return
          isOver = true
          account.giveBack(reserved)
          account.forget(nowMs, clock.now())
        },
      }
    },
    report(by, sinceDay) {
      requireDay(sinceDay)
      const pending = usageBuffer.pending().filter((row) => row.day >= sinceDay)
      return summed([...repository.since(sinceDay), ...pending], by, nameOf)
    },
    totals: () => [...totals.values()].map((total) => ({ ...total })),
    prices: () => book.list(),
    isPriced: (provider, model) => book.find(provider, model) !== null,
    setPrice(price: Price, actor) {
      const { stored, data } = checkedPrice(price)
      changePrices(() => repository.setPrice(stored, clock.now()), actor, data)
    },
    removePrice(provider, model, actor) {
      const own = repository.prices().find((one) => one.provider === provider && one.model === model)
      if (own === undefined) throw new AppError('not_found', 'There is no own price of this model.')
      changePrices(() => repository.removePrice(provider, model), actor, { provider, model, removed: true })
    },
    flush,
    [Symbol.dispose]() {
      flush()
      if (timer !== null) clearTimeout(timer)
      timer = null
    },
  }
}
