export { llmRoutes } from './llm-routes.ts'
export { keyFinder, keySharers, providersCheck } from './providers-check.ts'
