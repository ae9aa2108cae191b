/**
 * Ways to make code from text, for each language that has them: bodies of asynchronous functions that give 42 when the
 * text has run. Their names say what is reached for; what text would need to be loaded is written to /tmp first.
 */
import type { Runtime } from '../../src/sandbox/runtimes/runtimes.ts'

type Ways = Readonly<Record<string, string>>

export interface TextCodeWays {
  /** Built-in modules and statements at the top of the program. */
  readonly header: string
  /** Each must fail with an error that names `dynamic_code` or says that code generation is disallowed. */
  readonly refused: Ways
  /** There is no such thing in this language, whatever was approved: each must fail with any error. */
  readonly absent: Ways
  /** Programs that must not get to their first line. */
  readonly refusedPrograms: Ways
  /** Names of `refused` that work in a run that may. */
  readonly allowed: readonly string[]
  /** Honest, and must go on working: each gives 42. */
  readonly honest: Ways
}

/** Runs every way by itself; prints a line of JSON for each: its name, and what it made or what was thrown. */
export const programOf = (header: string, ways: Ways): string => `${header}
const ways = {
${Object.entries(ways)
  .map(([name, body]) => `${JSON.stringify(name)}: async () => { ${body} },`)
  .join('\n')}
}
const { stringify } = JSON
const print = console.log
const late = (ms) => new Promise((_, reject) => setTimeout(() => reject(new Error('nothing came of it')), ms))
for (const [name, way] of Object.entries(ways)) {
  try { print(stringify([name, String(await Promise.race([way(), late(2_000)]))])) }
  catch (error) { print(stringify([name, 'refused', String(error?.name), String(error?.message)])) }
}
${header.includes('node:process') ? 'process.exit(0)' : ''}
`

/** Of the language itself. */
const LANGUAGE: Ways = {
  eval: 'return (0, eval)("6*7")',
  'direct eval': 'return eval("6*7")',
  'an alias of eval': 'const run = globalThis["ev" + "al"]; return run("6*7")',
  Function: 'return Function("return 6*7")()',
  'new Function': 'return new Function("return 6*7")()',
  'Reflect.construct': 'return Reflect.construct(Function, ["return 6*7"])()',
  'a constructor of a function': 'return (() => {}).constructor("return 6*7")()',
  'constructors by steps': 'return "".at.constructor("return 6*7")()',
  'a function that awaits': 'return (async () => {}).constructor("return 6*7")()',
  'a function that yields':
    'return Object.getPrototypeOf(function* () {}).constructor("return 6*7")().next().value',
  'a function that awaits and yields':
    'return (await Object.getPrototypeOf(async function* () {}).constructor("return 6*7")().next()).value',
  'a subclass of Function': 'return new (class extends Function {})("return 6*7")()',
  'a tagged template': 'return Function`return 6*7`()',
  'a bound Function': 'return Function.bind(null, "return 6*7")()()',
  'Function by apply': 'return Function.apply(null, ["return 6*7"])()',
  'the second realm': 'return new globalThis.ShadowRealm().evaluate("6*7")',
}
const withoutRealm = ({ 'the second realm': _realm, ...ways }: Ways): Ways => ways

const OF_NODE_TOO: Ways = {
  'node:vm': 'return (await import("node:vm")).runInThisContext("6*7")',
  vm: 'return (await import(["node", "vm"].join(":"))).runInNewContext("6*7")',
  'node:repl': 'return Object.keys(await import("node:repl")) && 42',
  getBuiltinModule: 'return process.getBuiltinModule("vm").runInThisContext("6*7")',
  'getBuiltinModule by name':
    'return (await import("node:process")).getBuiltinModule("vm").runInThisContext("6*7")',
  'getBuiltinModule of module':
    'return process.getBuiltinModule("module").createRequire("file:///tmp/x.js")("vm").runInThisContext("6*7")',
  'process.binding': 'return process.binding("contextify") && 42',
  setFlagsFromString:
    'v8.setFlagsFromString("--no-disallow-code-generation-from-strings"); return eval("6*7")',
  'setFlagsFromString by name':
    '(await import("node:v8")).setFlagsFromString("--no-disallow-code-generation-from-strings"); return eval("6*7")',
  'a data: address': 'return (await import("data:text/javascript,export default 6*7")).default',
  'a data: address, computed':
    'return (await import(["data", "text/javascript,export default 6*7"].join(":"))).default',
  'a data: address of WebAssembly': 'await import("data:application/wasm;base64,AGFzbQEAAAA="); return 42',
  'a written file':
    'fs.writeFileSync("/tmp/written.ts", "export default 6*7"); return (await import("/tmp/written.ts")).default',
  'a written file, relative':
    'fs.writeFileSync("/tmp/relative.mjs", "export default 6*7"); return (await import("./relative.mjs")).default',
  'a written file by URL':
    'fs.writeFileSync("/tmp/url.js", "export default 6*7"); return (await import("file:///tmp/url.js")).default',
  'the changed main program':
    'fs.writeFileSync("/tmp/main.ts", "export default 6*7"); return (await import("file:///tmp/main.ts?again")).default',
  'a package in /tmp':
    'fs.mkdirSync("/tmp/node_modules/own", { recursive: true }); fs.writeFileSync("/tmp/node_modules/own/package.json", \'{"main":"x.js"}\'); fs.writeFileSync("/tmp/node_modules/own/x.js", "module.exports = 6*7"); return (await import("own")).default',
}

/** Other spellings of files. */
const SPELLINGS: Ways = {
  'the changed main program, other spelling':
    'fs.writeFileSync("/tmp/main.ts", "export default 6*7"); return (await import("file:///tmp/./%6dain.ts")).default',
  'a file below the endpoint by an escaped slash':
    'fs.writeFileSync("/tmp/slash.mjs", "export default 6*7"); return (await import("file:///run/oauth3/..%2f..%2ftmp/slash.mjs")).default',
}

const NODE_HEADER = `import process from 'node:process'
import fs from 'node:fs'
import v8 from 'node:v8'`

const WASM = 'return new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])) && 42'

/** Replaces what a careless wall would stand on. */
const TAMPERED = `
String.prototype.startsWith = String.prototype.includes = () => true
Array.prototype.includes = Array.prototype.some = () => false
Set.prototype.has = Map.prototype.get = () => undefined
Reflect.apply = () => true
Array.prototype[Symbol.iterator] = function* () {}
`

const DENO: TextCodeWays = {
  header: NODE_HEADER,
  refused: {
    ...withoutRealm(LANGUAGE),
    ...OF_NODE_TOO,
    ...SPELLINGS,
    'a blob: address':
      'return (await import(URL.createObjectURL(new Blob(["export default 6*7"], { type: "text/javascript" })))).default',
    Worker: 'return new Worker("data:text/javascript,postMessage(6*7)", { type: "module" }) && 42',
    'Worker of self':
      'return new self.Worker("data:text/javascript,postMessage(6*7)", { type: "module" }) && 42',
    'a thread of Node':
      'const { Worker } = await import("node:worker_threads"); return new Worker("1", { eval: true }) && 42',
    'a thread of Node, whole module':
      'return new (await import("node:worker_threads")).default.Worker("1", { eval: true }) && 42',
    'node:module':
      'return (await import("node:module")).createRequire("file:///tmp/x.js")("vm").runInThisContext("6*7")',
    'node:test': 'return (await import("node:test")).run && 42',
    'node:inspector': 'return (await import("node:inspector")).Session && 42',
    'node:wasi': 'return (await import("node:wasi")).WASI && 42',
    'a file of the image': 'return Object.keys(await import("file:///runner.js")) && 42',
  },
  absent: {
    'the second realm': LANGUAGE['the second realm'] as string,
    'a timer with text':
      'setTimeout("globalThis.made = 42", 1); await new Promise((r) => setTimeout(r, 50)); return globalThis.made',
    WebAssembly: WASM,
    'WebAssembly by its shape':
      'return new (Object.getPrototypeOf(globalThis).WebAssembly).Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])) && 42',
    "Deno's internals": 'return Deno[Deno.internal].core.evalContext("6*7", "file:///x.js")[0]',
    "Deno's internals by their symbol":
      'return Deno[Object.getOwnPropertySymbols(Deno)[0]].core.evalContext("6*7")[0]',
    'a program': 'return new Deno.Command("/bin/deno", { args: ["eval", "1"] }).outputSync().code',
    'a native library': 'return Deno.dlopen("/lib/x86_64-linux-gnu/libm.so.6", {}) && 42',
    'a module from elsewhere': 'return (await import("https://example.com/x.js")).default',
  },
  refusedPrograms: {
    'node:vm': 'import vm from "node:vm"; console.log("ran", vm.runInThisContext("6*7"))',
    'node:module':
      'import { createRequire } from "node:module"; console.log("ran", createRequire(import.meta.url))',
    'a data: address': 'import made from "data:text/javascript,export default 6*7"; console.log("ran", made)',
    'a data: address, passed on':
      'export * from "data:text/javascript,export const made = 6*7"; console.log("ran")',
    'a file of the image': 'import "file:///runner.js"; console.log("ran")',
    'an address, after the tools were replaced': `${TAMPERED}\nconsole.log("ran", (await import("data:text/javascript,export default 6*7")).default)`,
    'vm, after the tools were replaced': `${TAMPERED}\nconsole.log("ran", (await import("node:vm")).runInThisContext("6*7"))`,
  },
  allowed: [
    'eval',
    'new Function',
    'node:vm',
    'a data: address',
    'a blob: address',
    'a written file',
    'getBuiltinModule',
    'Worker',
  ],
  honest: {
    'a built-in module': 'const { join } = await import("node:path"); return join("4", "2").replace("/", "")',
    'threads, as far as they are none':
      'const { isMainThread, MessageChannel } = await import("node:worker_threads"); return isMainThread && new MessageChannel() ? 42 : 0',
    v8: 'const { deserialize, serialize } = await import("node:v8"); return deserialize(serialize(42))',
    'names of process':
      'const { env, pid, stdout } = await import("node:process"); return env && pid > 0 && stdout ? 42 : 0',
    'its own module': 'return (await import(import.meta.url)) && 42',
    'a blob that is data': 'return (await fetch(URL.createObjectURL(new Blob(["42"])))).text()',
  },
}

const NODE: TextCodeWays = {
  header: NODE_HEADER,
  refused: {
    ...withoutRealm(LANGUAGE),
    ...OF_NODE_TOO,
    'require of a written file':
      'const { createRequire } = await import("node:module"); fs.writeFileSync("/tmp/required.cjs", "module.exports = 6*7"); return createRequire("file:///tmp/x.js")("./required.cjs")',
    'require of vm':
      'const { createRequire } = await import("node:module"); return createRequire("file:///tmp/x.js")("vm").runInThisContext("6*7")',
    'module._compile':
      'const m = new (await import("node:module")).Module("x"); m._compile("module.exports = 6*7", "/tmp/x.js"); return m.exports',
    'Module._load':
      'fs.writeFileSync("/tmp/load.js", "module.exports = 6*7"); return (await import("node:module")).Module._load("/tmp/load.js")',
    'module.load':
      'fs.writeFileSync("/tmp/load.cjs", "module.exports = 6*7"); const m = new (await import("node:module")).Module("/tmp/load.cjs"); m.load("/tmp/load.cjs"); return m.exports',
    'module.load of an ES module':
      'fs.writeFileSync("/tmp/load.mjs", "export default 6*7"); const m = new (await import("node:module")).Module("/tmp/load.mjs"); m.load("/tmp/load.mjs"); return m.exports.default',
    'an extension for itself':
      'const { Module } = await import("node:module"); fs.writeFileSync("/tmp/a.json", "module.exports = 6*7"); Module._extensions[".json"] = Module._extensions[".js"]; const m = new Module("/tmp/a.json"); m.load("/tmp/a.json"); return m.exports',
    'Module.runMain':
      'fs.writeFileSync("/tmp/second.mjs", "globalThis.made = 42"); process.argv[1] = "/tmp/second.mjs"; (await import("node:module")).Module.runMain(); await new Promise((r) => setTimeout(r, 300)); return globalThis.made',
    'another resolver':
      'const { Module } = await import("node:module"); fs.writeFileSync("/tmp/other.cjs", "module.exports = 6*7"); Module._resolveFilename = () => "/tmp/other.cjs"; return Module._load("never")',
    'hooks of its own':
      '(await import("node:module")).registerHooks({ load: () => ({ format: "module", source: "export default 6*7", shortCircuit: true }) }); return (await import("node:fs?1")).default',
    'hooks on a thread': '(await import("node:module")).register("data:text/javascript,"); return 42',
    'a cache of compiled code': '(await import("node:module")).enableCompileCache("/tmp/cache"); return 42',
    execve: 'process.execve("/bin/node", ["node", "-e", "1"], {}); return 42',
  },
  absent: {
    ...SPELLINGS,
    'the second realm': LANGUAGE['the second realm'] as string,
    'a timer with text':
      'setTimeout("globalThis.made = 42", 1); await new Promise((r) => setTimeout(r, 50)); return globalThis.made',
    WebAssembly: WASM,
    'a blob: address': 'return (await import(URL.createObjectURL(new Blob(["export default 6*7"])))).default',
    'a thread': 'return new (await import("node:worker_threads")).Worker("1", { eval: true }) && 42',
    'the inspector': 'const s = new (await import("node:inspector")).Session(); s.connect(); return 42',
    'the inspector by a signal':
      'process.kill(process.pid, "SIGUSR1"); await new Promise((r) => setTimeout(r, 500)); return (await fetch("http://127.0.0.1:9229/json")).text()',
    wasi: 'return new (await import("node:wasi")).WASI({ version: "preview1" }) && 42',
    'a program': 'const { error } = (await import("node:child_process")).spawnSync("/bin/node"); throw error',
    'a native add-on': 'process.dlopen({ exports: {} }, "/tmp/x.node"); return 42',
  },
  refusedPrograms: {
    'node:vm': 'import vm from "node:vm"; console.log("ran", vm.runInThisContext("6*7"))',
    'a data: address': 'import made from "data:text/javascript,export default 6*7"; console.log("ran", made)',
    'a file of the image': 'import "/runner.mjs"; console.log("ran")',
    'an address, after the tools were replaced': `Buffer.from = Buffer.compare = () => 0; ${TAMPERED}\nconsole.log("ran", (await import("data:text/javascript,export default 6*7")).default)`,
    'vm, after the tools were replaced': `${TAMPERED}\nconsole.log("ran", require("vm").runInThisContext("6*7"))`,
    'require of vm': 'const vm = require("vm"); console.log("ran", vm.runInThisContext("6*7"))',
    'module._compile':
      'const m = new module.constructor("x"); m._compile("console.log(\'ran\')", "/tmp/x.js")',
    'require of the changed program':
      'if (require.main === module && !globalThis.again) { globalThis.again = 1; require("fs").writeFileSync("/tmp/main.ts", "console.log(\'ran\')"); delete require.cache[__filename]; require(__filename) }',
    'require of a written file':
      'require("fs").writeFileSync("/tmp/w.js", "console.log(\'ran\')"); require("./w.js")',
  },
  allowed: [
    'eval',
    'new Function',
    'node:vm',
    'a data: address',
    'a written file',
    'getBuiltinModule',
    'require of a written file',
  ],
  honest: {
    'a built-in module': 'const { join } = await import("node:path"); return join("4", "2").replace("/", "")',
    'a built-in module by require':
      'const { createRequire } = await import("node:module"); return createRequire(import.meta.url)("os").EOL === "\\n" ? 42 : 0',
    v8: 'const { deserialize, serialize } = await import("node:v8"); return deserialize(serialize(42))',
    'names of process':
      'const { env, pid, stdout } = await import("node:process"); return env && pid > 0 && stdout ? 42 : 0',
  },
}

const QUICKJS: TextCodeWays = {
  header: '',
  refused: withoutRealm(LANGUAGE),
  absent: {
    'the second realm': LANGUAGE['the second realm'] as string,
    'a timer with text': 'setTimeout("globalThis.made = 42", 1); return 0',
    WebAssembly: WASM,
    'a data: address': 'return (await import("data:text/javascript,export default 6*7")).default',
    std: 'return std.evalScript("6*7")',
    'std by import': 'return (await import("std")).evalScript("6*7")',
    'a function of the host': 'return console.log.constructor.constructor("return 6*7")()()',
    'eval, brought back': 'delete globalThis.eval; return eval("6*7")',
    'Function, brought back':
      'delete globalThis.Function; delete Function.prototype.constructor; return (() => {}).constructor("return 6*7")()',
    'a frame of the host':
      'let got; Error.prepareStackTrace = (_, frames) => { got = frames }; new Error().stack; return got[0].getFunction().constructor("return 6*7")()',
  },
  refusedPrograms: {
    'a data: address': 'import made from "data:text/javascript,export default 6*7"; console.log("ran", made)',
  },
  allowed: ['eval', 'new Function', 'a function that awaits', 'a function that yields'],
  honest: {
    'instanceof Function': 'return (() => {}) instanceof Function && fetch instanceof Function ? 42 : 0',
    'a name of Function': 'return Function.name === "Function" && Function.prototype.call.call(() => 42)',
    'methods of functions': 'return Function.prototype.bind.call((n) => n, null, 42)()',
  },
}

/** Null: the runtime has no such wall. */
export const TEXT_CODE: Readonly<Record<Runtime['language'], TextCodeWays | null>> = {
  deno: DENO,
  node: NODE,
  python: null,
  quickjs: QUICKJS,
}
