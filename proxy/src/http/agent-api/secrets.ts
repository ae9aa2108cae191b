import type { z } from 'zod'
import type { secretsView } from '../../contracts/agent/index.ts'
import type { Storage } from '../../kernel/index.ts'
import type { Vault } from '../../vault/index.ts'

export const secretsOf = async ({
  storage,
  vault,
}: {
  readonly storage: Pick<Storage, 'read'>
  readonly vault: Pick<Vault, 'list'>
}): Promise<z.infer<typeof secretsView>> => ({
  secrets: (await storage.read((tx) => vault.list(tx))).map(({ name, hosts }) => ({
    name,
    hosts: hosts === null ? null : [...hosts],
  })),
})
