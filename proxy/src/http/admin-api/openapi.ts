import { ADMIN_ROUTES } from '../../contracts/admin/index.ts'
import { describeApi, type Route } from '../../contracts/index.ts'

/** OpenAPI 3.1 of the owner's API, for the reference pages. A form is named after the first route that has it. */
export function createAdminDescription(version: string): Record<string, unknown> {
  const named = new Map<object, [string, { schema: Route['answer']; io: 'input' | 'output' }]>()
  for (const [name, route] of Object.entries<Route>(ADMIN_ROUTES)) {
    const Name = `${name[0]?.toUpperCase()}${name.slice(1)}`
    const { body, answer } = route
    if (body && !named.has(body)) named.set(body, [`${Name}Body`, { schema: body, io: 'input' }])
    if (!named.has(answer)) named.set(answer, [`${Name}Answer`, { schema: answer, io: 'output' }])
  }
  return describeApi({
    title: 'OAuth3 admin API',
    version,
    description: 'What the owner may do, over the admin socket. Times are unix milliseconds.',
    routes: ADMIN_ROUTES,
    always: ['internal', 'storage_unavailable', 'starting', 'shutting_down'],
    securitySchemes: {},
    named: Object.fromEntries(named.values()),
  })
}
