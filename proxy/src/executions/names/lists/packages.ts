/**
 * Packages that deceivers imitate: the most downloaded of npm and the well known clients of services.
 * Source: downloads a month of the npm registry, a list made in 2026, the first of it without platform builds and
 * polyfills; clients of services chosen by hand.
 */
export const POPULAR_PACKAGES: readonly string[] = `
  @angular/core @anthropic-ai/sdk @aws-sdk/client-dynamodb @aws-sdk/client-s3 @azure/identity @azure/openai
  @babel/core @faker-js/faker @google-cloud/storage @google/generative-ai @googlemaps/google-maps-services-js
  @hubspot/api-client @linear/sdk @mistralai/mistralai @modelcontextprotocol/sdk @mui/material
  @neondatabase/serverless @nestjs/core @notionhq/client @octokit/rest @paypal/checkout-server-sdk
  @pinecone-database/pinecone @planetscale/database @prisma/client @reduxjs/toolkit @sendgrid/mail
  @sentry/node @slack/bolt @slack/web-api @solana/web3.js @supabase/supabase-js @sveltejs/kit
  @tanstack/react-query @types/node @types/react @upstash/redis @vue/compiler-sfc accepts acorn agent-base ai
  ajv angular ansi-escapes ansi-regex ansi-styles anymatch archiver argparse aria-query async asynckit
  autoprefixer aws-sdk axios backbone balanced-match base64-js bcrypt bcryptjs better-sqlite3 bignumber.js
  bluebird body-parser bootstrap brace-expansion braces browserslist buffer bytes call-bind
  call-bind-apply-helpers call-bound callsites camelcase caniuse-lite chai chalk chart.js cheerio chokidar
  chownr ci-info cli-cursor cliui color-convert color-name colors combined-stream commander concat-map
  concurrently content-disposition convert-source-map cookie core-util-is cors cosmiconfig cross-env
  cross-spawn crypto-js csstype cypress d3 date-fns dayjs debug decimal.js delayed-stream depd detect-libc
  diff discord.js doctrine dotenv eastasianwidth ejs electron electron-to-chromium ember-source emoji-regex
  encodeurl entities esbuild escalade escape-string-regexp eslint eslint-scope eslint-visitor-keys espree
  esprima esquery estraverse estree-walker esutils ethers event-stream eventemitter3 exceljs execa expo
  express fast-deep-equal fast-glob fast-json-stable-stringify fast-levenshtein fastify fastq file-entry-cache
  fill-range finalhandler find-up firebase firebase-admin flat-cache flatted follow-redirects foreground-child
  form-data formidable fs-extra function-bind gensync glob glob-parent globals globby googleapis gopd got
  graceful-fs graphql groq-sdk handlebars hasown helmet hono hosted-git-info http-errors http-proxy-agent
  https-proxy-agent human-signals iconv-lite ieee754 ignore immer import-fresh imurmurhash inherits inquirer
  ioredis isarray isexe istanbul-lib-instrument jackspeak jest jest-util jest-worker jimp jiti joi jquery
  js-tokens js-yaml jsdom jsesc json-parse-even-better-errors json-schema-traverse json5 jsonfile jsonwebtoken
  jszip keyv kind-of knex koa ky langchain left-pad less levn lines-and-columns locate-path lodash lru-cache
  luxon magic-string make-dir markdown-it marked math-intrinsics mathjs media-typer merge-stream micromatch
  mime mime-db mime-types mimic-fn minimatch minimist minipass mkdirp mocha moment mongodb mongoose morgan
  multer mustache mysql mysql2 nanoid negotiator next node-fetch node-releases node-telegram-bot-api
  nodemailer nodemon normalize-path npm-run-path nuxt object-assign object-inspect octokit ollama on-finished
  once onetime open openai optionator ora p-limit p-locate papaparse parent-module parse-json parse5 passport
  path-exists path-key path-parse path-scurry path-to-regexp path-type pdf-lib pdfkit picocolors picomatch
  pify pino playwright pm2 postcss postcss-selector-parser prelude-ls prettier pretty-format prisma pug
  punycode puppeteer qs ramda range-parser raw-body react react-dom react-is react-native readable-stream
  readdirp redis redux request require-directory require-from-string resolve resolve-from restore-cursor
  reusify rimraf rollup rxjs safe-buffer safer-buffer sass scheduler schema-utils semver send sequelize
  serve-static setprototypeof sharp shebang-command shebang-regex shelljs side-channel signal-exit sinon slash
  slice-ansi slugify socket.io socket.io-client source-map source-map-js source-map-support sprintf-js sqlite3
  statuses string-width string_decoder strip-ansi strip-bom strip-final-newline strip-json-comments stripe
  styled-components superagent supports-color supports-preserve-symlinks-flag svelte tailwindcss telegraf
  three to-regex-range tough-cookie tr46 tslib twilio type-check type-fest type-is typeorm typescript
  ua-parser-js underscore undici undici-types universalify update-browserslist-db uri-js util-deprecate uuid
  validator vary viem vite vitest vue web3 webidl-conversions webpack whatwg-url which winston wrap-ansi
  wrappy write-file-atomic xlsx y18n yallist yaml yargs yargs-parser yocto-queue yup zod zustand
`
  .trim()
  .split(/\s+/)

/** Scopes that deceivers imitate. Source: as above, the scopes of the first 4,000 packages; a few by hand. */
export const POPULAR_SCOPES: readonly string[] = `
  googleapis googlemaps mailchimp aashutoshrathi acemir actions adobe ai-sdk algolia alloc ampproject angular angular-devkit ant-design
  antfu anthropic-ai apideck apidevtools apollo ardatan asamuzakjp aws-cdk aws-crypto aws-sdk azure babel
  base44 bcoe biomejs borewit braintree bramus bufbuild cacheable capacitor changesets chevrotain clack
  cloudflare cnakazawa codemirror colors commitlint cspotcode csstools cucumber cypress dabh datadog
  dataform date-fns discordjs discoveryjs dnd-kit drizzle-team edsdk elastic electric-sql electron-forge
  emnapi emotion esbuild eslint eslint-community ethersproject exodus expo faker-js fast-csv fastify
  firebase flmngr floating-ui fluentui formatjs fortawesome google google-cloud grammyjs graphql-codegen
  graphql-tools graphql-typed-document-node grpc hapi headlessui hono hookform hubspot huggingface humanfs
  humanwhocodes iarna iconify inquirer internationalized ionic ioredis isaacs istanbuljs jest joshwooding
  jridgewell js-sdsl jsdevtools jsep-plugin jsonjoy.com juggle keyv koa kurkle kwsites langchain
  leichtgewicht lerna lezer linear lukeed mapbox material-ui mdx-js metamask microsoft mistralai
  modelcontextprotocol module-federation mongodb-js msgpackr-extract mswjs mui napi-rs neondatabase nestjs
  netlify newrelic next nicolo-ribaudo noble nodelib nolyfill notionhq npmcli nuxt nuxtjs oclif octokit
  one-ini open-draft openai opentelemetry oxc-project oxc-resolver paralleldrive parcel paypal peculiar
  pinecone-database pinojs pkgjs pkgr planetscale playwright pmmmwh pnpm polka popperjs prisma protobufjs
  puppeteer radix-ui reach-ui react-aria react-native react-spring react-stately react-types redis reduxjs
  remirror remix-run repeaterjs rolldown rollup rtsao rushstack scarf schematics scure sec-ant selderee
  semantic-release sendgrid sentry sentry-internal shikijs shopify sideway sigstore sinclair sindresorhus
  sinonjs slack smithy so-ric socket.io solana standard-schema stoplight storybook stripe supabase surma
  sveltejs svgr swc szmarczak tailwindcss tanstack telegraf testing-library tiptap tokenizer tootallnate
  trpc trysound ts-morph tsconfig tufjs turf twilio tybys types typescript-eslint typespec ungap unrs
  upstash vercel vitejs vitest volar vue vueuse walletconnect wdio webassemblyjs webpack-cli whatwg-node
  xmldom xtuc yarnpkg zeit zkochan
`
  .trim()
  .split(/\s+/)

/** Modules of Deno's standard library on jsr. Source: jsr.io/@std, as known in November 2026. */
export const STD_MODULES: ReadonlySet<string> = new Set(
  `archive assert async bytes cache cbor cli collections crypto csv data-structures datetime dotenv encoding
  expect fmt front-matter fs html http ini internal io json jsonc log math media-types msgpack net path random
  regexp semver streams tar testing text toml ulid url uuid webgpu xml yaml`.split(/\s+/),
)
