import type { App } from './ports.ts'

/** What the pinned CLI asks for where a run names one of its own words (2.1.332); `proxy/test/contract/claude-cli.test.ts` holds it. */
const STANDS_FOR: ReadonlyMap<string, string> = new Map([
  ['sonnet', 'claude-sonnet-5-5'],
  ['opus', 'claude-opus-5-5'],
  ['haiku', 'claude-haiku-5-5'],
  // Its plan mode, which would ask opus, is denied to runs.
  ['opusplan', 'claude-sonnet-5-5'],
])

/** A model by the id that is sent to the provider. */
export const modelOf = (name: string): string => STANDS_FOR.get(name) ?? name

const covers = (pattern: string, model: string): boolean =>
  pattern.endsWith('*') ? model.startsWith(pattern.slice(0, -1)) : pattern === model

/** The patterns of ids that a run of the app may use; null: any. A word of the CLI's allows what it stands for. */
export const modelPatterns = ({ models }: Pick<App, 'models'>): readonly string[] | null =>
  models?.map(modelOf) ?? null

/** Whether a run of the app may use the model, named by its id or by a word of the CLI's. What that stands for must be known. */
export const allowsModel = (app: Pick<App, 'models'>, name: string): boolean =>
  modelPatterns(app)?.some((pattern) => covers(pattern, modelOf(name))) ?? true
