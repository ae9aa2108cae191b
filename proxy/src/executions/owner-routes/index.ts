export { requestRoutes } from './request-routes.ts'
export { viewCard } from './request-views.ts'
