/** Keys of the page. A component registers what it answers to while it is shown; the last registered goes first. */
export interface KeyBinding {
  readonly key: string
  readonly says: string
  readonly run: () => void
}

const bindings: (readonly KeyBinding[])[] = []

export function bindKeys(of: readonly KeyBinding[]): () => void {
  bindings.push(of)
  return () => {
    bindings.splice(bindings.indexOf(of), 1)
  }
}

/** What can be pressed now, for the help. */
export const boundKeys = (): readonly KeyBinding[] => bindings.flat()

const PREFIX = 'g'
const PREFIX_MS = 1_500
let prefixUntil = 0

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName))

export function startKeys(): void {
  addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || event.repeat) return
    if (isTyping(event.target) || document.querySelector('dialog[open]') !== null) return
    const key = performance.now() < prefixUntil ? `${PREFIX} ${event.key}` : event.key
    prefixUntil = 0
    const found = bindings
      .toReversed()
      .flat()
      .find((binding) => binding.key === key)
    if (found !== undefined) {
      event.preventDefault()
      found.run()
    } else if (event.key === PREFIX) prefixUntil = performance.now() + PREFIX_MS
  })
}
