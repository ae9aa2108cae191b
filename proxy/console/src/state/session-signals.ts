import { signal } from '@preact/signals'
import type { SessionView } from '../../../src/contracts/console/index.ts'

/** `unknown` until the daemon has answered once. */
export const sessionState = signal<'unknown' | 'none' | SessionView>('unknown')

/** A route answered 401: what the page shows stays below the sign-in. */
export function sessionEnded(): void {
  sessionState.value = 'none'
}

/** Whether who is signed in reaches the whole installation, as sessions of the tenant `default` do; the daemon decides, this spares pages that it would refuse. */
export const isOfInstallation = (): boolean =>
  typeof sessionState.value === 'object' && sessionState.value.tenant === 'default'
