export { llmRoutes } from './llm-routes.ts'
export { viewUsage } from './llm-views.ts'
export { keyFinder, keySharers, providersCheck } from './providers-check.ts'
