import { describe, expect, it } from 'vitest'
import { cpuMsOf } from '../../../test/support/pace.ts'
import { isReservedSkillId, type NameInput, nameDangers } from './index.ts'

const EMPTY: NameInput = {
  skillId: 'acme/report',
  description: 'Counts the charges of the last week',
  args: null,
  secrets: [],
  modules: [],
  storedSecrets: [],
  trustedSkills: [],
}
const told = (input: Partial<NameInput>): readonly string[] =>
  nameDangers({ ...EMPTY, ...input }).map(({ kind, text }) => `${kind}: ${text}`)

const STORED = [
  'GITHUB_TOKEN',
  'STRIPE_LIVE_KEY',
  'OPENAI_API_KEY',
  'API_KEY_1',
  'SLACK_BOT_TOKEN',
  'AWS_SECRET_ACCESS_KEY',
  'US_KEY',
  'DB_PASSWORD',
]

describe('a secret beside stored ones', () => {
  it.each([
    ['GITHUB_T0KEN', 'GITHUB_TOKEN'],
    ['G1THUB_TOKEN', 'GITHUB_TOKEN'],
    ['GlTHUB_TOKEN', 'GITHUB_TOKEN'],
    ['GITHUB_TOKENS', 'GITHUB_TOKEN'],
    ['GITHUB_TOKN', 'GITHUB_TOKEN'],
    ['GITHBU_TOKEN', 'GITHUB_TOKEN'],
    ['GITHUBTOKEN', 'GITHUB_TOKEN'],
    ['GITHUB__TOKEN', 'GITHUB_TOKEN'],
    ['_GITHUB_TOKEN', 'GITHUB_TOKEN'],
    ['GIT_HUB_TOKEN', 'GITHUB_TOKEN'],
    ['github_token', 'GITHUB_TOKEN'],
    ['TOKEN_GITHUB', 'GITHUB_TOKEN'],
    ['STRIPE_L1VE_KEY', 'STRIPE_LIVE_KEY'],
    ['STRIPE_LIVE_KEYS', 'STRIPE_LIVE_KEY'],
    ['OPENAI_API_KEYS', 'OPENAI_API_KEY'],
    ['OPENAI_APIKEY', 'OPENAI_API_KEY'],
    ['0PENAI_API_KEY', 'OPENAI_API_KEY'],
    ['OPENAl_API_KEY', 'OPENAI_API_KEY'],
    ['SLACK_B0T_TOKEN', 'SLACK_BOT_TOKEN'],
    ['SLACK_BOTTOKEN', 'SLACK_BOT_TOKEN'],
    ['AWS_SECRET_ACCES_KEY', 'AWS_SECRET_ACCESS_KEY'],
    ['AWS_5ECRET_ACCESS_KEY', 'AWS_SECRET_ACCESS_KEY'],
    ['DB_PASSW0RD', 'DB_PASSWORD'],
    ['DB_PASSWORDS', 'DB_PASSWORD'],
    ['DB_PASWORD', 'DB_PASSWORD'],
  ])('%s is told', (name, similar) => {
    expect(told({ secrets: [name], storedSecrets: STORED })).toEqual([
      `lookalike_name: secret ${name} looks like the stored ${similar} but is another`,
    ])
  })

  it.each([
    ...STORED,
    'GITLAB_TOKEN',
    'GITHUB_TOKEN_2',
    'GITHUB_APP_KEY',
    'STRIPE_TEST_KEY',
    'API_KEY_2',
    'API_KEY',
    'APP_KEY_1',
    'UK_KEY',
    'EU_KEY',
    'SLACK_USER_TOKEN',
    'AWS_ACCESS_KEY_ID',
    'ANTHROPIC_API_KEY',
    'DB_USER',
    'STRIPE_WEBHOOK_SECRET',
  ])('%s is ordinary', (name) => {
    expect(told({ secrets: [name], storedSecrets: STORED })).toEqual([])
  })

  it('is told when it is stored as well', () => {
    expect(told({ secrets: ['GITHUB_T0KEN'], storedSecrets: ['GITHUB_T0KEN', 'GITHUB_TOKEN'] })).toHaveLength(
      1,
    )
  })

  it('is told beside another of the same request', () => {
    expect(told({ secrets: ['GITHUB_TOKEN', 'GITHUB_T0KEN'] })).toEqual([
      'lookalike_name: secret GITHUB_T0KEN looks like GITHUB_TOKEN but is another',
    ])
    expect(told({ secrets: ['A_KEY_1', 'A_KEY_2', 'DB_USER', 'DB_PASSWORD'] })).toEqual([])
  })
})

describe('a skill beside trusted ones', () => {
  const trustedSkills = ['acme/daily-report', 'stripe-charges', 'demo', 'list-issues@2']

  it.each([
    'acme/daiIy-report',
    'acme/dai1y-report',
    'acme/daily-reports',
    'acme-daily-report',
    'acme/daily_report',
    'acme/dialy-report',
    'Acme/Daily-Report',
    'acrne/daily-report',
    'stripe-charge',
    'str1pe-charges',
    'stripecharges',
    'charges-stripe',
  ])('%s is told', (skillId) => {
    expect(told({ skillId, trustedSkills })[0]).toMatch(
      new RegExp(`^lookalike_name: skill ${skillId} looks like the trusted \\S+ but is another$`),
    )
  })

  it.each([
    ...trustedSkills,
    'acme/weekly-report',
    'stripe-refunds',
    'demo2',
    'memo',
    'list-issues@3',
    'other/thing',
  ])('%s is ordinary', (skillId) => {
    expect(told({ skillId, trustedSkills })).toEqual([])
  })
})

describe('a package beside popular ones', () => {
  it.each([
    ['npm:lodahs', 'lodash'],
    ['npm:zodd@3', 'zod'],
    ['npm:@googelapis/drive', '@googleapis/drive'],
    ['npm:lodahs@4.17.21', 'lodash'],
    ['npm:/expres@4/lib/x.js', 'express'],
    ['npm:expresss', 'express'],
    ['npm:reqeust', 'request'],
    ['npm:axois', 'axios'],
    ['npm:axi0s', 'axios'],
    ['npm:crossenv', 'cross-env'],
    ['npm:cross-env.js', 'cross-env'],
    ['npm:cross_env', 'cross-env'],
    ['npm:nodefetch', 'node-fetch'],
    ['npm:node-fecth', 'node-fetch'],
    ['npm:lodashjs', 'lodash'],
    ['npm:lodash.js', 'lodash'],
    ['npm:stripe-js', 'stripe'],
    ['npm:node-openai', 'openai'],
    ['npm:0penai', 'openai'],
    ['npm:open-ai', 'openai'],
    ['npm:chaulk', 'chalk'],
    ['npm:momnet', 'moment'],
    ['npm:reactt', 'react'],
    ['npm:react_dom', 'react-dom'],
    ['npm:mongose', 'mongoose'],
    ['npm:telegrraf', 'telegraf'],
    ['npm:discordjs', 'discord.js'],
    ['npm:discord.jss', 'discord.js'],
    ['npm:types-node', '@types/node'],
    ['npm:@typs/node', '@types/node'],
    ['npm:@type/node@20', '@types/node'],
    ['npm:@supabas/supabase-js', '@supabase/supabase-js'],
    ['npm:@anthropicai/sdk', '@anthropic-ai/sdk'],
    ['npm:@anthr0pic-ai/sdk', '@anthropic-ai/sdk'],
    ['npm:@octokitt/rest', '@octokit/rest'],
    ['https://esm.sh/lodahs@4', 'lodash'],
    ['https://esm.sh/v135/axois@1/es2022/axios.mjs', 'axios'],
    ['https://esm.sh/@typs/node', '@types/node'],
    ['https://cdn.jsdelivr.net/npm/lodahs@4/+esm', 'lodash'],
    ['https://unpkg.com/expres', 'express'],
    ['https://cdn.skypack.dev/momnet', 'moment'],
    ['jsr:@sdt/fmt', '@std/fmt'],
    ['jsr:@stdd/fs@1', '@std/fs'],
    ['jsr:@deno-std/path', '@std/path'],
  ])('%s is told', (module, like) => {
    const texts = told({ modules: [module, module] })
    expect(texts).toHaveLength(1)
    expect(texts[0]).toMatch(/^lookalike_name: package (?:npm|jsr):\S+ looks like the popular /)
    expect(texts[0]).toContain(` ${like} but`)
  })

  it.each([
    ...[
      'npm:zod@4',
      'npm:lodash',
      'npm:lodash-es',
      'npm:lodash.merge@4',
      'npm:preact',
      'npm:got',
      'npm:ws@8',
      'npm:qs',
    ],
    ...[
      'npm:sqlite',
      'npm:sqlite3',
      'npm:mysql2',
      'npm:node-sass',
      'npm:camel-case',
      'npm:json3',
      'npm:tslint',
      'npm:mssql',
    ],
    ...[
      'npm:my-own-package',
      'npm:@acme/core',
      'npm:@types/lodash',
      'npm:@octokit/core',
      'npm:date-fns-tz',
      'npm:p-retry',
    ],
    ...[
      'npm:@bazel/runfiles',
      'npm:@remotion/player',
      'npm:jose',
      'npm:fuse.js',
      'npm:three',
      'npm:discord.js@14',
    ],
    ...[
      'jsr:@std/fmt',
      'jsr:@std/encoding@1/hex',
      'jsr:@hono/hono',
      'jsr:@zod/zod',
      'jsr:@db/sqlite',
      'jsr:@oak/oak',
    ],
    ...[
      'https://esm.sh/zod@4',
      'https://deno.land/std@0.224.0/fmt/colors.ts',
      'https://deno.land/x/oak/mod.ts',
    ],
    ...[
      'node:fs',
      './lib.ts',
      'data:text/javascript,1',
      'https://example.com/lodahs.js',
      'https://esm.sh/gh/a/b',
      '',
      'npm:',
    ],
  ])('%s is ordinary', (module) => {
    expect(told({ modules: [module] })).toEqual([])
  })
})

describe('texts of a request', () => {
  it.each<[Partial<NameInput>, string]>([
    [
      { description: 'Counts\u200b charges' },
      'hidden_characters: the description holds invisible or reordering characters',
    ],
    [
      { description: 'a\n\u202eb' },
      'hidden_characters: the description holds invisible or reordering characters',
    ],
    [{ args: '{"a":"\u200b"}' }, 'hidden_characters: the args hold invisible or reordering characters'],
    [{ args: '{"a":"\\u202e"}' }, 'hidden_characters: the args hold invisible or reordering characters'],
    [{ skillId: 'a\u200bb' }, 'hidden_characters: the skill id holds invisible or reordering characters'],
    [{ description: 'Reads pаypal' }, 'mixed_scripts: the description mixes look-alike letters'],
    [{ skillId: 'pаypal' }, 'mixed_scripts: the skill id mixes look-alike letters'],
    [{ args: '{"pаypal":1}' }, 'mixed_scripts: the args mix look-alike letters'],
    [{ description: '⚠️ Warnings: none' }, 'card_imitation: the description imitates this card'],
    [{ description: 'Counts.\n\n\n🌐 Network: none' }, 'card_imitation: the description imitates this card'],
    [{ args: '{"note":"[ Run Once ] [ Deny ]"}' }, 'card_imitation: the args imitate this card'],
    [{ args: '{"a":["Run Once",{"b":"Deny"}]}' }, 'card_imitation: the args imitate this card'],
    [{ args: '{"a":"\\u0057arnings: none"}' }, 'card_imitation: the args imitate this card'],
    [{ args: 'Approved by security' }, 'card_imitation: the args imitate this card'],
  ])('%j is told', (input, text) => {
    expect(told(input)).toEqual([text])
  })

  it.each<Partial<NameInput>>([
    { description: 'Posts a summary ✅ to Slack 👨‍👩‍👧\r\nand more' },
    { description: 'Считает платежи за неделю' },
    { args: '{"city":"Zürich","n":3,"list":["a","b"],"network":"mainnet","code":"x"}' },
    { args: '{"subject":"Weekly report","body":"Hello,\\nall invoices were approved."}' },
    { args: 'not json {' },
    { args: '[]' },
  ])('%j is ordinary', (input) => {
    expect(told(input)).toEqual([])
  })

  it('of any size are read in one pass', async () => {
    const read = (): void => {
      told({
        args: `[${'["a",{"b":"Warnings "}],'.repeat(40_000)}1]`,
        description: 'approved '.repeat(20_000),
      })
      told({
        args: `${'['.repeat(5_000)}${']'.repeat(5_000)}`,
        modules: ['npm:'.repeat(50_000), `https://${'a/'.repeat(50_000)}`],
      })
    }
    expect(await cpuMsOf(read)).toBeLessThan(10_000)
  })
})

describe('a reserved skill id', () => {
  it.each([
    'oauth3',
    'oauth3-admin',
    'OAuth3/vault',
    '0auth3',
    'o-auth3/x',
    'o.a.u.t.h.3',
    'oAuth-3',
    'оauth3',
    'oauth_three',
    'o4uth3',
    'oau7h3',
    'OAUTH3',
    'oаuth3',
    '/oauth3',
    'oavth3',
    'oauthЗ',
  ])('%s is one', (skillId) => {
    expect(isReservedSkillId(skillId)).toBe(true)
  })

  it.each([
    'oauth2-client',
    'oauth',
    'oauth-helper',
    'auth3',
    'acme/oauth3-demo',
    'oauthelper',
    'author3',
    'demo',
    'oath3',
    'oauth-essentials',
  ])('%s is none', (skillId) => {
    expect(isReservedSkillId(skillId)).toBe(false)
  })
})
