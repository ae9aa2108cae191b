import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { launchNginx, type RunningNginx } from './nginx.ts'
import { type BenchDaemon, capture, freePort, pause, startBenchDaemon } from './support.ts'

/** What the LLM bench asks, and whom: the upstream itself, nginx, Portkey's gateway, and a whole daemon. */
export const KEY = 'demo-key-for-the-llm-bench'
export const MODEL = 'bench-model'
const REQUEST_BYTES = 541
const ANSWER_BYTES = 1_024

export interface Target {
  readonly name: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** Of the proxy's processes; none for the upstream itself. */
  pids(): readonly number[]
}

export const REQUEST = sized(REQUEST_BYTES, (text) => ({
  model: MODEL,
  messages: [{ role: 'user', content: text }],
  max_tokens: 256,
}))

export const ANSWER = sized(ANSWER_BYTES, (text) => ({
  id: 'chatcmpl-bench',
  object: 'chat.completion',
  model: MODEL,
  choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 120, completion_tokens: 180, total_tokens: 300 },
}))

function sized(bytes: number, make: (text: string) => object): string {
  const empty = JSON.stringify(make('')).length
  return JSON.stringify(make('a word, '.repeat(bytes).slice(0, bytes - empty)))
}

/** Serves the answer from memory, and only to whom the key was put in for. */
export async function startUpstream(folder: string): Promise<RunningNginx & { readonly port: number }> {
  const port = await freePort()
  const http = `
  default_type application/json;
  server {
    listen 127.0.0.1:${port};
    location = /v1/chat/completions {
      if ($http_authorization != "Bearer ${KEY}") { return 401; }
      return 200 '${ANSWER}';
    }
  }
`
  const nginx = await launchNginx({ folder, name: 'upstream', http, ready: () => answers(port) })
  return { ...nginx, port }
}

/** Puts the key in and passes the rest, as much as nginx can be what the daemon is; a second port is for streams. */
export async function startRewriter(
  folder: string,
  upstream: { readonly port: number; readonly streamsPort: number },
): Promise<RunningNginx & { readonly port: number; readonly streamsPort: number }> {
  const port = await freePort()
  const streamsPort = await freePort()
  const server = (listen: number, to: string, more: string): string => `
  server {
    listen 127.0.0.1:${listen};
    location / {
      proxy_pass http://${to};
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Authorization "Bearer ${KEY}";
      ${more}
    }
  }`
  const http = `
  upstream answers { server 127.0.0.1:${upstream.port}; keepalive 128; keepalive_requests 1000000000; }
  upstream streams { server 127.0.0.1:${upstream.streamsPort}; keepalive 128; keepalive_requests 1000000000; }
  ${server(port, 'answers', '')}
  ${server(streamsPort, 'streams', 'proxy_buffering off;')}
`
  const ready = async (): Promise<boolean> => (await answers(port)) && (await answers(streamsPort))
  return { ...(await launchNginx({ folder, name: 'rewriter', http, ready })), port, streamsPort }
}

const PORTKEY = '@portkey-ai/gateway'
const PORTKEY_VERSION = '1.15.2'

export interface Portkey {
  readonly port: number
  readonly pid: number
  stop(): Promise<void>
}

/** Installed into the folder on first use: it is no dependency of this project. Undefined when that is not possible. */
export async function startPortkey(folder: string): Promise<Portkey | undefined> {
  const home = join(folder, `portkey-${PORTKEY_VERSION}`)
  const main = join(home, 'node_modules', PORTKEY, 'build/start-server.js')
  if (!existsSync(main)) {
    mkdirSync(home, { recursive: true })
    console.log(`installing ${PORTKEY} ${PORTKEY_VERSION} into ${home} …`)
    const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefix', home]
    try {
      await capture('npm', ['install', ...options, `${PORTKEY}@${PORTKEY_VERSION}`], { cwd: home })
    } catch (error) {
      console.log(`${PORTKEY} cannot be installed, so there is no comparison with it: ${firstLine(error)}`)
      return undefined
    }
  }
  const port = await freePort()
  const child = spawn(process.execPath, [main, `--port=${port}`, '--headless'], {
    cwd: home,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, NODE_ENV: 'production' },
  })
  await untilAnswers(port, child)
  return {
    port,
    pid: child.pid ?? 0,
    async stop() {
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    },
  }
}

/** A daemon whose agent may use two providers on this machine, with limits that are counted and never reached. */
export async function startLlmDaemon(
  upstream: { readonly port: number; readonly streamsPort: number },
  execArgv: readonly string[],
): Promise<BenchDaemon> {
  const daemon = await startBenchDaemon({ OAUTH3_SANDBOX: 'embedded' }, undefined, execArgv)
  const agent = `bench-${new URL(daemon.url).port}`
  const limits = ['--rpm', '1000000000', '--tokens-per-day', '1000000000000', '--usd-per-day', '1000000']
  for (const [name, port] of [
    ['bench', upstream.port],
    ['bench-streams', upstream.streamsPort],
  ] as const) {
    await daemon.cli(['provider', 'add', name, '--url', `http://127.0.0.1:${port}/v1`, '--private'])
    await daemon.cli(['key', 'add', name], KEY)
    await daemon.cli(['price', 'set', name, '*', '--input', '0.01', '--output', '0.01'])
    await daemon.cli(['grant', 'add', agent, name, '--for', 'always', ...limits])
  }
  return daemon
}

export function targetsOf(parts: {
  readonly upstreamPort: number
  readonly nginx: RunningNginx & { readonly port: number }
  readonly portkey: Portkey | undefined
  readonly bare: { readonly port: number; readonly pid: number }
  readonly copy: { readonly port: number; readonly pid: number }
  readonly daemon: BenchDaemon
}): readonly Target[] {
  const { upstreamPort, nginx, portkey, daemon } = parts
  const json = { 'content-type': 'application/json' }
  const withKey = { ...json, authorization: `Bearer ${KEY}` }
  const withToken = { ...json, authorization: `Bearer ${daemon.token}` }
  const direct: Target = {
    name: 'direct',
    url: `http://127.0.0.1:${upstreamPort}/v1/chat/completions`,
    headers: withKey,
    pids: () => [],
  }
  return [
    direct,
    {
      name: 'nginx',
      url: `http://127.0.0.1:${nginx.port}/v1/chat/completions`,
      headers: withToken,
      pids: nginx.pids,
    },
    {
      name: 'oauth3',
      url: `${daemon.url}/llm/bench/v1/chat/completions`,
      headers: withToken,
      pids: () => [daemon.pid],
    },
    ...(['bare', 'copy'] as const).map((name) => ({
      name,
      url: `http://127.0.0.1:${parts[name].port}/v1/chat/completions`,
      headers: withToken,
      pids: () => [parts[name].pid],
    })),
    // It takes the vendor's key from its client, and the vendor's address as well.
    ...(portkey === undefined
      ? []
      : [
          {
            name: 'portkey',
            url: `http://127.0.0.1:${portkey.port}/v1/chat/completions`,
            headers: {
              ...withKey,
              'x-portkey-provider': 'openai',
              'x-portkey-custom-host': `http://127.0.0.1:${upstreamPort}/v1`,
            },
            pids: () => [portkey.pid],
          },
        ]),
  ]
}

/** Whether something listens at this port. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

async function untilAnswers(port: number, child: ChildProcess): Promise<void> {
  while (!(await answers(port))) {
    if (child.exitCode !== null) throw new Error(`${PORTKEY} ended with code ${child.exitCode}`)
    await pause(50)
  }
}

const firstLine = (error: unknown): string => String(error).split('\n', 1)[0] ?? ''
