import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import {
  type AdminClient,
  type CliSurroundings,
  connectAdmin,
  type DemoAnswer,
  EXIT,
  noPrograms,
  openQuestion,
  renderCard,
  renderNetwork,
  renderOutput,
  runCli,
} from '../cli/index.ts'
import { startDaemon } from '../compose/daemon.ts'
import { readConfig } from '../config/index.ts'
import type { CardView, WireDecision } from '../contracts/admin/index.ts'
import { VERSION } from '../version.ts'
import { type AgentAnswer, createDemoAgent, type DemoAgent } from './demo-agent.ts'
import { type DemoApi, startDemoApi } from './demo-api.ts'
import { chooseSandbox } from './sandbox-choice.ts'
import { DEMO_SECRET_NAME, demoRequest } from './skill.ts'
import { askLine, onStage, type Stage, showConsole } from './stage.ts'

/**
 * The main job from end to end with the real parts, in a folder that is gone afterwards: a real daemon without
 * Telegram, a person at this terminal (or, without one, an answer of the demo's own), and an agent that holds a
 * token and nothing else.
 */
const DECISIONS: Record<DemoAnswer, WireDecision> = {
  once: 'once',
  '24h': 'trust24h',
  forever: 'forever',
  deny: 'deny',
}

export async function runDemo(
  around: CliSurroundings,
  options: { approve: DemoAnswer | undefined },
  stopped: AbortSignal,
): Promise<number> {
  const title = 'OAuth3 demo: an agent asks, a person answers, the code runs, the agent knows.'
  return await onStage(around, stopped, title, (stage, folder) => perform(stage, folder, options.approve))
}

async function perform(stage: Stage, folder: string, approve: DemoAnswer | undefined): Promise<number> {
  const { around, style, signal, say, step } = stage
  const sandbox = await chooseSandbox(around.env.OAUTH3_SANDBOX?.trim() || undefined, (line) =>
    say(style.dim(`   ${line}`)),
  )
  step(
    'Sandbox',
    `${sandbox.kind === 'docker' ? 'Docker containers' : 'embedded Deno process, weaker walls'}: ${sandbox.why}`,
  )

  await using daemon = await startDaemon(
    readConfig({
      PORT: '0',
      DB_PATH: join(folder, 'proxy.db'),
      OAUTH3_SANDBOX: sandbox.kind,
      OAUTH3_POOL_SIZE: '1',
      LOG_LEVEL: 'silent',
    }),
    { drainMs: 1_000 },
  )
  step('Daemon', `agents reach it at ${daemon.url}, you in ${folder}`)

  const admin = await connectAdmin(daemon.adminSocketPath)
  const secret = `demo-value-${randomBytes(12).toString('hex')}`
  await using api = await startDemoApi(secret)
  step('API', `a small service of the demo at ${api.origin} that knows its key`)
  await admin.call('putSecret', {
    params: { name: DEMO_SECRET_NAME },
    body: {
      value: secret,
      hosts: [api.origin],
    },
  })
  step('Secret', `you store ${DEMO_SECRET_NAME} for that API alone; it lies encrypted in the database`)
  const { token } = await admin.call('addAgent', { body: { name: 'demo-agent' } })
  step('Agent', 'demo-agent gets a token: it may ask, and nothing more')

  const agent = createDemoAgent(daemon.url, token, signal)
  const request = demoRequest(api.origin)
  const asked = await agent.submit(request)
  step('Request', `POST /execute → ${asked.httpStatus} ${asked.status}, ${asked.request_id}`)

  const answer = await showAndAnswer(stage, admin, asked.request_id, approve)
  const result = await agent.result(asked.request_id)
  const told = answer === 'deny' ? 'the code never ran, and the agent knows' : 'the agent receives:'
  step('Result', `GET /execute/${asked.request_id.slice(0, 12)}… → ${result.status}${took(result)}; ${told}`)
  showOutput(stage, result)
  let isGood = result.status === 'denied'
  if (answer !== 'deny') {
    isGood = checkOutcome(stage, result, { secret, api })
    const { result: seen } = await admin.call('readRequest', { params: { id: asked.request_id } })
    step('Network', 'what you see of it, in the terminal and in Telegram:')
    for (const line of renderNetwork(seen?.network ?? null, style)) say(line)
    await askAgain(stage, agent, request, answer)
  }

  step('Audit', 'everything that happened, hash-chained:')
  say('')
  const narrow = { ...around, env: { ...around.env, COLUMNS: String(style.columns) } }
  const oauth3 = (...args: string[]): Promise<number> =>
    runCli(['--socket', daemon.adminSocketPath, ...args], narrow, noPrograms(VERSION))
  await oauth3('audit', 'list', '-n', '100')
  say('')
  const verified = await oauth3('audit', 'verify')
  if (approve === undefined) await showConsole(stage, admin)
  await daemon.stop()
  step('Cleaned up', 'the daemon stopped, its folder is gone. Next: README.md')
  say("   For models: `npx oauth3 key add openai` stores a vendor's key, which an agent")
  say('   uses without seeing it: `npx oauth3 agent add NAME --print env`.')
  return isGood && verified === EXIT.done ? EXIT.done : EXIT.failed
}

async function showAndAnswer(
  stage: Stage,
  admin: AdminClient,
  requestId: string,
  given: DemoAnswer | undefined,
): Promise<DemoAnswer> {
  const view = await admin.call('readRequest', { params: { id: requestId } })
  stage.say(`\n${renderCard(view.card, stage.style, Date.now())}\n`)
  const isAsked = given === undefined && stage.around.stdin.isTTY === true
  const answer = given ?? (isAsked ? await askPerson(stage, view.card) : 'once')
  await admin.call('decideRequest', {
    params: { id: requestId },
    body: {
      decision: DECISIONS[answer],
      consent_hash: view.consent_hash,
    },
  })
  const by = isAsked
    ? 'you'
    : given === undefined
      ? 'the demo itself, since nobody is at a terminal'
      : '--approve'
  stage.step('Answer', `${answer}, by ${by}; ${HOLDS_FOR[answer](view.consent_hash)}`)
  return answer
}

const HOLDS_FOR: Record<DemoAnswer, (consentHash: string) => string> = {
  once: (consentHash) => `it holds for consent ${consentHash.slice(0, 16)}… alone`,
  '24h': () => 'for 24 hours this code with this scope runs without asking',
  forever: () => 'until it is revoked this code with this scope runs without asking',
  deny: () => 'nothing runs',
}

const KEYS: Record<string, DemoAnswer> = {
  o: 'once',
  once: 'once',
  '2': '24h',
  '24h': '24h',
  f: 'forever',
  forever: 'forever',
  d: 'deny',
  deny: 'deny',
}

/** Asks until the answer is one of the four; the end of input is a no. */
async function askPerson(stage: Stage, card: CardView): Promise<DemoAnswer> {
  for (;;) {
    const asked = openQuestion(card).replaceAll('\n', '\n   ')
    const question = `   ${stage.style.bold(asked)}\n   [o]nce  [2]4h  [f]orever  [d]eny: `
    const typed = (await askLine(stage, question)) ?? 'd'
    const answer = KEYS[typed.trim().toLowerCase()]
    if (answer) return answer
    stage.say('   answer o, 2, f or d')
  }
}

/** The code held a placeholder, the API got the key, and neither the output nor another host did. */
function checkOutcome(
  { verdict }: Stage,
  result: AgentAnswer,
  { secret, api }: { secret: string; api: DemoApi },
): boolean {
  const output = `${result.stdout ?? ''}${result.stderr ?? ''}`
  const problems = [
    ...(output.includes(secret) ? ['the key is in the output'] : []),
    ...(/oauth3x[0-9a-f]{40}/.test(output) ? [] : ['the code did not hold a placeholder']),
    ...(api.accepted === 1 ? [] : ['the key did not reach the API']),
    ...(/^elsewhere +(?:403 host_not_approved|NotCapable)/m.test(output)
      ? []
      : ['another host was not refused']),
  ]
  verdict(
    problems.length === 0,
    problems.length === 0
      ? 'the API got the real key; the code, its output and other hosts did not'
      : problems.join('; '),
  )
  return problems.length === 0
}

/** With a grant the same request runs at once; after `once` it would ask again, so the agent takes it back. */
async function askAgain(
  { step }: Stage,
  agent: DemoAgent,
  request: ReturnType<typeof demoRequest>,
  answer: DemoAnswer,
): Promise<void> {
  const again = await agent.submit(request)
  const answered = `the same POST → ${again.httpStatus} ${again.status}`
  if (answer === 'once') {
    await agent.withdraw(again.request_id)
    step('Again', `${answered}: once was once, so a person would be asked anew; the agent withdraws it`)
    return
  }
  const final = again.httpStatus === 202 ? await agent.result(again.request_id) : again
  step(
    'Again',
    `${answered}${final === again ? '' : `, then ${final.status}`}${took(final)}: trusted (${answer}), nobody was asked`,
  )
}

const took = (answer: AgentAnswer): string =>
  typeof answer.duration === 'number' ? ` in ${answer.duration} ms` : ''

function showOutput({ say, style }: Stage, result: AgentAnswer): void {
  for (const name of ['stdout', 'stderr'] as const) {
    for (const line of renderOutput(name, result[name] ?? '', style)) say(line)
  }
}
