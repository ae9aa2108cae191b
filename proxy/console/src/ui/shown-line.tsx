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

/** A text to read whole; it is visible already, and nothing in it is markup. */
export function WholeText({ of }: { readonly of: { readonly label: string; readonly text: string } | null }) {
  if (of === null) return null
  return (
    <figure aria-label={of.label}>
      <figcaption class="soft">{of.label}</figcaption>
      <pre class="full">
        <bdi>{of.text}</bdi>
      </pre>
    </figure>
  )
}
