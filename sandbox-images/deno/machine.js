// What libraries ask of the machine that they run on: they get a plain answer, the same on every host, instead of an error
// or of the host's own facts. Deno's permission to ask (--allow-sys) is not given, so there is nothing true behind it.
import dns from 'node:dns'
import dnsPromises from 'node:dns/promises'
import os from 'node:os'
import process from 'node:process'

const NAME = 'sandbox'
const ID = 65_532
const RELEASE = '6.1.0'
const HOME = '/tmp'
const LOOPBACK = { address: '127.0.0.1', netmask: '255.0.0.0', cidr: '127.0.0.1/8', mac: '00:00:00:00:00:00' }

const { memoryUsage } = Deno
// The code may replace what it finds: kept from before.
const { defineProperty, entries } = Object
let memoryBytes = 256 * 1_048_576

/** The run's own limit is the machine's memory. */
export function setMemory(bytes) {
  if (Number.isSafeInteger(bytes) && bytes > 0) memoryBytes = bytes
}

const free = () => Math.max(0, memoryBytes - memoryUsage().rss)
const uptime = () => Math.ceil(performance.now() / 1_000)
const nobody = () => ID
const idle = () => [0, 0, 0]
const processor = () => ({ model: NAME, speed: 0, times: { user: 0, nice: 0, sys: 0, idle: 0, irq: 0 } })
let mask = 0o22
/** Told back and no more: /tmp is the run's alone. */
function umask(given) {
  const before = mask
  if (given !== undefined) mask = Number(given) & 0o777
  return before
}
const servers = () => ['127.0.0.1']

const DENO = {
  hostname: () => NAME,
  osRelease: () => RELEASE,
  osUptime: uptime,
  loadavg: idle,
  networkInterfaces: () => [{ name: 'lo', family: 'IPv4', ...LOOPBACK, scopeid: null }],
  systemMemoryInfo: () => ({
    total: memoryBytes,
    free: free(),
    available: free(),
    buffers: 0,
    cached: 0,
    swapTotal: 0,
    swapFree: 0,
  }),
  uid: nobody,
  gid: nobody,
  umask,
}

const OS = {
  hostname: () => NAME,
  release: () => RELEASE,
  version: () => '#1 SMP',
  uptime,
  loadavg: idle,
  totalmem: () => memoryBytes,
  freemem: free,
  cpus: () => [processor()],
  availableParallelism: () => 1,
  networkInterfaces: () => ({ lo: [{ ...LOOPBACK, family: 'IPv4', internal: true }] }),
  homedir: () => HOME,
  tmpdir: () => HOME,
  userInfo: (options) => {
    const text = options?.encoding === 'buffer' ? (value) => new TextEncoder().encode(value) : String
    return { uid: ID, gid: ID, username: text(NAME), homedir: text(HOME), shell: null }
  },
  getPriority: () => 0,
  setPriority: () => {},
}

const PROCESS = {
  getuid: nobody,
  geteuid: nobody,
  getgid: nobody,
  getegid: nobody,
  getgroups: () => [ID],
  umask,
  constrainedMemory: () => memoryBytes,
  availableMemory: free,
}

const files = ({ existsSync }) => ({
  /** By Node's documentation it never throws; of what may not be read there is nothing. */
  existsSync(path) {
    try {
      return existsSync(path)
    } catch {
      return false
    }
  },
})

/** Module → names of the exports that answer. A statement that imports one by name needs a module in place of the built-in. */
export const ANSWERED = new Map([
  ['node:os', Object.keys(OS)],
  ['node:process', Object.keys(PROCESS)],
  ['node:fs', Object.keys(files({}))],
  ['node:dns', ['getServers']],
  ['node:dns/promises', ['getServers']],
])

/** Some of Deno's own functions stand for their value where a text or a number is wanted; so do these. */
function answer(object, answers) {
  for (const [name, call] of entries(answers)) {
    if (call.length === 0) {
      defineProperty(call, Symbol.toPrimitive, { value: () => call(), configurable: true })
    }
    defineProperty(object, name, { value: call, writable: true, configurable: true, enumerable: true })
  }
}

/** Of Node's own report, what libraries look for: the C library, and what the machine is. */
const report = () => ({
  header: {
    reportVersion: 5,
    event: 'JavaScript API',
    trigger: 'GetReport',
    nodejsVersion: process.version,
    glibcVersionRuntime: '2.36',
    arch: process.arch,
    platform: process.platform,
    osName: 'Linux',
    osRelease: RELEASE,
    osVersion: OS.version(),
    osMachine: os.machine(),
    cpus: OS.cpus(),
    networkInterfaces: [{ name: 'lo', internal: true, family: 'IPv4', ...LOOPBACK }],
    host: NAME,
  },
  sharedObjects: [],
})

answer(Deno, DENO)
answer(os, OS)
answer(process, PROCESS)
answer(process.report, { getReport: report })
for (const module of [dns, dnsPromises]) answer(module, { getServers: servers })
for (const { prototype } of [dns.Resolver, dnsPromises.Resolver]) answer(prototype, { getServers: servers })

const builtIn = process.getBuiltinModule
let isWhole = false

/** Of what takes a tenth of the runner's own start to load and few programs use: to be called before `url` is imported. */
export function answerOf(url) {
  if (isWhole || url !== 'node:fs') return
  isWhole = true
  const fs = builtIn(url)
  answer(fs, files(fs))
}
