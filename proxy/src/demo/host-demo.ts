import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import {
  type AdminClient,
  type CliSurroundings,
  connectAdmin,
  type DemoAnswer,
  EXIT,
  noPrograms,
  renderApproval,
  runCli,
} from '../cli/index.ts'
import { startDaemon } from '../compose/daemon.ts'
import { readConfig } from '../config/index.ts'
import { formatBytes } from '../kernel/index.ts'
import { imageTag, OPENCLAW_IMAGE } from '../sandbox/runtimes/index.ts'
import { VERSION } from '../version.ts'
import { searchContainers } from './container-search.ts'
import { startDemoApi } from './demo-api.ts'
import { startDemoModel } from './demo-model.ts'
import { createHostScript } from './host-script.ts'
import { engineWithImage } from './sandbox-choice.ts'
import { DEMO_SECRET_NAME, demoRequest } from './skill.ts'
import { onStage, type Stage, saysYes, showConsole } from './stage.ts'

const AGENT = 'claw'
const AGAIN_MS = 100
const REMOVE_MS = 60_000

/** A hosted agent from its order to its sleep: the real daemon and the real OpenClaw in a real container. The model alone is played. */
export async function runHostDemo(
  around: CliSurroundings,
  options: { approve: DemoAnswer | undefined },
  stopped: AbortSignal,
): Promise<number> {
  const title = 'OAuth3 demo: an agent lives here, asks for a secret, and sleeps when unused.'
  return await onStage(around, stopped, title, (stage, folder) => perform(stage, folder, options.approve))
}

async function perform(stage: Stage, folder: string, approve: DemoAnswer | undefined): Promise<number> {
  const { step, say, style } = stage
  const docker = await engineWithImage('Hosted agents need', OPENCLAW_IMAGE, 'openclaw,deno')
  step('Image', `${imageTag(OPENCLAW_IMAGE)}: OpenClaw, and nothing of yours`)
  const key = `demo-key-${randomBytes(24).toString('hex')}`
  const secret = `demo-value-${randomBytes(12).toString('hex')}`
  await using api = await startDemoApi(secret)
  const script = createHostScript(demoRequest(api.origin))
  await using model = await startDemoModel(key, script.answerOf)
  await using daemon = await startDaemon(
    readConfig({
      ...{ PORT: '0', DB_PATH: join(folder, 'proxy.db'), LOG_LEVEL: 'silent' },
      ...{ OAUTH3_SANDBOX: 'docker', OAUTH3_POOL_SIZE: '0' },
    }),
    { drainMs: 1_000 },
  )
  const admin = await connectAdmin(daemon.adminSocketPath)
  step('Daemon', `in ${folder}; model and API are played by the demo, each knows one key`)
  await admin.call('setProviderParam', {
    params: { name: 'anthropic', param: 'url' },
    body: { value: model.origin, private: true },
  })
  await admin.call('addProviderKey', { body: { provider: 'anthropic', value: key } })
  await admin.call('putSecret', {
    params: { name: DEMO_SECRET_NAME },
    body: { value: secret, hosts: [api.origin] },
  })
  await admin.call('addHost', { body: { name: AGENT, provider: 'anthropic', model: 'claude-sonnet-5-5' } })
  try {
    step('Agent', `oauth3 host add ${AGENT}: a container of its own, and sockets are all that it reaches`)
    say(style.dim('   its first start takes half a minute, longer on a busy machine …'))
    step('Ready', `it answers after ${seconds(await untilReady(stage, admin))}; later it only wakes`)
    await converse(stage, admin, 'Say hello.')
    const { bytes, found } = await searchContainers(docker, {
      ...{ image: imageTag(OPENCLAW_IMAGE), folder, secret: key },
    })
    const isClean = bytes > 0 && !found && model.accepted > 0 && model.refused === 0
    say(
      isClean
        ? style.green(
            `   ✓ the model got its key; in the container (${formatBytes(bytes)} searched) there is none`,
          )
        : style.red(
            bytes === 0
              ? '   ✗ the container could not be searched'
              : '   ✗ the key was in the container, or did not reach the model',
          ),
    )
    const isAsked = await secretInChat(stage, admin, { approve, seen: script.seen })
    await pauseAndWake(stage, admin)
    const verified = await showAudit(stage, daemon.adminSocketPath)
    if (approve === undefined) await showConsole(stage, admin)
    return isClean && isAsked && verified === EXIT.done ? EXIT.done : EXIT.failed
  } finally {
    if (!(await removed(admin)))
      stage.verdict(false, 'the agent was not removed in time; see docker ps --filter label=oauth3.machine')
    else if (!stage.signal.aborted)
      step(
        'Cleaned up',
        'the agent and its files are gone, and so is the folder. Next: docs/hosted-agents.md',
      )
  }
}

/** Also of a demo that failed or was interrupted. */
async function removed(admin: AdminClient): Promise<boolean> {
  const until = performance.now() + REMOVE_MS
  await admin.call('orderHost', { params: { name: AGENT }, body: { order: 'remove' } })
  while ((await admin.call('listHosts')).hosts.length > 0) {
    if (performance.now() > until) return false
    await moment()
  }
  return true
}

async function untilReady({ signal }: Stage, admin: AdminClient): Promise<number> {
  const begun = performance.now()
  for (;;) {
    signal.throwIfAborted()
    const [host] = (await admin.call('listHosts')).hosts
    if (host?.state === 'running') return performance.now() - begun
    if (host?.state === 'failed') throw new Error(`the agent did not start: ${host.last_error}`)
    await moment()
  }
}

/** As it is answered, in the terminal. Resolves to milliseconds until its first piece. */
async function converse(
  { signal, step, say, style }: Stage,
  admin: AdminClient,
  text: string,
): Promise<number> {
  const begun = performance.now()
  let first: number | undefined
  const params = { name: AGENT }
  const { number } = await admin.call('sayToHost', { params, body: { text } })
  for await (const { event, data } of admin.events('followTurn', { params: { ...params, number } })) {
    signal.throwIfAborted()
    if (event === 'text') first ??= performance.now() - begun
    if (event !== 'end' || !('asked' in data)) continue
    step('You', text)
    say(`   ${style.dim('│')} ${data.answer ?? ''}${data.problem === null ? '' : style.red(data.problem)}`)
  }
  return first ?? performance.now() - begun
}

/** Its request stands in the chat as a card; whoever answers it, the agent is woken, and never has the secret. */
async function secretInChat(
  stage: Stage,
  admin: AdminClient,
  { approve, seen }: { readonly approve: DemoAnswer | undefined; readonly seen: () => string },
): Promise<boolean> {
  const { signal, step, say, style } = stage
  await converse(stage, admin, 'Read my charges.')
  const waiting = (await admin.call('listApprovals', { query: {} })).approvals.find((one) => one.waiting)
  if (waiting === undefined) {
    say(style.red('   ✗ it asked for nothing'))
    return false
  }
  const view = await admin.call('readApproval', { params: { id: waiting.id } })
  say(`\n${renderApproval(view, style, Date.now())}\n`)
  const isAsked = approve === undefined && stage.around.stdin.isTTY === true
  const choice = approve === 'deny' || (isAsked && !(await saysYes(stage))) ? 'deny' : 'once'
  const { consent_hash } = view
  await admin.call('decideApproval', { params: { id: waiting.id }, body: { choice, consent_hash } })
  step(
    'Answer',
    `${choice}, by ${isAsked ? 'you' : approve === undefined ? 'the demo itself' : '--approve'}; it is woken`,
  )
  while (seen() === '') {
    signal.throwIfAborted()
    await moment()
  }
  await converse(stage, admin, 'What came of it?')
  return choice === 'deny' || seen().includes('200')
}

async function pauseAndWake(stage: Stage, admin: AdminClient): Promise<void> {
  await admin.call('orderHost', { params: { name: AGENT }, body: { order: 'sleep' } })
  while ((await admin.call('listHosts')).hosts[0]?.state !== 'paused') {
    stage.signal.throwIfAborted()
    await moment()
  }
  stage.step(
    'Sleep',
    'paused as if nobody had come for 10 minutes: no processor time; whoever comes wakes it',
  )
  const ms = await converse(stage, admin, 'Are you awake?')
  stage.step('Wake', `first word after ${seconds(ms)}, the turn of OpenClaw and the model included`)
}

async function showAudit({ around, style, step, say }: Stage, socket: string): Promise<number> {
  step('Audit', 'that you spoke, how long, with which model, and never what; hash-chained:')
  say('')
  const narrow = { ...around, env: { ...around.env, COLUMNS: String(style.columns) } }
  const oauth3 = (...args: string[]): Promise<number> =>
    runCli(['--socket', socket, ...args], narrow, noPrograms(VERSION))
  await oauth3('audit', 'list', '-n', '12')
  say('')
  return await oauth3('audit', 'verify')
}

const moment = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`
