import type { AdminClient } from './admin-client.ts'

/** The owner's routes over the daemon's socket; `tenant` left out: the default one. What describes the routes is loaded here. */
export async function connectAdmin(socketPath: string, tenant?: string): Promise<AdminClient> {
  const { createAdminClient } = await import('./admin-client.ts')
  return createAdminClient(socketPath, tenant)
}
