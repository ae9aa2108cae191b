export { buildCard, type CardInput } from './build-card.ts'
export type { KnownNames } from './card-warnings.ts'
