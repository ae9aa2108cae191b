export * from './llm-schemas.ts'
export { ADMIN_ROUTES, type AdminRoutes } from './routes.ts'
export * from './schemas.ts'
