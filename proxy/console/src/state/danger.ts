import type { ApprovalSummary, ApprovalView } from '../../../src/contracts/admin/index.ts'

/** How much there is to look at, by what its card warns of; of cards that are not read yet, none. */
function dangerOf(view: ApprovalView | undefined): number {
  if (view === undefined) return 0
  if (view.risk === 'high') return 5
  if (view.shown.form !== 'program') return 0
  const { warnings, changes, secrets } = view.shown.card
  if (warnings.some(({ pinned }) => pinned)) return 4
  if (secrets.some(({ raw }) => raw)) return 3
  if (warnings.length > 0) return 2
  return changes.length > 0 ? 1 : 0
}

/** The most dangerous first, and of those the newest. */
export function byDanger(
  list: readonly ApprovalSummary[],
  views: ReadonlyMap<string, ApprovalView>,
): readonly ApprovalSummary[] {
  const danger = new Map(list.map(({ id }) => [id, dangerOf(views.get(id))]))
  const of = (one: ApprovalSummary): number => danger.get(one.id) ?? 0
  return list.toSorted((one, other) => of(other) - of(one) || other.created_at - one.created_at)
}
