import { computed, signal } from '@preact/signals'
import type { ApprovalSummary, ApprovalView } from '../../../src/contracts/admin/index.ts'
import { api } from '../api/client.ts'
import { daemonTime } from './clock.ts'
import { oneAtATime } from './one-at-a-time.ts'
import { onEvent } from './stream.ts'

/** What waits for an answer, as last read; null before that. */
export const waiting = signal<readonly ApprovalSummary[] | null>(null)

/** By their ids: what was read whole, because it waits or because its page is open. */
export const views = signal<ReadonlyMap<string, ApprovalView>>(new Map())

export const waitingCount = computed(() => waiting.value?.length ?? 0)

/** Whether its time is over by the daemon's clock; one whose time is unknown is not answered. */
export const isExpired = ({ expires_at }: Pick<ApprovalSummary, 'expires_at'>): boolean =>
  daemonTime.value === null || daemonTime.value >= expires_at

export function remember(read: Iterable<ApprovalView>): void {
  const next = new Map(views.peek())
  for (const view of read) next.set(view.id, view)
  views.value = next
}

export async function readView(id: string): Promise<ApprovalView> {
  const view = await api.call('readApproval', { params: { id } })
  remember([view])
  return view
}

/** As many as a browser has connections to one place, but for the stream's and one for the person's own acts. */
const READERS = 4

/** What is another once a request is drawn in another way. */
const CHANGING = [
  'consent_hash',
  'status',
  'approvals_given',
  'approvals_needed',
  'risk',
  'reminded_at',
] as const

/** Reads whole what waits and was not read, or is by now another than was read. */
async function readMissing(list: readonly ApprovalSummary[]): Promise<void> {
  const missing = list.filter((one) => {
    const known = views.peek().get(one.id)
    return known === undefined || CHANGING.some((member) => known[member] !== one[member])
  })
  // The newest first: it is what a person waits for.
  missing.sort((one, other) => other.created_at - one.created_at)
  const read: ApprovalView[] = []
  const flush = (): void => remember(read.splice(0))
  const reader = async (): Promise<void> => {
    for (let next = missing.shift(); next !== undefined; next = missing.shift()) {
      // One that is gone by now is off the next list.
      const view = await api.call('readApproval', { params: { id: next.id } }).catch(() => undefined)
      if (view !== undefined) read.push(view)
      if (read.length >= FLUSHED_AT) flush()
    }
  }
  await Promise.all(Array.from({ length: READERS }, reader))
  flush()
}

/** Each flush draws the list anew. */
const FLUSHED_AT = 20

const readWaiting = oneAtATime(async () => {
  const { approvals } = await api.call('listApprovals')
  // Cards that come with the list are drawn with it: nothing jumps.
  if (approvals.length <= FLUSHED_AT) await readMissing(approvals)
  waiting.value = approvals
  await readMissing(approvals)
  forgetAllBut(new Set(approvals.map(({ id }) => id)))
})

const forgetAllBut = (ids: ReadonlySet<string>): void => {
  const kept = [...views.peek()].filter(([id]) => ids.has(id) || opened.has(id))
  if (kept.length < views.peek().size) views.value = new Map(kept)
}

/** Ids of the pages that are open. */
const opened = new Set<string>()

/** Reads the list now, and whenever an event says that it may be another; ends by what it returns. */
export function followWaiting(): () => void {
  readWaiting()
  return onEvent(({ type }) => {
    if (type === 'reset' || type.startsWith('approval.') || type === 'execution.changed') readWaiting()
  })
}

/** Keeps one request as it is by now, until what it returns is called. `failed` gets why it cannot be read. */
export function followView(id: string, failed: (error: Error) => void): () => void {
  opened.add(id)
  const read = oneAtATime(async () => {
    await readView(id).catch(failed)
  })
  read()
  const stop = onEvent((event) => {
    if (event.type === 'reset' || (event.id === id && !event.type.startsWith('egress.'))) read()
  })
  return () => {
    opened.delete(id)
    stop()
  }
}
