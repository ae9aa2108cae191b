interface RunCodeText {
  /** Of `POST /run`, when the run ends so while its caller waits. */
  readonly status: number
  readonly help: string
}

/** How a run may end, and what its caller is told. `docs/claude-runs.md` explains them. */
export const RUN_ENDINGS = {
  ok: { status: 200, help: 'There is a result.' },
  model_refused: { status: 422, help: 'The model declined to answer.' },
  budget_exceeded: {
    status: 402,
    help: 'The budget of the run, or a limit of the app, is used up; the call that would pass it was not made.',
  },
  schema_not_met: { status: 422, help: 'The result does not meet the schema, also after one repair.' },
  input_refused: {
    status: 413,
    help: 'Prompt, files and session do not fit into the model, or the CLI refused them.',
  },
  upstream_error: { status: 502, help: 'The provider of the model refused or failed for good.' },
  max_turns: { status: 422, help: 'The run needed more turns than it may take.' },
  max_tokens: { status: 422, help: 'The answer is longer than one answer may be.' },
  output_limit: { status: 422, help: 'The run printed more than is kept.' },
  silent: { status: 504, help: 'Nothing came for so long that the run was ended.' },
  timeout: { status: 504, help: 'The run took longer than timeout_secs.' },
  cancelled: { status: 409, help: 'The run was ended: by its app, its caller who left, or the owner.' },
  session_unknown: { status: 410, help: 'The CLI cannot go on with the session.' },
  cli_crashed: { status: 502, help: 'The CLI ended without an answer.' },
  memory_limit: { status: 502, help: 'The run took more memory than it may.' },
  sandbox_lost: { status: 503, help: 'The container of the run is gone.' },
  not_started: { status: 503, help: 'No container could take the run; the prompt was not handed over.' },
  image_missing: {
    status: 503,
    help: 'The image of runs is not built, or was removed. Its owner runs: npm run images -- --only claude. The prompt was not handed over.',
  },
  engine_away: {
    status: 503,
    help: 'The container engine does not answer. Its owner starts it; oauth3 doctor says when it does. The prompt was not handed over.',
  },
  file_gone: {
    status: 410,
    help: 'A file of the run was removed, or its time was over, before the run began.',
  },
  daemon_restarted: {
    status: 503,
    help: 'The daemon ended first. A run that had begun is never run again by itself.',
  },
  internal: { status: 500, help: 'A defect of the daemon; its log has the details.' },
} as const satisfies Readonly<Record<string, RunCodeText>>

export type RunEnding = keyof typeof RUN_ENDINGS
export const RUN_ENDING_CODES = Object.keys(RUN_ENDINGS) as [RunEnding, ...RunEnding[]]

export const RUN_STATES = ['queued', 'running', 'done', 'failed', 'cancelled'] as const
export type RunState = (typeof RUN_STATES)[number]
export const isRunOver = (state: RunState): boolean => state !== 'queued' && state !== 'running'
