import { HOSTILE_KINDS } from './kinds.ts'

/** All hostile agents, in a process of their own; its parent says when they work. Tells how often each one did. */
interface Order {
  readonly url: string
  /** By the kind's place in the table; null for those that do nothing. */
  readonly tokens: readonly (string | null)[]
}

let isOn = false
let turn = Promise.withResolvers<void>()
const done = HOSTILE_KINDS.map(() => 0)

process.on('message', (message: Order | 'on' | 'off' | 'counts') => {
  if (message === 'on') {
    isOn = true
    turn.resolve()
  } else if (message === 'off') {
    isOn = false
    turn = Promise.withResolvers()
  } else if (message === 'counts') process.send?.(done)
  else begin(message)
})

function begin({ url, tokens }: Order): void {
  for (const [index, kind] of HOSTILE_KINDS.entries()) {
    const token = tokens[index] ?? null
    if (token === null) continue
    const at = { url, token }
    const work = async (): Promise<never> => {
      for (;;) {
        if (!isOn) await turn.promise
        // Refused and broken off is what most of it should be.
        await kind.once(at).catch(() => new Promise((resolve) => setTimeout(resolve, 10)))
        done[index] = (done[index] ?? 0) + 1
      }
    }
    for (let one = 0; one < kind.sideBySide; one += 1) void work()
  }
}
