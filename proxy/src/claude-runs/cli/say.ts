/**
 * What is said to the CLI, line by line, and how it is started. Guessed from its help, then run: docs/claude-runs.md tells what
 * the CLI really does with each (2.1.332).
 */
import { CLAUDE_ARGUMENTS, CLAUDE_WAITING } from '../../sandbox/runtimes/index.ts'
import { OWN_SERVER, REQUEST_TOOL, type RunOrder, type ToolVerdict } from '../index.ts'

type Plan = Pick<
  RunOrder,
  | 'model'
  | 'system'
  | 'appendSystem'
  | 'tools'
  | 'asksForHosts'
  | 'maxTurns'
  | 'maxOutputTokens'
  | 'session'
  | 'schema'
>

export const WAITING_ARGUMENTS: readonly string[] = [...CLAUDE_ARGUMENTS, ...CLAUDE_WAITING]

/** Whether the process that waits can take the run: tools and a conversation to go on with are known to a process from its start only. */
export const fitsWaiting = ({ tools, session }: Pick<Plan, 'tools' | 'session'>): boolean =>
  tools.length === 0 && (session?.transcript ?? null) === null

/** The CLI's own time for a command, two minutes, would end most that wait for a person. */
const COMMAND_MS = String(24 * 3_600_000)
const PATIENT = { BASH_DEFAULT_TIMEOUT_MS: COMMAND_MS, BASH_MAX_TIMEOUT_MS: COMMAND_MS }

/** Every tool is asked about, also those that the CLI would let pass. */
const settingsFor = ({ tools, asksForHosts }: Pick<Plan, 'tools' | 'asksForHosts'>): string =>
  JSON.stringify({
    permissions: { ask: tools, disableBypassPermissionsMode: 'disable' },
    attribution: { commit: '', pr: '' },
    // It would ask api.anthropic.com about each host, which no run can reach.
    skipWebFetchPreflight: true,
    // Subagents would go on behind the result, which is the run's end.
    env: { CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: '1', ...(asksForHosts ? PATIENT : {}) },
  })

/** Arguments of a process for a run that does not fit into the one that waits. */
export function launchArguments({ model, tools, maxTurns, session, asksForHosts }: Plan): string[] {
  const resumed = session?.transcript == null ? null : session.id
  return [
    ...CLAUDE_ARGUMENTS,
    // `--bare` knows three tools only, and drops others without a word.
    ...(tools.length === 0
      ? ['--bare']
      : ['--safe-mode', '--settings', settingsFor({ tools, asksForHosts })]),
    '--tools',
    // Tools of servers are told by those.
    tools.filter((name) => !name.startsWith('mcp__')).join(','),
    '--model',
    model,
    // Without it a resumed conversation keeps the system prompt of its first run, whatever this one has.
    '--system-prompt-snapshot',
    'off',
    ...(maxTurns === null ? [] : ['--max-turns', String(maxTurns)]),
    ...(resumed === null ? [] : ['--resume', resumed]),
    ...(resumed !== null && session?.fork === true ? ['--fork-session'] : []),
  ]
}

export interface Request {
  readonly id: string
  readonly line: string
}

const request = (id: string, body: Readonly<Record<string, unknown>>): Request => ({
  id,
  line: JSON.stringify({ type: 'control_request', request_id: id, request: body }),
})

const appended = ({ appendSystem, schema }: Plan): string | null => {
  const parts = [appendSystem, schema === null || schema === undefined ? null : schemaWords(schema)]
  const text = parts.filter((part) => part !== null).join('\n\n')
  return text === '' ? null : text
}

const schemaWords = (schema: unknown): string =>
  `Answer with one JSON value and nothing else, no code fence. It has to meet this JSON Schema:\n${JSON.stringify(schema)}`

/**
 * What makes a process this run's, before the prompt. All have to be answered with success. `initialize` is said once: a second one is
 * answered with success too, and changes nothing.
 */
export function opening(plan: Plan): Request[] {
  const { model, system, maxOutputTokens, tools } = plan
  const append = appended(plan)
  const settings = request('settings', {
    subtype: 'apply_flag_settings',
    settings: {
      // Not `set_model`: that asks the model a question of its own when it does not know the name.
      model,
      ...(maxOutputTokens === null
        ? {}
        : { env: { CLAUDE_CODE_MAX_OUTPUT_TOKENS: String(maxOutputTokens) } }),
    },
  })
  const prompts = request('initialize', {
    subtype: 'initialize',
    ...(tools.includes(REQUEST_TOOL) ? { sdkMcpServers: [OWN_SERVER] } : {}),
    ...(system === null ? {} : { systemPrompt: [system] }),
    ...(append === null ? {} : { appendSystemPrompt: append }),
  })
  return [prompts, settings]
}

export type InputBlock = Readonly<Record<string, unknown>> & { readonly type: string }

/**
 * The CLI answers what begins with a slash by itself, `--disable-slash-commands` or not; a line feed in front makes it a text.
 * Nothing else in a prompt has a meaning to it with `--bare` and stream-json input.
 */
export function promptLine(prompt: string, attached: readonly InputBlock[] = []): string {
  const text = prompt.startsWith('/') ? `\n${prompt}` : prompt
  return JSON.stringify({
    type: 'user',
    message: { role: 'user', content: [...attached, { type: 'text', text }] },
    parent_tool_use_id: null,
  })
}

export const repairPrompt = (problems: readonly string[]): string =>
  `That answer does not meet the JSON Schema:\n${problems.map((problem) => `- ${problem}`).join('\n')}\n` +
  'Answer again with one JSON value that meets it and nothing else.'

/** `input` is what was asked about: the CLI runs what the answer holds. */
export function verdictLine(
  id: string,
  input: Readonly<Record<string, unknown>>,
  verdict: ToolVerdict,
): string {
  const response =
    verdict.behavior === 'allow'
      ? { behavior: 'allow', updatedInput: verdict.updatedInput ?? input }
      : { behavior: 'deny', message: verdict.message }
  return JSON.stringify({
    type: 'control_response',
    response: { subtype: 'success', request_id: id, response },
  })
}

export const mcpLine = (id: string, message: Readonly<Record<string, unknown>>): string =>
  JSON.stringify({
    type: 'control_response',
    response: { subtype: 'success', request_id: id, response: { mcp_response: message } },
  })

/** Of a request that nobody here knows. */
export const refusalLine = (id: string): string =>
  JSON.stringify({
    type: 'control_response',
    response: { subtype: 'error', request_id: id, error: 'not supported' },
  })
