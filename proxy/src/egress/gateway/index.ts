export { createGateway, isEndpointName } from './gateway.ts'
