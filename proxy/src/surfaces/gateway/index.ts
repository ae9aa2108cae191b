export { createGateway, type GatewayDeps } from './gateway.ts'
