export { createChallengeStore } from './challenge-store.ts'
export { passkeyRoutes } from './passkey-routes.ts'
export { createPasskeyStore } from './passkey-store.ts'
export {
  type CeremonyHolder,
  createPasskeys,
  type DecisionAsked,
  type Passkeys,
  type ProvenDecision,
} from './passkeys.ts'
export { createPasskeySignIn } from './sign-in.ts'
