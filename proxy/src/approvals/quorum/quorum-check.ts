import type { DoctorCheck, Storage } from '../../kernel/index.ts'
import type { Quorum } from './quorum.ts'

/** Whether what asks for several approvals can get them: members come and go after a rule was made. */
export const quorumCheck = (deps: {
  readonly quorum: Pick<Quorum, 'list' | 'deciders'>
  readonly storage: Pick<Storage, 'read'>
}): DoctorCheck => ({
  name: 'quorum',
  run: () =>
    deps.storage.read(async (tx) => {
      const { count } = await deps.quorum.deciders(tx)
      const rules = (await deps.quorum.list(tx)).filter(({ approvals }) => approvals > 1)
      const tooMany = rules.filter(({ approvals }) => approvals > count)
      if (tooMany.length === 0) return { ok: true, said: `${rules.length} rules, ${count} may decide` }
      const named = tooMany.map(({ scope, name, approvals }) => `${scope} ${name} asks for ${approvals}`)
      return {
        ok: false,
        said: `${named.slice(0, 5).join(', ')}, and ${count} may decide: nothing of it can be approved`,
      }
    }),
})
