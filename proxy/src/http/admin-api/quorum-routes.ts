import type { Quorum, RuleScope } from '../../approvals/quorum/index.ts'
import type { QuorumList } from '../../contracts/admin/index.ts'
import { type Requesters, telegramActor } from '../../identity/index.ts'
import { AppError, type ReadTx, SECRET_NAME, type Storage } from '../../kernel/index.ts'
import type { AdminHandlers, Owner } from '../admin-routes/index.ts'

interface QuorumRoutesDeps {
  readonly quorum: Pick<Quorum, 'list' | 'deciders' | 'setApprovals' | 'setOwner'>
  readonly requesters: Requesters
  readonly storage: Storage
  readonly owner: Owner
}

const isRequester = (scope: RuleScope): scope is 'agent' | 'app' => scope === 'agent' || scope === 'app'

/** How many have to approve what. */
export function quorumRoutes({ quorum, requesters, storage, owner }: QuorumRoutesDeps) {
  const view = async (tx: ReadTx): Promise<QuorumList> => {
    const { count, ownerIs } = await quorum.deciders(tx)
    const rules = (await quorum.list(tx)).filter(({ approvals }) => approvals > 1)
    return {
      rules: rules.map(({ scope, name, approvals }) => ({
        ...{ scope, approvals, reachable: approvals <= count },
        name: isRequester(scope) ? requesters.nameOf(scope, name) : name,
      })),
      owner: ownerIs.replace(/^telegram:/, ''),
      deciders: count,
    }
  }
  /** What a rule is stored under: an agent or an app by its id, since a name can be given anew once it is revoked. */
  const keyOf = (scope: RuleScope, name: string): string => {
    if (isRequester(scope)) {
      const id = requesters.activeId(scope, name)
      if (id === undefined) throw new AppError('not_found', `No ${scope} named ${name}.`)
      return id
    }
    if (scope === 'secret' && !SECRET_NAME.test(name))
      throw new AppError('invalid_request', `${name} is no name of a secret.`)
    return name
  }
  return {
    listQuorum: () => storage.read(view),
    async setQuorum({ body: { scope, name, approvals } }) {
      const key = { scope, name: keyOf(scope, name) }
      return await storage.transaction(async (tx) => {
        await quorum.setApprovals(tx, key, approvals, owner.actor)
        return await view(tx)
      })
    },
    setQuorumOwner: ({ body }) =>
      storage.transaction(async (tx) => {
        const { owner: who } = body
        const ownerIs = who === 'separate' || who === 'unknown' ? who : telegramActor(who)
        await quorum.setOwner(tx, ownerIs, owner.actor)
        return await view(tx)
      }),
  } satisfies Partial<AdminHandlers>
}
