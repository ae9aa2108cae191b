import type { ConsoleRoutes } from '../../contracts/console/index.ts'
import type { RouteHandlers } from '../../contracts/index.ts'
import { hostedHere, TICKET_ACTIONS, ticketPath } from '../../hosting/agents/index.ts'
import { assertAuthorized, resourceOf } from '../../identity/index.ts'
import { sha256Hex } from '../../kernel/index.ts'
import { type AccountDeps, accountHandlers } from './account-handlers.ts'
import { cookieHeader } from './cookies.ts'
import { pageTicket } from './page-ticket.ts'
import { passkeyHandlers } from './passkey-handlers.ts'
import { assertSignedIn, type ConsoleCall, type SessionDeps, sessionAnswers } from './session-answers.ts'

export function sessionHandlers(
  deps: SessionDeps & AccountDeps,
  call: ConsoleCall,
): RouteHandlers<ConsoleRoutes> {
  const { place, caller, response } = call
  const answers = sessionAnswers(deps, call)
  return {
    ...passkeyHandlers(deps.tenants, call, answers),
    ...accountHandlers(deps, call, answers),
    async readSession() {
      const { of, session } = assertSignedIn(caller)
      return await answers.view(of, session)
    },
    async signIn({ body: { code } }) {
      const hash = sha256Hex(code)
      const of = deps.tenants().find(({ sessions }) => sessions.hasCode(hash))
      const view =
        of &&
        (await answers.opened(of, (replaces) =>
          of.sessions.signInByCode(code, { address: place.address, replaces }),
        ))
      if (view === undefined) throw await answers.refused(BAD_LINK)
      return view
    },
    async signOut() {
      const { of, session, by } = assertSignedIn(caller)
      await of.sessions.end(session.id, by.actor, 'signed_out')
      response.setHeader('Set-Cookie', cookieHeader(place, ''))
      response.setHeader('Clear-Site-Data', '"cache", "storage"')
      return { ok: true as const }
    },
    async openHostPage({ params: { name } }) {
      const { of, session, by } = assertSignedIn(caller)
      const action = 'hosted_agent.operate'
      assertAuthorized(by.principal, action, resourceOf(of.tenant, action))
      const holder = { kind: 'session', tenant: of.tenant, session: session.id } as const
      const { url, expiresAt } = pageTicket(deps, holder, await hostedHere(of.hosting).find(name))
      return { url, expires_at: expiresAt }
    },
    async issueTicket({ params: { name }, body: { purpose } }) {
      const { of, session, by } = assertSignedIn(caller)
      assertAuthorized(by.principal, TICKET_ACTIONS[purpose], resourceOf(of.tenant, TICKET_ACTIONS[purpose]))
      const { id: machine } = await hostedHere(of.hosting).find(name)
      const holder = { kind: 'session', tenant: of.tenant, session: session.id } as const
      const { ticket, expiresAt } = deps.tickets.issue(holder, { machine, purpose })
      return { ticket, path: ticketPath(machine, purpose, ticket), expires_at: expiresAt }
    },
  }
}

const BAD_LINK = 'This link was used, is too old, or is none; run `oauth3 console` for another.'
