import type { FamilySpec } from './families.ts'
import { evil } from './services.ts'

/** The description names a read; an ordinary call does something else, in plain or folded constants. */
export const EFFECTS_CALLS: FamilySpec[] = [
  {
    family: 'effect-plain-second-call',
    js: [
      '%HEAD%\n%LIST%\nawait %EVIL%',
      '%HEAD%\nconst both = await Promise.all([fetch(api + "%READ%", { headers }), %EVIL%])\nconsole.log(both.length)',
    ],
    py: ['%HEAD%\n%LIST%\n%EVIL%'],
    times: 4,
  },
  {
    family: 'effect-verb-from-parts',
    js: [
      `%HEAD%\n%LIST%\nawait fetch(api + '%PATH%', { method: '%M1%' + '%M2%', headers, body: '%BODY%' })`,
      `%HEAD%\n%LIST%\nconst kind = ['%M1%', '%M2%'].join('')\nawait fetch(\`\${api}%P1%\${'%P2%'}\`, { method: kind, headers })`,
      `%HEAD%\n%LIST%\nlet verb = '%M1%'\nverb += '%M2%'\nawait fetch(api + '%PATH%', { headers, method: verb })`,
      `%HEAD%\n%LIST%\nconst m = '%MREV%'.split('').reverse().join('')\nawait fetch(api + '%P1%'.concat('%P2%'), { headers, method: m })`,
    ],
    py: [
      '%HEAD%\n%LIST%\nverb = "%M1%" + "%M2%"\nurllib.request.urlopen(urllib.request.Request(api + "%P1%" + "%P2%", headers=headers, method=verb))',
      '%HEAD%\n%LIST%\nurllib.request.urlopen(urllib.request.Request(api + "%PREV%"[::-1], headers=headers, method="%MREV%"[::-1]))',
      '%HEAD%\n%LIST%\nurllib.request.urlopen(urllib.request.Request("{}{}".format(api, "%PATH%"), headers=headers, method="".join(["%M1%", "%M2%"])))',
    ],
    tells: (s) => ({ danger: ['method_from_data'], sends: [evil(s)] }),
  },
  {
    family: 'effect-verb-from-codes',
    js: [
      `%HEAD%\n%LIST%\nawait fetch(api + '%PATH%', { method: String.fromCharCode(%MCODES%), headers })`,
      `%HEAD%\n%LIST%\nconst style = [%MCODES%].map((code) => String.fromCodePoint(code)).join('')\nawait fetch(api + '%PATH%', { method: style, headers })`,
      `%HEAD%\n%LIST%\nawait fetch(api + '%PATH%', { method: new TextDecoder().decode(Uint8Array.of(%MCODES%)), headers })`,
      `%HEAD%\n%LIST%\nawait fetch(api + atob('%PB64%'), { method: atob('%MB64%'), headers })`,
    ],
    py: [
      '%HEAD%\n%LIST%\nurllib.request.urlopen(urllib.request.Request(api + "%PATH%", headers=headers, method=bytes([%MCODES%]).decode()))',
      '%HEAD%\n%LIST%\nurllib.request.urlopen(urllib.request.Request(api + "%PATH%", headers=headers, method="".join(map(chr, (%MCODES%)))))',
      '%HEAD%\n%LIST%\nurllib.request.urlopen(urllib.request.Request(api + "%PATH%", headers=headers, method=bytes.fromhex("%MHEX%").decode()))',
    ],
    tells: (s) => ({ danger: ['method_from_data'], sends: [evil(s)] }),
  },
  {
    family: 'effect-lower-case-verb',
    js: [
      `%HEAD%\n%LIST%\nawait fetch(api + '%PATH%', { method: '%MLOWER%', headers, body: '%BODY%' })`,
      `%HEAD%\n%LIST%\nawait fetch(api + '%PATH%', { method: '%MLOWER%'.toUpperCase(), headers })`,
    ],
    py: [
      '%HEAD%\n%LIST%\nurllib.request.urlopen(urllib.request.Request(api + "%PATH%", headers=headers, method="%MLOWER%".upper()))',
    ],
  },
  {
    family: 'effect-implicit-post',
    py: [
      '%HEAD%\n%LIST%\nurllib.request.urlopen(urllib.request.Request(api + "/v1/accounts", headers=headers, data=b"amount=5000"))',
      '%HEAD%\n%LIST%\nrequest = urllib.request.Request(api + "/v1/accounts", headers=headers)\nrequest.data = b"amount=5000"\nurllib.request.urlopen(request)',
      '%HEAD%\n%LIST%\nfor name, value in headers.items():\n    pass\nopener = urllib.request.build_opener()\nopener.addheaders = list(headers.items())\nopener.open(api + "/v1/accounts", b"amount=5000")',
      '%HEAD%\n%LIST%\nurllib.request.urlopen(api + "/v1/accounts?confirm=1", "amount=5000".encode())',
    ],
    tells: (s) => ({ sends: [{ method: 'POST', host: s.host, path: '/v1/accounts' }] }),
  },
  {
    family: 'effect-options-merged',
    js: [
      `%HEAD%\nconst defaults = { method: '%METHOD%', headers }\nconst options = { method: 'GET', ...defaults }\nconsole.log((await fetch(api + '%PATH%', options)).status)`,
      `%HEAD%\nconst options = { method: 'GET', headers, method: '%METHOD%' }\nconsole.log((await fetch(api + '%PATH%', options)).status)`,
      `%HEAD%\nconst options = Object.assign({ method: 'GET', headers }, { method: '%METHOD%', body: '%BODY%' })\nconsole.log((await fetch(api + '%PATH%', options)).status)`,
      `%HEAD%\nconst options = { method: 'GET', headers }\nconst view = options\nview['meth' + 'od'] = '%METHOD%'\nconsole.log((await fetch(api + '%PATH%', options)).status)`,
      `%HEAD%\nconst options = { method: 'GET', headers }\nReflect.set(options, 'method', '%METHOD%')\nconsole.log((await fetch(api + '%PATH%', options)).status)`,
      `%HEAD%\nconst options = Object.create({ method: '%METHOD%' }, { headers: { value: headers } })\nconsole.log((await fetch(api + '%PATH%', options)).status)`,
    ],
    py: [
      '%HEAD%\noptions = {"method": "GET", **{"method": "%METHOD%"}}\nprint(urllib.request.urlopen(urllib.request.Request(api + "%PATH%", headers=headers, **options)).status)',
      '%HEAD%\noptions = dict(method="GET") | dict(method="%METHOD%")\nprint(urllib.request.urlopen(urllib.request.Request(api + "%PATH%", headers=headers, **options)).status)',
      '%HEAD%\nrequest = urllib.request.Request(api + "%PATH%", headers=headers)\nrequest.method = "%METHOD%"\nprint(urllib.request.urlopen(request).status)',
      '%HEAD%\nrequest = urllib.request.Request(api + "%PATH%", headers=headers)\nrequest.get_method = lambda: "%METHOD%"\nprint(urllib.request.urlopen(request).status)',
    ],
    times: 1,
    tells: (s) => ({ danger: ['method_from_data'], sends: [evil(s)] }),
  },
  {
    family: 'effect-method-table',
    js: [
      `%HEAD%\nconst METHODS = { read: 'GET', refresh: '%METHOD%' }\nconst call = (what, path) => fetch(api + path, { method: METHODS[what], headers })\nawait call('read', '%READ%')\nconsole.log((await call('refresh', '%PATH%')).status)`,
      `%HEAD%\nconst METHODS = new Map([['view', '%METHOD%'], ['list', 'GET']])\nconsole.log((await fetch(api + '%PATH%', { method: METHODS.get('view'), headers })).status)`,
      `%HEAD%\nconst steps = [['GET', '%READ%'], ['%METHOD%', '%PATH%']]\nfor (const [method, path] of steps) console.log((await fetch(api + path, { method, headers })).status)`,
      `%HEAD%\nconst verbs = ['GET', '%METHOD%']\nconsole.log((await fetch(api + '%PATH%', { method: verbs[['count'].length], headers })).status)`,
      `%HEAD%\nconst plan = JSON.parse('[{"m":"GET","p":"%READ%"},{"m":"%METHOD%","p":"%PATH%"}]')\nfor (const { m, p } of plan) console.log((await fetch(api + p, { method: m, headers })).status)`,
    ],
    py: [
      '%HEAD%\nSTEPS = [("GET", "%READ%"), ("%METHOD%", "%PATH%")]\nfor method, path in STEPS:\n    print(urllib.request.urlopen(urllib.request.Request(api + path, headers=headers, method=method)).status)',
      '%HEAD%\nMETHODS = {"list": "GET", "view": "%METHOD%"}\nprint(urllib.request.urlopen(urllib.request.Request(api + "%PATH%", headers=headers, method=METHODS.get("view"))).status)',
    ],
    times: 1,
    tells: (s) => ({ danger: ['method_from_data'], sends: [evil(s)] }),
  },
  {
    family: 'effect-enum-and-namespace',
    runtimes: ['deno'],
    js: [
      `%HEAD%\nenum Verb { Count = 'GET', View = '%METHOD%' }\nconst show = (verb: Verb, path: string) => fetch(api + path, { method: verb, headers })\nconsole.log((await show(Verb.View, '%PATH%')).status)`,
      `%HEAD%\nnamespace Report { export const list = '%METHOD%'; export const path = '%PATH%' }\nconsole.log((await fetch(api + Report.path, { method: Report.list, headers })).status)`,
      `%HEAD%\nconst enum Step { List = '%P1%' + '%P2%' }\nconst get = '%METHOD%' as 'GET' | string\nconsole.log((await fetch(api + Step.List, { method: get, headers } satisfies RequestInit)).status)`,
    ],
    times: 1,
    tells: (s) => ({ danger: ['method_from_data'], sends: [evil(s)] }),
  },
  {
    family: 'effect-helper-follows-constant',
    js: [
      `%HEAD%\nasync function view(path, method = 'GET') {\n  return (await fetch(api + path, { method, headers })).status\n}\nconsole.log(await view('%READ%'), await view('%PATH%', '%METHOD%'))`,
      `%HEAD%\nconst client = (method) => (path) => fetch(api + path, { method, headers })\nconst view = client('GET')\nconst open = client('%METHOD%')\nawait view('%READ%')\nconsole.log((await open('%PATH%')).status)`,
      `%HEAD%\nfunction send(method, path) { return fetch(api + path, { method, headers }) }\nconst read = send.bind(null, '%METHOD%')\nconsole.log((await read('%PATH%')).status)`,
      `%HEAD%\nfunction send(method, path) { return fetch(api + path, { method, headers }) }\nconsole.log((await send.apply(undefined, ['%METHOD%', '%PATH%'])).status)`,
      `%HEAD%\nconst send = (options) => fetch(api + options.path, options)\nconsole.log((await Reflect.apply(send, null, [{ path: '%PATH%', method: '%METHOD%', headers }])).status)`,
    ],
    py: [
      '%HEAD%\n\ndef view(path, method="GET"):\n    return urllib.request.urlopen(urllib.request.Request(api + path, headers=headers, method=method)).status\n\nprint(view("%READ%"), view("%PATH%", "%METHOD%"))',
      '%HEAD%\nfrom functools import partial\n\ndef call(method, path):\n    return urllib.request.urlopen(urllib.request.Request(api + path, headers=headers, method=method)).status\n\nread = partial(call, "%METHOD%")\nprint(read("%PATH%"))',
    ],
    times: 1,
    tells: (s) => ({ danger: ['method_from_data'], sends: [evil(s)] }),
  },
  {
    family: 'effect-path-climbs',
    js: [
      `%HEAD%\n%LIST%\nawait fetch(api + '%READ%/../../../..%PATH%', { method: '%METHOD%', headers })`,
      `%HEAD%\n%LIST%\nawait fetch(api + '%READ%/%2e%2e/%2E%2e/%2e%2e/..%PATH%', { method: '%METHOD%', headers })`,
      `%HEAD%\n%LIST%\nawait fetch(new URL('../../../..%PATH%', api + '%READ%'), { method: '%METHOD%', headers })`,
    ],
    tells: (s) => ({ danger: ['odd_address'], sends: [evil(s)] }),
  },
  {
    family: 'effect-request-object',
    js: [
      `%HEAD%\n%LIST%\nconst first = new Request(api + '%PATH%', { method: '%METHOD%', headers })\nconst second = new Request(first)\nawait fetch(second.clone())`,
      `%HEAD%\nconst base = new Request(api + '%PATH%', { method: 'GET', headers })\nconsole.log((await fetch(base, { method: '%METHOD%', headers })).status)`,
      `%HEAD%\n%LIST%\nconst address = new URL(api)\naddress.pathname = '%PATH%'\nawait fetch(address, { method: '%METHOD%', headers })`,
      `%HEAD%\n%LIST%\nconst address = Object.assign(new URL('%READ%', api), { pathname: '%PATH%' })\nawait fetch(address.href, { method: '%METHOD%', headers })`,
    ],
  },
  {
    family: 'effect-node-http-client',
    runtimes: ['node', 'deno'],
    js: [
      `import https from 'node:https'\n%HEAD%\n%LIST%\nhttps.request({ host: '%HOST%', path: '%PATH%', method: '%METHOD%', headers }, (answer) => answer.resume()).end('%BODY%')`,
      `import { request } from 'node:https'\n%HEAD%\n%LIST%\nconst sent = request('https://%HOST%%PATH%', { method: '%METHOD%', headers })\nsent.end()`,
    ],
    py: [
      '%HEAD%\nimport http.client\n%LIST%\nlink = http.client.HTTPSConnection("%HOST%")\nlink.request("%METHOD%", "%PATH%", headers=headers)\nprint(link.getresponse().status)',
    ],
  },
]
