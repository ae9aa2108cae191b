export { createAppStore } from './app-store.ts'
export { type AppEvent, type Apps, type AppTerms, appToken, createApps } from './apps.ts'
export { allowsModel, modelOf, modelPatterns } from './models.ts'
export { type App, type AppLimits, NO_APP_LIMITS } from './ports.ts'
