/** Why a person denied a request. */
export const DENIALS: readonly string[] = ['ALTER TABLE executions ADD COLUMN deny_reason TEXT;']
