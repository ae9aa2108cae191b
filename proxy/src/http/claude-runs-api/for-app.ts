import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Request, RequestHandler, Response } from 'express'
import type { Logger } from 'pino'
import type { App, Apps } from '../../claude-runs/apps/index.ts'
import type { ClaudeRunsScope } from '../../contracts/claude-runs/index.ts'
import { appOfToken, ownerOfBootstrapToken } from '../../identity/authentication.ts'
import {
  type Action,
  type Actor,
  type AppPrincipal,
  actorOf,
  addressActor,
  appActor,
  assertAuthorized,
  type OwnerPrincipal,
  resourceOf,
} from '../../identity/index.ts'
import { AppError, equalInConstantTime, type SecretValue, type Storage } from '../../kernel/index.ts'
import type { AgentGate } from '../agent-api/index.ts'
import { knownError } from '../index.ts'
import { type AddressRules, clientAddress } from './client-address.ts'
import { sendRefusal } from './refusal.ts'

/** The holder of an app's token. */
export interface AppCaller {
  readonly app: App
  readonly by: AppPrincipal
}

/** The holder of ADMIN_BOOTSTRAP_TOKEN. */
export interface BootstrapCaller {
  readonly owner: OwnerPrincipal
  readonly actor: Actor
}

export interface Callers {
  readonly run: AppCaller
  readonly files: AppCaller
  readonly admin: BootstrapCaller
}

export interface ForAppDeps {
  readonly apps: Pick<Apps, 'authenticate'>
  /** Failed log-ins count against an address together with those of agents. */
  readonly gate: Pick<AgentGate, 'failedLogin' | 'refused' | 'take'>
  readonly addresses: AddressRules
  /** Null: nobody has it, and for another tenant than the installation's own nobody can. */
  readonly bootstrapToken: SecretValue | null
  readonly storage: Pick<Storage, 'tenant'>
  readonly log: Logger
}

/**
 * The one way to a handler: where a request comes from and who asks is settled before anything that was sent is read, and refusals are
 * told to the audit as those of agents are.
 */
export const createForApp =
  (deps: ForAppDeps) =>
  (
    { scope, action }: { readonly scope: keyof Callers; readonly action: Action | undefined },
    handle: (caller: Callers[keyof Callers], request: Request, response: Response) => Promise<void>,
  ): RequestHandler =>
  async (request, response) => {
    let who: Actor | undefined
    try {
      const address = clientAddress(request, deps.addresses)
      who = addressActor(address)
      const caller = await authenticate(deps, scope, request, address)
      who = 'app' in caller ? appActor(caller.app.id) : caller.actor
      await deps.gate.take('read', who)
      if (action !== undefined) assertMay(deps, caller, action)
      await handle(caller, request, response)
    } catch (caught) {
      // An abort that the caller's own leaving caused is nobody's error.
      if (response.destroyed && !(caught instanceof AppError)) return
      const error = knownError(caught, deps.log)
      await deps.gate.refused(who ?? request, error, { surface: 'http', toRun: action === 'run.submit' })
      if (response.headersSent) response.destroy()
      else sendRefusal(response, error)
    }
  }

async function authenticate(
  deps: ForAppDeps,
  scope: Exclude<ClaudeRunsScope, 'open'>,
  request: IncomingMessage,
  address: string,
): Promise<AppCaller | BootstrapCaller> {
  const { tenant } = deps.storage
  try {
    if (scope === 'admin') {
      assertBootstrapToken(deps.bootstrapToken, request.headers.authorization)
      const owner = ownerOfBootstrapToken(tenant)
      return { owner, actor: actorOf(owner) }
    }
    const app = deps.apps.authenticate(request.headers.authorization, address)
    if (!app.scopes.includes(scope))
      throw new AppError(
        'refused',
        `This token has no scope "${scope}"; the owner gives it: oauth3 app set ${app.name} --scope …`,
      )
    return { app, by: appOfToken(tenant, app.id) }
  } catch (error) {
    const isLogin = error instanceof AppError && error.code !== 'refused'
    throw isLogin ? await deps.gate.failedLogin({ socket: { remoteAddress: address } }, error) : error
  }
}

function assertMay(deps: ForAppDeps, caller: AppCaller | BootstrapCaller, action: Action): void {
  const { tenant } = deps.storage
  if ('app' in caller) assertAuthorized(caller.by, action, resourceOf(tenant, action, caller.app.id))
  else assertAuthorized(caller.owner, action, resourceOf(tenant, action))
}

/** Hashes are compared, so that the time tells nothing of the token's length either. */
function assertBootstrapToken(token: SecretValue | null, authorization: string | undefined): void {
  const presented = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(authorization ?? '')?.[1]
  const digest = (text: string): Uint8Array => createHash('sha256').update(text).digest()
  if (
    token !== null &&
    presented !== undefined &&
    equalInConstantTime(digest(token.open()), digest(presented))
  )
    return
  throw new AppError(
    'unauthenticated',
    token === null
      ? 'No ADMIN_BOOTSTRAP_TOKEN is set; apps are made with oauth3 app add.'
      : 'Send "Authorization: Bearer <ADMIN_BOOTSTRAP_TOKEN>".',
  )
}
