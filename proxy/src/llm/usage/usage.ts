import type { AuditLog } from '../../audit/index.ts'
import type { Actor } from '../../identity/index.ts'
import {
  AppError,
  type CallerId,
  type Clock,
  createOneAtATime,
  DAY_MS,
  type Json,
  type Storage,
  type Tx,
  utcDay,
} from '../../kernel/index.ts'
import { type Account, createAccount } from './account.ts'
import { checkedPrice } from './own-prices.ts'
import type {
  Admission,
  Budget,
  Estimate,
  Price,
  SpendingLimits,
  TokenUsage,
  Usage,
  UsageRow,
} from './ports.ts'
import { costOf, createPriceBook, priced, resoldPrice } from './prices.ts'
import { requireDay, summed } from './report.ts'
import { type ModelPrice, type Reserved, reservationOf } from './reservation.ts'
import { added, createUsageBuffer } from './usage-buffer.ts'
import { countedMicroUsd, countedTokens, createUsageDays } from './usage-days.ts'

const NOTHING: Estimate = { tokens: 0, microUsd: 0 }
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
function assumed(guess: NonNullable<Entry['guess']>, price: Price | null, reserved: Reserved): Estimate {
  // Of money nothing is held where it is not limited; where a limit comes later in the day, tokens alone were counted.
  if (guess === 'reservation') return reserved
  const { inputTokens: input, outputTokens: output } = guess
  const usage: TokenUsage = { input, output, cacheRead: 0, cacheWrite: 0, toldMicroUsd: null }
  return { tokens: added(input, output), microUsd: costOf(usage, price) ?? reserved.microUsd }
}

/**
 * Usage accounting and limits. A request costs no disk: sums are kept in memory and written together, at the latest a
 * second after the first that is not written. What was used before is read at the start, so a restart opens no limit. A write
 * that fails is tried again with everything that came since.
 */
export function createUsage(deps: {
  readonly audit: AuditLog
  readonly storage: Storage
  readonly clock: Clock
  readonly nameOf: (agentId: CallerId) => string
  readonly flushMs?: number
  readonly onDefect: (error: unknown) => void
}): Usage {
  const { audit, storage, clock, nameOf, flushMs = FLUSH_MS, onDefect } = deps
  const usageBuffer = createUsageBuffer()
  const days = createUsageDays()
  const book = createPriceBook([])
  const accounts = new Map<CallerId, Map<string, Account>>()
  const totals = new Map<string, Total>()
  let day = ''
  let dayEndMs = Number.NEGATIVE_INFINITY
  let timer: NodeJS.Timeout | null = null
  let hasFailed = false
  /** Taken out of the buffer, and not known to be on disk. */
  let beingWritten: readonly UsageRow[] = []
  /** How often the days were read; a batch that a reading may have seen is not added to them. */
  let readings = 0
  /** What reads or writes rows does so one after the other: each finds all that was flushed on disk, or in the buffer. */
  const inTurn = createOneAtATime()
  let isLoading = false
  async function loadDays(): Promise<void> {
    if (isLoading) return
    isLoading = true
    try {
      await inTurn(async () => {
        const since = utcDay(clock.now() - DAY_MS)
        const rows = await storage.read((tx) => tx.usage.since(since))
        readings += 1
        days.load(since, rows)
        startDay()
      })
    } catch (error) {
      // The next request of that day tries again.
      onDefect(error)
    } finally {
      isLoading = false
    }
  }

  function accountOf(agentId: CallerId, provider: string): Account {
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

  /** What is held already on disk and in memory counts in the limits of the day. */
  function startDay(): void {
    for (const ofAgent of accounts.values()) for (const account of ofAgent.values()) account.startDay()
    for (const { agentId, provider, tokens, microUsd, models } of days.of(day)) {
      accountOf(agentId, provider).spend(tokens, microUsd)
      for (const model of models) usageBuffer.know(day, agentId, model)
    }
    for (const row of [...beingWritten, ...usageBuffer.pending()]) {
      if (row.day !== day) continue
      accountOf(row.agentId, row.provider).spend(countedTokens(row), countedMicroUsd(row))
      usageBuffer.know(day, row.agentId, row.model)
    }
  }

  /** Moves to the day of this moment. */
  function moveTo(nowMs: number): void {
    if (nowMs < dayEndMs && nowMs >= dayEndMs - DAY_MS) return
    day = utcDay(nowMs)
    dayEndMs = (Math.floor(nowMs / DAY_MS) + 1) * DAY_MS
    days.forgetBefore(utcDay(nowMs - DAY_MS))
    startDay()
  }

  /** Nobody passes a limit of a day whose sums are not here: they are read beside this. */
  function assertKnown({ tokensPerDay, microUsdPerDay }: SpendingLimits): void {
    if (days.isKnown(day)) return
    void loadDays()
    if (tokensPerDay === null && microUsdPerDay === null) return
    throw new AppError('storage_unavailable', 'What was used on this day is being read; ask again.', {
      retryAfterSeconds: 1,
    })
  }

  async function write(): Promise<void> {
    if (timer !== null) clearTimeout(timer)
    timer = null
    if (usageBuffer.isEmpty() && beingWritten.length === 0) return
    const reading = readings
    try {
      await storage.transaction(async (tx) => {
        // Only now: a batch before it whose commit got no answer is settled when a unit begins.
        usageBuffer.putBack(beingWritten)
        const rows = usageBuffer.take()
        beingWritten = rows
        await tx.usage.add(rows)
        tx.onCommit(() => {
          beingWritten = []
          if (reading === readings) days.add(rows)
          else void loadDays()
        })
      }, 'grouped')
      hasFailed = false
    } catch (error) {
      // Told once for each spell of failures; the sums stay.
      if (!hasFailed) onDefect(error)
      hasFailed = true
      schedule()
    }
  }
  const flush = (): Promise<void> => inTurn(write)

  function schedule(): void {
    timer ??= setTimeout(() => void flush(), flushMs).unref()
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
    who: { readonly agentId: CallerId; readonly provider: string },
    account: Account,
    entry: Entry,
    reserved: Reserved,
    budget: Budget | undefined,
  ): void {
    moveTo(clock.now())
    const { provider } = who
    const { usage } = entry
    const line = usageBuffer.line(day, who.agentId, provider, entry.model, entry.keyId)
    const total = totalOf(provider)
    line.requests += 1
    total.requests += 1
    if (entry.failed) line.failed += 1
    if (usage === null) {
      let counted: Estimate = NOTHING
      let isPriced = true
      if (!entry.failed && entry.isFree !== true) line.unreported += 1
      if (entry.guess) {
        const price = priceOf(provider, entry)
        isPriced = price !== null || entry.guess === 'reservation'
        counted = assumed(entry.guess, price, reserved)
        const { tokens, microUsd } = counted
        line.assumedTokens = added(line.assumedTokens, tokens)
        line.assumedMicroUsd = added(line.assumedMicroUsd, microUsd)
        account.spend(tokens, microUsd)
      }
      budget?.settle(reserved, counted, { usage, microUsd: 0, isPriced })
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
      const counted = { tokens: added(usage.input, usage.output), microUsd: added(microUsd, beside) }
      account.spend(counted.tokens, counted.microUsd)
      budget?.settle(reserved, counted, { usage, microUsd, isPriced: isWhole })
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
  function reserve(who: Parameters<Usage['reserveQuota']>[0], account: Account): Reserved | null {
    const { estimate, limits, budget } = who
    // Nobody waits for the money where it is not limited: no price need be looked up.
    const prices =
      (limits.microUsdPerDay !== null || (budget?.limits.microUsdPerDay ?? null) !== null) &&
      estimate.inputTokens + estimate.outputTokens > 0
        ? pricesOf(who)
        : NO_PRICES
    return prices === null ? null : reservationOf(estimate, prices, account, limits, budget)
  }

  /** Of each model that a request names; null where one has none. */
  function pricesOf({
    model: first,
    moreModels = [],
    provider,
    reportsCost,
  }: Parameters<Usage['reserveQuota']>[0]): ModelPrice[] | null {
    const prices: ModelPrice[] = []
    const models = moreModels.every((model) => model === first) ? [first] : new Set([first, ...moreModels])
    for (const model of models) {
      const known = model === null ? null : book.find(provider, model)
      const price = known ?? (reportsCost ? resoldPrice(book, provider, model ?? '') : null)
      if (price === null) return null
      prices.push({ model: model ?? '', price })
    }
    return prices
  }

  /** After the last write of a unit that changes prices. */
  const pricesChanged = async (tx: Tx, actor: Actor, data: Json): Promise<void> => {
    await audit.append(tx, 'price.set', actor, null, data)
    const own = await tx.usage.prices()
    tx.onCommit(() => book.setOwn(own))
  }

  return {
    async load(tx) {
      const since = utcDay(clock.now() - DAY_MS)
      days.load(since, await tx.usage.since(since))
      book.setOwn(await tx.usage.prices())
    },
    reserveQuota(who) {
      const nowMs = clock.now()
      moveTo(nowMs)
      assertKnown(who.limits)
      const account = accountOf(who.agentId, who.provider)
      const reserved = reserve(who, account)
      if (reserved === null) return { limit: 'no_price' }
      const { agentId, provider, budget } = who
      const ofBudget = budget?.evaluate(reserved) ?? null
      // What passes is told behind what does not.
      if (ofBudget !== null && ofBudget.why !== 'under_way') return ofBudget
      const limited = account.evaluate(who.limits, reserved, { ms: nowMs, dayEndMs }) ?? ofBudget
      if (limited !== null) return limited
      account.take(reserved, who.limits, nowMs)
      budget?.take(reserved)
      let isOver = false
      return {
        cap: reserved.cap,
        settle(entry) {
          if (isOver) return
          isOver = true
          account.giveBack(reserved)
          settle({ agentId, provider }, account, entry, reserved, budget)
        },
        release() {
          if (isOver) return
          isOver = true
          account.giveBack(reserved)
          account.forget(nowMs, clock.now())
          budget?.release(reserved)
        },
      }
    },
    roomFreed: ({ agentId, provider }) => accountOf(agentId, provider).freed(),
    async report(by, sinceDay, only) {
      requireDay(sinceDay)
      const rows = await inTurn(async () => {
        // Of a batch that failed it may not be known whether it is among the rows.
        if (beingWritten.length > 0) await write()
        const written = await storage.read((tx) => tx.usage.since(sinceDay))
        return [
          ...written,
          ...[...beingWritten, ...usageBuffer.pending()].filter((row) => row.day >= sinceDay),
        ]
      })
      return summed(only === undefined ? rows : rows.filter(({ agentId }) => agentId === only), by, nameOf)
    },
    totals: () => [...totals.values()].map((total) => ({ ...total })),
    prices: () => book.list(),
    isPriced: (provider, model) => book.find(provider, model) !== null,
    async setPrice(price: Price, actor) {
      const { stored, data } = checkedPrice(price)
      await storage.transaction(async (tx) => {
        await tx.usage.setPrice(stored, clock.now())
        await pricesChanged(tx, actor, data)
      })
    },
    async removePrice(provider, model, actor) {
      await storage.transaction(async (tx) => {
        const own = (await tx.usage.prices()).find((one) => one.provider === provider && one.model === model)
        if (own === undefined) throw new AppError('not_found', 'There is no own price of this model.')
        await tx.usage.removePrice(provider, model)
        await pricesChanged(tx, actor, { provider, model, removed: true })
      })
    },
    flush,
    async [Symbol.asyncDispose]() {
      await flush()
      if (timer !== null) clearTimeout(timer)
      timer = null
    },
  }
}
