import { expect, it } from 'vitest'
import { storeContract } from '../../../test/support/store-contract.ts'
import { createAuditLog, createAuditStore } from '../../audit/index.ts'
import type { Storage } from '../../kernel/index.ts'
import { createMetaStore } from '../../storage/index.ts'
import { approverOfAccount } from '../authentication.ts'
import { createMemberStore } from './member-store.ts'
import { createMembers } from './members.ts'

const stores = { audit: createAuditStore, members: createMemberStore, meta: createMetaStore }

storeContract('members of a tenant', stores, (kit) => {
  const open = (storage: Storage = kit.mine) => {
    const clock = { now: () => 5 }
    const audit = createAuditLog({ storage, clock, auditKey: new Uint8Array(32).fill(9) })
    const members = createMembers({ storage, audit, clock })
    return {
      members,
      may: (id: string) => approverOfAccount(members, storage.tenant, { id, name: 'Ann' }) !== undefined,
      told: async () =>
        (await storage.read((tx) => tx.audit.rows(0, 100))).map(({ event, actor, data }) => [
          event,
          actor,
          JSON.parse(data).person,
        ]),
    }
  }

  it('are those of the settings, each told to the audit once, and may decide', async () => {
    const first = open()
    expect(first.may('7')).toBe(false)
    await first.members.settle(['7', '10', '7'], 'daemon')
    expect([first.may('7'), first.may('10'), first.may('8')]).toEqual([true, true, false])
    // The next start, with the same settings.
    const second = open()
    await second.members.settle(['7', '10'], 'daemon')
    expect(await second.members.list()).toEqual([
      { channel: 'telegram', person: '10', role: 'approver', since: 5 },
      { channel: 'telegram', person: '7', role: 'approver', since: 5 },
    ])
    expect(await second.told()).toEqual([
      ['member.added', 'daemon', '7'],
      ['member.added', 'daemon', '10'],
    ])
  })

  it('who are taken out of the settings may decide nothing at once, and the audit tells', async () => {
    const { members, may, told } = open()
    await members.settle(['7', '10'], 'daemon')
    await members.settle(['10'], 'cli:0')
    expect([may('7'), may('10')]).toEqual([false, true])
    expect((await told()).at(-1)).toEqual(['member.removed', 'cli:0', '7'])
    await members.settle([], 'cli:0')
    expect(may('10')).toBe(false)
    expect(await members.list()).toEqual([])
  })

  it('are nobody whom a row that was written past the daemon names', async () => {
    const before = open()
    await before.members.settle(['7'], 'daemon')
    await kit.sql(
      `INSERT INTO memberships (tenant_id, channel, person, role, since) VALUES ('${kit.me}', 'telegram', '666', 'approver', 1)`,
    )
    expect(before.may('666')).toBe(false)
    const { members, may, told } = open()
    expect(may('666')).toBe(false)
    await members.settle(['7'], 'daemon')
    expect(may('666')).toBe(false)
    expect((await told()).at(-1)).toEqual(['member.removed', 'daemon', '666'])
  })

  it('are those that were, where a change of them is not committed', async () => {
    const { members, may } = open({
      ...kit.mine,
      transaction: (work) =>
        kit.mine.transaction(async (tx) => {
          const result = await work(tx)
          if ((await tx.members.list()).length === 0) throw new Error('the disk is full')
          return result
        }),
    })
    await members.settle(['7'], 'daemon')
    await expect(members.settle([], 'daemon')).rejects.toThrow('the disk is full')
    expect(may('7')).toBe(true)
    expect(await members.list()).toHaveLength(1)
  })

  it('are one tenant’s', async () => {
    const [mine, theirs] = [open(), open(kit.theirs)]
    await mine.members.settle(['7'], 'daemon')
    await theirs.members.settle(['8'], 'daemon')
    expect([mine.may('8'), theirs.may('7')]).toEqual([false, false])
    expect(approverOfAccount(mine.members, kit.theirs.tenant, { id: '7', name: 'Ann' })).toBeUndefined()
    await theirs.members.settle([], 'daemon')
    expect(await mine.members.list()).toHaveLength(1)
  })
})
