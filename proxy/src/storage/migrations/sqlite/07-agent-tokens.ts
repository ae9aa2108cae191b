/** Tokens of agents. */
export const AGENT_TOKENS: readonly string[] = [
  // The token before the present one, while both are good: {sha256, since, until} as JSON.
  `
  ALTER TABLE agents ADD COLUMN previous_token TEXT;
  CREATE INDEX agents_of_previous_token ON agents (previous_token ->> 'sha256') WHERE previous_token IS NOT NULL;
  `,
]
