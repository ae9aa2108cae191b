export { mountRoutes } from './mount-routes.ts'
