export { type Background, createBackground } from './background.ts'
export { startCheckpoints } from './checkpoints.ts'
export { createLargeBodies } from './large-bodies.ts'
export { createLargeInspections } from './large-inspections.ts'
