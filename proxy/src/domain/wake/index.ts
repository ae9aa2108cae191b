export type { PendingWake, WakeChannel, WakeReceipt, WakeRepository } from './ports.ts'
export { createWakeScheduler } from './wake-scheduler.ts'
export type { DefaultTarget } from './wake-targets.ts'
export { createWaker, type Waker, type WakerDeps } from './waker.ts'
