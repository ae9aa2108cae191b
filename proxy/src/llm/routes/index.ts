export { llmRoutes } from './llm-routes.ts'
export { providersCheck } from './providers-check.ts'
