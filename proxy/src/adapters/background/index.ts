export { createBackground } from './background.ts'
export { createLargeBodies } from './large-bodies.ts'
