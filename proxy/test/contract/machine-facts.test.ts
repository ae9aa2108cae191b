/** What libraries ask of the machine: a plain answer in every runtime, never an error, never a fact of the host. */
import os from 'node:os'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Sandbox } from '../../src/sandbox/index.ts'
import { createSandbox } from '../../src/sandbox/runner/index.ts'
import { DENO, RUNTIMES } from '../../src/sandbox/runtimes/runtimes.ts'
import { dockerOrSkip } from '../support/docker.ts'
import { runIn } from '../support/sandbox-run.ts'

const LANGUAGES = ['deno', 'node', 'python']
const ASKED = RUNTIMES.filter(({ language }) => LANGUAGES.includes(language))
const availability = await dockerOrSkip({ images: ASKED.map(({ name }) => name) })
const MIB = 1_048_576

/** Prints one line of JSON for each question: `[name, answer]`, or `[name, null, error]`. */
const SAYING = `
function say(name: string, ask: () => unknown) {
  try { console.log(JSON.stringify([name, ask() ?? 'nothing'])) } catch (error) { console.log(JSON.stringify([name, null, String(error)])) }
}
function sayAll(of: string, object: object, names: string[]) {
  for (const name of names) say(of + '.' + name, () => typeof object[name] === 'function' ? object[name]() : 'absent')
}`

const OS_NAMES = `'hostname release version uptime loadavg totalmem freemem cpus availableParallelism networkInterfaces homedir userInfo getPriority machine platform type tmpdir endianness arch'.split(' ')`
const PROCESS_NAMES = `'getuid geteuid getgid getegid getgroups constrainedMemory availableMemory umask memoryUsage cpuUsage uptime'.split(' ')`

const JAVASCRIPT = `
import fs, { existsSync } from 'node:fs'
import dns from 'node:dns'
import os, { networkInterfaces, release, userInfo } from 'node:os'
import * as everything from 'node:os'
import process from 'node:process'
import { getuid } from 'node:process'
${SAYING}
sayAll('os', os, ${OS_NAMES})
sayAll('os.*', everything, ${OS_NAMES})
say('named release', release)
say('named networkInterfaces', networkInterfaces)
say('named userInfo', userInfo)
say('named getuid', getuid)
say('userInfo as bytes', () => new TextDecoder().decode(userInfo({ encoding: 'buffer' }).username))
say('as text', () => \`\${os.hostname} \${os.release}\`)
sayAll('process', process, ${PROCESS_NAMES})
say('report', () => { const { osRelease, osVersion, host, cpus, networkInterfaces, glibcVersionRuntime } = process.report.getReport().header; return { osRelease, osVersion, host, cpus, networkInterfaces, glibcVersionRuntime } })
say('existsSync', () => [fs.existsSync('/nowhere/at-all'), existsSync('/root/.bashrc'), existsSync(new URL('file:///etc/shadow'))])
say('exists', () => typeof fs.exists)
say('dns.getServers', dns.getServers)
say('processors', () => navigator.hardwareConcurrency)
if (HAS_FILES) say('statfs', () => fs.statfsSync('/tmp').bsize)
if (typeof Deno !== 'undefined') sayAll('Deno', Deno, 'hostname osRelease osUptime loadavg networkInterfaces systemMemoryInfo uid gid umask memoryUsage'.split(' '))
`

/** The module is loaded when it is asked for, by whatever is there by then. */
const REPLACED_FIRST = `
Object.entries = Object.defineProperty = Map.prototype.get = () => { throw new Error('replaced') }
const { existsSync } = await import('node:fs')
console.log(existsSync('/etc/shadow'))
`

const ASKED_BY_NAME = `
import { getBuiltinModule } from 'node:process'
console.log(getBuiltinModule('fs').existsSync('/etc/shadow'), process.getBuiltinModule('node:fs').existsSync('/etc/shadow'))
`

/** What else a statement does not reach: CommonJS, as most packages are. */
const REQUIRED = `
const os = require('node:os')
${SAYING}
sayAll('required', os, ${OS_NAMES})
`

const PROGRAMS = `
import childProcess, { spawn } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'
const started = childProcess.spawn('ls', ['-l'])
let read = 0
started.stdout.on('data', (part) => { read += part.length })
started.stdin.end('input that nobody reads')
const [error] = await once(started, 'error')
console.log('spawn', error.code, error.syscall, JSON.stringify(error.spawnargs), started.pid === undefined && started.kill() === false)
const [code, signal] = await once(started, 'close')
console.log(\`close \${code} \${signal}, read \${read} bytes\`)
await new Promise((done) => childProcess.execFile('ls', ['-l'], (error, stdout) => { console.log('execFile', error.code, JSON.stringify(stdout)); done(null) }))
await new Promise((done) => childProcess.exec('ls -l', (error) => { console.log('exec', error.code); done(null) }))
await promisify(childProcess.exec)('ls').catch((error) => console.log('promisified', error.code))
const closed = (child, name) => new Promise((done) => child.on('error', (error) => console.log(name, error.code)).on('close', done))
await closed(childProcess.fork('/tmp/other.js'), 'fork')
await closed(spawn('git', { stdio: 'inherit' }), 'named')
const whole = childProcess.spawnSync('ls')
console.log('spawnSync', whole.error.code, whole.status)
for (const name of ['execFileSync', 'execSync']) try { childProcess[name]('ls') } catch (error) { console.log(name, error.code) }
try { childProcess.spawn(5) } catch (error) { console.log('wrong call', error.name) }
`

const PYTHON = `
import getpass, grp, io, json, locale, pathlib, multiprocessing, os, platform, pwd, shutil, socket, time, uuid
def say(name, ask):
    try:
        print(json.dumps([name, ask() or "nothing"], default=str))
    except Exception as error:
        print(json.dumps([name, None, repr(error)]))
for name in "uname cpu_count getloadavg getlogin getpid getgroups times umask".split():
    say("os." + name, lambda: getattr(os, name)(*((0o22,) if name == "umask" else ())))
for name in "node platform processor release system version uname machine freedesktop_os_release".split():
    say("platform." + name, lambda: getattr(platform, name)())
for name in "SC_PHYS_PAGES SC_AVPHYS_PAGES SC_NPROCESSORS_ONLN SC_NPROCESSORS_CONF SC_PAGE_SIZE".split():
    say(name, lambda: os.sysconf(name))
    say(name + " by number", lambda: os.sysconf(os.sysconf_names[name]))
say("getuser", getpass.getuser)
say("pwd", lambda: list(pwd.getpwuid(os.getuid())))
say("grp", lambda: list(grp.getgrgid(os.getgid())))
say("home", lambda: [os.path.expanduser("~"), os.path.expanduser("~" + getpass.getuser())])
say("gethostname", socket.gethostname)
say("if_nameindex", socket.if_nameindex)
say("uuid1", uuid.uuid1)
say("disk", lambda: shutil.disk_usage("/tmp"))
say("multiprocessing.cpu_count", multiprocessing.cpu_count)
say("sched_getaffinity", lambda: [list(os.sched_getaffinity(0)), list(os.sched_getaffinity(os.getpid()))])
say("meminfo", lambda: dict(line.split(":") for line in open("/proc/meminfo"))["MemTotal"].split())
say("meminfo as bytes", lambda: pathlib.Path("/proc/meminfo").read_bytes().startswith(b"MemTotal:"))
say("cpuinfo", lambda: io.open("/proc/cpuinfo", encoding="ascii").read().count("processor"))
say("stat", lambda: sum(line.startswith("cpu") for line in open("/proc/stat")))
say("uptime", lambda: float(open("/proc/uptime").read().split()[0]) < 3600)
say("loadavg", lambda: open(file="/proc/loadavg").read().split()[:3])
`

const MULTIPROCESSING = `
import concurrent.futures, multiprocessing, os
from multiprocessing import shared_memory
import multiprocessing.pool
def double(value): return value * 2
def add(lock, total):
    for _ in range(100):
        with lock: total.value += 1
lock, total = multiprocessing.Lock(), multiprocessing.Value("i", 0, lock=False)
workers = [multiprocessing.Process(target=add, args=(lock, total)) for _ in range(3)]
for worker in workers: worker.start()
for worker in workers: worker.join()
print("lock", total.value)
for name in "RLock Semaphore BoundedSemaphore Event Condition".split(): print(name, getattr(multiprocessing, name)() is not None)
queue = multiprocessing.Queue()
multiprocessing.Process(target=queue.put, args=("sent",)).start()
print("queue", queue.get())
with multiprocessing.Pool(2) as pool: print("pool", pool.map(double, [1, 2, 3]))
with multiprocessing.pool.ThreadPool(2) as pool: print("threads", pool.map(double, [1, 2, 3]))
with concurrent.futures.ProcessPoolExecutor(2) as pool: print("executor", list(pool.map(double, [1, 2, 3])))
block = shared_memory.SharedMemory(create=True, size=1000)
print("shared", shared_memory.SharedMemory(block.name).size >= 1000)
block.close(); block.unlink()
with multiprocessing.Manager() as manager: print("manager", list(manager.list([1])))
try:
    with multiprocessing.get_context("spawn").Pool(1) as pool: print("spawn", pool.map(abs, [-1]))
except PermissionError as error:
    print("spawn", error)
`

const SHARED_MEMORY_WALLS = `
import os, shutil
size = 0
try:
    with open("/dev/shm/fill", "wb", buffering=0) as file:
        while True: size += file.write(bytes(65536))
except OSError as error:
    print(size, error.errno)
os.unlink("/dev/shm/fill")
flags = os.statvfs("/dev/shm").f_flag
print(bool(flags & os.ST_NOEXEC), bool(flags & os.ST_NOSUID), bool(flags & os.ST_NODEV))
`

/** What of this machine must not be in an answer. */
const HOST_FACTS = [os.release(), os.version(), os.hostname(), os.userInfo().homedir, os.cpus()[0]?.model]
  .filter((fact): fact is string => fact !== undefined && fact.length > 6)
  .concat([String(os.totalmem())])

type Answer = readonly [name: string, answer: unknown, error?: string]

function evaluate(stdout: string): Map<string, unknown> {
  const said = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Answer)
  expect(said.filter(([, , error]) => error !== undefined)).toEqual([])
  expect(said.filter(([, answer]) => answer === 'absent')).toEqual([])
  for (const fact of HOST_FACTS) expect(stdout).not.toContain(fact)
  return new Map(said.map(([name, answer]) => [name, answer]))
}

const SANDBOXES = [
  ...ASKED.map((runtime) => ({ kind: 'docker' as const, runtime })),
  { kind: 'embedded' as const, runtime: DENO },
]

describe.each(SANDBOXES)('the machine as $kind $runtime.name tells of it', ({ kind, runtime }) => {
  describe.skipIf(kind === 'docker' && !availability.available)('answers', () => {
    let sandbox: Sandbox
    beforeAll(async () => {
      const instanceId = `machine-facts-${kind}-${runtime.name}-${process.pid}`
      sandbox = await createSandbox({ kind, poolSize: 1, instanceId, endpoints: null })
    })
    afterAll(async () => {
      await sandbox[Symbol.asyncDispose]()
    })
    const ask = async (code: string, dynamicCode = false) => {
      const limits = { memoryBytes: 200 * MIB }
      const told = await runIn(sandbox, code, { runtime: runtime.name, dynamicCode, limits })
      expect(told).toMatchObject({ end: 'exited', exitCode: 0, stderr: '' })
      return told.stdout
    }
    const isPython = runtime.language === 'python'

    it.each(isPython ? [false] : [false, true])(
      'every question plainly, with code from text allowed: %s',
      async (dynamicCode) => {
        const code = isPython ? PYTHON : JAVASCRIPT.replace('HAS_FILES', String(kind === 'docker'))
        const answers = evaluate(await ask(code, dynamicCode))
        if (isPython) {
          expect(answers.get('getuser')).toBe('sandbox')
          expect(answers.get('gethostname')).toBe('sandbox')
          expect(answers.get('sched_getaffinity')).toEqual([[0], [0]])
          expect(answers.get('meminfo')).toEqual([String((200 * MIB) / 1024), 'kB'])
          expect([answers.get('meminfo as bytes'), answers.get('cpuinfo')]).toEqual([true, 1])
          expect([answers.get('stat'), answers.get('uptime')]).toEqual([2, true])
          expect(answers.get('loadavg')).toEqual(['0.00', '0.00', '0.00'])
          expect(answers.get('SC_PHYS_PAGES')).toBe((200 * MIB) / Number(answers.get('SC_PAGE_SIZE')))
          return
        }
        for (const of of ['os', 'os.*']) {
          expect(answers.get(`${of}.hostname`)).toBe('sandbox')
          expect(answers.get(`${of}.totalmem`)).toBe(200 * MIB)
          expect(answers.get(`${of}.userInfo`)).toMatchObject({ username: 'sandbox', uid: 65_532 })
          expect(answers.get(`${of}.networkInterfaces`)).toEqual({
            lo: [expect.objectContaining({ address: '127.0.0.1', internal: true })],
          })
        }
        expect(answers.get('existsSync')).toEqual([false, false, false])
        expect(answers.get('named release')).toBe(answers.get('os.release'))
        expect(answers.get('as text')).toBe(`sandbox ${answers.get('os.release')}`)
      },
    )

    it.skipIf(runtime.language !== 'deno')('of files, also to code that comes to them late', async () => {
      expect(await ask(REPLACED_FIRST)).toBe('false\n')
      expect(await ask(ASKED_BY_NAME, true)).toBe('false false\n')
    })

    it.skipIf(runtime.language !== 'node')('code that requires its modules', async () => {
      evaluate(await ask(REQUIRED))
    })

    it.skipIf(runtime.language !== 'node')(
      'a program that is started, by an event and not by an exception',
      async () => {
        expect((await ask(PROGRAMS)).trim().split('\n')).toEqual([
          'spawn EACCES spawn ls ["-l"] true',
          'close -13 null, read 0 bytes',
          'execFile EACCES ""',
          'exec EACCES',
          'promisified EACCES',
          'fork EACCES',
          'named EACCES',
          'spawnSync EACCES null',
          'execFileSync EACCES',
          'execSync EACCES',
          'wrong call TypeError',
        ])
      },
    )

    it.skipIf(!isPython)('locks, queues, pools and shared memory between forked processes', async () => {
      expect((await ask(MULTIPROCESSING)).trim().split('\n')).toEqual([
        'lock 300',
        ...['RLock', 'Semaphore', 'BoundedSemaphore', 'Event', 'Condition'].map((name) => `${name} True`),
        'queue sent',
        'pool [2, 4, 6]',
        'threads [2, 4, 6]',
        'executor [2, 4, 6]',
        'shared True',
        'manager [1]',
        'spawn no program can be started in a sandbox: use the start method fork',
      ])
    })

    it('with shared memory that is small and starts nothing', async ({ skip }) => {
      skip(!isPython, 'there is none')
      expect((await ask(SHARED_MEMORY_WALLS)).trim().split('\n')).toEqual([`${4 * MIB} 28`, 'True True True'])
    })
  })
})
