/** An agent's pages walk the index by status, once for each: this one took 45 bytes a row beside it, and a write of each. */
export const AGENT_PAGES: readonly string[] = ['DROP INDEX executions_of_agent;']
