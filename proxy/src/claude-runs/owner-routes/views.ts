import type { AppView, RunDetail, RunRow } from '../../contracts/admin/index.ts'
import { oneLine, visibleText } from '../../kernel/index.ts'
import type { App, AppLimits } from '../apps/index.ts'
import type { AppFile } from '../files/index.ts'
import type { LiveRun, Run, RunBody } from '../runs/index.ts'
import type { RunSessionRow } from '../sessions/index.ts'

/** How the owner's API names each limit. */
const LIMIT_NAMES = {
  micro_usd_per_day: 'microUsdPerDay',
  tokens_per_day: 'tokensPerDay',
  requests_per_minute: 'requestsPerMinute',
  runs_per_day: 'runsPerDay',
  micro_usd_per_run: 'microUsdPerRun',
  tokens_per_run: 'tokensPerRun',
  requests_per_run: 'requestsPerRun',
  max_running: 'maxRunning',
} as const satisfies Record<keyof AppView['limits'], keyof AppLimits>

type LimitName = keyof typeof LIMIT_NAMES
const NAMES = Object.keys(LIMIT_NAMES) as LimitName[]

export const limitsOf = (
  given: {
    readonly [N in LimitName]?: number | null | undefined
  },
): Partial<AppLimits> =>
  Object.fromEntries(
    NAMES.flatMap((name) => (given[name] === undefined ? [] : [[LIMIT_NAMES[name], given[name]]])),
  )

/** No hash of the token. */
export const viewApp = (app: App, notes: readonly string[]): AppView => ({
  ...{ id: app.id, name: app.name, cidrs: [...app.cidrs], scopes: [...app.scopes], tools: [...app.tools] },
  ...{ secrets: app.secrets === null ? null : [...app.secrets], network: app.network, hosts: [...app.hosts] },
  ...{ models: app.models === null ? null : [...app.models], provider: app.provider, seat: app.usesSeat },
  limits: Object.fromEntries(
    NAMES.map((name) => [name, app.limits[LIMIT_NAMES[name]]]),
  ) as unknown as AppView['limits'],
  ...{ keeps_prompts: app.keepsPrompts, created_at: app.createdAt, revoked_at: app.revokedAt },
  notes: [...notes],
})

export function viewRow(stored: Run, app: App | undefined, live: LiveRun | undefined): RunRow {
  const run = live?.run ?? stored
  const used = live?.usage() ?? run
  return {
    ...{ id: run.id, app: app?.name ?? run.appId, state: run.state, code: run.code },
    position: run.state === 'queued' ? (live?.ahead() ?? null) : null,
    ...{ model: run.model, prompt_sha256: run.promptSha256, prompt_chars: run.promptChars },
    ...{ result_chars: run.resultChars, detached: run.isDetached, session_id: run.sessionId },
    ...{ input_tokens: used.inputTokens, output_tokens: used.outputTokens },
    ...{ cache_read_tokens: used.cacheReadTokens, cache_write_tokens: used.cacheWriteTokens },
    ...{ requests: used.requests, micro_usd: used.microUsd, created_at: run.createdAt },
    ...{ started_at: run.startedAt, finished_at: run.finishedAt, first_byte_ms: run.firstByteMs },
  }
}

export const viewDetail = (row: RunRow, run: Run, body: RunBody | null): RunDetail => ({
  ...row,
  ...{ kept: body !== null, kept_until: run.blob?.until ?? null },
  stop_reason: run.stopReason === null ? null : oneLine(run.stopReason, NAME_CHARS),
  message: visibleOrNull(body?.message ?? run.message),
  texts: body === null ? [] : textsOf(run, body),
  denials: (body?.denials ?? []).map(({ tool, message }) => ({
    ...{ tool: oneLine(tool, NAME_CHARS), message: visibleText(message) },
  })),
})

const NAME_CHARS = 128
/** As much as a browser lays out at once. */
const SHOWN_CHARS = 200_000

const visibleOrNull = (text: string | null): string | null => (text === null ? null : visibleText(text))

function textsOf(run: Run, { result, text, prompt, system }: RunBody): RunDetail['texts'] {
  const answer = typeof result === 'string' ? result : JSON.stringify(result, null, 2)
  const shown = (label: RunDetail['texts'][number]['label'], of: string): RunDetail['texts'] =>
    of === '' ? [] : [{ label, text: visibleText(of.slice(0, SHOWN_CHARS)), cut: of.length > SHOWN_CHARS }]
  return [
    ...(run.state === 'done' ? shown('Result', answer) : shown('As far as it came', text)),
    ...shown('Prompt', prompt ?? ''),
    ...shown('System prompt', system ?? ''),
  ]
}

export const viewFile = (file: AppFile) => ({
  ...{ file_token: file.id, name: file.name, bytes: file.bytes },
  ...{ created_at: file.createdAt, expires_at: file.expiresAt },
})

export const viewSession = (row: RunSessionRow) => ({
  ...{ id: row.id, parent: row.parent, runs: row.runs, bytes: row.bytes },
  ...{ created_at: row.createdAt, used_at: row.usedAt, expires_at: row.expiresAt },
})
