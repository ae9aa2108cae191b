export { llmRoutes } from './llm-routes.ts'
export { keyFinder, providersCheck } from './providers-check.ts'
