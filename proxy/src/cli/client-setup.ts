import type { ProviderView } from '../contracts/admin/index.ts'

/**
 * Ready configuration with an agent's token in it, for the programs that are pointed at the daemon. `config` is the same
 * for a program: environment variables, or the file's own form.
 */
export const CLIENT_KINDS = ['openclaw', 'claude-code', 'openai', 'env'] as const
export type ClientKind = (typeof CLIENT_KINDS)[number]

export interface ClientSetup {
  readonly text: string
  readonly config: unknown
  /** For the person, beside the text. */
  readonly note?: string
}

export interface ClientFacts {
  /** The daemon's address as the agent reaches it, without a slash at its end. */
  readonly url: string
  readonly token: string
  readonly providers: readonly ProviderView[]
  /** For OpenClaw, which knows no model of a provider's that it cannot ask: `openai/gpt-5`. */
  readonly models: readonly string[]
}

export function clientSetup(kind: ClientKind, facts: ClientFacts): ClientSetup {
  return SETUPS[kind](facts)
}

const SETUPS: Readonly<Record<ClientKind, (facts: ClientFacts) => ClientSetup>> = {
  env: (facts) => {
    const usable = new Set(facts.providers.filter(hasWay).map(({ name }) => name))
    const chosen = ENVIRONMENTS.filter(([name]) => usable.has(name))
    const own = ownProviders(facts)
    const isUsable = chosen.length > 0 || own.length > 0
    const printed = isUsable ? chosen : ENVIRONMENTS
    const config = Object.fromEntries([
      ...printed.flatMap(([, env]) => Object.entries(env(facts))),
      ...own.flatMap((provider) => Object.entries(ownEnv(provider, facts))),
    ])
    const lines = exportLines(config)
    return { config, text: (isUsable ? lines : [NO_KEY_YET, ...lines]).join('\n') }
  },

  'claude-code': (facts) => {
    const env = {
      ...anthropicEnv(facts, onlyOwn('anthropic', facts)),
      ANTHROPIC_CUSTOM_HEADERS: 'Prefer: wait=3600',
    }
    // A key of the shell's would be sent beside the token, and two credentials are refused.
    const config = { env: { ...env, ANTHROPIC_API_KEY: '' } }
    const text = [
      'In ~/.claude/settings.json:',
      '',
      JSON.stringify(config, null, 2),
      '',
      'Or in the shell:',
      '',
      'unset ANTHROPIC_API_KEY',
      ...exportLines(env),
      'claude',
    ].join('\n')
    return { config, text }
  },

  openai: (facts) => {
    const provider = onlyOwn('openai', facts)
    const config = openAiEnv(facts, provider)
    const others = ownProviders(facts).filter(({ name, errors }) => errors === 'openai' && name !== provider)
    const { OPENAI_BASE_URL: url, OPENAI_API_KEY: token } = config
    const text = [
      '# Environment, for every OpenAI SDK:',
      ...exportLines(config),
      '',
      '# Python:',
      'from openai import OpenAI',
      `client = OpenAI(base_url="${url}", api_key="${token}")`,
      '',
      '// Node.js:',
      "import OpenAI from 'openai'",
      `const client = new OpenAI({ baseURL: '${url}', apiKey: '${token}' })`,
      ...(others.length === 0 ? [] : ['', '# Your own providers, with the same token:']),
      ...others.map((other) => `# ${other.name}: ${baseOf(other, facts)}`),
    ].join('\n')
    return { config, text }
  },

  openclaw: (facts) => {
    const usable = facts.providers.filter(hasWay)
    const entries = usable.map((provider) => [provider.name, openclawProvider(provider, facts)] as const)
    const config = { models: { mode: 'merge', providers: Object.fromEntries(entries) } }
    const bare = entries.filter(([, entry]) => entry.models.length === 0).map(([name]) => name)
    const models = bare.length === 0 ? '' : ` Models of ${bare.join(', ')} that it does not know: --models.`
    const note = `Put it into a file, then: openclaw config patch --file FILE.${models}`
    return { config, text: JSON.stringify(config, null, 2), note }
  },
}

/** What the owner added; it reads one of three forms, whose SDKs take any base URL. */
const ownProviders = ({ providers }: ClientFacts): ProviderView[] =>
  providers.filter((provider) => provider.own && hasWay(provider))

/** The vendor by whose name the form is called; where it cannot be used and one own provider of the form can, that one. */
function onlyOwn(form: 'openai' | 'anthropic', facts: ClientFacts): string {
  if (facts.providers.some((provider) => provider.name === form && hasWay(provider))) return form
  const own = ownProviders(facts).filter(({ errors }) => errors === form)
  return own.length === 1 ? (own[0] as ProviderView).name : form
}

/** As its SDK takes it: OpenAI's with the version, the others add theirs. */
const baseOf = ({ name, errors }: ProviderView, { url }: ClientFacts): string =>
  `${url}/llm/${name}${errors === 'openai' ? '/v1' : ''}`

/** No SDK reads these by itself, so no token goes where it is not meant for. */
function ownEnv(provider: ProviderView, facts: ClientFacts): Env {
  const prefix = provider.name.toUpperCase().replaceAll('-', '_')
  return { [`${prefix}_BASE_URL`]: baseOf(provider, facts), [`${prefix}_API_KEY`]: facts.token }
}

const openAiEnv = ({ url, token }: ClientFacts, provider = 'openai') => ({
  OPENAI_BASE_URL: `${url}/llm/${provider}/v1`,
  OPENAI_API_KEY: token,
})

/** Its SDKs add /v1 themselves; the token goes where no vendor's key is expected, as a bearer. */
const anthropicEnv = ({ url, token }: ClientFacts, provider = 'anthropic') => ({
  ANTHROPIC_BASE_URL: `${url}/llm/${provider}`,
  ANTHROPIC_AUTH_TOKEN: token,
})

const googleEnv = ({ url, token }: ClientFacts) => ({
  GOOGLE_GEMINI_BASE_URL: `${url}/llm/google`,
  GEMINI_API_KEY: token,
})

/** Its SDK adds /openai/v1 itself. */
const groqEnv = ({ url, token }: ClientFacts) => ({
  GROQ_BASE_URL: `${url}/llm/groq`,
  GROQ_API_KEY: token,
})

type Env = Readonly<Record<string, string>>

const ENVIRONMENTS: readonly (readonly [provider: string, env: (facts: ClientFacts) => Env])[] = [
  ['openai', openAiEnv],
  ['anthropic', anthropicEnv],
  ['google', googleEnv],
  ['groq', groqEnv],
]

const NO_KEY_YET = '# None of these can be used yet; the key of one is added with: oauth3 key add openai'

/** For a POSIX shell to read. */
export const exportLines = (env: Env): string[] =>
  Object.entries(env).map(([name, value]) => `export ${name}='${value.replaceAll("'", "'\\''")}'`)

/** The providers that a person set up: with a key, or added as one that needs none. */
export const hasWay = (provider: ProviderView): boolean =>
  provider.missing.length === 0 && (provider.keys > 0 || (provider.own && provider.auth.kind === 'none'))

/** OpenClaw's adapters by how the provider speaks, with what each adds to the base URL itself left out. */
const OPENCLAW_APIS = {
  openai: { api: 'openai-completions', suffix: '' },
  anthropic: { api: 'anthropic-messages', suffix: '' },
  google: { api: 'google-generative-ai', suffix: '/v1beta' },
} as const

function openclawProvider(provider: ProviderView, { url, token, models }: ClientFacts) {
  const { api, suffix } = OPENCLAW_APIS[provider.errors ?? 'openai']
  const base = `${url}/llm/${encodeURIComponent(provider.name)}${provider.name === 'openai' ? '/v1' : suffix}`
  const prefix = `${provider.name}/`
  const names = models.filter((model) => model.startsWith(prefix)).map((model) => model.slice(prefix.length))
  // A server that it does not know is not asked for the tokens of a stream, unless this says that it tells them.
  const more = api === 'openai-completions' ? { compat: { supportsUsageInStreaming: true } } : {}
  return {
    baseUrl: base,
    apiKey: token,
    api,
    // What is refused as not approved yet, it takes for a bad key, and leaves the provider alone for a while.
    headers: { Prefer: 'wait=3600' },
    models: names.map((name) => ({ id: name, name, ...more })),
  }
}

/** Whether the address names one place: the unspecified address is where a daemon listens, and nowhere to go to. */
export function isReachable(url: string): boolean {
  const host = URL.canParse(url) ? new URL(url).hostname : ''
  return host !== '0.0.0.0' && host !== '[::]'
}
