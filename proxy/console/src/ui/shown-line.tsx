import type { ShownLine } from '../../../src/contracts/admin/index.ts'

/** Text that others chose is isolated: letters that run from right to left reorder nothing around them. */
export function ShownText({ line }: { readonly line: ShownLine }) {
  return (
    <>
      {line.map((part, index) => {
        if (typeof part === 'string') return part
        if ('strong' in part) return <strong key={index}>{part.strong}</strong>
        return <bdi key={index}>{part.name}</bdi>
      })}
    </>
  )
}
