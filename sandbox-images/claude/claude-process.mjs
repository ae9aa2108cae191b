// The CLI as a process: started with a fixed environment, spoken to in lines of JSON.
import { spawn } from 'node:child_process'
import { eachLine } from './lines.mjs'

export const WORK = '/tmp/work'
export const CONFIG = '/tmp/claude'

/** Each program has its own name for it: curl takes no HTTP_PROXY in capitals. */
function each(names, value) {
  return Object.fromEntries(names.map((name) => [name, value]))
}

/**
 * Nothing of a run stands here. The key is meaningless: whoever connects to the socket is this container's run, whatever it says.
 * Every call goes to the socket (ANTHROPIC_UNIX_SOCKET), so the name in the address is never looked up.
 */
const ENVIRONMENT = {
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  LANG: 'C.UTF-8',
  ANTHROPIC_UNIX_SOCKET: '/run/oauth3/model.sock',
  ANTHROPIC_BASE_URL: 'http://model.invalid',
  ANTHROPIC_API_KEY: 'the-socket-is-the-identity',
  CLAUDE_CONFIG_DIR: CONFIG,
  CLAUDE_CODE_TMPDIR: '/tmp/scratch',
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
  // The proxy behind the socket tries again by itself where that is of use.
  CLAUDE_CODE_MAX_RETRIES: '2',
  DISABLE_AUTOUPDATER: '1',
  // What tools do outside goes through the gateway's relay; its authority is the only one that can be met behind it.
  ...each(['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy'], 'http://127.0.0.1:3128'),
  ...each(['NO_PROXY', 'no_proxy'], 'model.invalid,127.0.0.1:3128'),
  // Commands that are Node look at those of their own accord only if told to.
  NODE_USE_ENV_PROXY: '1',
  ...each(
    ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'CURL_CA_BUNDLE', 'REQUESTS_CA_BUNDLE', 'GIT_SSL_CAINFO'],
    '/run/oauth3/ca.pem',
  ),
}

/** `onLine`, `onError` (text of standard error) and `onExit` are told what it does, in order. */
export function startClaude(parameters, { onLine, onError, onExit }) {
  const child = spawn('/usr/local/bin/claude', parameters, { cwd: WORK, env: ENVIRONMENT, stdio: 'pipe' })
  eachLine(child.stdout, onLine)
  child.stderr.setEncoding('utf8').on('data', onError)
  child.stdin.on('error', () => {})
  child.on('error', (error) => onError(`${error.message}\n`))
  child.on('close', (code, signal) => onExit(code, signal))
  return {
    say: (line) => child.stdin.write(`${line}\n`),
    endInput: () => child.stdin.end(),
    /** Nothing of it is told any more. */
    discard() {
      child.stdout.removeAllListeners('data').resume()
      child.stderr.removeAllListeners('data').resume()
      child.removeAllListeners('close').kill('SIGKILL')
    },
    pause: () => child.stdout.pause(),
    resume: () => child.stdout.resume(),
  }
}
