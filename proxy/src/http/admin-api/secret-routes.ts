import type { Quorum, Risk } from '../../approvals/quorum/index.ts'
import { assertAuthorized, resourceOf } from '../../identity/index.ts'
import { AppError, type ReadTx, SecretValue, type Storage, type Tx } from '../../kernel/index.ts'
import type { SecretRecord, Vault } from '../../vault/index.ts'
import type { AdminHandlers, Owner } from '../admin-routes/index.ts'
import { viewSecret } from './views.ts'

interface SecretRoutesDeps {
  readonly vault: Vault
  readonly quorum: Pick<Quorum, 'list' | 'setRisk'>
  readonly storage: Storage
  readonly owner: Owner
}

/** Secrets by name, and what a yes to a use of them takes; never values. */
export function secretRoutes({ vault, quorum, storage, owner }: SecretRoutesDeps) {
  const risks = async (tx: ReadTx): Promise<(name: string) => Risk> => {
    const rules = (await quorum.list(tx)).filter(({ scope }) => scope === 'secret')
    const byName = new Map(rules.map(({ name, risk }) => [name, risk]))
    return (name) => byName.get(name) ?? 'normal'
  }
  /** What a yes takes is lowered by who makes the rules alone: an approver would free themselves of the passkey that is asked of them. */
  const setRisk = async (tx: Tx, name: string, risk: Risk): Promise<void> => {
    if (risk === 'normal' && (await risks(tx))(name) === 'high')
      assertAuthorized(owner.principal, 'quorum.manage', resourceOf(tx.tenant, 'quorum.manage'))
    await quorum.setRisk(tx, name, risk, owner.actor)
  }
  const view = async (tx: ReadTx, record: SecretRecord) => viewSecret(record, (await risks(tx))(record.name))
  return {
    listSecrets: () =>
      storage.read(async (tx) => {
        const riskOf = await risks(tx)
        return { secrets: (await vault.list(tx)).map((record) => viewSecret(record, riskOf(record.name))) }
      }),
    putSecret: ({ params, body: { value, hosts, risk } }) =>
      storage.transaction(async (tx) => {
        if (risk !== undefined) await setRisk(tx, params.name, risk)
        const options = { hosts, actor: owner.actor }
        return await view(tx, await vault.put(tx, params.name, new SecretValue(value), options))
      }),
    setSecretRisk: ({ params, body: { risk } }) =>
      storage.transaction(async (tx) => {
        const record = await vault.find(tx, params.name)
        if (record === undefined) throw new AppError('not_found', `No secret named ${params.name}.`)
        await setRisk(tx, params.name, risk)
        return await view(tx, record)
      }),
    async removeSecret({ params }) {
      await vault.remove(params.name, owner.actor)
      return { ok: true }
    },
    async renameSecret({ params, body }) {
      const renamed = await vault.rename(params.name, body.to, owner.actor)
      return await storage.read((tx) => view(tx, renamed))
    },
  } satisfies Partial<AdminHandlers>
}
