export {
  type CodeFactsService,
  createCodeFacts,
  isWalled,
  languageOf,
  type ProgramReader,
  unreadableFacts,
} from './code-facts.ts'
export { byDanger, DANGERS, type Danger, type DangerKind } from './dangers.ts'
export { deriveNetwork, type RequestedHost } from './derive.ts'
export type {
  CodeFacts,
  DangerFact,
  ImportFact,
  Language,
  RequestFact,
  SecretFact,
  Source,
} from './facts.ts'
export { createFactsStore } from './facts-store.ts'
export { hasHidden, hasMixedWord, imitatesCard, latinLook, readText, skeleton } from './text/index.ts'
