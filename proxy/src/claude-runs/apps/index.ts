export { createAppStore } from './app-store.ts'
export { type AppEvent, type Apps, type AppTerms, allowsModel, appToken, createApps } from './apps.ts'
export { APP_SCOPES, type App, type AppLimits, type AppScope, NO_APP_LIMITS } from './ports.ts'
