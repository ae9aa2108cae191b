/** What `/health`, `/status` and `oauth3 doctor` tell. */
export interface HealthReport {
  /** Starting: what is lacking is on its way. */
  readonly status: 'ok' | 'starting' | 'degraded'
  readonly telegram: 'connected' | 'disconnected' | 'disabled'
  readonly database: 'ok' | 'error'
  readonly database_engine: 'sqlite' | 'postgres'
  /** Low: new requests are refused until there is room again. */
  readonly disk: 'ok' | 'low'
  readonly sandbox: 'docker' | 'embedded' | 'unavailable'
  readonly version: string
  readonly uptime_s: number
  /** Why it is degraded or weaker, for a person. */
  readonly notes: readonly string[]
}

export interface CheckResult {
  readonly ok: boolean
  /** It works, but a person could make it stronger. */
  readonly warning?: boolean
  /** What was tried and what came back, in one line. */
  readonly said: string
}

/** One thing that `oauth3 doctor` tries for real. */
export interface DoctorCheck {
  readonly name: string
  run(signal: AbortSignal): Promise<CheckResult>
}
