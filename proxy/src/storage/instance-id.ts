/** The id of the installation on a PostgreSQL server; undefined where there is none. Changes nothing. Throws `storage_unavailable`. */
export async function readServerInstanceId(url: string): Promise<string | undefined> {
  const [{ default: pg }, { clientConfigOf }, { asPostgresError }] = await Promise.all([
    import('pg'),
    import('./postgres/open-server.ts'),
    import('./postgres/errors.ts'),
  ])
  const client = new pg.Client(clientConfigOf(url))
  client.on('error', () => {})
  try {
    await client.connect()
    const sql = "SELECT value FROM installation WHERE key = 'instance_id'"
    return (await client.query<{ value: string }>(sql)).rows[0]?.value
  } catch (error) {
    throw asPostgresError(error, 'The PostgreSQL database cannot be read')
  } finally {
    await client.end()
  }
}
