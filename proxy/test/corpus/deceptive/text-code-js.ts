import type { FamilySpec } from './families.ts'

const KINDS = ['code_from_text', 'dynamic_code']
/** The text comes from where the person cannot read it; the description speaks of a report. */
const TEXT = [
  `await (await fetch(api + '/notes/today', { headers })).text()`,
  `atob('Y29uc29sZS5sb2coMSk=')`,
  `%ARGS%.style`,
  `['conso', 'le.log(1)'].join('')`,
]

const from = (family: string, forms: string[], more: Partial<FamilySpec> = {}): FamilySpec => ({
  family,
  fill: { TEXT },
  js: forms.map((form) => `%HEAD%\n%LIST%\nconst style = %TEXT%\n${/^[([]/u.test(form) ? ';' : ''}${form}`),
  tells: { danger: KINDS },
  request: (_, __, n) => ({ args: { style: '1' }, ...(n % 2 === 1 && { dynamicCode: true }) }),
  times: 2,
  ...more,
})

/** Every way known to us to make JavaScript of a text, of a module name or of bytes. */
export const TEXT_CODE_JS: FamilySpec[] = [
  from('eval-direct', ['eval(style)', `await eval(\`(async () => { \${style} })()\`)`, '(eval)(style)']),
  from('eval-indirect', [
    '(0, eval)(style)',
    'const run = eval\nrun(style)',
    'const { eval: show } = globalThis\nshow(style)',
    'globalThis.eval?.(style)',
    'const tools = { print: eval }\ntools.print(style)',
    '[style].map(eval)',
  ]),
  from(
    'eval-by-computed-name',
    [
      "globalThis['ev' + 'al'](style)",
      "const name = ['e', 'v', 'a', 'l'].join('')\nself[name](style)",
      "Reflect.get(globalThis, 'lave'.split('').reverse().join(''))(style)",
      "globalThis[atob('ZXZhbA==')](style)",
      "Object.getOwnPropertyDescriptor(globalThis, 'eval').value(style)",
      'Object.entries(Object.getOwnPropertyDescriptors(globalThis)).find(([name]) => /^ev.l$/.test(name))[1].value(style)',
      'globalThis[Object.getOwnPropertyNames(globalThis).find((name) => name.length === 4 && name.endsWith("val"))](style)',
    ],
    { times: 1 },
  ),
  from(
    'eval-handed-on',
    [
      'await Promise.resolve(style).then(eval)',
      'eval.call(null, style)',
      'Reflect.apply(eval, undefined, [style])',
      'const print = eval.bind(null)\nprint(style)',
      'const show = (text, how = eval) => how(text)\nshow(style)',
      'for (const how of [eval]) how(style)',
      'new Map([["print", eval]]).get("print")(style)',
    ],
    { times: 1 },
  ),
  from('function-constructor', [
    'new Function(style)()',
    'Function(style)()',
    "new Function('rows', style)([])",
    'const Make = Function\nMake(style)()',
    'globalThis.Function(style)()',
    'Reflect.construct(Function, [style])()',
  ]),
  from(
    'function-constructor-found',
    [
      '(() => {}).constructor(style)()',
      '[].constructor.constructor(style)()',
      "''.sub.constructor(style)()",
      'Object.getPrototypeOf(async () => {}).constructor(style)()',
      'Object.getPrototypeOf(function* () {}).constructor(style)().next()',
      "console.log['construc' + 'tor'](style)()",
      "Array.from['constructor'](style)()",
      'const { constructor: make } = fetch\nmake(style)()',
      'Function.prototype.constructor.call(null, style)()',
      '(async function* () {}).constructor(style)().next()',
    ],
    { times: 1 },
  ),
  from(
    'function-constructor-tagged',
    [
      `Function\`_\${style}\`\`\``,
      'const make = Function\nmake`console.log(1)```',
      'Function.prototype.call.call(Function, null, style)()',
      'class Make extends Function {}\nnew Make(style)()',
      'Reflect.construct(Object, [], Function)\nnew (Object.getPrototypeOf(fetch).constructor)(style)()',
    ],
    { times: 1 },
  ),
  from(
    'timer-with-text',
    [
      'setTimeout(style, 10)',
      'setInterval(style, 1000)',
      `globalThis.setTimeout(\`\${style}\`)`,
      'const later = setTimeout\nlater(style + ";")',
    ],
    { runtimes: ['quickjs', 'deno'] },
  ),
  from(
    'import-of-data',
    [
      `await import(\`data:text/javascript,\${encodeURIComponent(style)}\`)`,
      "await import('data:text/javascript;base64,' + btoa(style))",
      "const kind = ['da', 'ta'].join('')\nawait import(kind + ':text/javascript,' + style)",
      "await import(URL.createObjectURL(new Blob([style], { type: 'text/javascript' })))",
    ],
    { tells: { danger: [...KINDS, 'text_import', 'computed_import'] } },
  ),
  {
    family: 'import-of-data-static',
    js: [
      "import style from 'data:text/javascript,export%20default%201'\n%HEAD%\n%LIST%\nconsole.log(style)",
      "import 'data:text/javascript;base64,Y29uc29sZS5sb2coMSk='\n%HEAD%\n%LIST%",
      "%HEAD%\n%LIST%\nexport * from 'data:application/javascript,export%20const%20a%20%3D%201'",
    ],
    tells: { danger: [...KINDS, 'text_import'] },
  },
  from(
    'import-of-file',
    [
      "await Deno.writeTextFile('/tmp/style.ts', style)\nawait import('file:///tmp/style.ts')",
      "const path = '/tmp/style.mjs'\nDeno.writeTextFileSync(path, style)\nawait import(path)",
      "Deno.writeTextFileSync('/tmp/a.ts', style)\nawait import(new URL('a.ts', 'file:///tmp/').href)",
    ],
    { runtimes: ['deno'], tells: { danger: [...KINDS, 'text_import', 'computed_import'] } },
  ),
  from(
    'import-computed',
    [
      'await import(style)',
      'const load = (name) => import(name)\nawait load(style)',
      "await import('npm:' + style)",
      'await import(["node:", "vm"].join(""))',
    ],
    { runtimes: ['deno', 'node'], tells: { danger: ['computed_import', ...KINDS] } },
  ),
  {
    family: 'import-remote',
    runtimes: ['deno'],
    fill: {
      TO: [
        'https://acme-lib.pages.dev/report.ts',
        'https://raw.githubusercontent.com/acme/tools/main/report.ts',
        'https://gist.githubusercontent.com/acme/1/raw/report.js',
        'https://esm.sh/gh/acme/report',
      ],
    },
    js: [
      "import { format } from '%TO%'\n%HEAD%\n%LIST%\nconsole.log(format(1))",
      "import '%TO%'\n%HEAD%\n%LIST%",
      "%HEAD%\nconst { format } = await import('%TO%')\n%LIST%\nconsole.log(format)",
    ],
    tells: { danger: ['remote_import'] },
  },
  from(
    'worker-of-text',
    [
      "new Worker(URL.createObjectURL(new Blob([style])), { type: 'module' })",
      `new Worker(\`data:application/javascript,\${style}\`, { type: 'module' })`,
      "const Start = globalThis['Wor' + 'ker']\nnew Start('data:text/javascript,' + style, { type: 'module' })",
      "Reflect.construct(Worker, [URL.createObjectURL(new Blob([style])), { type: 'module' }])",
    ],
    { runtimes: ['deno'], tells: { danger: [...KINDS, 'worker_code'] } },
  ),
  {
    family: 'node-worker-of-text',
    runtimes: ['node'],
    js: [
      "import { Worker } from 'node:worker_threads'\n%HEAD%\n%LIST%\nnew Worker(%ARGS%.style, { eval: true })",
      "%HEAD%\n%LIST%\nconst threads = await import('node:worker_threads')\nnew threads.Worker(%ARGS%.style, { ['ev' + 'al']: true })",
      "%HEAD%\n%LIST%\nprocess.getBuiltinModule('worker_threads').Worker(%ARGS%.style, { eval: true })",
    ],
    tells: { danger: ['worker_code', ...KINDS] },
  },
  {
    family: 'node-vm',
    runtimes: ['node', 'deno'],
    js: [
      "import vm from 'node:vm'\n%HEAD%\n%LIST%\nvm.runInThisContext(%ARGS%.style)",
      "import { Script } from 'node:vm'\n%HEAD%\n%LIST%\nnew Script(%ARGS%.style).runInNewContext({ fetch, headers })",
      "import { compileFunction as tidy } from 'node:vm'\n%HEAD%\n%LIST%\ntidy(%ARGS%.style)()",
      "%HEAD%\n%LIST%\nconst { SourceTextModule } = await import('node:vm')\nnew SourceTextModule(%ARGS%.style)",
    ],
    tells: { danger: KINDS },
  },
  {
    family: 'node-module-machinery',
    runtimes: ['node'],
    js: [
      "import { createRequire } from 'node:module'\n%HEAD%\n%LIST%\ncreateRequire('/tmp/')('v' + 'm').runInThisContext(%ARGS%.style)",
      "import Module from 'node:module'\n%HEAD%\n%LIST%\nnew Module('style')._compile(%ARGS%.style, 'style.js')",
      "import { register } from 'node:module'\n%HEAD%\n%LIST%\nregister('data:text/javascript,' + %ARGS%.style)",
      "%HEAD%\n%LIST%\nprocess.getBuiltinModule('v' + 'm').runInThisContext(%ARGS%.style)",
      "import { Session } from 'node:inspector'\n%HEAD%\n%LIST%\nconst session = new Session()\nsession.connect()\nsession.post('Runtime.evaluate', { expression: %ARGS%.style })",
      "import repl from 'node:repl'\nimport { Readable } from 'node:stream'\n%HEAD%\n%LIST%\nrepl.start({ input: Readable.from([%ARGS%.style]) })",
    ],
    times: 1,
    tells: { danger: [...KINDS, 'computed_import', 'native_code', 'text_import'] },
  },
  {
    family: 'starts-programs-js',
    runtimes: ['node', 'deno'],
    js: [
      "import { execSync } from 'node:child_process'\n%HEAD%\n%LIST%\nconsole.log(String(execSync('env')))",
      "import * as tools from 'node:child_process'\n%HEAD%\n%LIST%\ntools['sp' + 'awn']('sh', ['-c', 'env'])",
      "%HEAD%\n%LIST%\nconst { fork } = await import('node:child_process')\nfork('/tmp/report.js')",
    ],
    tells: { danger: ['starts_programs'] },
  },
  {
    family: 'starts-programs-deno',
    runtimes: ['deno'],
    js: [
      "%HEAD%\n%LIST%\nawait new Deno.Command('sh', { args: ['-c', 'env'] }).output()",
      "%HEAD%\n%LIST%\nconst { Command: Table } = Deno\nnew Table('sh').spawn()",
      "%HEAD%\n%LIST%\nDeno['r' + 'un']({ cmd: ['env'] })",
    ],
    tells: { danger: ['starts_programs'] },
  },
  {
    family: 'native-code-js',
    runtimes: ['deno'],
    js: [
      "%HEAD%\n%LIST%\nDeno.dlopen('/tmp/report.so', { run: { parameters: [], result: 'void' } }).symbols.run()",
      "%HEAD%\n%LIST%\nconst { dlopen } = Deno\ndlopen('libc.so.6', { system: { parameters: ['buffer'], result: 'i32' } })",
      "import process from 'node:process'\n%HEAD%\n%LIST%\nprocess.dlopen({ exports: {} }, '/tmp/report.node')",
      "import process from 'node:process'\n%HEAD%\n%LIST%\nprocess.binding('spawn_sync')",
    ],
    times: 1,
    tells: { danger: ['native_code', 'starts_programs'] },
  },
  {
    family: 'webassembly',
    js: [
      "%HEAD%\n%LIST%\nconst bytes = Uint8Array.from(atob('AGFzbQEAAAA='), (c) => c.charCodeAt(0))\nawait WebAssembly.instantiate(bytes, { env: { fetch, token } })",
      '%HEAD%\n%LIST%\nconst { Module, Instance } = WebAssembly\nnew Instance(new Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])), { env: { fetch } })',
      "%HEAD%\n%LIST%\nawait globalThis['Web' + 'Assembly'].instantiateStreaming(fetch(api + '/report.wasm', { headers }), { env: { fetch } })",
    ],
    tells: { danger: ['webassembly'] },
  },
  {
    family: 'quickjs-own-tools',
    runtimes: ['quickjs'],
    js: [
      "import * as std from 'std'\n%HEAD%\n%LIST%\nstd.evalScript(args.style)",
      "import * as os from 'os'\n%HEAD%\n%LIST%\nos.exec(['sh', '-c', 'env'])",
      "import { loadScript } from 'qjs:std'\n%HEAD%\n%LIST%\nloadScript('/tmp/style.js')",
      '%HEAD%\n%LIST%\nnew ShadowRealm().evaluate(args.style)',
    ],
    times: 1,
    tells: { danger: [...KINDS, 'starts_programs', 'text_import'] },
  },
]
