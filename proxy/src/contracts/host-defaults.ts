/** Whose models a hosted agent uses, and which of them, where nobody says. */
export const HOST_DEFAULTS = { provider: 'anthropic', model: 'claude-sonnet-5-5' } as const

/** The name of the machine that is a hosted agent's desktop. */
export const desktopName = (host: string): string => `${host}-desktop`
