import { originOf } from '../../egress/index.ts'
import { ownKeyCommands } from '../../identity/agents/index.ts'
import { oneLine } from '../../kernel/index.ts'
import type { Provider } from '../providers/index.ts'
import { ACCESS_CHOICES, type AccessChoice } from './access-choices.ts'
import { describeGroup, groupsOfAsk } from './groups.ts'
import { describeLimits, describeRequestsLeft, strictest } from './limits.ts'
import { isPlainModel, scopeIncludes } from './patterns.ts'
import type { AccessCard, ProviderAsk, ProviderGrant } from './ports.ts'

type Choice = AccessCard['choices'][number][number]

const MAX_BUTTON_NAME = 16
const SHOWN_GRANTS = 3

/** The card of an ask: what a person has to know before pressing, all of it visible text. */
export function accessCard(input: {
  readonly ask: ProviderAsk
  readonly agent: string
  /** The tags that the agent has. */
  readonly tags: readonly string[]
  readonly provider: Provider | { readonly missing: readonly string[] } | undefined
  readonly activeGrants: readonly ProviderGrant[]
  readonly keys: number | undefined
  /** Names of apps whose runs may go by a key that this agent would go by. */
  readonly sharingApps: readonly string[]
}): AccessCard {
  const { ask, provider, activeGrants, keys, sharingApps } = input
  const known = provider && 'host' in provider ? provider : undefined
  const plain = ask.model !== null && isPlainModel(ask.model)
  const kept = describeLimits(strictest(activeGrants.map(({ limits }) => limits)))
  return {
    askId: ask.id,
    agent: oneLine(input.agent, 64),
    provider: oneLine(ask.provider, 64),
    origin: known ? originOf(known) : 'not known',
    model: ask.model === null ? 'the request names none' : oneLine(ask.model, 128),
    path: oneLine(ask.path, 128),
    gives: describeGroup(ask.group, oneLine(ask.provider, 64)),
    notes: [
      ...(ask.model !== null && !plain
        ? ["The model's name has characters that no model's has; it cannot be granted by itself."]
        : []),
      ...(keys === 0 && known?.auth.kind !== 'none' ? ['No key of this provider is stored yet.'] : []),
      ...(sharingApps.length > 0
        ? [sharedNote(sharingApps, ownKeyCommands(ask.provider, { name: input.agent, tags: input.tags }))]
        : []),
      ...(known?.private ? ['The owner said that it may be inside the private network.'] : []),
      ...activeGrants
        .slice(0, SHOWN_GRANTS)
        .map((grant) =>
          scopeIncludes({ groups: groupsOfAsk(ask.group), models: null, paths: null }, grant)
            ? `It has this already, until a grant of all models takes its place: ${describeGrant(grant)}`
            : `It has this already, and keeps it as it is: ${describeGrant(grant)}`,
        ),
      ...(activeGrants.length > SHOWN_GRANTS
        ? [`And ${activeGrants.length - SHOWN_GRANTS} more: oauth3 grant list`]
        : []),
      'The agent never sees the key: the daemon puts it in.',
      kept === ''
        ? 'No limit on requests, tokens or money unless you set one: oauth3 grant limit'
        : `It comes with the lowest limits that stand there: ${kept}. They count all that the agent uses of ${oneLine(ask.provider, 64)}. Others: oauth3 grant limit`,
    ],
    expiresAt: ask.expiresAt,
    choices: accessChoices(ask),
  }
}

/** How many names a line has. */
const SHOWN_APPS = 3

function sharedNote(apps: readonly string[], commands: string): string {
  const named = apps.slice(0, SHOWN_APPS).map((name) => oneLine(name, 64))
  const more = apps.length > SHOWN_APPS ? ` and ${apps.length - SHOWN_APPS} more` : ''
  return `Runs of ${named.join(', ')}${more} may go by the same key: once one has, the agent is refused what is kept there under it, as files and batches (shared_key). A key of its own: ${commands}`
}

/** All that may be answered to it: a grant for one model only where its name can be granted as it is. */
const accessChoices = ({ group, model }: ProviderAsk): AccessCard['choices'] => [
  [choice('1h', '⏱ 1 hour'), choice('24h', '⏱ 24 hours')],
  [choice('always', '♾ Always'), choice('deny', '❌ Deny')],
  ...(group === 'inference' ? SPENDING_LIMITED : []),
  REQUESTS_LIMITED,
  ...(model !== null && isPlainModel(model)
    ? [
        [
          choice('model_1h', `Only ${oneLine(model, MAX_BUTTON_NAME)}: 1 h`),
          choice('model_24h', 'Only it: 24 h'),
          choice('model_always', 'Only it: always'),
        ],
      ]
    : []),
]

/** With what no button has, since it takes a date. */
export const allAccessChoices = (ask: ProviderAsk): AccessCard['choices'] => {
  const buttons = accessChoices(ask)
  const forModel = buttons.flat().some(({ scope }) => scope === 'model')
  return [
    ...buttons,
    [
      choice('until', '⏳ Until a date'),
      ...(forModel ? [choice('model_until', '⏳ Only it: until a date')] : []),
    ],
  ]
}

const choice = (word: AccessChoice, label: string): Choice => {
  const { decision, scope, limit } = ACCESS_CHOICES[word]
  return { choice: word, decision, scope, limit, label }
}

/** What an answer costs at most: money where prices are known, tokens everywhere. */
const SPENDING_LIMITED: readonly (readonly Choice[])[] = [
  [choice('24h_usd1', '⏱ 24 h, ≤ $1 a day'), choice('always_usd1', '♾ Always, ≤ $1 a day')],
  [choice('24h_tokens200k', '⏱ 24 h, ≤ 200k tokens'), choice('always_tokens200k', '♾ Always, ≤ 200k a day')],
]

const REQUESTS_LIMITED: readonly Choice[] = [
  choice('24h_requests100', '⏱ 24 h, ≤ 100 requests'),
  choice('always_requests100', '♾ 100 requests in all'),
]

/** What a grant is for, in words: groups, models, paths, limits. */
export function describeGrant({
  groups,
  models,
  paths,
  limits,
  requestsUsed,
}: Pick<ProviderGrant, 'groups' | 'models' | 'paths' | 'limits' | 'requestsUsed'>): string {
  const requestsText = describeRequestsLeft({ limits, requestsUsed })
  const limitsText = describeLimits(limits)
  return [
    groups.filter((group) => group !== 'models' || !groups.includes('inference')).join(' '),
    models === null ? 'all models' : oneLine(models.join(' '), 120),
    ...(paths === null ? [] : [`only ${oneLine(paths.join(' '), 120)}`]),
    ...(limitsText === '' ? [] : [limitsText]),
    ...(requestsText === '' ? [] : [requestsText]),
  ].join(', ')
}
