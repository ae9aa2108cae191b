import type { FileListView } from '../../contracts/admin/index.ts'
import type { WorkspaceEntry } from './workspaces.ts'

export const viewFiles = (
  folder: string,
  { entries, isCut }: { readonly entries: readonly WorkspaceEntry[]; readonly isCut: boolean },
): FileListView => ({
  folder,
  entries: entries.map(({ modifiedAt, ...entry }) => ({ ...entry, modified_at: modifiedAt })),
  truncated: isCut,
})
