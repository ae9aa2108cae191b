import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type AccountId, type AgentId, type AppId, DEFAULT_TENANT, type TenantId } from '../kernel/index.ts'
import {
  actorOf,
  addressActor,
  agentActor,
  agentOfActor,
  describeActor,
  parseActor,
  telegramActor,
} from './actor.ts'
import { accountOf, agentOfToken, appOfToken, approverOfAccount, ownerOfSocket } from './authentication.ts'
import { assertAuthorized, authorize, resourceOf } from './authorize.ts'
import { createConfiguredMemberships } from './memberships.ts'
import { type Action, PERMISSIONS } from './permissions.ts'
import { accountOf as accountOfDecider } from './person.ts'
import { admitPrincipal, type Principal, type ProofMethod, type SessionId } from './principal.ts'

const HERE = DEFAULT_TENANT
const THERE = 'other' as TenantId
const ONE = 'agt_0000000000000001' as AgentId
const TWO = 'agt_0000000000000002' as AgentId

const APP_ONE = 'app_0000000000000001' as AppId
const APP_TWO = 'app_0000000000000002' as AppId

const memberships = createConfiguredMemberships(['7'])
function ann(): Principal {
  const made = approverOfAccount(memberships, HERE, { id: '7', name: 'Ann' })
  if (made === undefined) throw new Error('Ann is an approver')
  return made
}
const session = (of: Principal, steppedUpBy: ProofMethod | null): Principal =>
  admitPrincipal({
    kind: 'session',
    tenant: of.tenant,
    sessionId: 'ses_1' as SessionId,
    of: of as never,
    signedInBy: 'link',
    steppedUpBy,
    provedFor: null,
    proof: null,
  })

const OWNER: Principal = ownerOfSocket(HERE, { uid: '1000', name: 'root' })
const PRINCIPALS = {
  owner: OWNER,
  approver: ann(),
  agent: agentOfToken(HERE, ONE),
  app: appOfToken(HERE, APP_ONE),
  'session of the owner': session(OWNER, null),
  'session of an approver': session(ann(), null),
  'session just proved': session(OWNER, 'link'),
  'approver, just proved': session(ann(), 'link'),
  'session proved by a passkey': session(OWNER, 'passkey'),
  'approver, proved by a passkey': session(ann(), 'passkey'),
} as const satisfies Record<string, Principal>

/**
 * Written by hand, a letter a column: may (`+`), may its own (`o`), may once the person has proved again who they are
 * (`p`), only by a passkey (`k`), may not (`.`). Columns: owner, approver, agent, app, session of the owner, session of an approver.
 */
const EXPECTED: Readonly<Record<Action, string>> = {
  'execution.submit': '..o...',
  'execution.explain': '+.o.+.',
  'execution.list': '++o.++',
  'execution.read': '++o.++',
  'execution.cancel': '..o...',
  'execution.stop': '++..++',
  'execution.acknowledge': '..o...',
  'approval.list': '++..++',
  'approval.read': '++..++',
  'approval.follow': '..o...',
  'approval.decide': '++..++',
  'approval.reach_host': '++..++',
  'quorum.list': '++..++',
  'quorum.manage': '+...p.',
  'grant.list': '++..++',
  'grant.revoke': '++..++',
  'grant.write': '+...p.',
  'secret.list': '+++.++',
  'secret.write': '++..pp',
  'secret.set_risk': '++..pp',
  'secret.remove': '++..++',
  'agent.list': '++..++',
  'agent.manage': '+...p.',
  'app.list': '++..++',
  'app.manage': '+...p.',
  'run.submit': '...o..',
  'run.list': '++..++',
  'run.read': '++.o++',
  'run.cancel': '++.o++',
  'file.upload': '...o..',
  'file.list': '++..++',
  'file.remove': '+...+.',
  'run_session.list': '++.o++',
  'run_session.remove': '+..o+.',
  'provider.list': '++..++',
  'provider.manage': '+...p.',
  'provider.use': '..o...',
  'provider_key.list': '++..++',
  'provider_key.write': '++..pp',
  'provider_key.remove': '++..++',
  'hosted_agent.list': '++..++',
  'hosted_agent.manage': '+...p.',
  'hosted_agent.chat': '+...+.',
  'hosted_agent.operate': '+...+.',
  'hosted_agent.desktop': '+...+.',
  'hosted_agent.inspect': '+...+.',
  'hosted_agent.files': '+...+.',
  'browser.use': '+.o.+.',
  'usage.read': '++..++',
  'price.list': '+...+.',
  'price.write': '+...p.',
  'registry.list': '++..++',
  'registry.manage': '+...p.',
  'audit.read': '++..++',
  'audit.export': '+...+.',
  'audit.archive': '+...p.',
  'storage.prune': '+...p.',
  'archive.list': '++..++',
  'key.rotate': '+...p.',
  'master_key.rotate': '+...p.',
  'host.reach': '+...p.',
  'daemon.read': '++..++',
  'push.manage': '++..++',
  'daemon.panic': '++..++',
  'daemon.unlock': '+...k.',
  'daemon.diagnose': '+...+.',
  'passkey.list': '++..++',
  'passkey.manage': '++..pp',
  'session.invite': '++..pp',
  'session.list': '+...+.',
  'session.revoke': '+...+.',
  'account.read': '+...+.',
  'account.manage': '+...p.',
  'user_key.list': '+...+.',
  'user_key.write': '+...+.',
  'instance.list': '+...+.',
  'instance.manage': '+...+.',
  'member.list': '+...+.',
  'tenant.manage': '+...p.',
}
const COLUMNS = [
  'owner',
  'approver',
  'agent',
  'app',
  'session of the owner',
  'session of an approver',
] as const
const ACTIONS = Object.keys(PERMISSIONS) as Action[]

const may = (who: Principal, action: Action, tenant: TenantId, owner: AgentId | AppId | null): boolean =>
  authorize(who, action, resourceOf(tenant, action, owner)).allowed

describe('authorize', () => {
  it.each(ACTIONS)('says of %s who may, and how far', (action) => {
    const row = COLUMNS.map((column): string => {
      const who = PRINCIPALS[column]
      const ids = who.kind === 'app' ? [APP_ONE, APP_TWO, null] : [ONE, TWO, null]
      const [own, others, nobodys] = ids.map((owner) => may(who, action, HERE, owner))
      if (own !== others) return own && !nobodys ? 'o' : '?'
      if (own !== nobodys) return '?'
      if (own) return '+'
      if (who.kind !== 'session') return '.'
      const isOwner = column === 'session of the owner'
      const [link, passkey] = isOwner
        ? (['session just proved', 'session proved by a passkey'] as const)
        : (['approver, just proved', 'approver, proved by a passkey'] as const)
      if (may(PRINCIPALS[link], action, HERE, null)) return 'p'
      return may(PRINCIPALS[passkey], action, HERE, null) ? 'k' : '.'
    })
    expect(row.join('')).toBe(EXPECTED[action])
  })

  it('lets nobody do anything in another tenant, whatever they may in their own', () => {
    for (const who of Object.values(PRINCIPALS)) {
      for (const action of ACTIONS) {
        for (const owner of [ONE, TWO, null]) {
          expect(authorize(who, action, resourceOf(THERE, action, owner))).toEqual({
            allowed: false,
            reason: 'other_tenant',
          })
        }
      }
    }
  })

  it('lets the host’s user alone, of another tenant than the installation’s own, do what reaches beyond that tenant', () => {
    const beyond = [
      ...['archive.list', 'audit.archive', 'daemon.diagnose', 'host.reach', 'master_key.rotate'],
      ...['approval.reach_host', 'tenant.manage'],
    ]
    const atSocket = ownerOfSocket(THERE, { uid: '1000', name: 'root' })
    const member = admitPrincipal({ ...ann(), tenant: THERE } as Principal)
    for (const action of ACTIONS) {
      const own = PERMISSIONS[action].may
      const isBeyond = beyond.includes(action)
      expect(may(atSocket, action, THERE, null), action).toBe('owner' in own)
      expect(may(session(atSocket, 'passkey'), action, THERE, null), action).toBe('owner' in own && !isBeyond)
      expect(may(member, action, THERE, null), action).toBe('approver' in own && !isBeyond)
    }
  })

  it('denies an agent of the same id in another tenant', () => {
    const namesake = agentOfToken(THERE, ONE)
    expect(may(namesake, 'execution.read', HERE, ONE)).toBe(false)
    expect(may(namesake, 'execution.read', THERE, ONE)).toBe(true)
  })

  it.each(['', 'approval', 'approval.', 'approval.approve', 'toString', 'constructor.decide', '__proto__'])(
    'denies the owner what is no action: %j',
    (action) => {
      const asked = { tenant: HERE, kind: action.split('.')[0], owner: null } as never
      expect(authorize(OWNER, action as Action, asked)).toEqual({ allowed: false, reason: 'unknown_action' })
    },
  )

  it('denies an action on a thing of another kind', () => {
    const secret = { tenant: HERE, kind: 'secret', owner: null } as never
    expect(authorize(OWNER, 'approval.decide', secret)).toEqual({ allowed: false, reason: 'unknown_action' })
  })

  it('believes no principal that authentication did not make', () => {
    const forged = [
      { kind: 'owner', tenant: HERE, uid: '0', name: 'root' },
      { ...OWNER },
      structuredClone(OWNER),
      Object.create(OWNER),
      JSON.parse(JSON.stringify(OWNER)),
      new Proxy(OWNER, {}),
    ] as Principal[]
    for (const who of forged) {
      for (const action of ACTIONS) {
        const asked = resourceOf(HERE, action, ONE)
        expect(authorize(who, action, asked)).toEqual({ allowed: false, reason: 'unauthenticated' })
      }
      expect(() => actorOf(who)).toThrow(expect.objectContaining({ code: 'internal' }))
    }
  })

  it('gives what a principal is to nobody who changes it', () => {
    const agent = agentOfToken(HERE, ONE)
    expect(() => Object.assign(agent, { agentId: TWO })).toThrow(TypeError)
    expect(() => Object.assign(agent, { kind: 'owner' })).toThrow(TypeError)
    expect(may(agent, 'execution.read', HERE, TWO)).toBe(false)
  })

  it('tells a refused person why', () => {
    const asked = resourceOf(HERE, 'secret.write')
    expect(() => assertAuthorized(session(ann(), null), 'secret.write', asked)).toThrow(
      expect.objectContaining({ code: 'refused', details: { reason: 'step_up_required' } }),
    )
  })
})

describe('an account', () => {
  const THERE = 'ten_0123456789abcdef' as TenantId
  const id = 'acc_0123456789abcdef' as AccountId
  const of = createConfiguredMemberships([], THERE, [id])
  const bob = accountOf(of, THERE, { id, name: 'Bob' })
  if (bob === undefined) throw new Error('Bob has an account')
  const may = (who: Principal, action: Action): boolean =>
    authorize(who, action, resourceOf(THERE, action)).allowed

  it('does in its tenant what an owner there does, and nothing of the installation, however it proves itself', () => {
    for (const action of ACTIONS) {
      const { may: roles, scope } = PERMISSIONS[action] as (typeof PERMISSIONS)['tenant.manage']
      const isOwners = roles.owner === 'all' && scope !== 'installation'
      for (const proof of ['passkey'] as const)
        expect(may(session(bob, proof), action), action).toBe(isOwners)
    }
  })

  it('proves nothing by a key that its programs have, nor by a session of long ago', () => {
    for (const action of ACTIONS.filter(
      (one) => 'stepUp' in PERMISSIONS[one] && PERMISSIONS[one].stepUp !== 'if_high_risk',
    ))
      expect([may(bob, action), may(session(bob, null), action)], action).toEqual([false, false])
    expect(may(session(bob, 'password'), 'daemon.unlock')).toBe(false)
  })

  it('is of its tenant alone, and never of the installation’s own', () => {
    expect(accountOf(of, HERE, { id, name: 'Bob' })).toBeUndefined()
    expect(accountOf(createConfiguredMemberships([], HERE, [id]), HERE, { id, name: 'Bob' })).toBeUndefined()
    expect(actorOf(bob)).toBe(`account:${id}`)
    expect(accountOfDecider(bob)).toBe('owner')
  })
})

describe('an approver', () => {
  it.each(['8', '', ' 7', '7 ', '07', '7\n', '+7', '7.0', 'cli:0', 'default'])(
    'is nobody whose account is no member: %j',
    (id) => {
      expect(approverOfAccount(memberships, HERE, { id, name: 'Ann' })).toBeUndefined()
    },
  )

  it('is one of the tenant that they are a member of, and of no other', () => {
    expect(approverOfAccount(memberships, THERE, { id: '7', name: 'Ann' })).toBeUndefined()
    expect(memberships.approversOf('__proto__' as TenantId).size).toBe(0)
  })
})

describe('an actor', () => {
  it('is stored in the form that the audit has always had', () => {
    expect(Object.values(PRINCIPALS).map(actorOf)).toEqual([
      'cli:1000',
      'telegram:7',
      `agent:${ONE}`,
      'app:app_0000000000000001',
      'cli:1000',
      'telegram:7',
      'cli:1000',
      'telegram:7',
      'cli:1000',
      'telegram:7',
    ])
    expect([agentActor(ONE), telegramActor('7'), addressActor('::1')]).toEqual([
      `agent:${ONE}`,
      'telegram:7',
      'address:::1',
    ])
  })

  it.each([
    'daemon',
    'run',
    `agent:${ONE}`,
    'app:a',
    'telegram:7',
    'telegram:unknown',
    'cli:0',
    'address:::1',
  ])('is read back as what it was: %s', (text) => {
    const parsed = parseActor(text)
    expect(parsed && 'id' in parsed ? `${parsed.kind}:${parsed.id}` : parsed?.kind).toBe(text)
  })

  it.each([
    '',
    'Daemon',
    'daemon:1',
    'agent:',
    'agent',
    'agent: x',
    'agent:x\ncli:0',
    'owner:0',
    ':x',
    ' cli:0',
    'toString:x',
  ])('is no other text: %j', (text) => {
    expect(parseActor(text)).toBeUndefined()
    expect(agentOfActor(text)).toBeNull()
  })

  it('cannot be made to look like another by its id', () => {
    for (const id of ['', '7\ncli:0', '7 8', '7\u202e', '7\u0000', 'x'.repeat(129)]) {
      expect(() => telegramActor(id)).toThrow(expect.objectContaining({ code: 'internal' }))
      expect(() => actorOf(ownerOfSocket(HERE, { uid: id, name: 'root' }))).toThrow()
    }
  })

  it('is told to a person by the name of the agent', () => {
    expect([`agent:${ONE}`, 'cli:0'].map((actor) => describeActor(actor, () => 'clawd'))).toEqual([
      'agent:clawd',
      'cli:0',
    ])
  })

  it('is put together in one file', () => {
    const root = join(import.meta.dirname, '..')
    const makers = globSync('**/*.ts', { cwd: root }).filter(
      (name) =>
        !name.endsWith('.test.ts') &&
        /[`'"](?:agent|app|telegram|cli|address):(?:\$\{|['"`] ?\+)/.test(
          readFileSync(join(root, name), 'utf8'),
        ),
    )
    expect(makers).toEqual(['identity/actor.ts'])
  })
})
