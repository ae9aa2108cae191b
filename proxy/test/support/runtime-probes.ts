/**
 * What the suites over all runtimes ask of the code in a sandbox, once for each language. A runtime's row names its
 * language, so a row alone brings it into both suites; what a language cannot ask at all says why.
 *
 * Attempts print `worked …` or `refused …`.
 */
import type { Runtime } from '../../src/sandbox/runtimes/runtimes.ts'

/** A language that cannot ask this, and why. */
export interface Absent {
  readonly absent: string
}
export type Probe = string | Absent

interface RequestProbe {
  readonly url: string
  readonly method?: string
  readonly body?: string
  /** Name of the variable whose value goes behind `Bearer`. */
  readonly bearer?: string
}

export interface Language {
  /** What an error names as the file of the code. */
  readonly mainFile: string
  /** `to out`, `to err` on the other stream, `again`. */
  readonly streams: string
  /** The variable's value, or `unset`. */
  variable(name: string): string
  /** Prints `x` and leaves with the code, though a timer or a thread would go on. */
  leave(code: number): string
  /** Prints `bye` from a hook that runs at the end, and has it choose the exit code 5. */
  readonly atEnd: Probe
  /** Ends its main part while something of it still writes to standard output without pause. */
  readonly goesOn: Probe
  /** Throws `it broke` in line 3. */
  readonly breaks: string
  /** Prints, and then does not parse. */
  readonly unreadable: string
  /** Behind a byte order mark and with CRLF: the code points of a text, joined by commas. */
  codePoints(text: string): string
  /** Prints what reading standard input gives at its end: `0` bytes. */
  readonly input: Probe
  /** Writes the bytes 0 to 255, sixteen times over. */
  readonly bytes: Probe
  readonly sleeps: string
  readonly spins: string
  readonly fillsMemory: string
  /** Prints that many lines of 99 letters. */
  lines(count: number): string
  /** Prints a gigabyte. */
  readonly floods: string
  /** Prints six million letters at once, and leaves right behind them. */
  readonly muchAndLeave: string
  /** Prints a text as it is. */
  print(text: string): string
  /** Code with a literal of this length, which prints the length. */
  long(length: number): string
  /** Status and body of the answer on a line each, or `refused …`. */
  fetch(request: RequestProbe): string
  /** The first message of a WebSocket. */
  webSocket(url: string): Probe
  connect(host: string, port: number): Probe
  resolve(host: string): Probe
  /** Sends the bytes through the gateway's socket by itself, and prints what comes back. */
  socket(sent: string): Probe
  read(path: string): Probe
  write(path: string): Probe
  /** Fills /tmp and prints how many bytes went in. */
  readonly fillsTmp: Probe
  run(program: string): Probe
  /** Prints `ready`, then makes processes or threads without end. */
  readonly multiplies: Probe
}

const text = (value: unknown): string => JSON.stringify(value)

/** Deno and Node differ in little that can be seen from here. */
function javascript(own: {
  readonly imports: string
  variable(name: string): string
  exit(code: number): string
  /** Writes the bytes `b`. */
  readonly write: string
  /** A timer that keeps nothing up. */
  idleTimer(call: string): string
  /** Starts a program, or throws. */
  start(program: string): string
  readonly multiplies: Probe
}): Language {
  const code = (body: string) => `${own.imports}\n${body}`
  const attempt = (body: string) =>
    code(
      `try { const said = await (async () => { ${body} })(); console.log('worked', said) } catch (error) { console.log('refused', error.code ?? error.name) }`,
    )
  return {
    mainFile: 'main.ts',
    streams: 'console.log("to out"); console.error("to err"); console.log("again")',
    variable: (name) => `console.log(${own.variable(text(name))} ?? 'unset')`,
    leave: (exitCode) =>
      code(`setTimeout(() => console.log('late'), 60_000); console.log('x'); ${own.exit(exitCode)}`),
    atEnd: code("process.on('exit', () => { console.log('bye'); process.exitCode = 5 })"),
    goesOn: code(
      `${own.idleTimer("() => console.log('on')")}; await new Promise((r) => setTimeout(r, 50)); console.log('last')`,
    ),
    breaks: '\n\nfunction broken(): never { throw new Error("it broke") }\nbroken()',
    unreadable: 'console.log("ran")\nthis is not code',
    codePoints: (value) =>
      `\ufeff// first line  \r\nconst text = ${text(value)}\r\nconsole.log([...text].map((c) => c.codePointAt(0)).join()) \r\n`,
    input: code('let n = 0; for await (const part of process.stdin) n += part.length; console.log(n)'),
    bytes: code(`const b = new Uint8Array(4096).map((_, i) => i); ${own.write}`),
    sleeps: 'console.log("began"); await new Promise((r) => setTimeout(r, 60_000))',
    spins: 'console.log("began"); for (;;) {}',
    fillsMemory:
      'const all: Uint8Array[] = []; for (;;) { all.push(new Uint8Array(8_388_608).fill(1)); await 0 }',
    lines: (count) => `const line = 'x'.repeat(99); for (let i = 0; i < ${count}; i++) console.log(line)`,
    floods: 'const much = "x".repeat(1_048_575); for (let i = 0; i < 1_024; i++) console.log(much)',
    muchAndLeave: code(`console.log('x'.repeat(5_999_999)); ${own.exit(0)}`),
    print: (value) => `console.log(${text(value)})`,
    long: (length) => `const text = "${'x'.repeat(length)}"\nconsole.log(text.length)`,
    fetch: ({ url, method, body, bearer }) =>
      `try {
         const answer = await fetch(${text(url)}, {
           method: ${text(method ?? 'GET')},
           ${body === undefined ? '' : `body: ${text(body)},`}
           headers: ${bearer === undefined ? '{}' : `{ authorization: 'Bearer ' + ${own.variable(text(bearer))} }`},
         })
         console.log(answer.status)
         console.log(await answer.text())
       } catch (error) { console.log('refused', error.name) }`,
    webSocket: (url) =>
      `const socket = new WebSocket(${text(url)})
       await new Promise<void>((done) => {
         socket.onmessage = ({ data }) => { console.log(data); socket.close(); done() }
         socket.onerror = () => { console.log('refused'); done() }
       })`,
    connect: (host, port) =>
      attempt(
        `await new Promise((resolve, reject) => net.connect({ host: ${text(host)}, port: ${port}, timeout: 3000 }, resolve).on('error', reject).on('timeout', () => reject(new Error('timeout'))))`,
      ),
    resolve: (host) => attempt(`return (await dns.lookup(${text(host)})).address`),
    socket: (sent) =>
      attempt(
        `const socket = net.connect('/run/oauth3/gateway.sock'); socket.end(${text(sent)}); let got = ''; for await (const part of socket) got += part; return got`,
      ),
    read: (path) => attempt(`return fs.readFileSync(${text(path)}, 'latin1').slice(0, 2000)`),
    write: (path) => attempt(`fs.writeFileSync(${text(path)}, 'x')`),
    fillsTmp: code(
      `let bytes = 0
       try { for (let i = 0; i < 400; i++) { fs.writeFileSync('/tmp/fill' + i, new Uint8Array(1048576)); bytes += 1048576 } }
       catch (error) { console.log(bytes, error.code) }`,
    ),
    run: (program) => attempt(own.start(text(program))),
    multiplies: own.multiplies,
  }
}

const NODE_MODULES = `import process from 'node:process'
import fs from 'node:fs'
import net from 'node:net'
import dns from 'node:dns/promises'
import childProcess from 'node:child_process'`.replaceAll('\n', ';')

const DENO = javascript({
  imports: NODE_MODULES,
  variable: (name) => `Deno.env.get(${name})`,
  exit: (code) => `Deno.exit(${code})`,
  write: 'Deno.stdout.writeSync(b)',
  start: (program) => `return new Deno.Command(${program}).outputSync().code`,
  idleTimer: (call) => `Deno.unrefTimer(setInterval(${call}, 1))`,
  multiplies:
    'console.log("ready"); for (;;) { try { new Worker("data:text/javascript,for(;;){}", { type: "module" }) } catch {} await 0 }',
})

const NODE = javascript({
  imports: NODE_MODULES,
  variable: (name) => `process.env[${name}]`,
  exit: (code) => `process.exit(${code})`,
  write: 'fs.writeSync(1, b)',
  start: (program) => `const { error } = childProcess.spawnSync(${program}); if (error) throw error`,
  idleTimer: (call) => `setInterval(${call}, 1).unref()`,
  multiplies: { absent: 'Node is started without leave for threads and programs' },
})

const NO_FILES = { absent: 'QuickJS has no files' }
const NO_SOCKETS = { absent: 'QuickJS has no sockets' }

const QUICKJS: Language = {
  ...NODE,
  mainFile: 'main.js',
  variable: (name) => `console.log(process.env[${text(name)}] ?? 'unset')`,
  leave: (exitCode) =>
    `setTimeout(() => console.log('late'), 60_000); console.log('x'); process.exit(${exitCode})`,
  muchAndLeave: 'console.log("x".repeat(5_999_999)); process.exit(0)',
  atEnd: { absent: 'QuickJS has no hook at the end' },
  goesOn: { absent: 'QuickJS has no timer that does not keep the program up' },
  breaks: '\n\nfunction broken() { throw new Error("it broke") }\nbroken()',
  input: { absent: 'QuickJS has no standard input' },
  bytes: { absent: 'QuickJS prints text only' },
  fillsMemory: 'const all = []; for (;;) { all.push(new Uint8Array(8_388_608).fill(1)); await 0 }',
  webSocket: () => ({ absent: 'QuickJS has no WebSocket' }),
  connect: () => NO_SOCKETS,
  resolve: () => NO_SOCKETS,
  socket: () => NO_SOCKETS,
  read: () => NO_FILES,
  write: () => NO_FILES,
  fillsTmp: NO_FILES,
  run: () => ({ absent: 'QuickJS has no programs' }),
  multiplies: { absent: 'QuickJS has no threads and no programs' },
}

const python = (...lines: readonly string[]): string => `${lines.join('\n')}\n`
const pythonAttempt = (...lines: readonly string[]): string =>
  python(
    'import os, socket, subprocess',
    'def attempt():',
    ...lines.map((line) => `    ${line}`),
    'try:',
    '    print("worked", attempt())',
    'except Exception as error:',
    '    print("refused", type(error).__name__, getattr(error, "errno", None))',
  )

/** JSON's strings are Python's too, but for halves of surrogate pairs. */
const PYTHON: Language = {
  mainFile: '/tmp/main.py',
  streams: python('import sys', 'print("to out")', 'print("to err", file=sys.stderr)', 'print("again")'),
  variable: (name) => python('import os', `print(os.environ.get(${text(name)}, "unset"))`),
  leave: (code) =>
    python(
      'import sys, threading, time',
      'threading.Thread(target=time.sleep, args=(60,), daemon=True).start()',
      'print("x")',
      `sys.exit(${code})`,
    ),
  atEnd: { absent: "Python's hooks at the end cannot choose the exit code" },
  goesOn: python(
    'import os, threading, time',
    'def on():',
    '    while True: os.write(1, b"on\\n")',
    'threading.Thread(target=on, daemon=True).start()',
    'if os.fork() == 0: on()',
    'time.sleep(0.05)',
    'print("last")',
  ),
  breaks: python('', '', 'raise ValueError("it broke")'),
  unreadable: python('print("ran")', 'this is not code either'),
  codePoints: (value) =>
    `\ufeff# first line  \r\ntext = "${[...value].map((char) => (/[\ufeff\0\r\n"\\]/.test(char) ? `\\u${(char.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}` : char)).join('')}"\r\nprint(",".join(str(ord(c)) for c in text)) \r\n`,
  input: python('import sys', 'print(len(sys.stdin.read()))'),
  bytes: python('import sys', 'sys.stdout.buffer.write(bytes(range(256)) * 16)'),
  sleeps: python('import time', 'print("began")', 'time.sleep(60)'),
  spins: python('print("began")', 'while True: pass'),
  fillsMemory: python('all = []', 'while True: all.append(b"x" * 8388608)'),
  lines: (count) => python(`for i in range(${count}): print("x" * 99)`),
  floods: python('for i in range(1024): print("x" * 1048575)'),
  muchAndLeave: python('import sys', 'print("x" * 5999999)', 'sys.exit(0)'),
  print: (value) => python(`print(${text(value)})`),
  long: (length) => python(`text = "${'x'.repeat(length)}"`, 'print(len(text))'),
  fetch: ({ url, method, body, bearer }) =>
    python(
      'import os, urllib.error, urllib.request',
      `headers = ${bearer === undefined ? '{}' : `{"authorization": "Bearer " + os.environ[${text(bearer)}]}`}`,
      `request = urllib.request.Request(${text(url)}, method=${text(method ?? 'GET')}, headers=headers, data=${body === undefined ? 'None' : `${text(body)}.encode()`})`,
      'try:',
      '    answer = urllib.request.urlopen(request)',
      'except urllib.error.HTTPError as error:',
      '    answer = error',
      'except OSError as error:',
      '    answer = None',
      '    print("refused", type(error).__name__)',
      'if answer is not None:',
      '    print(answer.status)',
      '    print(answer.read().decode())',
    ),
  webSocket: () => ({ absent: "Python's library has no WebSocket" }),
  connect: (host, port) => pythonAttempt(`socket.create_connection((${text(host)}, ${port}), 3)`),
  resolve: (host) => pythonAttempt(`return socket.getaddrinfo(${text(host)}, 443)`),
  socket: (sent) =>
    pythonAttempt(
      's = socket.socket(socket.AF_UNIX)',
      's.connect("/run/oauth3/gateway.sock")',
      `s.sendall(${text(sent)}.encode())`,
      's.shutdown(socket.SHUT_WR)',
      'return b"".join(iter(lambda: s.recv(65536), b"")).decode()',
    ),
  read: (path) => pythonAttempt(`return open(${text(path)}, "rb").read(2000).decode("latin-1")`),
  write: (path) =>
    pythonAttempt(
      `open(${text(path)}, "r+b" if os.path.exists(${text(path)}) else "wb", buffering=0).write(b"x")`,
    ),
  fillsTmp: python(
    'size = 0',
    'try:',
    '    for i in range(400):',
    '        with open(f"/tmp/fill{i}", "wb", buffering=0) as file: size += file.write(bytes(1048576))',
    'except OSError as error:',
    '    print(size, "ENOSPC" if error.errno == 28 else error)',
  ),
  run: (program) => pythonAttempt(`return subprocess.run([${text(program)}, "-c", "true"]).returncode`),
  multiplies: python(
    'import os, threading, time',
    'print("ready", flush=True)',
    'while True:',
    '    try:',
    '        if os.fork() == 0: time.sleep(60)',
    '    except OSError:',
    '        pass',
  ),
}

export const LANGUAGES: Readonly<Record<Runtime['language'], Language>> = {
  deno: DENO,
  node: NODE,
  python: PYTHON,
  quickjs: QUICKJS,
}
