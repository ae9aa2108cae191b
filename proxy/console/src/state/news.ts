import { signal } from '@preact/signals'

/** What the page says of its own accord: read out by screen readers, and shown for a while. */
export const news = signal<{
  readonly text: string
  readonly tone: 'plain' | 'bad'
  readonly id: number
} | null>(null)

let count = 0
let timer: ReturnType<typeof setTimeout> | undefined
const SHOWN_MS = 6_000

export function say(text: string, tone: 'plain' | 'bad' = 'plain'): void {
  news.value = { text, tone, id: ++count }
  clearTimeout(timer)
  timer = setTimeout(() => {
    news.value = null
  }, SHOWN_MS)
}
