import type { QueryResult } from 'kysely'
import type { Value } from '../values.ts'

export interface PostgresConnection {
  run(sql: string, parameters: readonly Value[]): Promise<QueryResult<unknown>>
  /** Whether a statement has no answer yet. */
  readonly isAtWork: boolean
}

interface Client {
  query(
    sql: string,
    parameters: readonly Value[],
  ): Promise<{ readonly command: string; readonly rowCount: number | null; readonly rows: unknown[] }>
}

/** The statements of one transaction, one after the other. */
export function createPostgresConnection(client: Client): PostgresConnection {
  let last: Promise<unknown> | undefined
  let open = 0

  const ask = async (sql: string, parameters: readonly Value[]): Promise<QueryResult<unknown>> => {
    const { command, rowCount, rows } = await client.query(sql, parameters)
    const isChange = command === 'INSERT' || command === 'UPDATE' || command === 'DELETE'
    return isChange ? { rows, numAffectedRows: BigInt(rowCount ?? 0) } : { rows }
  }

  return {
    get isAtWork() {
      return open > 0
    },
    async run(sql, parameters) {
      const before = open > 0 ? last : undefined
      open += 1
      const own = (async () => {
        // Its error is its caller's.
        await before?.catch(() => {})
        return await ask(sql, parameters)
      })()
      last = own
      try {
        return await own
      } finally {
        open -= 1
      }
    },
  }
}
