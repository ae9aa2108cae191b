import type { z } from 'zod'
import type { secretsView } from '../../contracts/agent/index.ts'
import type { Vault } from '../../domain/vault/index.ts'

export const secretsOf = (vault: Pick<Vault, 'list'>): z.infer<typeof secretsView> => ({
  secrets: vault.list().map(({ name, hosts }) => ({ name, hosts: hosts === null ? null : [...hosts] })),
})
