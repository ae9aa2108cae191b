export { scopeOfGrant } from './grant-scope.ts'
export {
  createTrust,
  type Grant,
  type GrantRepository,
  type Trust,
} from './trust.ts'
