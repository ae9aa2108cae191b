/** Whose models a hosted agent uses, and which of them, where nobody says. */
export const HOST_DEFAULTS = { provider: 'anthropic', model: 'claude-sonnet-5-5' } as const
