import { AppError } from '../../kernel/index.ts'
import type { EndpointGroup } from '../providers/index.ts'

/** What a grant of each group gives, in words for the card of an ask: `PROVIDER` stands for the vendor's name. */
const GIVES: Readonly<Record<EndpointGroup, string>> = {
  inference:
    'answers at once (chat, completions, embeddings, images, speech), and reading which models there are. Files, batches, fine-tuning, stored results, realtime and later work are not in it: each is asked apart',
  models: 'reading lists and descriptions of models, and nothing else',
  files: 'upload, read and delete files stored at PROVIDER under this key',
  batches: 'start, read and cancel batches at PROVIDER: many requests that are answered later',
  fine_tuning: "train, read and delete models of this key's account at PROVIDER",
  stored:
    'write, read and delete what is kept at PROVIDER under this key: stored answers, conversations, assistants, vector stores, caches',
  realtime:
    'open realtime sessions at PROVIDER, and get short-lived credentials that work without this daemon',
  deferred:
    'start work at PROVIDER that is done later, such as videos and predictions, and read or cancel it',
  organization:
    "administer this key's account at PROVIDER: keys, members, projects, billing and what runs for it",
  other: 'endpoints of PROVIDER that this daemon does not know',
}

/** Every group, in the order in which they are told. */
const ENDPOINT_GROUPS = Object.keys(GIVES) as readonly EndpointGroup[]

/** What a granted card covers: the group of the ask, and with inference the lists of models. */
export const groupsOfAsk = (group: EndpointGroup): readonly EndpointGroup[] => readGroups([group])

/** No card can say what these give, or nobody should give it by pressing a button. */
export const isAskable = (group: EndpointGroup): boolean => group !== 'organization' && group !== 'other'

/** For a person: `files: upload, read and delete files stored at openai under this key`. */
export const describeGroup = (group: EndpointGroup, provider: string): string =>
  `${group}: ${GIVES[group].replaceAll('PROVIDER', provider)}`

/** The groups as stored, each once; never empty. Throws invalid_request. */
export function readGroups(groups: readonly string[]): readonly EndpointGroup[] {
  const asked = new Set(groups)
  const unknown = groups.find((name) => !Object.hasOwn(GIVES, name))
  if (unknown !== undefined || asked.size === 0) {
    throw new AppError('invalid_request', `Groups of endpoints are: ${ENDPOINT_GROUPS.join(', ')}.`)
  }
  if (asked.has('inference')) asked.add('models')
  return ENDPOINT_GROUPS.filter((group) => asked.has(group))
}
