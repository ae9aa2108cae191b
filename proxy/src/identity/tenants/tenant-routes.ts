import type { TenantView } from '../../contracts/admin/index.ts'
import type { AdminHandlers, Owner } from '../../http/admin-routes/index.ts'
import type { Actor } from '../index.ts'
import type { Members } from './members.ts'
import type { Tenant } from './ports.ts'

interface ChatInput {
  readonly token: string
  readonly chatId: string
  readonly approverIds: readonly string[]
}

interface ListedTenant extends Omit<Tenant, 'removedAt'> {
  readonly chatId: string | null
  readonly agents: number
  readonly problem: string | null
}

/** Of the running daemon. */
export interface TenantAdmin {
  list(): Promise<readonly ListedTenant[]>
  add(name: string, chat: ChatInput | null, actor: Actor): Promise<ListedTenant>
  setChat(name: string, chat: ChatInput | null, actor: Actor): Promise<ListedTenant>
  remove(name: string, actor: Actor): Promise<{ readonly finished: boolean }>
}

export function tenantRoutes({
  tenants,
  memberships,
  owner,
}: {
  readonly tenants: TenantAdmin
  /** Of the tenant that the call names. */
  readonly memberships: Pick<Members, 'list'>
  readonly owner: Owner
}) {
  return {
    listTenants: async () => ({ tenants: (await tenants.list()).map(viewTenant) }),
    listMembers: async () => ({ members: [...(await memberships.list())] }),
    addTenant: async ({ body }) => viewTenant(await tenants.add(body.name, chatOf(body.chat), owner.actor)),
    setTenantChat: async ({ params, body }) =>
      viewTenant(await tenants.setChat(params.name, chatOf(body.chat), owner.actor)),
    removeTenant: async ({ params }) => ({
      name: params.name,
      ...(await tenants.remove(params.name, owner.actor)),
    }),
  } satisfies Partial<AdminHandlers>
}

const chatOf = (
  chat: { readonly token: string; readonly chat_id: string; readonly approver_ids: readonly string[] } | null,
): ChatInput | null => chat && { token: chat.token, chatId: chat.chat_id, approverIds: chat.approver_ids }

const viewTenant = ({ id, name, chatId, agents, createdAt, problem }: ListedTenant): TenantView => ({
  ...{ id, name, agents, problem },
  chat_id: chatId,
  created_at: createdAt,
})
