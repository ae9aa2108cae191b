/** See the migration of SQLite of the same name. */
export const AGENT_PAGES: readonly string[] = ['DROP INDEX executions_of_agent;']
