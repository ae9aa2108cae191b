import type { FileListView } from '../../contracts/admin/index.ts'
import type { WorkspaceEntry } from './workspaces.ts'

const LAST_MS = Date.parse('9999-12-31T23:59:59.999Z')

/** A machine gives its files whatever times it likes: one before 1970 or behind 9999 is shown as the nearest that is not. */
const timeOf = (at: number): string => new Date(Math.min(Math.max(at, 0), LAST_MS)).toISOString()

export const viewFiles = (
  folder: string,
  { entries, isCut }: { readonly entries: readonly WorkspaceEntry[]; readonly isCut: boolean },
): FileListView => ({
  folder,
  entries: entries.map(({ modifiedAt, ...entry }) => ({ ...entry, modified_at: timeOf(modifiedAt) })),
  truncated: isCut,
})
