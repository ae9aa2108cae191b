// No program can be started in a sandbox. Node's permissions say so by an exception where Node otherwise tells by an `error`
// event, and libraries that look whether a program is there (git, tput, wmic) expect that one. It is no wall: the wall is the
// container, which has no other program, and the permissions behind it.
import childProcess, { ChildProcess } from 'node:child_process'
import module from 'node:module'
import { PassThrough } from 'node:stream'
import { promisify } from 'node:util'

const EACCES = -13

/** As `spawn` of a file that may not be executed fails. */
function refusal(call, file, args) {
  const said = `${call} ${file}`
  const error = new Error(`${said} EACCES: no program can be started in a sandbox`)
  return Object.assign(error, { errno: EACCES, code: 'EACCES', syscall: said, path: file, spawnargs: args })
}

function asFile(file) {
  if (typeof file === 'string' && file !== '') return file
  throw Object.assign(new TypeError('The "file" argument must be of type string'), {
    code: 'ERR_INVALID_ARG_TYPE',
  })
}

const argsOf = (args) => (Array.isArray(args) ? args.map(String) : [])
const optionsOf = (args, options) => (Array.isArray(args) ? options : (options ?? args)) ?? {}

/** A process that was never there: its streams are at their end, `error` comes, and then `close`. */
function neverStarted(file, args, stdio) {
  const child = new ChildProcess()
  const [input, output, errors] = typeof stdio === 'string' ? [stdio, stdio, stdio] : (stdio ?? [])
  const end = (how) =>
    how === undefined || how === null || how === 'pipe' || how === 'overlapped' ? new PassThrough() : null
  Object.assign(child, { spawnfile: file, spawnargs: [file, ...args], exitCode: EACCES, killed: false })
  Object.assign(child, { stdin: end(input)?.resume() ?? null, stdout: end(output), stderr: end(errors) })
  child.stdio = [child.stdin, child.stdout, child.stderr]
  child.kill = () => false
  child.send = () => false
  child.disconnect = () => {}
  child.ref = child.unref = () => {}
  child.stdout?.end()
  child.stderr?.end()
  process.nextTick(() => {
    // Who listens to nobody is told as Node tells it: the error is thrown.
    child.emit('error', refusal('spawn', file, args))
    setImmediate(() => child.emit('close', EACCES, null))
  })
  return child
}

const spawn = (file, args, options) =>
  neverStarted(asFile(file), argsOf(args), optionsOf(args, options).stdio)
const fork = (file, args) => neverStarted(process.execPath, [asFile(file), ...argsOf(args)], 'ignore')

function execFile(file, ...rest) {
  const done = rest.findLast((one) => typeof one === 'function')
  const child = neverStarted(asFile(file), argsOf(rest[0]))
  const isText = optionsOf(rest[0], rest[1]).encoding !== 'buffer'
  const nothing = () => (isText ? '' : Buffer.alloc(0))
  if (done !== undefined)
    child.once('error', (error) => done(Object.assign(error, { cmd: file }), nothing(), nothing()))
  return child
}
const exec = (command, ...rest) => execFile(asFile(command), [], ...rest)

/** `{stdout, stderr}` in a promise that has the process, as Node's own have it. */
const promised =
  (call) =>
  (...given) => {
    const { promise, resolve, reject } = Promise.withResolvers()
    const child = call(...given, (error, stdout, stderr) =>
      error ? reject(Object.assign(error, { stdout, stderr })) : resolve({ stdout, stderr }),
    )
    return Object.assign(promise, { child })
  }
for (const call of [exec, execFile]) Object.defineProperty(call, promisify.custom, { value: promised(call) })

function spawnSync(file, args) {
  const error = refusal('spawnSync', asFile(file), argsOf(args))
  return { pid: 0, output: null, stdout: null, stderr: null, status: null, signal: null, error }
}
function execFileSync(file, args) {
  throw Object.assign(refusal('spawnSync', asFile(file), argsOf(args)), {
    status: null,
    stdout: null,
    stderr: null,
  })
}
const execSync = (command) => execFileSync(command)

Object.assign(childProcess, { spawn, fork, exec, execFile, spawnSync, execFileSync, execSync })
module.syncBuiltinESMExports()
