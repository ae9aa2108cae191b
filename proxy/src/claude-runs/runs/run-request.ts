import { AppError, type ReadTx } from '../../kernel/index.ts'
import { type App, allowsModel, modelOf } from '../apps/index.ts'
import type { AppFile, AppFiles } from '../files/index.ts'
import type { RunSessionRow, RunSessions, SessionWish } from '../sessions/index.ts'
import type { RunBudget } from './ports.ts'

/** What an app asks for, in the form that its surface has checked. */
export interface RunRequest {
  readonly prompt: string
  /** Null: the installation's usual one. */
  readonly model: string | null
  readonly system: string | null
  readonly appendSystem: string | null
  /** Ids of files of the app. */
  readonly files: readonly string[]
  readonly tools: readonly string[]
  readonly schema: unknown
  /** Null: nothing of the conversation is kept. */
  readonly session: SessionWish | null
  readonly timeoutMs: number
  readonly budget: RunBudget
  readonly maxTurns: number | null
  readonly detach: boolean
}

/** What stands of a request once the app's own limits are laid over it. */
export interface RunTerms {
  readonly model: string
  readonly budget: RunBudget
}

/** Throws `refused` for what the owner did not allow the app. */
export function runTerms(app: App, request: RunRequest, defaultModel: string): RunTerms {
  const model = request.model ?? defaultModel
  // What is really called is checked at the model's end, too.
  if (!allowsModel(app, model)) {
    const which = modelOf(model) === model ? model : `${model}, which is ${modelOf(model)}`
    throw new AppError(
      'refused',
      `This app may not use the model ${which}; it may: ${(app.models ?? []).join(', ')}.`,
    )
  }
  const denied = request.tools.filter((tool) => !app.tools.includes(tool))
  if (denied.length > 0)
    throw new AppError(
      'refused',
      `This app's runs may not have ${denied.join(', ')}. The owner allows tools: oauth3 app set ${app.name} --tool …`,
    )
  const { limits } = app
  return {
    model,
    budget: {
      microUsd: lower(request.budget.microUsd, limits.microUsdPerRun),
      tokens: lower(request.budget.tokens, limits.tokensPerRun),
      requests: lower(request.budget.requests, limits.requestsPerRun),
    },
  }
}

const lower = (one: number | null, other: number | null): number | null =>
  one === null ? other : other === null ? one : Math.min(one, other)

/** What a run is given besides: each of the app's own. Throws `not_found` or `gone`. */
export async function findInputs(
  tx: ReadTx,
  parts: { readonly files: AppFiles; readonly sessions: RunSessions },
  app: App,
  request: Pick<RunRequest, 'files' | 'session'>,
): Promise<{ readonly files: readonly AppFile[]; readonly session: RunSessionRow | null }> {
  const files: AppFile[] = []
  for (const id of new Set(request.files)) files.push(await parts.files.find(tx, app.id, id))
  const id = request.session?.id ?? null
  return { files, session: id === null ? null : await parts.sessions.find(tx, app.id, id) }
}

/** Names by which files stand beside each other, where several were uploaded under one. */
export function apart(files: readonly AppFile[]): readonly (readonly [name: string, file: AppFile])[] {
  const taken = new Set<string>()
  return files.map((file) => {
    let name = file.name
    for (let count = 2; taken.has(name.toLowerCase()); count += 1) name = `${count}-${file.name}`
    taken.add(name.toLowerCase())
    return [name, file] as const
  })
}
