import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type Docker from 'dockerode'
import {
  type AdminClient,
  type CliSurroundings,
  connectAdmin,
  type DemoAnswer,
  EXIT,
  hardWrap,
  noPrograms,
  renderApproval,
  runCli,
} from '../cli/index.ts'
import { startDaemon } from '../compose/daemon.ts'
import { readConfig } from '../config/index.ts'
import { formatBytes, formatExactUsd } from '../kernel/index.ts'
import { CLAUDE_IMAGE, imageTag } from '../sandbox/runtimes/index.ts'
import { VERSION } from '../version.ts'
import { searchContainers } from './container-search.ts'
import { createDemoApp, type DemoApp, type RunAnswer } from './demo-app.ts'
import { answerOfRun, type DemoModel, startDemoModel } from './demo-model.ts'
import { engineWithImage } from './sandbox-choice.ts'
import { onStage, type Stage, saysYes, showConsole } from './stage.ts'

const APP = 'cauldron'
const PROMPT = "Parse this ingredient: 'about 2 cups of cooked white rice'. Reply with JSON."
const SEARCH_PROMPT = 'Search the web for news of OAuth3, and sum them up in one sentence.'
const ASK_AGAIN_MS = 200
/** Of the bar in front of what an app is answered. */
const BAR_COLUMNS = 5

/**
 * A prompt of an app from end to end: the real daemon, the real Claude Code in a real container, the real LLM proxy. The model alone is
 * played, on this machine, so that nobody needs a key or an account.
 */
export async function runClaudeDemo(
  around: CliSurroundings,
  options: { approve: DemoAnswer | undefined },
  stopped: AbortSignal,
): Promise<number> {
  const title = 'OAuth3 demo: an app posts a prompt, Claude Code runs it, the key stays here.'
  return await onStage(around, stopped, title, (stage, folder) => perform(stage, folder, options.approve))
}

async function perform(stage: Stage, folder: string, approve: DemoAnswer | undefined): Promise<number> {
  const { signal, step } = stage
  const docker = await engineWithImage('Runs of Claude Code need', CLAUDE_IMAGE, 'claude')
  step('Image', `${imageTag(CLAUDE_IMAGE)}: Claude Code, and nothing of yours`)
  const key = `demo-key-${randomBytes(24).toString('hex')}`
  await using model = await startDemoModel(key, answerOfRun)
  await using daemon = await startDaemon(
    readConfig({
      PORT: '0',
      DB_PATH: join(folder, 'proxy.db'),
      OAUTH3_SANDBOX: 'docker',
      OAUTH3_POOL_SIZE: '0',
      CLAWDFORGE_PORT: '0',
      CLAWDFORGE_POOL_SIZE: '1',
      LOG_LEVEL: 'silent',
    }),
    { drainMs: 1_000 },
  )
  const url = daemon.appsUrl
  if (url === undefined) throw new Error('the port of apps is not open')
  step('Daemon', `apps reach it at ${url}, you in ${folder}`)

  const admin = await connectAdmin(daemon.adminSocketPath)
  step('Model', `played by the demo at ${model.origin}: a script that knows one key, in place of a vendor`)
  await admin.call('setProviderParam', {
    params: { name: 'anthropic', param: 'url' },
    body: { value: model.origin, private: true },
  })
  await admin.call('addProviderKey', { body: { provider: 'anthropic', value: key } })
  step('Key', 'you store it once; it lies encrypted in the database, and only the LLM proxy opens it')
  const { token } = await admin.call('addApp', { body: { name: APP, tools: ['WebSearch'] } })
  step('App', `${APP} gets a token, cf_…, which can ask for runs and is no key of the model`)
  const app = createDemoApp(url, token, signal)

  const isFirstGood = await firstRun(stage, { app, docker, folder, model, key })
  const isSecondGood = await searchRun(stage, { app, admin, approve })

  step('Audit', 'everything that happened, hash-chained; of a prompt its hash and size, never its text:')
  stage.say('')
  const narrow = { ...stage.around, env: { ...stage.around.env, COLUMNS: String(stage.style.columns) } }
  const oauth3 = (...args: string[]): Promise<number> =>
    runCli(['--socket', daemon.adminSocketPath, ...args], narrow, noPrograms(VERSION))
  await oauth3('audit', 'list', '-n', '100')
  stage.say('')
  const verified = await oauth3('audit', 'verify')
  if (approve === undefined) await showConsole(stage, admin)
  await daemon.stop()
  step('Cleaned up', 'the daemon stopped, its folder is gone. Next: docs/claude-runs.md')
  return isFirstGood && isSecondGood && verified === EXIT.done ? EXIT.done : EXIT.failed
}

/** While the model is asked the container is looked through, for the key that just left the daemon. */
async function firstRun(
  stage: Stage,
  {
    app,
    docker,
    folder,
    model,
    key,
  }: {
    readonly app: DemoApp
    readonly docker: Docker
    readonly folder: string
    readonly model: DemoModel
    readonly key: string
  },
): Promise<boolean> {
  const { step } = stage
  const seen = Promise.withResolvers<Awaited<ReturnType<typeof searchContainers>>>()
  model.beforeAnswer = async () => {
    model.beforeAnswer = async () => {}
    seen.resolve(await searchContainers(docker, { image: imageTag(CLAUDE_IMAGE), folder, secret: key }))
  }
  step('Prompt', `POST /run {"prompt": ${JSON.stringify(PROMPT)}}`)
  step('Container', 'one for this run alone: no network, nothing of another run, gone at its end')
  const answer = await app.run({ prompt: PROMPT, schema: INGREDIENT })
  if (model.accepted > 0)
    step('Model call', 'Claude Code asked at its socket; the LLM proxy checked the budget and put the key in')
  showAnswer(stage, answer)
  const searched = await Promise.race([seen.promise, Promise.resolve({ bytes: 0, found: false })])
  const problems = [
    ...(answer.ok ? [] : [answer.error?.message ?? 'the run failed']),
    ...(model.accepted > 0 && model.refused === 0 ? [] : ['the key did not reach the model']),
    ...(searched.bytes === 0 ? ['no container was searched'] : []),
    ...(searched.found ? ['the key was in the container'] : []),
  ]
  const searchedIn = `${formatBytes(searched.bytes)} of environment, arguments and files searched`
  stage.verdict(
    problems.length === 0,
    problems.length === 0
      ? `the model got the key; in the container (${searchedIn}) there was none`
      : problems.join('; '),
  )
  return problems.length === 0
}

const INGREDIENT = {
  type: 'object',
  required: ['qty', 'unit', 'food'],
  properties: { qty: { type: 'number' }, unit: { type: 'string' }, food: { type: 'string' } },
}

/** A tool that leaves the container's walls waits for a person. */
async function searchRun(
  stage: Stage,
  {
    app,
    admin,
    approve,
  }: { readonly app: DemoApp; readonly admin: AdminClient; readonly approve: DemoAnswer | undefined },
): Promise<boolean> {
  const { step, say, style } = stage
  step('A tool', `POST /run {"prompt": ${JSON.stringify(SEARCH_PROMPT)}, "tools": ["WebSearch"]}`)
  const { run_id: id } = await app.run({ prompt: SEARCH_PROMPT, tools: ['WebSearch'], detach: true })
  const waiting = await whatWaits(stage, admin, () => app.read(id))
  if (waiting === undefined) {
    stage.verdict(false, 'the run ended without asking')
    showAnswer(stage, await app.read(id))
    return false
  }
  const view = await admin.call('readApproval', { params: { id: waiting } })
  say(`\n${renderApproval(view, style, Date.now())}\n`)
  const isAsked = approve === undefined && stage.around.stdin.isTTY === true
  const choice = approve === 'deny' || (isAsked && !(await saysYes(stage))) ? 'deny' : 'once'
  await admin.call('decideApproval', {
    params: { id: waiting },
    body: { choice, consent_hash: view.consent_hash },
  })
  const by = isAsked
    ? 'you'
    : approve === undefined
      ? 'the demo itself, since nobody is at a terminal'
      : '--approve'
  step('Answer', `${choice}, by ${by}; ${choice === 'deny' ? 'the model is told so' : 'for this call alone'}`)
  const answer = await app.end(id)
  showAnswer(stage, answer)
  return answer.ok
}

/** Undefined: the run is over, and nothing was asked. */
async function whatWaits(
  { signal }: Stage,
  admin: AdminClient,
  read: () => Promise<RunAnswer>,
): Promise<string | undefined> {
  for (;;) {
    signal.throwIfAborted()
    const { approvals } = await admin.call('listApprovals', { query: {} })
    const first = approvals.find(({ waiting }) => waiting)
    if (first !== undefined) return first.id
    const { state } = await read()
    if (state !== 'queued' && state !== 'running') return undefined
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS))
  }
}

function showAnswer({ say, step, style }: Stage, answer: RunAnswer): void {
  step('Result', `${answer.code} in ${answer.duration_ms ?? '–'} ms; the app receives:`)
  const { ok, result, stop_reason, error } = answer
  const shown = ok ? { ok, result, stop_reason } : { ok, error }
  const lines = JSON.stringify(shown, null, 2).split('\n')
  for (const line of lines.flatMap((one) => hardWrap(one, style.columns - BAR_COLUMNS)))
    say(`   ${style.dim('│')} ${line}`)
  const { input_tokens, output_tokens, requests } = answer.usage
  const cost = answer.cost_usd === null ? 'no price known' : formatExactUsd(Math.round(answer.cost_usd * 1e6))
  step(
    'Usage',
    `${requests} ${requests === 1 ? 'call' : 'calls'} of the model, ${input_tokens} tokens in, ${output_tokens} out, ${cost}`,
  )
}
