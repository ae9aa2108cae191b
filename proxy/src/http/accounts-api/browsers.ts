/** `/cdp` for accounts: the browser, or the desktop's Chromium, of a hosted agent of theirs. */
import type { IRouter, Request } from 'express'
import { agentIdOf } from '../../hosting/agents/index.ts'
import { AppError } from '../../kernel/index.ts'
import { assertNoneInAddress, CDP_PATHS, type CdpUser, NO_SUCH_PATH } from '../cdp/index.ts'
import type { ConsoleTenant } from '../console/index.ts'
import { type AccountCaller, assertMay, assertStill, holderOf } from './caller.ts'
import { chosenInstance } from './instances-of.ts'

const ACTION = 'browser.use'
const SCOPE = 'machines'

/** `callerFor` throws for whoever may not. */
export function mountBrowsers(
  app: IRouter,
  {
    tenants,
    callerFor,
  }: {
    readonly tenants: () => readonly ConsoleTenant[]
    readonly callerFor: (request: Request, scope: typeof SCOPE) => AccountCaller
  },
): void {
  for (const { methods, paths, answer } of CDP_PATHS)
    for (const method of methods)
      app[method](
        paths.map((path) => `/cdp${path}`),
        async (request, response) => {
          assertNoneInAddress(request.url)
          const caller = callerFor(request, SCOPE)
          assertMay(caller, ACTION)
          await caller.of.gate.take('read', `browsers of ${caller.account.id}`)
          const { machine } = await chosenInstance(caller.of, instanceIn(request))
          const agent = agentIdOf(machine)
          const user: CdpUser = {
            ...{ key: `${caller.account.id} ${agent}`, agent, actor: caller.actor, holder: holderOf(caller) },
            assertStill: (holder) =>
              assertStill(tenants(), holder, { ...caller, scope: SCOPE, action: ACTION }),
          }
          await caller.of.cdp[answer](user, request, response)
        },
      )
  app.use('/cdp', ({ url }) => {
    assertNoneInAddress(url)
    throw new AppError('not_found', NO_SUCH_PATH)
  })
}

/** Of a new page all that follows is the page's own address. */
function instanceIn({ url, path }: Request): string | undefined {
  const { search, searchParams } = new URL(url, 'http://localhost')
  if (!path.startsWith('/cdp/json/new')) return searchParams.get('instance') ?? undefined
  return search.startsWith('?instance=') ? (searchParams.get('instance') ?? undefined) : undefined
}
