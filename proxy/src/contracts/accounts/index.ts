export { ACCOUNT_ROUTES, type AccountRoutes, type AccountScope, ALWAYS_REFUSED } from './routes.ts'
export { keyView, logInView, meView, tokensView, userView } from './schemas.ts'
