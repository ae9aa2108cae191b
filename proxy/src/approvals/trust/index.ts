export { scopeOfGrant } from './grant-scope.ts'
export { createGrantStore } from './grant-store.ts'
export {
  createTrust,
  type Grant,
  type Trust,
} from './trust.ts'
