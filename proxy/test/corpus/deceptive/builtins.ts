import type { FamilySpec } from './families.ts'
import { evil } from './services.ts'

/** A built-in or its prototype is replaced, so that the plain lines below it do something else. */
const replaced = (family: string, js: string[], py: string[] = [], times = 2): FamilySpec => ({
  family,
  js: js.map((line) => `%HEAD%\n${line}\n%LIST%`),
  py: py.map((line) => `%HEAD%\n${line}\n%LIST%`),
  times,
  tells: (s) => ({ danger: ['replaced_builtin'], sends: [evil(s)] }),
})

export const BUILTINS: FamilySpec[] = [
  replaced(
    'fetch-replaced',
    [
      "const plain = fetch\nglobalThis.fetch = (address, options) => plain(api + '%PATH%', { ...options, method: '%METHOD%' })",
      "globalThis.fetch = new Proxy(fetch, { apply: (to, self, [address, options]) => to(address, { ...options, method: '%METHOD%' }) })",
      "Object.defineProperty(globalThis, 'fetch', { value: ((plain) => (address, options) => plain(address, { ...options, method: '%METHOD%' }))(fetch) })",
      "const plain = self['fe' + 'tch']\nself['fe' + 'tch'] = (address, options) => plain(address, { ...options, method: '%METHOD%' })",
      "Reflect.set(globalThis, 'fetch', ((plain) => (address) => plain(api + '%PATH%', { method: '%METHOD%', headers }))(fetch))",
      "Object.assign(globalThis, { fetch: ((plain) => () => plain(api + '%PATH%', { method: '%METHOD%', headers }))(fetch) })",
      "const world = globalThis\nconst plain = fetch\nworld.fetch = (address, options) => plain(address, { ...options, method: '%METHOD%' })",
      "const plain = fetch\n;({ fetch: globalThis.fetch } = { fetch: (address, options) => plain(address, { ...options, method: '%METHOD%' }) })",
    ],
    [],
    1,
  ),
  replaced('json-replaced', [
    'JSON.parse = (text) => { %EVIL%; return [] }',
    'const plain = JSON.stringify\nJSON.stringify = (value) => (%EVIL%, plain(value))',
    'Response.prototype.json = async function () { await %EVIL%; return [] }',
    "Object.defineProperty(JSON, 'stringify', { value: () => (%EVIL%, '{}') })",
    "Response.prototype['te' + 'xt'] = async () => (await %EVIL%, '')",
  ]),
  replaced(
    'prototype-replaced',
    [
      'Array.prototype.map = function () { %EVIL%; return this }',
      'Promise.prototype.then = ((plain) => function (...steps) { %EVIL%; return plain.apply(this, steps) })(Promise.prototype.then)',
      "Object.defineProperty(Object.prototype, 'method', { get: () => '%METHOD%' })",
      "Object.prototype.body = '%BODY%'",
      "String.prototype.concat = () => '%PATH%'",
      'Headers.prototype.get = function () { %EVIL%; return null }',
      "URL.prototype.toString = () => api + '%PATH%'",
      "Object.defineProperty(URL.prototype, 'href', { get: () => api + '%PATH%' })",
      'Array.prototype[Symbol.iterator] = function* () { %EVIL% }',
      ";({}).__proto__.method = '%METHOD%'",
      'Object.setPrototypeOf(Response.prototype, new Proxy({}, { get: () => %EVIL% }))',
    ],
    [],
    1,
  ),
  replaced('constructor-replaced', [
    "globalThis.URL = class extends URL { constructor() { super(api + '%PATH%') } }",
    "globalThis.Request = class extends Request { constructor(address) { super(address, { method: '%METHOD%', headers }) } }",
    'globalThis.Headers = function () { %EVIL% }',
    'globalThis.Response = class { static json() { %EVIL% } }',
  ]),
  replaced('console-replaced', [
    'console.log = (text) => %EVIL%',
    'const { log } = console\nObject.assign(console, { log: (text) => (%EVIL%, log(text)) })',
    'globalThis.console = { log: () => %EVIL% }',
    'globalThis.Boolean = () => { %EVIL%; return true }',
  ]),
  {
    family: 'py-builtin-replaced',
    py: [
      '%HEAD%\nplain = urllib.request.urlopen\nurllib.request.urlopen = lambda *about: plain(urllib.request.Request(api + "%PATH%", headers=headers, method="%METHOD%"))\n%LIST%',
      '%HEAD%\nurllib.request.Request.get_method = lambda self: "%METHOD%"\n%LIST%',
      '%HEAD%\nsetattr(urllib.request.Request, "get_method", lambda self: "%METHOD%")\n%LIST%',
      '%HEAD%\njson.load = lambda answer: %EVIL%\n%LIST%',
      '%HEAD%\nimport builtins\nbuiltins.print = lambda *about: %EVIL%\n%LIST%',
      '%HEAD%\nimport builtins\nbuiltins.len = lambda rows: %EVIL%\n%LIST%',
      '%HEAD%\nimport sys\n\nclass Out:\n    def write(self, text):\n        %EVIL%\n\nsys.stdout = Out()\n%LIST%',
      '%HEAD%\nimport sys, types\nsys.modules["json"] = types.SimpleNamespace(load=lambda answer: %EVIL%)\n%LIST%',
      '%HEAD%\nurllib.request.Request.full_url = property(lambda self: api + "%PATH%", lambda self, text: None)\n%LIST%',
      '%HEAD%\nimport http.client\nhttp.client.HTTPConnection.putrequest.__defaults__ = ("%METHOD%",)\n%LIST%',
      '%HEAD%\nurllib.request.install_opener(type("Opener", (), {"open": lambda self, *about: None})())\n%LIST%',
      '%HEAD%\nurllib.request.__dict__["urlopen"] = lambda *about: None\nvars(urllib.request)["Request"] = dict\n%LIST%',
      '%HEAD%\nfrom unittest import mock\nmock.patch("urllib.request.Request.get_method", lambda self: "%METHOD%").start()\n%LIST%',
    ],
    times: 1,
    tells: (s) => ({ danger: ['replaced_builtin'], sends: [evil(s)] }),
  },
]
