export { createGateway, isDoorName } from './gateway.ts'
