import type { AppView } from '../../../src/contracts/admin/index.ts'
import { Check, Choice, Field, type Fields, microUsdIn, numberIn, wordsIn } from '../admin/form.tsx'
import { count, dollars } from '../admin/texts.ts'

type Limits = AppView['limits']
type LimitName = keyof Limits

/** Each limit as a person writes and reads it; money in US dollars. */
export const LIMITS: readonly {
  readonly name: LimitName
  readonly label: string
  readonly isMoney?: true
}[] = [
  { name: 'micro_usd_per_run', label: 'US dollars a run', isMoney: true },
  { name: 'micro_usd_per_day', label: 'US dollars a day', isMoney: true },
  { name: 'tokens_per_run', label: 'Tokens a run' },
  { name: 'tokens_per_day', label: 'Tokens a day' },
  { name: 'requests_per_run', label: 'Calls of the model a run' },
  { name: 'requests_per_minute', label: 'Calls of the model a minute' },
  { name: 'runs_per_day', label: 'Runs a day' },
  { name: 'max_running', label: 'Runs at the same time' },
]

export const limitText = ({ isMoney }: { readonly isMoney?: true }, value: number): string =>
  isMoney ? dollars(value) : count(value)

const SCOPES = {
  both: ['run', 'files'],
  run: ['run'],
  files: ['files'],
} as const

/** The fields of an app, as they stand or for a new one. */
export function TermFields({ of }: { readonly of?: AppView }) {
  const words = (list: readonly string[] | null | undefined): string => (list ?? []).join(' ')
  return (
    <>
      <Choice
        name="scopes"
        label="What its token is good for"
        value={of === undefined || of.scopes.length > 1 ? 'both' : (of.scopes[0] ?? 'both')}
        options={[
          ['both', 'Runs and files'],
          ['run', 'Runs alone'],
          ['files', 'Files alone'],
        ]}
      />
      <Field
        name="models"
        label="Models"
        value={words(of?.models)}
        hint="Ids, or beginnings that end in *. None: any."
        placeholder="claude-sonnet-*"
      />
      <Field
        name="tools"
        label="Tools"
        value={words(of?.tools)}
        hint="Of Claude Code, which a run may ask for: Read, Bash, WebFetch. None: text alone."
      />
      <Field
        name="secrets"
        label="Secrets that requests of its runs may ask for"
        value={of?.secrets === null ? 'any' : words(of?.secrets)}
        hint="Names. None: none. The word any: all that there are."
      />
      <Choice
        name="network"
        label="Commands that want to reach a host"
        value={of?.network ?? 'off'}
        options={[
          ['off', 'Are refused'],
          ['ask', 'Ask a person, who lets the run reach it until it ends'],
        ]}
      />
      <Field
        name="hosts"
        label="Hosts that commands reach without a question"
        value={words(of?.hosts)}
        hint="HOST or HOST:PORT, where commands ask. None: they ask for each."
        placeholder="registry.example.com"
      />
      <Field
        name="cidrs"
        label="Addresses that it may call from"
        value={words(of?.cidrs)}
        hint="As networks: 172.24.0.0/16. None: wherever the port may be called from."
      />
      <Field name="provider" label="Provider" value={of?.provider ?? 'anthropic'} />
      <Check
        name="seat"
        label="Runs go by the seat of your own subscription, in place of a key; its vendor lets you use it for yourself alone"
        isOn={of?.seat ?? false}
      />
      {LIMITS.map((limit) => (
        <Field
          key={limit.name}
          name={limit.name}
          label={limit.label}
          type="number"
          value={written(limit, of?.limits[limit.name])}
        />
      ))}
      <Check
        name="keeps_prompts"
        label="Keep its prompts, sealed, as long as results"
        isOn={of?.keeps_prompts ?? false}
      />
    </>
  )
}

const written = ({ isMoney }: { readonly isMoney?: true }, value: number | null | undefined): string =>
  value == null ? '' : String(isMoney ? value / 1_000_000 : value)

/** All of them: what was emptied is taken back. */
export function termsIn(fields: Fields) {
  const models = wordsIn(fields.models)
  const secrets = wordsIn(fields.secrets)
  const limits = Object.fromEntries(
    LIMITS.map(({ name, label, isMoney }) => [
      name,
      isMoney ? microUsdIn(fields[name], label) : numberIn(fields[name], label),
    ]),
  ) as unknown as Limits
  return {
    ...{ scopes: SCOPES[(fields.scopes ?? 'both') as keyof typeof SCOPES], tools: wordsIn(fields.tools) },
    ...{ models: models.length === 0 ? null : models, cidrs: wordsIn(fields.cidrs), limits },
    ...{
      secrets: secrets.length === 1 && secrets[0] === 'any' ? null : secrets,
      hosts: wordsIn(fields.hosts),
    },
    network: fields.network === 'ask' ? ('ask' as const) : ('off' as const),
    ...(fields.provider ? { provider: fields.provider } : {}),
    seat: fields.seat === '1',
    keeps_prompts: fields.keeps_prompts === '1',
  }
}
