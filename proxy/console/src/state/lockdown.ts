import { signal } from '@preact/signals'
import { api } from '../api/client.ts'
import { oneAtATime } from './one-at-a-time.ts'
import { onEvent } from './stream.ts'

type Lockdown = Awaited<ReturnType<typeof readLockdown>>
const readLockdown = () => api.call('readLockdown')

/** Whether everything is stopped; null before that is known. */
export const lockdown = signal<Lockdown | null>(null)

const read = oneAtATime(async () => {
  lockdown.value = await readLockdown()
})

/** Reads it now, and when an event says that it may be another; ends by what it returns. */
export function followLockdown(): () => void {
  read()
  return onEvent(({ type }) => {
    if (type === 'reset' || type === 'daemon.locked' || type === 'daemon.unlocked') read()
  })
}

export async function stopEverything(): Promise<void> {
  lockdown.value = await api.call('panic')
}

/** `confirm`: as the person typed it. */
export async function endStop(confirm: string): Promise<void> {
  if (confirm.trim() !== 'unlock') throw new Error('Type the word unlock.')
  lockdown.value = await api.call('endPanic', { body: { confirm: 'unlock' } })
}
