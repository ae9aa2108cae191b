/** Attack families 28 (what leaks), 31 (what exhausts) and 32 (what escapes), in the image of every runtime. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RUNTIMES, type Runtime } from '../../src/sandbox/runtimes/runtimes.ts'
import { dockerOrSkip } from '../support/docker.ts'
import { LANGUAGES } from '../support/runtime-probes.ts'
import { codeOf, createRuntimeSuite, type RuntimeSuite } from '../support/runtime-suite.ts'
import { TEST_LIMITS } from '../support/sandbox-run.ts'

const availability = await dockerOrSkip({ images: RUNTIMES.map(({ name }) => name) })
const INSTANCE = `runtimes-escape-${process.pid}`
const MIB = 1_048_576

/** A file of an image as `tar -tv` lists it. The engine adds empty ones of its own. */
interface ImageFile {
  readonly mode: string
  readonly size: string
  readonly path: string
}

describe.skipIf(!availability.available)('the walls around every runtime', () => {
  let suite: RuntimeSuite
  beforeAll(async () => {
    suite = await createRuntimeSuite(INSTANCE)
  })
  afterAll(async () => {
    await suite[Symbol.asyncDispose]()
  })

  const imageOf = async (runtime: Runtime): Promise<string> => {
    const { runtimes } = await suite.sandbox.status()
    return runtimes.find(({ name }) => name === runtime.name)?.image ?? ''
  }

  async function filesOf(runtime: Runtime): Promise<ImageFile[]> {
    const container = await suite.docker.createContainer({ Image: await imageOf(runtime), Cmd: ['x'] })
    const folder = mkdtempSync(join(tmpdir(), 'oauth3-image-'))
    try {
      const archive = join(folder, 'image.tar')
      await writeFile(archive, await container.export())
      const listed = execFileSync('tar', ['-tvf', archive], { encoding: 'utf8', maxBuffer: 64 * MIB })
      return listed
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => {
          const [mode = '', , size = '', , , ...path] = line.split(/ +/)
          return { mode, size, path: path.join(' ') }
        })
    } finally {
      await container.remove({ force: true })
      rmSync(folder, { recursive: true, force: true })
    }
  }

  describe.each(RUNTIMES)('$name', (runtime) => {
    const language = LANGUAGES[runtime.language]
    const run = (code: string, options?: Parameters<RuntimeSuite['run']>[2]) =>
      suite.run(runtime, code, options)
    const nextRunIsWell = async () => {
      expect(await run(language.print('well'))).toMatchObject({
        end: 'exited',
        exitCode: 0,
        stdout: 'well\n',
      })
    }

    it('has one program in its image, no shell, and nothing that lends rights', async () => {
      const files = await filesOf(runtime)
      expect(files.length).toBeGreaterThan(3)
      const programs = files.filter(
        ({ mode, size, path }) => /^-..x/.test(mode) && size !== '0' && !/\.so(?:\.|$)|ld-linux/.test(path),
      )
      expect(programs.map(({ path }) => path)).toHaveLength(1)
      expect(files.filter(({ mode }) => /s/i.test(mode.slice(1)))).toEqual([])
      expect(
        files.filter(({ mode, path }) => mode[8] === 'w' && !path.startsWith('tmp/') && mode[0] !== 'l'),
      ).toEqual([])
      const { Config } = await suite.docker.getImage(await imageOf(runtime)).inspect()
      expect(Config.User).toBe('65532:65532')
      expect(Config.Volumes ?? null).toBeNull()
    })

    it.each(['/bin/sh', '/bin/bash', '/usr/bin/env', '/bin/busybox'])(
      'cannot be started as %s',
      async (path) => {
        const container = await suite.docker.createContainer({
          Image: await imageOf(runtime),
          Entrypoint: [path],
          HostConfig: { NetworkMode: 'none' },
        })
        await expect(container.start()).rejects.toThrow(/no such file/)
        await container.remove({ force: true })
      },
    )

    it('runs as nobody, without rights, in namespaces of its own with loopback alone, seen from outside', async ({
      skip,
    }) => {
      const up = Promise.withResolvers<void>()
      const abort = new AbortController()
      const running = run(language.sleeps, { signal: abort.signal, onOutput: () => up.resolve() })
      try {
        await up.promise
        const pid = await pidOf(suite, await imageOf(runtime))
        const read = (file: string) => {
          try {
            return readFileSync(`/proc/${pid}/${file}`, 'utf8')
          } catch {
            return skip("the engine's processes cannot be looked at from here")
          }
        }
        const status = read('status')
        for (const [name, value] of [
          ['Uid', '65532\t65532\t65532\t65532'],
          ['Gid', '65532\t65532\t65532\t65532'],
          ['CapInh', '0000000000000000'],
          ['CapPrm', '0000000000000000'],
          ['CapEff', '0000000000000000'],
          ['CapBnd', '0000000000000000'],
          ['CapAmb', '0000000000000000'],
          ['NoNewPrivs', '1'],
          ['Seccomp', '2'],
        ]) {
          expect(status).toContain(`\n${name}:\t${value}\n`)
        }
        for (const namespace of ['net', 'pid', 'mnt', 'ipc', 'uts']) {
          const inside = readlinkSync(`/proc/${pid}/ns/${namespace}`)
          expect(inside).not.toBe(readlinkSync(`/proc/self/ns/${namespace}`))
        }
        const interfaces = read('net/dev').split('\n').slice(2)
        expect(interfaces.map((line) => line.split(':')[0]?.trim()).filter(Boolean)).toEqual(['lo'])
        expect(read('net/route').trim().split('\n')).toHaveLength(1)
        const mounts = read('mountinfo')
          .trim()
          .split('\n')
          .map((line) => line.split(' '))
        const at = (path: string) => mounts.find((fields) => fields[4] === path)?.[5]
        expect(at('/')).toMatch(/^ro,/)
        expect(at('/run/oauth3')).toMatch(/^ro,/)
        expect(at('/tmp')).toMatch(/noexec/)
        expect(mounts.map((fields) => fields[4]).filter((path) => path?.includes('docker.sock'))).toEqual([])
      } finally {
        abort.abort()
        await running
      }
    })

    it.for([
      ['the root', '/oauth3-probe'],
      ['the libraries', '/lib/oauth3-probe'],
      ['the endpoint', '/run/oauth3/oauth3-probe'],
      ["the gateway's certificate", '/run/oauth3/ca.pem'],
      ['kernel settings', '/proc/sys/kernel/core_pattern'],
      ['the kernel trigger', '/proc/sysrq-trigger'],
      ['control groups', '/sys/fs/cgroup/memory/memory.limit_in_bytes'],
    ] as const)('cannot write to %s', async ([_what, path], { skip }) => {
      expect((await run(codeOf(language.write(path), skip))).stdout).toMatch(/^refused /)
    })

    it.for([
      ["the engine's socket", '/var/run/docker.sock'],
      ["the host's name", '/host/etc/hostname'],
      ["the kernel's memory", '/proc/kcore'],
      ["the kernel's log", '/dev/kmsg'],
      ["the host's passwords", '/etc/shadow'],
      ['a disk', '/dev/sda'],
    ] as const)('cannot read %s', async ([_what, path], { skip }) => {
      expect((await run(codeOf(language.read(path), skip))).stdout).toMatch(/^(?:refused |worked $)/m)
    })

    it.for(['/bin/sh', '/usr/bin/env', '/bin/node', '/bin/deno'])(
      'cannot start %s',
      async (program, { skip }) => {
        expect((await run(codeOf(language.run(program), skip))).stdout).toMatch(/^refused /)
      },
    )

    it.for([
      ["the host's bridge", '172.17.0.1', 22],
      ['the metadata service', '169.254.169.254', 80],
      ['a public address', '192.0.2.1', 443],
      ['an engine on loopback', '127.0.0.1', 2375],
      ['the daemon on loopback', '127.0.0.1', 3737],
      ['a public address of version 6', '2001:db8::1', 443],
    ] as const)('cannot connect to %s', async ([_what, host, port], { skip }) => {
      expect((await run(codeOf(language.connect(host, port), skip))).stdout).toMatch(/^refused /)
    })

    it('resolves no name', async ({ skip }) => {
      expect((await run(codeOf(language.resolve('example.com'), skip))).stdout).toMatch(/^refused /)
    })

    it('ends processes and threads without end at its limits, and the next run is well', async ({ skip }) => {
      const many = await run(codeOf(language.multiplies, skip), {
        limits: { timeoutMs: 3_000 },
        dynamicCode: true,
      })
      expect(['timeout', 'memory_limit', 'exited']).toContain(many.end)
      await nextRunIsWell()
    })

    it('ends a full /tmp at its size, and the next run has an empty one', async ({ skip }) => {
      const code = codeOf(language.fillsTmp, skip)
      for (const filled of [await run(code), await run(code)]) {
        expect(filled.stdout).toMatch(/^[0-9]+ ENOSPC/)
        const bytes = Number(filled.stdout.split(' ')[0])
        expect(bytes).toBeLessThanOrEqual(TEST_LIMITS.tmpBytes)
        expect(bytes).toBeGreaterThan(TEST_LIMITS.tmpBytes - 4 * MIB)
      }
    })

    it('is well again after a run that filled its memory', async () => {
      expect((await run(language.fillsMemory)).end).toBe('memory_limit')
      await nextRunIsWell()
    })
  })

  const written = (language: Runtime['language']): Runtime[] =>
    RUNTIMES.filter((runtime) => runtime.language === language)

  it.each(written('python'))(
    'refuse the calls to the kernel that $name can make by itself',
    async (runtime) => {
      const { stdout, stderr } = await suite.run(runtime, KERNEL_CALLS)
      expect(stderr).toBe('')
      const said = stdout.trim().split('\n')
      expect(said.length).toBeGreaterThan(25)
      expect(said.filter((line) => !line.endsWith(' refused'))).toEqual([])
    },
  )

  it.each(written('python'))(
    'do not let a coding line have $name run other code than was shown',
    async (runtime) => {
      const shown = '# -*- coding: utf-7 -*-\nprint("shown")\n# +AAo-print("hidden")\n'
      expect(await suite.run(runtime, shown)).toMatchObject({ exitCode: 0, stdout: 'shown\n' })
    },
  )

  it.each(written('node'))(
    'stand before the permissions of $name, which refuse most by themselves',
    async (runtime) => {
      const { stdout, stderr } = await suite.run(runtime, NODE_ATTEMPTS)
      expect(stderr).toBe('')
      const said = stdout.trim().split('\n')
      expect(said.length).toBe(9)
      expect(said.slice(0, 2)).toEqual(['program EACCES', 'fork EACCES'])
      expect(said.slice(2).filter((line) => !/ ERR_(?:ACCESS_DENIED|DLOPEN_DISABLED)$/.test(line))).toEqual(
        [],
      )
    },
  )

  it.each(written('quickjs'))(
    'are behind the walls of $name, in which there is nothing of Node',
    async (runtime) => {
      // Makes code from text to reach for the host, which ordinary runs may not.
      const { stdout } = await suite.run(runtime, QUICKJS_ATTEMPTS, { dynamicCode: true })
      expect(stdout.trim().split('\n')).toEqual([
        'own: Headers Response TextDecoder TextEncoder args clearInterval clearTimeout console crypto fetch performance process queueMicrotask setInterval setTimeout',
        'process: env exit exitCode',
        ...Array.from({ length: 6 }, () => 'undefined'),
        "could not load module 'node:fs'",
        'still here',
      ])
    },
  )
})

/** Python reaches every call of the C library, and by number those that it does not name. */
const KERNEL_CALLS = `import ctypes, os, platform, socket
libc = ctypes.CDLL(None, use_errno=True)
text = ctypes.c_char_p
def said(name, answer): print(name, "worked" if answer >= 0 else "refused")
for name, given in {
    "mount": (text(b"none"), text(b"/tmp"), text(b"tmpfs"), 0, None),
    "umount2": (text(b"/run/oauth3"), 2),
    "chroot": (text(b"/tmp"),),
    "unshare": (0x10000000,),
    "setns": (os.open("/proc/self/ns/net", os.O_RDONLY), 0),
    "sethostname": (text(b"x"), 1),
    "reboot": (0x01234567,),
    "swapon": (text(b"/tmp/x"), 0),
    "acct": (text(b"/tmp/x"),),
    "mknod": (text(b"/tmp/disk"), 0o60666, os.makedev(8, 0)),
    "setuid": (0,),
    "setgid": (0,),
    "ptrace": (16, 2, None, None),
    "init_module": (None, 0, None),
    "clock_settime": (0, (ctypes.c_long * 2)(0, 0)),
}.items(): said(name, getattr(libc, name)(*given))
numbers = {
    "x86_64": dict(keyctl=250, add_key=248, bpf=321, perf_event_open=298, kexec_load=246, open_by_handle_at=304,
                   userfaultfd=323, pivot_root=155, finit_module=313),
    "aarch64": dict(keyctl=219, add_key=217, bpf=280, perf_event_open=241, kexec_load=104, open_by_handle_at=265,
                    userfaultfd=282, pivot_root=41, finit_module=273),
}[platform.machine()]
for name, number in {**numbers, "open_tree": 428, "move_mount": 429, "fsopen": 430, "io_uring_setup": 425}.items():
    room = (ctypes.c_char * 256)()
    given = {"keyctl": (ctypes.c_long(-3), ctypes.c_long(1)), "io_uring_setup": (ctypes.c_long(2), room)}.get(name, ())
    said(name, libc.syscall(ctypes.c_long(number), *given, *([ctypes.c_long(0)] * 4)))
for name, family, kind in (("packet", 17, 3), ("raw", 2, 3), ("hypervisor", 40, 1), ("netlink", 16, 3)):
    try:
        socket.socket(family, kind)
        said(name, 0)
    except OSError:
        said(name, -1)
with open("/tmp/program", "wb") as file: file.write(open("/proc/self/exe", "rb").read())
os.chmod("/tmp/program", 0o755)
def in_memory():
    memory = os.memfd_create("program")
    os.write(memory, b"x")
    return memory
for name, program in (
    ("a program in /tmp", lambda: "/tmp/program"), ("itself", lambda: "/proc/self/exe"), ("a program in memory", in_memory),
):
    try:
        os.execve(program(), ["program"], {})
    except OSError:
        said(name, -1)
`

const NODE_ATTEMPTS = `import childProcess from 'node:child_process'
import fs from 'node:fs'
import inspector from 'node:inspector'
import { Worker } from 'node:worker_threads'
import { WASI } from 'node:wasi'
process.removeAllListeners('warning')
const failed = await new Promise((done) => childProcess.fork('/tmp/main.ts').on('error', done).on('spawn', done))
const attempts = {
  program: () => childProcess.execFileSync('/bin/node'),
  fork: () => { throw failed },
  // Below the answers of the runner.
  process: () => new childProcess.ChildProcess().spawn({ file: '/bin/node', args: ['/bin/node'], envPairs: [], stdio: 'ignore' }),
  thread: () => new Worker('1', { eval: true }),
  addOn: () => process.dlopen({ exports: {} } as NodeJS.Module, '/tmp/x.node'),
  inspector: () => inspector.open(0),
  wasi: () => new WASI({ version: 'preview1' }),
  file: () => fs.readFileSync('/proc/self/status'),
  link: () => fs.symlinkSync('/proc', '/tmp/link'),
}
for (const [name, attempt] of Object.entries(attempts)) {
  try { attempt(); console.log(name, 'worked') } catch (error) { console.log(name, error.code) }
}`

const QUICKJS_ATTEMPTS = `const standard = new Set(('AggregateError Array ArrayBuffer BigInt BigInt64Array BigUint64Array Boolean DataView Date ' +
  'Error EvalError FinalizationRegistry Float16Array Float32Array Float64Array Function Infinity Int16Array Int32Array Int8Array ' +
  'InternalError Iterator JSON Map Math NaN Number Object Promise Proxy RangeError ReferenceError Reflect RegExp Set ' +
  'SharedArrayBuffer String Symbol SyntaxError TypeError URIError Uint16Array Uint32Array Uint8Array Uint8ClampedArray ' +
  'WeakMap WeakRef WeakSet decodeURI decodeURIComponent encodeURI encodeURIComponent escape eval globalThis isFinite isNaN ' +
  'parseFloat parseInt undefined unescape').split(' '))
console.log('own:', ...Object.getOwnPropertyNames(globalThis).filter((name) => !standard.has(name)).sort())
console.log('process:', ...Object.getOwnPropertyNames(process).sort())
for (const reach of [console.log, fetch, setTimeout, process.exit, crypto.randomUUID, Headers]) {
  console.log(reach.constructor('return typeof process.binding')())
}
try { await import('node:fs') } catch (error) { console.log(error.message) }
Object.prototype.toJSON = () => 1
Array.prototype[Symbol.iterator] = null
JSON.parse = JSON.stringify = () => { throw new Error('mine') }
Map.prototype.get = Map.prototype.set = () => undefined
console.log('still here')
`

async function pidOf(suite: RuntimeSuite, image: string): Promise<number> {
  const { docker } = suite
  const mine = await docker.listContainers({
    filters: { label: [`oauth3.instance=${INSTANCE}`], ancestor: [image] },
  })
  const states = await Promise.all(
    mine.map(async ({ Id }) => (await docker.getContainer(Id).inspect()).State),
  )
  return states.find(({ Pid }) => Pid > 0)?.Pid ?? 0
}
