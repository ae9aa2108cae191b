import { z } from 'zod'
import type { Vault } from '../../domain/vault/index.ts'

/**
 * What an agent may know of the vault: names and hosts of all that is stored, never values. Any agent may ask for any name, and is told of
 * one that is missing, so a list for each agent would hide nothing; the person decides about each use.
 */
export const secretsView = z.strictObject({
  secrets: z.array(
    z.strictObject({
      name: z.string(),
      hosts: z
        .array(z.string())
        .nullable()
        .describe(
          'Where its value may be sent, and never elsewhere; null: it is bound to no host, each use names its own.',
        ),
    }),
  ),
})

export const secretsOf = (vault: Pick<Vault, 'list'>): z.infer<typeof secretsView> => ({
  secrets: vault.list().map(({ name, hosts }) => ({ name, hosts: hosts === null ? null : [...hosts] })),
})
