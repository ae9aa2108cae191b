// What libraries ask of the machine that they run on: they get a plain answer, the same on every host, instead of an error
// (there is no netlink and no list of users) or of the host's own facts (kernel, memory, load). It is no wall: what code must
// not reach is held back by the container.
import fs, { writeFileSync } from 'node:fs'
import module from 'node:module'
import os from 'node:os'

const NAME = 'sandbox'
const ID = 65_532
const RELEASE = '6.1.0'
const VERSION = '#1 SMP'
const HOME = '/tmp'
const LOOPBACK = { address: '127.0.0.1', netmask: '255.0.0.0', family: 'IPv4', mac: '00:00:00:00:00:00' }

const { rss } = process.memoryUsage
let memoryBytes = 256 * 1_048_576

/** The run's own limit is the machine's memory. */
export function setMemory(bytes) {
  if (Number.isSafeInteger(bytes) && bytes > 0) memoryBytes = bytes
}

const free = () => Math.max(0, memoryBytes - rss())
const processor = () => ({ model: NAME, speed: 0, times: { user: 0, nice: 0, sys: 0, idle: 0, irq: 0 } })

const OS = {
  hostname: () => NAME,
  release: () => RELEASE,
  version: () => VERSION,
  uptime: () => Math.ceil(process.uptime()),
  loadavg: () => [0, 0, 0],
  totalmem: () => memoryBytes,
  freemem: free,
  cpus: () => [processor()],
  availableParallelism: () => 1,
  networkInterfaces: () => ({ lo: [{ ...LOOPBACK, internal: true, cidr: '127.0.0.1/8' }] }),
  homedir: () => HOME,
  userInfo: (options) => {
    const text = options?.encoding === 'buffer' ? Buffer.from : String
    return { uid: ID, gid: ID, username: text(NAME), homedir: text(HOME), shell: null }
  },
}

/** Everything but the report's facts of the host stays, for libraries look up the C library in it. */
function answerReport(report) {
  const original = report.getReport.bind(report)
  // It looks up the names of all open sockets and waits for the answers, which this very thread would have to pass on.
  report.excludeNetwork = true
  Object.defineProperty(report, 'excludeNetwork', { value: true })
  const getReport = (error) => {
    const { header, ...rest } = original(...(error === undefined ? [] : [error]))
    return {
      ...rest,
      header: {
        ...header,
        osRelease: RELEASE,
        osVersion: VERSION,
        cpus: [processor()],
        networkInterfaces: [{ name: 'lo', internal: true, ...LOOPBACK }],
        host: NAME,
      },
    }
  }
  report.getReport = getReport
  report.writeReport = (file = 'report.json', error) => {
    writeFileSync(file, JSON.stringify(getReport(error), null, 2))
    return file
  }
}

for (const [name, call] of Object.entries(OS)) {
  // Node's own stand for their value where a text or a number is wanted; so do these.
  if (call.length === 0) Object.defineProperty(call, Symbol.toPrimitive, { value: () => call() })
  os[name] = call
}
/** By Node's documentation it never throws; of what may not be read there is nothing. */
const { existsSync } = fs
fs.existsSync = (path) => {
  try {
    return existsSync(path)
  } catch {
    return false
  }
}
process.constrainedMemory = () => memoryBytes
process.availableMemory = free
answerReport(process.report)
Object.defineProperty(navigator, 'hardwareConcurrency', { value: 1, configurable: true, enumerable: true })
module.syncBuiltinESMExports()
