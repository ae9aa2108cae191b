export type { PendingWake, WakeChannel, WakeMessage, WakeReceipt, WakeRepository } from './ports.ts'
export { createWakeObserver } from './wake-observer.ts'
export type { DefaultTarget } from './wake-targets.ts'
export { createWaker, type WakeLog, type Waker, type WakerDeps } from './waker.ts'
