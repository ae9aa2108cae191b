export { appRoutes } from './app-routes.ts'
export { runRoutes } from './run-routes.ts'
